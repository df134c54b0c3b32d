"""What may be handed in as evidence: kinds of files, known by their content. Pure."""

import zipfile
from typing import IO

from django.utils.translation import gettext as _

LARGEST = 20 * 1024 * 1024  # bytes of one file
MOST = 10  # files at a time
ENTRIES = 10_000  # of a zip; a document has far fewer
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# First bytes, and the endings that go with them.
STARTS: tuple[tuple[bytes, tuple[str, ...]], ...] = (
    (b"%PDF-", ("pdf",)),
    (b"\x89PNG\r\n\x1a\n", ("png",)),
    (b"\xff\xd8\xff", ("jpg", "jpeg")),
    (b"GIF8", ("gif",)),
    (b"BM", ("bmp",)),
    (OLE, ("doc", "xls", "ppt", "wps", "et", "dps")),
)
# A zip is a document by the parts it holds.
PARTS = {"word/document.xml": "docx", "xl/workbook.xml": "xlsx", "ppt/presentation.xml": "pptx", "OFD.xml": "ofd"}
ENDINGS = (*(ending for _start, endings in STARTS for ending in endings), *PARTS.values())


def check(name: str, size: int, file: IO[bytes]) -> None:
    """Raise ValueError, in words, for a file that is too large, of no known kind, or not what its name says."""
    if size > LARGEST:
        raise ValueError(_("“%(name)s” is larger than %(most)d MB.") % {"name": name, "most": LARGEST // 1024**2})
    ending = name.rpartition(".")[2].lower()
    if ending not in _endings(file):
        raise ValueError(
            _("“%(name)s” is not taken: its content must be what its name says, one of %(allowed)s.")
            % {"name": name, "allowed": ", ".join(ENDINGS)}
        )


def _endings(file: IO[bytes]) -> tuple[str, ...]:
    """Return the endings that the content of a file goes with."""
    file.seek(0)
    start = file.read(8)
    file.seek(0)
    for signature, endings in STARTS:
        if start.startswith(signature):
            return endings
    if not start.startswith(b"PK\x03\x04"):
        return ()
    try:
        with zipfile.ZipFile(file) as archive:
            names = {entry.filename for entry in archive.infolist()[:ENTRIES]}
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        return ()
    finally:
        file.seek(0)
    return tuple(ending for part, ending in PARTS.items() if part in names)
