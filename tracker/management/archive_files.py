"""Read the file of a backup, which anybody may have made, member by member."""

import hashlib
import json
import shutil
import tarfile
from pathlib import Path, PurePosixPath
from typing import IO, Any

from django.core.management.base import CommandError
from django.utils.translation import gettext as _

MANIFEST = "manifest.json"
DATABASE = "database"
EVIDENCE = "evidence"
KEY = "secret_key"
MAX_MANIFEST = 64 * 1024**2  # bytes: some 500,000 files of evidence
SPARE_BYTES = 64 * 1024**2  # that stay free on the disk
COPY_CHUNK = 1 << 20
# What the manifest contains: the name and type of each value.
FIELDS = {"database": str, "version": str, "made": str, "migrations": list, "sums": dict}


class BrokenArchive(ValueError):
    """The file is no backup of this program; the message says what is wrong with it."""


def checksum(path: Path) -> str:
    """Return the sum by which a file is known again."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def unpack(path: Path, folder: Path) -> dict[str, Any]:
    """Unpack a backup into a folder and return its manifest.

    Raise CommandError on anything that does not fit.

    Every member is a plain file that the manifest names, once, with its sum; links, devices and
    names that lead out of the folder are refused, and so is what the disk has no room for.
    """
    try:
        with tarfile.open(path, "r:") as archive:
            manifest = _read_manifest(archive)
            damaged = _extract(archive, manifest["sums"], folder)
    except (
        BrokenArchive,
        OSError,
        tarfile.TarError,
        EOFError,
        ValueError,
        RecursionError,
    ) as error:
        raise CommandError(
            _("%(path)s is not a backup of this program: %(error)s")
            % {"path": path, "error": error}
        ) from error
    if damaged:
        raise CommandError(
            _("The backup is damaged: %(names)s") % {"names": ", ".join(damaged[:10])}
        )
    return manifest


def _read_manifest(archive: tarfile.TarFile) -> dict[str, Any]:
    """Read the first member, which says what the others are."""
    member = archive.next()
    if member is None or not _is_manifest(member):
        raise BrokenArchive(_("%(name)s is missing") % {"name": MANIFEST})
    manifest = None
    file = archive.extractfile(member)
    if file:
        manifest = json.loads(file.read())
    if not isinstance(manifest, dict):
        raise BrokenArchive(_("%(name)s is damaged") % {"name": MANIFEST})
    for name, kind in FIELDS.items():
        if not isinstance(manifest.get(name), kind):
            raise BrokenArchive(_("%(name)s is damaged") % {"name": f"{MANIFEST}: {name}"})
    texts = [*manifest["migrations"], *manifest["sums"].values()]
    if not all(isinstance(text, str) for text in texts):
        raise BrokenArchive(_("%(name)s is damaged") % {"name": MANIFEST})
    return manifest


def _is_manifest(member: tarfile.TarInfo) -> bool:
    return member.name == MANIFEST and member.isreg() and member.size <= MAX_MANIFEST


def _extract(archive: tarfile.TarFile, sums: dict[str, str], folder: Path) -> list[str]:
    """Write the members to a folder; return the names of those that are damaged or missing."""
    seen: set[str] = set()
    damaged = []
    for member in archive:
        if member.name == MANIFEST and not seen:
            continue
        _check_member(member, seen, folder)
        seen.add(member.name)
        file = archive.extractfile(member)
        if (
            file is None
            or member.name not in sums
            or _write(file, folder / member.name) != sums[member.name]
        ):
            damaged.append(member.name)
    return [*damaged, *sorted({*sums, DATABASE} - seen)]


def _check_member(member: tarfile.TarInfo, seen: set[str], folder: Path) -> None:
    parts = PurePosixPath(member.name).parts
    inside = member.name in (DATABASE, KEY) or (
        parts[:1] == (EVIDENCE,) and len(parts) > 1 and ".." not in parts
    )
    if not member.isreg() or member.issparse() or not inside or member.name in seen:
        raise BrokenArchive(_("“%(name)s” does not belong in a backup") % {"name": member.name})
    room = shutil.disk_usage(folder).free - SPARE_BYTES
    if member.size > room:
        need = member.size // 1024**2 + 1
        free = max(0, room) // 1024**2
        raise BrokenArchive(
            _("“%(name)s” needs %(need)d MB, and %(free)d MB are free on the disk")
            % {"name": member.name, "need": need, "free": free}
        )


def _write(source: IO[bytes], path: Path) -> str:
    """Copy a member to a file and return its sum."""
    path.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with path.open("xb") as target:
        while part := source.read(COPY_CHUNK):
            digest.update(part)
            target.write(part)
    return digest.hexdigest()
