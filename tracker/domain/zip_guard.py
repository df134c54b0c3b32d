"""Look into a zip file before anything unpacks it, at a bounded cost whatever the file claims.

`zipfile` reads the whole directory of a file, 24 microseconds an entry: a file of 10 MB may hold
180,000 of them. Here the end record is read first, then the directory is counted, and only a
directory of a credible size is handed on. Pure: no database, no writing.
"""

import io
import re
import struct
import zlib
from dataclasses import dataclass
from enum import Enum
from typing import IO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

MAX_ENTRIES = 5_000  # a presentation of 500 slides has some 2,500
MAX_RECORD = 400  # bytes of one directory record on average, its name and extra fields included
MAX_CONTENT_TYPES = 4 * 1024**2  # bytes of the part that names the kinds of all others
MAX_NESTED_BYTES = 40 * 1024**2  # of all embedded documents together, unpacked
READ_ERRORS = (
    BadZipFile,
    EOFError,
    NotImplementedError,
    OSError,
    RuntimeError,
    ValueError,
    struct.error,
    zlib.error,
)

OLE_START = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ZIP_START = b"PK\x03\x04"
_END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4sQ2H2L4Q")
_END64_LOCATOR = struct.Struct("<4sLQL")
_LONGEST_COMMENT = 0xFFFF
_RECORD_SIZE = 46
_RECORD_LENGTHS = struct.Struct("<28x3H")  # lengths of name, extra field and comment

EXECUTABLE_STARTS = (
    b"MZ",
    b"\x7fELF",
    b"#!",
    b"\xca\xfe\xba\xbe",
    b"\xfe\xed\xfa\xce",
    b"\xfe\xed\xfa\xcf",
    b"\xce\xfa\xed\xfe",
    b"\xcf\xfa\xed\xfe",
    b"dex\n",
    b"L\x00\x00\x00\x01\x14\x02\x00",
)
EXECUTABLE_ENDINGS = {
    "apk",
    "app",
    "bat",
    "chm",
    "cmd",
    "com",
    "cpl",
    "dll",
    "exe",
    "hta",
    "jar",
    "js",
    "jse",
    "lnk",
    "msi",
    "msp",
    "pif",
    "ps1",
    "py",
    "reg",
    "scr",
    "sh",
    "sys",
    "vbe",
    "vbs",
    "wsf",
    "wsh",
}
ARCHIVE_STARTS = (
    b"Rar!\x1a\x07",
    b"7z\xbc\xaf\x27\x1c",
    b"BZh",
    b"\xfd7zXZ\x00",
    b"MSCF",
    b"\x1f\x8b",
)
ARCHIVE_ENDINGS = {"7z", "bz2", "cab", "gz", "iso", "rar", "tar", "tgz", "xz", "zip"}
PACKED_PICTURES = (".emz", ".wmz", ".svgz")  # gzip, as Office packs its drawings
_MACRO_NAME = re.compile(
    r"(^|/)(vba(project|data)[^/]*\.(bin|xml)|macrosheets/.*)$|^(basic|scripts)/.*[^/]$"
)
_MACRO_TYPES = (b"macroenabled", b"vbaproject", b"intlmacrosheet", b".macrosheet")
_OLE_MACROS = "_VBA_PROJECT".encode("utf-16-le")
_OLE_PACKAGE = "\x01Ole10Native".encode("utf-16-le")


class Danger(Enum):
    """What an entry of a zip must not be."""

    MACRO = "macro"
    EXECUTABLE = "executable"
    ARCHIVE = "archive"  # what cannot be looked into
    ENCRYPTED = "encrypted"


class ZipFault(ValueError):
    """The file is not unpacked; the subclass says why."""


class BrokenZip(ZipFault):
    """The file is no zip, is cut off, or its directory contradicts itself."""


class TooManyEntries(ZipFault):
    """The directory holds more than was allowed."""


class DangerousEntry(ZipFault):
    """One entry is of a kind that is not accepted."""

    def __init__(self, entry: str, danger: Danger) -> None:
        super().__init__(f"{entry}: {danger.value}")
        self.entry = entry
        self.danger = danger


@dataclass
class _Budget:
    """Bytes of embedded documents that may still be unpacked."""

    left: int

    def read(self, archive: ZipFile, entry: ZipInfo) -> bytes:
        """Unpack an embedded document; raise BrokenZip where it is larger than any is."""
        with archive.open(entry) as part:
            content = part.read(self.left + 1)
        self.left -= len(content)
        if self.left < 0:
            raise BrokenZip(entry.filename)
        return content


def check_directory(file: IO[bytes], max_entries: int = MAX_ENTRIES) -> None:
    """Raise TooManyEntries or BrokenZip unless the directory of a zip has a credible size.

    Reads the end of the file and a directory of at most `max_entries * MAX_RECORD` bytes.
    """
    size = file.seek(0, io.SEEK_END)
    tail_size = min(size, _LONGEST_COMMENT + _END.size + _END64.size + _END64_LOCATOR.size)
    file.seek(size - tail_size)
    tail = file.read(tail_size)
    end = tail.rfind(b"PK\x05\x06")
    if end < 0 or len(tail) - end < _END.size:
        raise BrokenZip("no end record")
    count, length, start = _end_record(tail, end)
    if count > max_entries or length > max_entries * MAX_RECORD:
        raise TooManyEntries(f"{count} entries, {length} bytes")
    directory = size - tail_size + start - length
    if directory < 0:
        raise BrokenZip("the directory does not fit into the file")
    file.seek(directory)
    if _count_records(file.read(length)) != count:
        raise BrokenZip("the directory holds other entries than its end record says")
    file.seek(0)


