"""Files that commands read."""

from pathlib import Path

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError

from tracker.text.file_reader import read_text_file


def read_text(path: Path) -> str:
    """Read a policy text from a file; what is wrong with it ends the command in words."""
    try:
        return read_text_file(path.read_bytes(), str(path))
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from error
    except ValidationError as error:
        raise CommandError(" ".join(error.messages)) from error
