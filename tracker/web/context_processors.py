"""What every page knows beside its own subject."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from tracker.domain import disk, permissions
from tracker.models import PolicyDocument
from tracker.web import late_forms


def page(request: HttpRequest) -> dict[str, Any]:
    """Give templates the footer's facts and what the head line may offer the reader."""
    user = getattr(request, "user", None)
    return {
        "operator": settings.OPERATOR,
        "contact": settings.CONTACT,
        "version": settings.VERSION,
        "large": request.COOKIES.get(settings.LARGE_TYPE_COOKIE_NAME) == "1",
        # Asked for by the first page that offers a switch: the admin does not.
        "policies": PolicyDocument.objects.visible_to(user).only("slug", "title", "state")
        if user
        else [],
        "works_for": user is not None and permissions.works_for(user),
        "reads_reviews": user is not None and permissions.may_read_reviews(user),
        "reads_help": user is not None and permissions.reads_help(user),
        "may_import": user is not None and permissions.may_import(user),
        "makes_policies": user is not None and permissions.may_edit_policies(user),
        "low_disk": free_space_for(user),
        "opens_admin": user is not None and permissions.may_open_admin(user),
        "kept": late_forms.saved_posts(request, user.pk) if user else [],
        "only_unit": permissions.sees_only_unit(user) if user is not None else None,
    }


def free_space_for(user: Any) -> int | None:
    """Return the megabytes that are free, where they are too few.

    None where there is enough space, and for all but administrators.
    """
    if user is None or not permissions.may_manage_accounts(user) or not disk.is_low():
        return None
    return disk.free_megabytes()
