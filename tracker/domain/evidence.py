"""What may be handed in as evidence: kinds of files, known by their content. Pure."""

from itertools import chain
from typing import IO

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tracker.domain import zip_guard
from tracker.domain.zip_guard import Danger

MAX_EVIDENCE_BYTES = 20 * 1024 * 1024  # bytes of one file
MAX_EVIDENCE_FILES = 10  # files at a time
# First bytes, and the endings that go with them.
FILE_SIGNATURES: tuple[tuple[bytes, tuple[str, ...]], ...] = (
    (b"%PDF-", ("pdf",)),
    (b"\x89PNG\r\n\x1a\n", ("png",)),
    (b"\xff\xd8\xff", ("jpg", "jpeg")),
    (b"GIF8", ("gif",)),
    (b"BM", ("bmp",)),
    (zip_guard.OLE_START, ("doc", "xls", "ppt", "wps", "et", "dps")),
)
# A zip is a document by the parts it holds.
OFFICE_PARTS = {
    "word/document.xml": "docx",
    "xl/workbook.xml": "xlsx",
    "ppt/presentation.xml": "pptx",
    "OFD.xml": "ofd",
}
ALLOWED_SUFFIXES = [*chain(*dict(FILE_SIGNATURES).values()), *OFFICE_PARTS.values()]
DANGER_WORDS = {
    Danger.MACRO: gettext_lazy(
        "“%(name)s” contains macros (%(entry)s): save it without macros and upload it again."
    ),
    Danger.EXECUTABLE: gettext_lazy(
        "“%(name)s” contains a program (%(entry)s) and is not accepted."
    ),
    Danger.ARCHIVE: gettext_lazy(
        "“%(name)s” contains a file that cannot be inspected (%(entry)s): remove it and upload it "
        "separately."
    ),
    Danger.ENCRYPTED: gettext_lazy("“%(name)s” is password-protected: save it without a password."),
}


def check_evidence(name: str, size: int, file: IO[bytes]) -> None:
    """Raise ValueError, with a sentence for people, for a file that is not accepted.

    That is one that is too large, of no known kind, not what its name says, or unsafe.
    """
    if size > MAX_EVIDENCE_BYTES:
        raise ValueError(
            _("“%(name)s” is larger than %(most)d MB.")
            % {"name": name, "most": MAX_EVIDENCE_BYTES // 1024**2}
        )
    ending = name.rpartition(".")[2].lower()
    if ending not in _endings(name, file):
        raise ValueError(
            _(
                "“%(name)s” is not accepted: its content must match its extension, one of "
                "%(allowed)s."
            )
            % {"name": name, "allowed": ", ".join(ALLOWED_SUFFIXES)}
        )


def _endings(name: str, file: IO[bytes]) -> tuple[str, ...]:
    """Return the endings that the content of a file goes with.

    Raise ValueError for what it must not hold.
    """
    file.seek(0)
    start = file.read(8)
    file.seek(0)
    if start == zip_guard.OLE_START:
        _check_ole(name, file)
    for signature, endings in FILE_SIGNATURES:
        if start.startswith(signature):
            return endings
    if start.startswith(zip_guard.ZIP_START):
        return _zip_endings(name, file)
    return ()


def _check_ole(name: str, file: IO[bytes]) -> None:
    danger = zip_guard.ole_danger(file.read())
    file.seek(0)
    if danger:
        raise ValueError(DANGER_WORDS[danger] % {"name": name, "entry": "OLE"})


def _zip_endings(name: str, file: IO[bytes]) -> tuple[str, ...]:
    try:
        names = zip_guard.read_names(file)
    except zip_guard.TooManyEntries as fault:
        limit = {"name": name, "count": zip_guard.MAX_ENTRIES}
        raise ValueError(
            _("“%(name)s” contains more than %(count)d parts, too many for a document.") % limit
        ) from fault
    except zip_guard.DangerousEntry as fault:
        raise ValueError(
            DANGER_WORDS[fault.danger] % {"name": name, "entry": fault.entry}
        ) from fault
    except zip_guard.ZipFault:
        return ()
    return tuple(ending for part, ending in OFFICE_PARTS.items() if part in names)
