"""Settings, all from the environment; safe unless told otherwise.

Required: `DJANGO_SECRET_KEY` (or `DJANGO_SECRET_KEY_FILE`). Everything else has a default that opens nothing.
docs/operations.md lists every variable. `ENV_FILE` names a file of `NAME=value` lines that is read first;
what is in the environment already wins over it.
"""

import logging
import os
import re
import sys
from pathlib import Path
from typing import NoReturn
from zoneinfo import ZoneInfo

import environ
from django.core.exceptions import ImproperlyConfigured

from talpa_site.logs import configure_logging

BASE_DIR = Path(__file__).resolve().parent.parent


def stop(sentence: str) -> NoReturn:
    """End the process with one sentence instead of a traceback."""
    print(f"Settings: {sentence}", file=sys.stderr)
    raise SystemExit(1)


env = environ.Env()
if "ENV_FILE" in os.environ:
    if not Path(os.environ["ENV_FILE"]).is_file():
        stop(f"ENV_FILE names {os.environ['ENV_FILE']}, which is not a file.")
    env.read_env(os.environ["ENV_FILE"])


def flag(name: str) -> bool:
    """A setting that is on or off; off unless set."""
    value = os.environ.get(name, "").strip().lower()
    if value not in {"", "0", "1", "false", "true", "no", "yes", "off", "on"}:
        stop(f"{name} is '{value}'; set it to on or off.")
    return value in {"1", "true", "yes", "on"}


def secret_key() -> str:
    """The key from `DJANGO_SECRET_KEY`, or from the file that `DJANGO_SECRET_KEY_FILE` names."""
    key = os.environ.get("DJANGO_SECRET_KEY", "")
    path = os.environ.get("DJANGO_SECRET_KEY_FILE", "")
    if not key and path:
        try:
            key = Path(path).read_text().strip()
        except OSError as error:
            stop(f"DJANGO_SECRET_KEY_FILE cannot be read: {error}.")
    if not key:
        stop(
            "DJANGO_SECRET_KEY is not set. Set it to a long random text, for example from: "
            "python3 -c 'import secrets; print(secrets.token_urlsafe(50))'"
        )
    return key


def database() -> dict[str, object]:
    """The database that `DATABASE_URL` names; a file in `var/` unless set."""
    default = f"sqlite:///{BASE_DIR / 'var' / 'catalog.sqlite3'}"
    url = os.environ.get("DATABASE_URL") or default
    scheme, _, _ = url.partition(":")
    if scheme not in {"sqlite", "postgres", "postgresql"}:
        stop("DATABASE_URL must start with sqlite: or postgres:, as in postgres://user:password@host:5432/name.")
    try:
        config: dict[str, object] = dict(environ.Env.db_url_config(url))
    except (ValueError, ImproperlyConfigured):
        # Not the parser's own words: they may quote a part of the password.
        stop(
            "DATABASE_URL cannot be read; write it like postgres://user:password@host:5432/name, "
            "with %XX for characters of the password other than letters and digits."
        )
    if not config["NAME"]:
        stop("DATABASE_URL names no database; write it like postgres://user:password@host:5432/name.")
    if scheme == "sqlite":
        return config | sqlite_options(str(config["NAME"]))
    return config | {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}


def sqlite_options(name: str) -> dict[str, object]:
    """WAL, so that readers never wait for a load; writers take turns from their first statement on."""
    if name == ":memory:":
        stop("DATABASE_URL names a database in memory, which no two processes could share; name a file.")
    path = BASE_DIR / name
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        stop(f"The folder of the SQLite database cannot be made: {error}.")
    return {
        "NAME": str(path),
        "OPTIONS": {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            # A new file gets large pages: an index that is built from end to end is written a fifth faster.
            "init_command": "PRAGMA page_size=16384; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; "
            "PRAGMA cache_size=-65536;",
        },
        "TEST": {"NAME": f"{path}.test"},
    }


