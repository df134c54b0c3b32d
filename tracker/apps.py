"""The one app of the project."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django.utils.translation import gettext_lazy as _


class TrackerConfig(AppConfig):
    """Name the app on screen."""

    name = "tracker"
    verbose_name = _("Policy tracking")
    default_auto_field = "django.db.models.BigAutoField"


class TrackerAdminConfig(AdminConfig):
    """Open the admin by role."""

    default_site = "tracker.web.admin_site.TrackerSite"
