"""What is refused before a workbook is opened: files that are too large, and those of other kinds.

Plain openpyxl takes 36 s and 2 GB for a zip bomb of 1 MB. Here nothing is unpacked before its size
is known. Pure: no database, no writing.
"""

from collections.abc import Collection
from typing import IO
from zipfile import ZipInfo

from django.utils.translation import gettext as _

from tracker.domain import zip_guard
from tracker.excel.xml_parts import WorkbookRefused

MILLION_BYTES = 1_000_000
MAX_WORKBOOK_BYTES = 20 * MILLION_BYTES
MAX_UNPACKED_BYTES = 200 * MILLION_BYTES
MAX_WORKBOOK_PARTS = 2_000
HEAD_BYTES = 1 << 16  # that tell what kind of file it is
MAIN_PART = "xl/workbook.xml"
MACRO_PART = "xl/vbaproject.bin"
BINARY_PART = "xl/workbook.bin"


def damaged() -> str:
    """Say that a file cannot be read to its end."""
    return _("The file is damaged or incomplete; save it again and upload it again.")


def check_file(file: IO[bytes]) -> None:
    """Refuse by size and first bytes what is no .xlsx, each kind in its own words."""
    file.seek(0, 2)
    size = file.tell()
    if size > MAX_WORKBOOK_BYTES:
        raise WorkbookRefused(
            _("The file is larger than %(size)d MB.")
            % {"size": MAX_WORKBOOK_BYTES // MILLION_BYTES}
        )
    file.seek(0)
    head = file.read(HEAD_BYTES)
    if not head:
        raise WorkbookRefused(_("The file is empty."))
    if head.startswith(zip_guard.OLE_START):
        # The names within such a file are written in two bytes a letter.
        file.seek(0)
        if "EncryptedPackage".encode("utf-16-le") in file.read():
            raise WorkbookRefused(
                _("The workbook is password-protected; save it without a password.")
            )
        raise WorkbookRefused(_("This is an old workbook (.xls, .et); save it as .xlsx."))
    if not head.startswith(b"PK"):
        raise WorkbookRefused(_text_file(head))
    _check_directory(file)
    file.seek(0)


def _text_file(head: bytes) -> str:
    """Say what a file without a zip's first bytes is."""
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype html", b"<html", b"<table", b"<meta")):
        return _("This is a web page with a workbook extension; save it as .xlsx.")
    if start.startswith(b"<?xml"):
        return _("This is an XML file; save it as .xlsx.")
    if b"\x00" not in head and (b"," in head or b"\t" in head or b";" in head) and b"\n" in head:
        return _("This is a text file (csv); open it in Excel or WPS and save it as .xlsx.")
    return _("This is not an Excel workbook; upload an .xlsx file.")


def _check_directory(file: IO[bytes]) -> None:
    """Look at the size of a zip's directory before anybody reads it."""
    try:
        zip_guard.check_directory(file, MAX_WORKBOOK_PARTS)
    except zip_guard.TooManyEntries as fault:
        raise WorkbookRefused(_too_many_parts()) from fault
    except zip_guard.BrokenZip as fault:
        raise WorkbookRefused(damaged()) from fault


def check_entries(entries: Collection[ZipInfo]) -> None:
    """Refuse a zip by its directory: too many parts, too large unpacked, or encrypted."""
    if len(entries) > MAX_WORKBOOK_PARTS:
        raise WorkbookRefused(_too_many_parts())
    if any(entry.flag_bits & 1 for entry in entries):
        raise WorkbookRefused(_("The workbook is password-protected; save it without a password."))
    # A part never yields more than its directory says: this sum is the most that can be unpacked.
    if sum(entry.file_size for entry in entries) > MAX_UNPACKED_BYTES:
        raise WorkbookRefused(
            _("Unpacked, the file is larger than %(size)d MB.")
            % {"size": MAX_UNPACKED_BYTES // MILLION_BYTES}
        )


def check_parts(names: Collection[str]) -> None:
    """Refuse workbooks of other kinds by the names of their parts, in small letters."""
    if MACRO_PART in names or BINARY_PART in names:
        raise WorkbookRefused(
            _("Workbooks with macros or in binary format are not read; save it as .xlsx.")
        )
    if MAIN_PART not in names:
        raise WorkbookRefused(
            _("This is a zip archive, not an Excel workbook; upload the .xlsx file itself.")
        )


def _too_many_parts() -> str:
    return _("The file contains more than %(count)d parts, too many for a workbook.") % {
        "count": MAX_WORKBOOK_PARTS
    }
