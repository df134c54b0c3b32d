"""Forms that are sent after their session has ended: kept for their account and shown to it again.

Which account a form belongs to is known from its CSRF token: each log-in gets a secret of its own,
and a signed cookie remembers the accounts of the last log-ins of this browser beside a digest of
it. The session of whoever uses the browser next holds the kept forms, the latest first; an account
is shown its own.
"""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.core import signing
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.middleware.csrf import (  # type: ignore[attr-defined]
    CSRF_TOKEN_LENGTH,
    InvalidTokenFormat,
    _check_token_format,
    _unmask_cipher_token,
    get_token,
)
from django.utils.crypto import get_random_string, salted_hmac
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from tracker.domain import dates

SAVED_POSTS_KEY = "kept"  # in the session
MAX_KEPT_FORMS = 5  # of an account in a browser
MAX_KEPT_CHARACTERS = 1_000_000  # of all of them
MAX_REMEMBERED_LOGINS = 8
TOKEN_FIELD = "csrfmiddlewaretoken"  # noqa: S105
KEY_FIELD = "kept_form"  # names the form that is sent again
SALT = "tracker.accounts"
OWN_FETCH_SITES = ("same-origin", "none")


def is_from_own_pages(request: HttpRequest) -> bool:
    """Say whether a page of this site has sent a form.

    Every browser names the origin of a form by at least one of these headers; what names none is
    no browser that another site could make send something.
    """
    if request.headers.get("Sec-Fetch-Site", "none") not in OWN_FETCH_SITES:
        return False
    sender = request.headers.get("Origin") or request.headers.get("Referer")
    if sender is None:
        return True
    try:
        parts = urlsplit(sender)
    except ValueError:
        return False
    origin = f"{parts.scheme}://{parts.netloc}"
    return origin in (f"{request.scheme}://{request.get_host()}", *settings.CSRF_TRUSTED_ORIGINS)


def account_key(request: HttpRequest, present: int | None = None) -> int | None:
    """Return the account that a form belongs to; None where it is not from a page of this site.

    A form without a token of ours counts as one of the account that logged in last, or of the
    `present` one in a browser that remembers none.
    """
    if not is_from_own_pages(request):
        return None
    logins = _remembered_logins(request)
    token = request.POST.get(TOKEN_FIELD) or request.headers.get("X-CSRFToken", "")
    try:
        _check_token_format(token)
    except InvalidTokenFormat:
        if logins:
            return logins[0][0]
        return present
    secret = token
    if len(token) == CSRF_TOKEN_LENGTH:
        secret = _unmask_cipher_token(token)
    digest = _digest(secret)
    return next((account for account, known in logins if known == digest), None)


def remember_login(request: HttpRequest, response: HttpResponseBase) -> None:
    """Note in the browser under which account its present forms are shown."""
    if not request.user.is_authenticated:
        return
    secret = request.META.get("CSRF_COOKIE", "")
    digest = ""
    if secret:
        digest = _digest(secret)
    login = (request.user.pk, digest)
    logins = _remembered_logins(request)
    if logins[:1] == [login]:
        return
    others = [each for each in logins if each != login and each[1]]
    response.set_cookie(
        settings.ACCOUNTS_COOKIE_NAME,
        signing.dumps([login, *others][:MAX_REMEMBERED_LOGINS], salt=SALT),
        max_age=settings.SESSION_COOKIE_AGE,
        httponly=True,
        secure=settings.SESSION_COOKIE_SECURE,
        samesite="Lax",
    )


def has_remembered_login(request: HttpRequest) -> bool:
    """Say whether somebody has logged in with this browser lately."""
    return bool(_remembered_logins(request))


def _remembered_logins(request: HttpRequest) -> list[tuple[int, str]]:
    """Return account and digest of the last log-ins of this browser, the latest first."""
    cookie = request.COOKIES.get(settings.ACCOUNTS_COOKIE_NAME, "")
    try:
        found = signing.loads(cookie, salt=SALT, max_age=settings.SESSION_COOKIE_AGE)
    except signing.BadSignature:
        return []
    return [(account, digest) for account, digest in found]


def _digest(secret: str) -> str:
    return salted_hmac(SALT, secret, algorithm="sha256").hexdigest()[:16]


def save_post(request: HttpRequest, account: int | None) -> None:
    """Keep what a form has sent for its account, and the names of what cannot be kept."""
    if not account or not is_from_own_pages(request):
        return
    fields = _sent_fields(request)
    files = []
    for _name, uploads in request.FILES.lists():
        files += [str(upload.name) for upload in uploads]
    if files or any(fields.values()):
        sent = {
            "user": account,
            "path": urlsplit(return_address(request)).path,
            "action": request.get_full_path(),
            **fields,
            "files": files,
        }
        _add(request, sent)


def _sent_fields(request: HttpRequest) -> dict[str, Any]:
    """Return the fields of a form that can be kept, and say what cannot."""
    left = MAX_KEPT_CHARACTERS
    data: dict[str, list[str]] = {}
    too_long: list[str] = []
    passwords = False
    for name, values in request.POST.lists():
        length = sum(map(len, values))
        if name in (TOKEN_FIELD, KEY_FIELD):
            continue
        if "password" in name:
            passwords = True
        elif length > left:
            too_long.append(name)
        else:
            data[name] = [str(value) for value in values]
            left -= length
    return {"data": data, "too_long": too_long, "passwords": passwords}


