"""Read a policy text from a file, plain in UTF-8 or GB18030, or a Word document; say in words what is no text."""

import io
import re
import zipfile
from collections.abc import Iterator

import docx
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from docx.document import Document
from docx.opc.exceptions import PackageNotFoundError
from docx.oxml.exceptions import InvalidXmlError
from docx.table import Table
from docx.text.paragraph import Paragraph
from lxml.etree import XMLSyntaxError

from tracker.domain import zip_guard

MAX_POLICY_TEXT = 500_000  # characters: some 600 pages
MAX_TEXT_FILE_BYTES = 5 * 1024 * 1024  # bytes, as it is sent
LARGEST_UNPACKED = 60 * 1024 * 1024  # bytes of a Word document, unpacked: what is more is a bomb
ENCODINGS = ("utf-8-sig", "gb18030")
# Characters that steer a terminal or turn the direction of writing: no text of ours needs them.
_STEERING = re.compile(
    r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffe\uffff\ud800-\udfff]"
)
# A text broken at one width: in characters, and the fewest full lines that show it.
NARROWEST, WIDEST, WRAP_SLACK, FEWEST = 18, 100, 8, 6
_GOES_ON = re.compile(r"[^。！？!?；;：:.\s|\t][”’」』）)\"']*$")
_NEW_PART = re.compile(
    r"[\s\u3000|#>*•●-]|[（(]?[一二三四五六七八九十\d]{1,3}[、.．)）]|第[一二三四五六七八九十百\d]+[章节条编部]"
)
_MOST_STEERING = 0.02  # share of such characters beyond which a file is no text


def clean_policy_text(text: str) -> str:
    """Return a text as it is kept: line ends alike, no steering characters; refuse what is too long."""
    if len(text) > MAX_POLICY_TEXT:
        values = {"length": f"{len(text):,}", "most": f"{MAX_POLICY_TEXT:,}"}
        raise ValidationError(
            _("The text has %(length)s characters; at most %(most)s are accepted.") % values
        )
    text = re.sub(r"\r\n?|[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]", "\n", text)
    kept = _STEERING.sub("", text)
    if len(text) - len(kept) > max(_MOST_STEERING * len(text), 20):
        raise ValidationError(_("This is not text: it contains many control characters."))
    return _unwrapped(kept.strip())


def _unwrapped(text: str) -> str:
    """Join the lines of a text that was broken at one width: most lines are full then, and end inside a sentence."""
    lines = [line.rstrip() for line in text.split("\n")]
    width = max(map(len, lines))
    full = [width - len(line) <= WRAP_SLACK and _GOES_ON.search(line) is not None for line in lines]
    filled = sum(map(bool, lines))
    if not (NARROWEST <= width <= WIDEST and sum(full) >= FEWEST and 3 * sum(full) >= filled):
        return text
    joined = [lines[0]]
    for before, line in zip(full, lines[1:], strict=False):
        if before and line and not _NEW_PART.match(line):
            joined[-1] += " " * (joined[-1][-1:].isascii() and line[0].isascii()) + line
        else:
            joined.append(line)
    return "\n".join(joined)


def read_text_file(raw: bytes, name: str) -> str:
    """Return the text of a file, by its name and content; raise ValidationError in words where it has none."""
    if len(raw) > MAX_TEXT_FILE_BYTES:
        values = {"name": name, "size": f"{len(raw):,}", "most": f"{MAX_TEXT_FILE_BYTES:,}"}
        raise ValidationError(
            _("%(name)s has %(size)s bytes; at most %(most)s are accepted.") % values
        )
    if raw[:4] == b"PK\x03\x04" or name.lower().endswith(".docx"):
        text = clean_policy_text(_of_word(raw, name))
    else:
        text = clean_policy_text(_of_plain(raw, name))
    if not text:
        raise ValidationError(_("%(name)s contains no text.") % {"name": name})
    return text


def _of_plain(raw: bytes, name: str) -> str:
    encodings = ("utf-16",) if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else ENCODINGS
    for encoding in encodings:
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise ValidationError(_("%(path)s is neither UTF-8 nor GB18030.") % {"path": name})


def _of_word(raw: bytes, name: str) -> str:
    """Return paragraphs as lines and the rows of tables with tabs between their cells, in the order of the document."""
    broken = ValidationError(
        _("%(name)s is not a Word document (.docx), or it is damaged.") % {"name": name}
    )
    try:
        zip_guard.check_directory(io.BytesIO(raw))
        with zipfile.ZipFile(io.BytesIO(raw)) as package:
            # The sizes are those that the package claims; unpacking stops at them.
            if sum(part.file_size for part in package.infolist()) > LARGEST_UNPACKED:
                raise ValidationError(
                    _("%(name)s is too large for a policy text when unpacked, and was refused.")
                    % {"name": name}
                )
            if "word/document.xml" not in package.namelist():
                raise broken
        return "\n".join(_lines(docx.Document(io.BytesIO(raw))))
    except (
        zipfile.BadZipFile, PackageNotFoundError, InvalidXmlError, XMLSyntaxError, KeyError, ValueError,
        NotImplementedError, EOFError, OSError, RecursionError, AttributeError,
    ) as error:  # fmt: skip
        raise broken from error


def _lines(document: Document) -> Iterator[str]:
    for block in document.iter_inner_content():
        if isinstance(block, Paragraph):
            yield _mark_of(block) + block.text
        elif isinstance(block, Table):
            for row in block.rows:
                cells = [re.sub(r"\s+", " ", cell.text).strip() for cell in row.cells]
                yield "\t".join(cells)


def _mark_of(paragraph: Paragraph) -> str:
    """Return what stands for numbers that Word counts by itself and that are no part of the text."""
    if not paragraph.text.strip() or re.match(
        r"\s*[第（(一二三四五六七八九十\d#-]", paragraph.text
    ):
        return ""
    style = (paragraph.style.name if paragraph.style else "") or ""
    if found := re.match(r"(?:Heading|标题)\s*([1-6])$", style, re.IGNORECASE):
        return "#" * (int(found[1]) + 1) + " "
    counted = paragraph._p.pPr is not None and paragraph._p.pPr.numPr is not None
    return "- " if counted or style.startswith(("List ", "列表")) else ""
