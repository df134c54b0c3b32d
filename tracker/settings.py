"""Settings: safe defaults for one desk, everything else from the environment.

Without any variable the tracker runs on SQLite for this machine alone. `PRODUCTION=1` demands a
key, host names and https, and refuses to start without them.
"""

import ipaddress
import os
import re
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import dj_database_url
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

BASE_DIR = Path(__file__).resolve().parent.parent
VERSION = "0.2.0"


def env_bool(name: str, default: bool) -> bool:
    """Read a switch: 1/0, true/false, yes/no, on/off; anything else is refused."""
    text = os.environ.get(name, "").strip().lower()
    if text in ("1", "true", "yes", "on"):
        return True
    if text in ("0", "false", "no", "off"):
        return False
    if text:
        raise ImproperlyConfigured(f"{name}={text!r}: write 1 or 0.")
    return default


def env_int(name: str, default: int, least: int, most: int) -> int:
    """Read a whole number within bounds."""
    text = os.environ.get(name, "").strip()
    if not text:
        return default
    if not re.fullmatch("[0-9]{1,9}", text) or not least <= int(text) <= most:
        raise ImproperlyConfigured(f"{name}={text!r}: write a whole number from {least} to {most}.")
    return int(text)


def env_list(name: str, default: list[str]) -> list[str]:
    """Read names separated by commas."""
    return [part.strip() for part in os.environ.get(name, "").split(",") if part.strip()] or default


def env_networks(name: str, default: list[str]) -> tuple[list[Any], bool]:
    """Read addresses and networks by comma, and whether the word `unix` is among them."""
    words = env_list(name, default)
    try:
        return [ipaddress.ip_network(word) for word in words if word != "unix"], "unix" in words
    except ValueError as error:
        raise ImproperlyConfigured(
            f"{name}: write addresses, networks or “unix”, by comma: {error}"
        ) from None


def is_strong_key(key: str) -> bool:
    """Say whether a secret key cannot be guessed."""
    return len(key) >= 50 and len(set(key)) >= 10


def development_key() -> str:
    """Return the key of this machine, made at the first start and readable by its owner alone."""
    path = DATA_DIR / "secret_key"
    if not path.exists():
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(64))
    return path.read_text()


PRODUCTION = env_bool("PRODUCTION", False)
DEBUG = env_bool("DEBUG", False)
DATA_DIR = Path(os.environ.get("DATA_DIR") or BASE_DIR / ".data")
DATA_DIR.mkdir(parents=True, exist_ok=True)

LOCAL_HOSTS = ["127.0.0.1", "localhost", "[::1]"]
ALLOWED_HOSTS = env_list("ALLOWED_HOSTS", LOCAL_HOSTS)
CSRF_TRUSTED_ORIGINS = env_list("CSRF_TRUSTED_ORIGINS", [])
SECRET_KEY = os.environ.get("SECRET_KEY", "")
# Former keys: what they have signed stays valid while a key is being replaced.
SECRET_KEY_FALLBACKS = env_list("SECRET_KEY_FALLBACKS", [])

if PRODUCTION:
    if DEBUG:
        raise ImproperlyConfigured("PRODUCTION=1 does not go with DEBUG=1.")
    if not is_strong_key(SECRET_KEY):
        raise ImproperlyConfigured("PRODUCTION=1 needs SECRET_KEY: at least 50 random characters.")
    if not all(is_strong_key(key) for key in SECRET_KEY_FALLBACKS):
        raise ImproperlyConfigured(
            "SECRET_KEY_FALLBACKS: each key has at least 50 random characters."
        )
    if not env_list("ALLOWED_HOSTS", []) or any(host.startswith("*") for host in ALLOWED_HOSTS):
        raise ImproperlyConfigured(
            "PRODUCTION=1 needs ALLOWED_HOSTS: the host names by comma, no “*”."
        )
else:
    if not set(ALLOWED_HOSTS) <= {*LOCAL_HOSTS, "testserver"}:
        raise ImproperlyConfigured("ALLOWED_HOSTS beyond this machine needs PRODUCTION=1.")
    SECRET_KEY = SECRET_KEY or development_key()

INSTALLED_APPS = [
    "tracker.apps.TrackerConfig",
    "tracker.apps.TrackerAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "axes",
    "csp",
    "django_filters",
    "django_tables2",
    "simple_history",
]