def _add(request: HttpRequest, sent: dict[str, Any]) -> None:
    """Put a form before the others.

    Drop the oldest of its account where they are too many or too long.
    """
    account = sent["user"]
    # A button that is pressed twice sends one form.
    earlier = []
    for form in saved_posts(request, account):
        if any(form.get(name) != sent[name] for name in sent):
            earlier.append(form)
    facts = {"key": get_random_string(8), "sent_at": dates.now().isoformat(), "dropped": 0}
    own = [{**sent, **facts}]
    left = MAX_KEPT_CHARACTERS - _length_of(sent)
    for form in earlier:
        left -= _length_of(form)
        if len(own) == MAX_KEPT_FORMS or left < 0:
            break
        own.append(form)
    dropped = earlier[len(own) - 1 :]
    own[0]["dropped"] = len(dropped) + sum(form.get("dropped", 0) for form in dropped)
    others = [form for form in all_saved_posts(request) if form["user"] != account]
    request.session[SAVED_POSTS_KEY] = [*own, *others]


def _length_of(form: dict[str, Any]) -> int:
    length = 0
    for values in form["data"].values():
        length += sum(map(len, values))
    return length


def return_address(request: HttpRequest) -> str:
    """Return the address of the page that a form came from, on this site."""
    sender = request.headers.get("Referer", "")
    try:
        parts = urlsplit(sender)
    except ValueError:
        return request.get_full_path()
    path = ""
    if sender and parts.netloc == request.get_host():
        path = parts._replace(scheme="", netloc="").geturl()
    # A path such as //elsewhere would lead to another site.
    if url_has_allowed_host_and_scheme(path, None):
        return path
    return request.get_full_path()


def all_saved_posts(request: HttpRequest) -> list[dict[str, Any]]:
    """Return what is kept in a browser, whoever has sent it."""
    found = request.session.get(SAVED_POSTS_KEY) or []
    # A session of an earlier release holds one form.
    if isinstance(found, list):
        return found
    return [found]


def saved_posts(request: HttpRequest, account: int | None) -> list[dict[str, Any]]:
    """Return what is kept for an account, the latest first."""
    if not account:
        return []
    return [form for form in all_saved_posts(request) if form["user"] == account]


def forget_post(request: HttpRequest, form: dict[str, Any]) -> None:
    """Keep a form no longer."""
    left = [each for each in all_saved_posts(request) if each != form]
    if left:
        request.session[SAVED_POSTS_KEY] = left
    else:
        request.session.pop(SAVED_POSTS_KEY, None)


def forget_post_by_key(request: HttpRequest, key: str) -> None:
    """Keep the form of the reader's own that a page named no longer."""
    if not key:
        return
    for form in saved_posts(request, request.user.pk):
        if form.get("key") == key:
            forget_post(request, form)


def end_session(request: HttpRequest) -> None:
    """Log out; what is kept stays for its accounts."""
    found = all_saved_posts(request)
    logout(request)
    restore_posts(request, found)


def saved_for_others(request: HttpRequest) -> list[dict[str, Any]]:
    """Return what is kept for other accounts than the one that is logged in."""
    return [form for form in all_saved_posts(request) if form["user"] != request.user.pk]


def restore_posts(request: HttpRequest, found: list[dict[str, Any]]) -> None:
    """Put kept forms into a session that was emptied."""
    if found and SAVED_POSTS_KEY not in request.session:
        request.session[SAVED_POSTS_KEY] = found


def refuse_late(request: HttpRequest, account: int | None) -> HttpResponse:
    """Keep what somebody who is not logged in has sent, and lead to the log-in."""
    save_post(request, account)
    if wants_json(request):
        text = _(
            "You are logged out. Log in in another window; this page then continues saving the "
            "draft."
        )
        return refuse_in_words(text, 401)
    return redirect_to_login(return_address(request))


def refuse_other(request: HttpRequest, account: int) -> HttpResponse | None:
    """Keep a form of one account that was sent while another is logged in.

    Answer only what asks for JSON.
    """
    save_post(request, account)
    if not wants_json(request):
        return None
    text = _(
        "Somebody else has logged in with this browser. Log in with your own account to continue "
        "here."
    )
    return refuse_in_words(text)


def refuse_in_words(text: str, status: int = 409) -> JsonResponse:
    """Tell a script what its page shows to the reader."""
    return JsonResponse({"faults": [text], "stopped": True}, status=status)


def renew_token(request: HttpRequest) -> JsonResponse:
    """Give a page of an earlier log-in of the same account the token of the present one."""
    return JsonResponse({"token": get_token(request), "faults": []}, status=409)


def wants_json(request: HttpRequest) -> bool:
    """Say whether a script has sent a request, which reads no page."""
    return bool(
        request.headers.get("X-Autosave")
        or request.headers.get("X-Requested-With") == "XMLHttpRequest"
        or request.headers.get("Accept", "").startswith("application/json")
    )


def is_whole(found: dict[str, Any]) -> bool:
    """Say whether a kept form can be sent again as it was."""
    lost = any(found.get(name) for name in ("files", "passwords", "too_long"))
    return bool(found.get("action")) and not lost


def dropped_words(forms: list[dict[str, Any]]) -> str:
    """Say how many earlier forms had to make room; empty where none had to."""
    count = sum(form.get("dropped", 0) for form in forms)
    if not count:
        return ""
    text = ngettext(
        "One earlier form was discarded to free space.",
        "%(count)d earlier forms were discarded to free space.",
        count,
    )
    return text % {"count": count}


def lost_words(found: dict[str, Any]) -> str:
    """Say what of a form could not be kept; empty where all of it was."""
    comma = pgettext("list", ", ")
    sentences = []
    if found.get("files"):
        sentences.append(
            _("Not stored: the files %(names)s; choose them again.")
            % {"names": comma.join(found["files"])}
        )
    if found.get("passwords"):
        sentences.append(_("Not stored: passwords; enter them again."))
    if found.get("too_long"):
        names = comma.join(found["too_long"])
        sentences.append(_("Not stored because it is too long: %(names)s.") % {"names": names})
    return " ".join(sentences)