def _end_record(tail: bytes, end: int) -> tuple[int, int, int]:
    """Return number of entries, bytes of the directory, and where it ends within the tail.

    The record for large files wins where there is one, as it does in `zipfile`.
    """
    _signature, _disk, _first, _here, count, length, _offset, _comment = _END.unpack_from(tail, end)
    locator = end - _END64_LOCATOR.size
    if locator < 0 or not tail.startswith(b"PK\x06\x07", locator):
        return count, length, end
    large = locator - _END64.size
    if large < 0 or not tail.startswith(b"PK\x06\x06", large):
        raise BrokenZip("no end record where its locator leads")
    fields = _END64.unpack_from(tail, large)
    return fields[7], fields[8], large


def _count_records(directory: bytes) -> int:
    """Count the records of a directory by their lengths."""
    place = count = 0
    while place < len(directory):
        if not directory.startswith(b"PK\x01\x02", place) or place + _RECORD_SIZE > len(directory):
            raise BrokenZip("no directory record")
        place += _RECORD_SIZE + sum(_RECORD_LENGTHS.unpack_from(directory, place))
        count += 1
    return count


def read_names(file: IO[bytes]) -> set[str]:
    """Return the names of all entries after looking into each of them.

    Raises DangerousEntry for macros, programs and archives inside, other ZipFault for a file that
    cannot be read. A document within a document is looked into once; what it embeds in turn is
    refused. Costs some 0.1 milliseconds an entry, and unpacks at most MAX_NESTED_BYTES.
    """
    return _look_into(file, _Budget(MAX_NESTED_BYTES), nested=False)


def _look_into(file: IO[bytes], budget: _Budget, *, nested: bool) -> set[str]:
    check_directory(file)
    try:
        with ZipFile(file) as archive:
            entries = archive.infolist()
            for entry in entries:
                _check_entry(archive, entry, budget, nested=nested)
    except ZipFault:
        raise
    except READ_ERRORS as error:
        raise BrokenZip(str(error)) from error
    finally:
        file.seek(0)
    return {entry.filename for entry in entries}


def _check_entry(archive: ZipFile, entry: ZipInfo, budget: _Budget, *, nested: bool) -> None:
    """Raise DangerousEntry for an entry that is not accepted, by its name and its first bytes."""
    if entry.flag_bits & 1:
        raise DangerousEntry(entry.filename, Danger.ENCRYPTED)
    if entry.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        raise BrokenZip(f"{entry.filename} is packed in a way that no document is")
    if danger := _danger_of_name(entry.filename.lower()):
        raise DangerousEntry(entry.filename, danger)
    with archive.open(entry) as part:
        start = part.read(8)
    if start.startswith(EXECUTABLE_STARTS):
        raise DangerousEntry(entry.filename, Danger.EXECUTABLE)
    if start.startswith(ARCHIVE_STARTS) and not entry.filename.lower().endswith(PACKED_PICTURES):
        raise DangerousEntry(entry.filename, Danger.ARCHIVE)
    if entry.filename == "[Content_Types].xml":
        _check_content_types(archive, entry)
    elif start == OLE_START:
        _check_ole(entry.filename, budget.read(archive, entry))
    elif start.startswith(ZIP_START):
        _check_nested(archive, entry, budget, nested=nested)


def _danger_of_name(name: str) -> Danger | None:
    """Judge an entry by its name in lower case."""
    if _MACRO_NAME.search(name):
        return Danger.MACRO
    ending = name.rpartition("/")[2].rpartition(".")
    if ending[1] and ending[2].strip() in EXECUTABLE_ENDINGS:
        return Danger.EXECUTABLE
    if ending[1] and ending[2].strip() in ARCHIVE_ENDINGS:
        return Danger.ARCHIVE
    return None


def _check_content_types(archive: ZipFile, entry: ZipInfo) -> None:
    """Refuse macros under another name: the part that lists the kinds of all parts names them."""
    with archive.open(entry) as part:
        kinds = part.read(MAX_CONTENT_TYPES + 1)
    if len(kinds) > MAX_CONTENT_TYPES:
        raise BrokenZip(entry.filename)
    # A part in UTF-16 has a zero byte between any two letters.
    plain = kinds.replace(b"\x00", b"").lower()
    if any(kind in plain for kind in _MACRO_TYPES):
        raise DangerousEntry(entry.filename, Danger.MACRO)


def _check_nested(archive: ZipFile, entry: ZipInfo, budget: _Budget, *, nested: bool) -> None:
    """Look into a document within a document: a chart carries its figures as a workbook."""
    if nested:
        raise DangerousEntry(entry.filename, Danger.ARCHIVE)
    content = io.BytesIO(budget.read(archive, entry))
    try:
        names = _look_into(content, budget, nested=True)
    except DangerousEntry as inner:
        raise DangerousEntry(f"{entry.filename}/{inner.entry}", inner.danger) from inner
    if "[Content_Types].xml" not in names:
        raise DangerousEntry(entry.filename, Danger.ARCHIVE)


def _check_ole(name: str, content: bytes) -> None:
    danger = ole_danger(content)
    if danger:
        raise DangerousEntry(name, danger)


def ole_danger(content: bytes) -> Danger | None:
    """Say what a document of the older kind (doc, xls, ppt, wps) holds that is not accepted."""
    if _OLE_MACROS in content:
        return Danger.MACRO
    if _OLE_PACKAGE in content:
        return Danger.ARCHIVE
    return None
