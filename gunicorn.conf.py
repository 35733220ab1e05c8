"""How gunicorn serves the site. `BIND`, `WEB_CONCURRENCY` and `WEB_THREADS` change what is most often changed."""

import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "talpa_site.settings")

# A setting that is wrong ends the program here with its one sentence, before any worker is started.
from django.conf import settings

# gunicorn's own lines take the form of all others.
logconfig_dict = settings.LOGGING | {
    "loggers": settings.LOGGING["loggers"]
    | {"gunicorn.error": {"handlers": ["stderr"], "level": settings.LOGGING["root"]["level"], "propagate": False}}
}

wsgi_app = "talpa_site.wsgi:application"
bind = os.environ.get("BIND") or "127.0.0.1:8000"


def number(name: str, usual: int) -> int:
    """A whole number of at least 1 from the environment."""
    text = os.environ.get(name) or str(usual)
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        sys.exit(f"{name} is {text!r}; it must be a whole number of at least 1.")
    return int(text)


workers = number("WEB_CONCURRENCY", 2)
# Threads, as a reader that is slow to take an export must not hold up a whole worker. A worker is then
# ended by the timeout when it hangs, not when a request is long.
worker_class = "gthread"
threads = number("WEB_THREADS", 4)
timeout = 60
graceful_timeout = 30
# Longer than a proxy holds an idle connection, so that it is the proxy that ends it.
keepalive = 75
# As long as gunicorn allows: a filter may list 500 numbers, and a page's link repeats them.
limit_request_line = 8190
# An application that cannot start ends gunicorn instead of being tried again for ever; and workers share memory.
preload_app = True
# Not on a disk: a worker whose sign of life waits for a slow disk is taken for dead.
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108
# Each request is one line of the application's own log, with its id; a second one here would say the same.
accesslog = None
# Nothing here uses it, and it would be a file in the home folder.
control_socket_disable = True
