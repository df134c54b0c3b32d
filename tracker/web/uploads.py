"""Where uploads lie while they arrive, and where evidence goes: whole files, or none."""

import os
import tempfile
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from django.core.files.base import File
from django.core.files.move import file_move_safe
from django.core.files.storage import FileSystemStorage
from django.core.files.uploadedfile import TemporaryUploadedFile, UploadedFile
from django.core.files.uploadhandler import SkipFile, TemporaryFileUploadHandler
from django.db import transaction

from tracker.domain import scratch
from tracker.domain.disk import is_disk_full


class ScratchUploadedFile(TemporaryUploadedFile):
    """A large upload in the folder of this process, which is swept when the process was killed."""

    def __init__(
        self, name: Any, content_type: Any, size: int, charset: Any, content_type_extra: Any = None
    ) -> None:
        # Closed as an upload.
        file = tempfile.NamedTemporaryFile(suffix=".upload", dir=scratch.folder())  # noqa: SIM115
        super(TemporaryUploadedFile, self).__init__(
            file, name, content_type, size, charset, content_type_extra
        )


class ScratchUploadHandler(TemporaryFileUploadHandler):
    """Take large uploads; one that finds no room is left out, and the text beside it is kept."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super(TemporaryFileUploadHandler, self).new_file(*args, **kwargs)
        try:
            self.file = ScratchUploadedFile(
                self.file_name, self.content_type, 0, self.charset, self.content_type_extra
            )
        except OSError as error:
            self._leave_out(error)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        try:
            return super().receive_data_chunk(raw_data, start)
        except OSError as error:
            self._leave_out(error)

    def file_complete(self, file_size: int) -> UploadedFile | None:
        try:
            self.file.flush()
        except OSError as error:
            self._leave_out(error)
        return super().file_complete(file_size)

    def _leave_out(self, error: OSError) -> NoReturn:
        if not is_disk_full(error) or self.request is None:
            raise error
        self.request.upload_without_room = True  # type: ignore[attr-defined]
        raise SkipFile from error


class EvidenceStorage(FileSystemStorage):
    """Store files whole under their name, and remove those of a transaction that failed."""

    def _save(self, name: str, content: File) -> str:
        target = Path(self.path(name))
        target.parent.mkdir(parents=True, exist_ok=True)
        half = scratch.new_file()
        try:
            with half.open("wb") as file:
                for chunk in content.chunks():
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            half.chmod(self.file_permissions_mode or 0o600)
            note = scratch.note_pending(name)
            file_move_safe(str(half), str(target))
        finally:
            half.unlink(missing_ok=True)
        # Until then the next start takes the file away if this process is killed.
        transaction.on_commit(partial(note.unlink, missing_ok=True))
        return name
