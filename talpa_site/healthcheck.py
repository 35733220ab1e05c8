"""What the container's HEALTHCHECK runs: exit code 0 if the site on this machine answers /healthz."""

import os
import sys
import urllib.error
import urllib.request


def request() -> urllib.request.Request:
    """Ask the port that gunicorn listens on, by a host name that the site answers to."""
    port = (os.environ.get("BIND") or ":8000").rpartition(":")[2]
    host = os.environ.get("DJANGO_ALLOWED_HOSTS", "").partition(",")[0].strip().lstrip(".*")
    return urllib.request.Request(f"http://127.0.0.1:{port}/healthz", headers={"Host": host or "localhost"})


def main() -> None:
    """Say what is wrong in one line, for `docker inspect`."""
    try:
        urllib.request.urlopen(request(), timeout=4).close()  # noqa: S310 - always http, to this machine
    except (urllib.error.URLError, TimeoutError) as error:
        sys.exit(f"/healthz: {error}")


if __name__ == "__main__":
    main()
