"""Answers that need not be made or sent again: each names the version of the catalogue that it was made of."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, cast

from django.conf import settings
from django.db import connection
from django.db.models import QuerySet, Subquery
from django.http import HttpResponse
from django.utils.cache import patch_vary_headers
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from catalog.engines import reader_for
from catalog.memory import Memory
from catalog.models import Change

CODE = Path(__file__).resolve().parent.parent
READING = ("GET", "HEAD")
BEGINNING, MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)


def catalogue_version() -> str:
    """What tells one state of the catalogue from every other: the latest change, by its number and its moment.

    A catalogue that was brought back from a backup may give out a number again, but never a moment.
    """

    return version_named(*(reader_for(connection).latest_change() or (None, None)))


def version_named(change: int | None, at: datetime | None) -> str:
    """The version after a change, or before the first."""
    return "0" if change is None or at is None else f"{change}-{(at - BEGINNING) // MICROSECOND}"


def with_version(queryset: QuerySet[Any, Any], paths: Sequence[str]) -> QuerySet[Any, Any]:
    """Rows of these columns and, in two more, of the change that tells the version: one statement for both."""
    latest = Change.objects.order_by("-id")
    version = {"version_change": Subquery(latest.values("id")[:1]), "version_at": Subquery(latest.values("at")[:1])}
    found: QuerySet[Any, Any] = queryset.annotate(**version).values_list(*paths, *version)
    return found


@cache
def programme() -> str:
    """A digest of the programme: another one may say the same thing differently."""
    digest = hashlib.sha256(str(settings.SOURCE_TIME_ZONE).encode())
    for path in sorted(CODE.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


class Given(NamedTuple):
    """An answer as it was given."""

    etag: str
    body: bytes
    headers: Mapping[str, str]

    @property
    def size(self) -> int:
        """About how many bytes it takes to keep it."""
        return len(self.body) + 1000


class Answers:
    """What this process has answered since the catalogue changed last; what was erased from it is soon not here either.

    A question of the same place has the same answer as long as its entity tag is the same, whoever asks.
    """

    def __init__(self, most: int) -> None:
        self._given: Memory[Given] = Memory(most, lambda given: given.size)
        self._version = ""

    def known(self, place: str) -> Given | None:
        """The answer that was given, perhaps by an earlier version of the catalogue."""
        return self._given.known(place)

    def keep(self, place: str, version: str, given: Given) -> None:
        """Keep an answer of this version, and none of another."""
        self.only(version)
        self._given.keep(place, given)

    def only(self, version: str) -> None:
        """Forget what is not of this version."""
        if version != self._version:
            self._version = version
            self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self._given.clear()

    def __len__(self) -> int:
        return len(self._given)


answers = Answers(settings.API_MEMORY)


class Conditional(APIView):
    """A view whose answers change with the catalogue only: `If-None-Match` is answered without looking at an order.

    So is what this process was asked before, as long as the catalogue stays as it is.
    """

    version = ""
    etag = ""
    place = ""
    given: Given | None = None

    @property
    def learns_version(self) -> bool:
        """Whether the version comes with what is read for the answer, so that it need not be asked for before."""
        return False

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        # The pages of the browsable API show more than the catalogue: who is logged in.
        if request.method not in READING or request.accepted_renderer.format == "api":
            return
        self.place = place_of(request)
        known, given = request.headers.get("If-None-Match", ""), answers.known(self.place)
        if self.learns_version and not known and given is None:
            return
        self.learn(catalogue_version())
        answers.only(self.version)
        # Weak or not, among others or alone: the quotation marks are a part of it.
        if self.etag in known:
            self.get = self.head = self._not_modified  # what the method is answered by
        elif given is not None and given.etag == self.etag:
            self.given = given
            self.get = self.head = self._given_before

    def learn(self, version: str) -> None:
        """What the answer is made of is of this version, or of a later one."""
        self.version = version
        if self.place:
            self.etag = f'"{version}-{self.place}"'

    def _not_modified(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        response = HttpResponse(status=status.HTTP_304_NOT_MODIFIED)
        del response["Content-Type"]
        return response

    def _given_before(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        given = cast("Given", self.given)
        return HttpResponse(given.body, headers=dict(given.headers))

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        headers = dict(response.headers)
        response = super().finalize_response(request, response, *args, **kwargs)
        if self.etag and response.status_code in (status.HTTP_200_OK, status.HTTP_304_NOT_MODIFIED):
            response["ETag"] = f"W/{self.etag}"
            # To be kept by whoever likes, and never used without asking whether it still holds.
            who = "private" if request.user and request.user.is_authenticated else "public"
            response["Cache-Control"] = f"{who}, no-cache"
            patch_vary_headers(response, ("Accept", "Authorization", "Cookie"))
            if self.given is None and response.status_code == status.HTTP_200_OK and isinstance(response, Response):
                response.add_post_render_callback(lambda whole: self._keep(whole, headers))
        return response

    def _keep(self, response: Response, headers: dict[str, str]) -> None:
        """Remember an answer with the headers that the view itself gave it."""
        headers["Content-Type"] = response["Content-Type"]
        answers.keep(self.place, self.version, Given(self.etag, response.content, headers))


def place_of(request: Request) -> str:
    """A short name for what is asked for and how it is to be written down."""
    # Django has seen to it by now that the host is one of ours.
    host = request.META.get("HTTP_HOST") or request.get_host()
    asked = (request.scheme, host, request.path, request.META["QUERY_STRING"])
    # Each part by itself: a path may hold whatever else parts them.
    said = repr((programme(), request.accepted_media_type, *asked))
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:24]
