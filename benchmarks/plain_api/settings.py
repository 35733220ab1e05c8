"""The product's own settings, with the addresses of what it is compared with besides its own."""

from typing import Any

from talpa_site import settings
from talpa_site.settings import *  # noqa: F403

ROOT_URLCONF = "benchmarks.plain_api.urls"

# Limits of how often one may ask stay in place, so that their cost is in the figures, but out of reach.
FRAMEWORK: dict[str, Any] = dict(settings.REST_FRAMEWORK)
RATES = {scope: rate and "100000000/minute" for scope, rate in FRAMEWORK.get("DEFAULT_THROTTLE_RATES", {}).items()}
REST_FRAMEWORK = FRAMEWORK | {"DEFAULT_THROTTLE_RATES": RATES}

# The names of style sheets as they are; nothing asks for the files themselves.
STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
