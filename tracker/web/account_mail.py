"""Mail to people about their own accounts."""

import datetime as dt
import logging
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import send_mail
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from tracker.models import User

mail_logger = logging.getLogger(__name__)


def tell_of_reset(user: User, by: str, when: dt.datetime) -> None:
    """Tell a person by mail that somebody else has set the password.

    A mail that fails is logged.
    """
    if not user.email or not settings.EMAIL_URL:
        return
    with translation.override(settings.LANGUAGE_CODE):
        moment = date_format(timezone.localtime(when), "DATETIME_FORMAT")
        text = _(
            "%(by)s set the password of your account “%(name)s” on %(moment)s. It is valid for one "
            "login; then you choose your own. If you did not request this, tell the supervision "
            "office immediately. %(contact)s"
        ) % {"by": by, "name": user.username, "moment": moment, "contact": settings.CONTACT}
        subject = _("Your password was set by somebody else")
    try:
        send_mail(subject, f"{text.strip()}\n\n{settings.SITE_URL}".strip(), None, [user.email])
    except (OSError, SMTPException):
        mail_logger.exception(
            "The mail about a password reset of %s could not be sent.", user.username
        )