def source_time_zone() -> ZoneInfo:
    """The zone of timestamps that carry no offset."""
    name = os.environ.get("SOURCE_TIME_ZONE") or "UTC"
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        stop(f"SOURCE_TIME_ZONE is '{name}', which is no time zone; use a name like Europe/Amsterdam.")


def rate(name: str, usual: str) -> str | None:
    """How many requests one client may make, like `6000/minute`; None for any number."""
    text = os.environ.get(name) or usual
    if text == "off":
        return None
    count, _, period = text.partition("/")
    if not re.fullmatch("[1-9][0-9]{0,8}", count) or period not in {"second", "minute", "hour", "day"}:
        stop(f"{name} is '{text}'; write it like {usual} (a second, minute, hour or day), or off.")
    return text


def seconds(name: str, usual: str) -> float | None:
    """A time limit; None for any time."""
    text = os.environ.get(name) or usual
    if text == "off":
        return None
    if not re.fullmatch(r"[0-9]{1,5}(\.[0-9]{1,3})?", text) or not float(text):
        stop(f"{name} is '{text}'; set it to a number of seconds up to 99999, like {usual}, or to off.")
    return float(text)


def number(name: str, usual: int) -> int:
    """A whole number of at least 1."""
    text = os.environ.get(name) or str(usual)
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 10**9):
        stop(f"{name} is '{text}'; set it to a whole number of at least 1.")
    return int(text)


def size(name: str, usual: str, *, may_be_off: bool = False) -> int:
    """A number of bytes; 0 where it is off."""
    text = os.environ.get(name) or usual
    if may_be_off and text == "off":
        return 0
    found = re.fullmatch("([1-9][0-9]{0,5}) ?(KB|MB|GB)", text.upper())
    if found is None:
        stop(f"{name} is '{text}'; write it like {usual}, with KB, MB or GB{', or off' * may_be_off}.")
    return int(found[1]) << {"KB": 10, "MB": 20, "GB": 30}[found[2]]


SECRET_KEY = secret_key()
DEBUG = flag("DJANGO_DEBUG")
ALLOWED_HOSTS = [host for host in os.environ.get("DJANGO_ALLOWED_HOSTS", "").replace(" ", "").split(",") if host]
DATABASES = {"default": database()}
SOURCE_TIME_ZONE = source_time_zone()
API_ANONYMOUS_READ = flag("API_ANONYMOUS_READ")
QUERY_TIME_LIMIT = seconds("QUERY_TIME_LIMIT", "10")
API_MEMORY = size("API_MEMORY", "32MB", may_be_off=True)
EXPORT_TIMEOUT = number("EXPORT_TIMEOUT", 3600)
UPLOAD_FOLDER = BASE_DIR / (os.environ.get("UPLOAD_FOLDER") or "var/uploads")
UPLOAD_LIMIT = size("UPLOAD_LIMIT", "200MB")
# What is not packed has as many bytes as were sent.
UPLOAD_UNPACKED_LIMIT = max(UPLOAD_LIMIT, size("UPLOAD_UNPACKED_LIMIT", "2GB"))

INSTALLED_APPS = [
    "talpa_site.apps.CatalogueAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_structlog",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "catalog",
    "ingestion",
]
MIDDLEWARE = [
    "talpa_site.health.probes",
    "talpa_site.queries.QueryLimits",
    "django.middleware.security.SecurityMiddleware",
    "talpa_site.policy.content_policy",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "talpa_site.slashes.SlashForReaders",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "talpa_site.request_log.RequestLog",
]
ROOT_URLCONF = "talpa_site.urls"
WSGI_APPLICATION = "talpa_site.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "talpa_site" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "rest_framework:login"
LOGIN_REDIRECT_URL = "/api/v1/"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LANGUAGE_CODE = "en"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"

# Of each process; room for a few numbers of each client that has asked lately.
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "OPTIONS": {"MAX_ENTRIES": 100_000}},
}

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "talpa_site" / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "talpa_site.static_files.CollectedFiles"},
}

BEHIND_PROXY = flag("DJANGO_BEHIND_PROXY")

