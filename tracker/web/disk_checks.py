"""What `manage.py check` says of the disk and of a restore that was cut off."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core import checks
from django.utils.translation import gettext as _

from tracker.domain import disk


@checks.register
def check_free_space(**_kwargs: Any) -> list[checks.CheckMessage]:
    """Warn while there is still room to act."""
    if not disk.is_low():
        return []
    values = {
        "free": disk.free_megabytes(),
        "least": settings.MIN_FREE_MB,
        "path": settings.DATA_DIR,
    }
    text = _("%(free)d MB are free at %(path)s, less than %(least)d MB (MIN_FREE_MB).") % values
    return [checks.Warning(text, id="tracker.W020")]


@checks.register
def check_restore(**_kwargs: Any) -> list[checks.CheckMessage]:
    """Name a restore that was cut off."""
    folder = Path(settings.WORKING_DIR) / "restore-ready"
    if not folder.exists():
        return []
    text = _(
        "A restore was interrupted. The next start of the server, or `manage.py prepare`, finishes "
        "it: %(path)s"
    )
    return [checks.Warning(text % {"path": folder}, id="tracker.W021")]