MIDDLEWARE = [
    "tracker.views.healthz.answer_probes",
    "tracker.web.pages_under_way.count_pages",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "tracker.web.null_characters.NullCharacterMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "tracker.web.cache_control.no_store",
    "tracker.web.middleware.language_middleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "tracker.web.body_limits.limit_bodies",
    "tracker.web.middleware.AccountMiddleware",
    "tracker.web.disk_full.DiskFullMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "tracker.urls"
WSGI_APPLICATION = "tracker.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "tracker.web.context_processors.page",
            ],
        },
    },
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
INSTALLED_APPS.append("django.forms")

_database_url = os.environ.get("DATABASE_URL", "").strip() or f"sqlite:///{DATA_DIR / 'db.sqlite3'}"
DATABASES = {"default": dj_database_url.parse(_database_url)}
_engine = DATABASES["default"]["ENGINE"]
SQLITE = _engine == "django.db.backends.sqlite3"
if SQLITE:
    # IMMEDIATE takes the write lock at the start of a transaction, so that two writers queue
    # instead of failing half-way; WAL alone loses most of them to "database is locked".
    DATABASES["default"]["OPTIONS"] = {
        # seconds: the queue is not fair, and with 30 writers at once some waited for more than 20
        "timeout": 60,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
    }
elif _engine == "django.db.backends.postgresql":
    DATABASES["default"]["CONN_MAX_AGE"] = env_int("CONN_MAX_AGE", 60, 0, 3600)
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
else:
    raise ImproperlyConfigured(
        "DATABASE_URL: SQLite (sqlite:///path) and PostgreSQL (postgres://…) are supported."
    )
# Codes are ordered by bytes on both databases; see models.base.code_field.
CODE_COLLATION = "BINARY" if SQLITE else "C"

AUTH_USER_MODEL = "tracker.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
AUTH_PASSWORD_VALIDATORS.append({"NAME": "tracker.forms.passwords.GuessablePasswordValidator"})
AUTH_PASSWORD_VALIDATORS[1]["OPTIONS"] = {"min_length": 10}  # type: ignore[assignment]
CSRF_FAILURE_VIEW = "tracker.web.middleware.csrf_failure"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"
# When a session ends is `tracker.web.middleware`'s to say; the cookie outlives it, so that what an
# ended session still sends is known for whose it is and kept for them alone.
SESSION_IDLE = 30 * 60
SESSION_LONGEST = 12 * 3600
SESSION_ENGINE = "tracker.web.sessions"
SESSION_COOKIE_AGE = 7 * 24 * 3600
SESSION_COOKIE_HTTPONLY = True
# Limits of wrong passwords; `tracker.web.login_limits` says what they are for.
AXES_HANDLER = "tracker.web.login_limits.LoginLimits"
AXES_CLIENT_IP_CALLABLE = "tracker.web.client_address.limited_address"
AXES_FAILURE_LIMIT = 5  # of one name from one address
LOGIN_NAMES_PER_ADDRESS = 12
LOGIN_FAILURES_UNTIL_SLOW = 20  # of one name from all addresses
LOGIN_DELAY = 1.0  # seconds
AXES_COOLOFF_TIME = 0.5  # hours
# By name and address: a colleague's slips lock nobody else out of the same office.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
# A lock ends by time, whoever goes on trying meanwhile.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_LOCKOUT_TEMPLATE = "registration/locked.html"
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False
AXES_ENABLE_ADMIN = False  # `manage.py axes_reset` unlocks; its English tables help nobody here

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", _("Simplified Chinese")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "tracker" / "locale"]
TIME_ZONE = "Asia/Shanghai"
USE_TZ = True
FORMAT_MODULE_PATH = ["tracker.formats"]

STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
STATIC_ROOT.mkdir(exist_ok=True)
# Evidence lies outside everything that is served: it goes out through a view that asks who wants
# it.
MEDIA_ROOT = DATA_DIR / "evidence"
# Temporary files, each process in a folder of its own, and locks between processes.
WORKING_DIR = DATA_DIR / "working"
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_HANDLERS = [
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "tracker.web.uploads.ScratchUploadHandler",
]
# Below this the pages of administrators, `check` and /healthz warn.
MIN_FREE_MB = env_int("MIN_FREE_MB", 500, 0, 10_000_000)
STORAGES = {
    "default": {"BACKEND": "tracker.web.uploads.EvidenceStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = not PRODUCTION
FIXTURE_DIRS = [BASE_DIR / "fixtures"]
DATA_UPLOAD_MAX_MEMORY_SIZE = (
    8 * 1024 * 1024
)  # a policy text that is too long is answered by the form
DATA_UPLOAD_MAX_NUMBER_FIELDS = 20_000  # a confirmation page carries the version of every row

SECURE_SSL_REDIRECT = PRODUCTION
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = PRODUCTION
# Preloading is hard to undo and binds the whole domain, so its owner decides on it.
SECURE_HSTS_PRELOAD = PRODUCTION and env_bool("HSTS_PRELOAD", False)
SILENCED_SYSTEM_CHECKS = [] if SECURE_HSTS_PRELOAD else ["security.W021"]  # asks for the preloading
SESSION_COOKIE_SECURE = PRODUCTION
CSRF_COOKIE_SECURE = PRODUCTION
LANGUAGE_COOKIE_SECURE = PRODUCTION
LANGUAGE_COOKIE_SAMESITE = "Lax"
# A browser takes a cookie of this prefix from this host by https alone.
_prefix = "__Host-" if PRODUCTION else ""
SESSION_COOKIE_NAME = f"{_prefix}sessionid"
CSRF_COOKIE_NAME = f"{_prefix}csrftoken"
LANGUAGE_COOKIE_NAME = f"{_prefix}django_language"
LARGE_TYPE_COOKIE_NAME = f"{_prefix}large_type"
ACCOUNTS_COOKIE_NAME = f"{_prefix}accounts"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
_behind_proxy = env_bool("BEHIND_PROXY", False)
if _behind_proxy:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# From whom `X-Forwarded-For` is believed.
_proxies = ["127.0.0.1", "::1", "unix"] if _behind_proxy else []
TRUSTED_PROXIES, TRUSTED_UNIX_SOCKET = env_networks("TRUSTED_PROXIES", _proxies)
# No account gets both roles, supervisor and administrator.
SEPARATE_ROLES = env_bool("SEPARATE_ROLES", True)
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}

# To stderr, where systemd and containers collect it: without DEBUG a fault would leave no trace.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "loggers": {"django": {"handlers": ["stderr"], "level": "WARNING", "propagate": True}},
}

SIMPLE_HISTORY_HISTORY_CHANGE_REASON_USE_TEXT_FIELD = True
DJANGO_TABLES2_TEMPLATE = "tracker/partials/_table.html"
# Mail: off until EMAIL_URL says by which server, EMAIL_FROM in whose name.
EMAIL_URL = os.environ.get("EMAIL_URL", "")
DEFAULT_FROM_EMAIL = os.environ.get("EMAIL_FROM", "")
OFFICE_EMAIL = os.environ.get("OFFICE_EMAIL", "")
SITE_URL = os.environ.get("SITE_URL", "").rstrip("/")
MAIL_PORTS = {"smtp": 25, "smtp+tls": 587, "smtps": 465, "console": 0}
_mail = urlsplit(EMAIL_URL)
if EMAIL_URL and (
    _mail.scheme not in MAIL_PORTS or not re.fullmatch(r"([^@]*@)?[^@:]*(:\d{1,5})?", _mail.netloc)
):
    # Not repeated here: there is a password in it.
    raise ImproperlyConfigured(
        "EMAIL_URL: write smtp://, smtp+tls:// or smtps://user:password@host:port, or console:"
    )
if EMAIL_URL and not DEFAULT_FROM_EMAIL:
    raise ImproperlyConfigured(
        "EMAIL_URL needs EMAIL_FROM: the address in whose name mail goes out."
    )
_backend = {"": "dummy", "console": "console"}.get(_mail.scheme, "smtp")
EMAIL_BACKEND = f"django.core.mail.backends.{_backend}.EmailBackend"
EMAIL_HOST = _mail.hostname or "localhost"
EMAIL_PORT = _mail.port or MAIL_PORTS.get(_mail.scheme, 25)
EMAIL_HOST_USER = unquote(_mail.username or "")
EMAIL_HOST_PASSWORD = unquote(_mail.password or "")
EMAIL_USE_TLS = _mail.scheme == "smtp+tls"
EMAIL_USE_SSL = _mail.scheme == "smtps"
EMAIL_TIMEOUT = 20

# What the footer says: who runs the system and whom to call.
OPERATOR = os.environ.get("OPERATOR", "")
CONTACT = os.environ.get("CONTACT", "")