REST_FRAMEWORK = {
    # The address of a client is the last one that the proxy has put into X-Forwarded-For; all before is hearsay.
    "NUM_PROXIES": 1 if BEHIND_PROXY else 0,
    "DEFAULT_AUTHENTICATION_CLASSES": [
        # A header is sent on purpose, a cookie by itself.
        "catalog.api.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PARSER_CLASSES": [
        "catalog.api.parsers.JSONParser",
        "rest_framework.parsers.FormParser",
        "rest_framework.parsers.MultiPartParser",
    ],
    "DEFAULT_RENDERER_CLASSES": [
        "catalog.api.renderers.FastJSONRenderer",
        "catalog.api.browsable.renderer.PageRenderer",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["catalog.api.permissions.ReadAccess"],
    "DEFAULT_FILTER_BACKENDS": ["catalog.api.filters.StrictFilterBackend", "catalog.api.ordering.StrictOrdering"],
    "DEFAULT_PAGINATION_CLASS": "catalog.api.pagination.KeysetPagination",
    "DEFAULT_THROTTLE_CLASSES": ["catalog.api.throttling.KnownClients", "catalog.api.throttling.Strangers"],
    "DEFAULT_THROTTLE_RATES": {
        "known": rate("API_RATE_LIMIT", "6000/minute"),
        "anonymous": rate("API_ANONYMOUS_RATE_LIMIT", "1200/minute"),
    },
    "DEFAULT_SCHEMA_CLASS": "catalog.api.schema.auto.CatalogueSchema",
    "EXCEPTION_HANDLER": "talpa_site.errors.api_error",
    "DATETIME_FORMAT": "iso-8601",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}

# What the API says of itself; what is said of each operation stands with its view.
SPECTACULAR_SETTINGS = {
    "TITLE": "Order catalogue",
    "DESCRIPTION": "Orders with the values in force, where each of them comes from, and how to put them right.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    # The order of the code is the order in which one would read it.
    "SORT_OPERATION_PARAMETERS": False,
    "PARSER_WHITELIST": ["catalog.api.parsers.JSONParser"],
    "PATH_CONVERTER_OVERRIDES": {"db_number": int},
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "catalog.api.schema.errors.put_among_components",
    ],
    "ENUM_NAME_OVERRIDES": {
        "RunStatus": "ingestion.models.Run.Status",
        "RunKind": "ingestion.models.Run.Kind",
        "ChangeKind": "catalog.models.Change.Kind",
        "RejectState": "ingestion.models.RejectedRow.State",
        "CorrectableField": "catalog.models.FIELDS",
        "RuledField": "catalog.models.RULED",
        "Ending": "catalog.models.Correction.Ending",
    },
}

# HTTPS is expected unless DJANGO_INSECURE_HTTP says that the site is served over plain HTTP, as the demo
# is on 127.0.0.1. Behind a proxy that ends TLS, it must set X-Forwarded-Proto.
INSECURE_HTTP = flag("DJANGO_INSECURE_HTTP")
SECURE_SSL_REDIRECT = not (INSECURE_HTTP or DEBUG)
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
SECURE_HSTS_SECONDS = 0 if INSECURE_HTTP or DEBUG else 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = bool(SECURE_HSTS_SECONDS)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not (INSECURE_HTTP or DEBUG)
CSRF_TRUSTED_ORIGINS = [o for o in os.environ.get("DJANGO_CSRF_TRUSTED_ORIGINS", "").replace(" ", "").split(",") if o]
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"

# Set up here and now, so that whatever Django does next is logged in this form; gunicorn takes it from here too.
LOGGING_CONFIG = None
LOGGING = configure_logging(level=os.environ.get("LOG_LEVEL") or "INFO", style=os.environ.get("LOG_FORMAT") or "json")
# One line a request, when it is done. Only a proxy of ours may name the request.
DJANGO_STRUCTLOG_STATUS_START_LOG_LEVEL = logging.DEBUG
DJANGO_STRUCTLOG_TRUST_UPSTREAM_REQUEST_ID = BEHIND_PROXY
