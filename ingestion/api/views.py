"""The API's views of runs and of what they rejected."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework.exceptions import NotFound
from rest_framework.mixins import ListModelMixin
from rest_framework.request import Request
from rest_framework.viewsets import GenericViewSet, ReadOnlyModelViewSet

from catalog.api.views import StrictMixin
from ingestion.api.filters import RejectFilterSet, RunFilterSet
from ingestion.api.serializers import RejectedRowSerializer, RunSerializer
from ingestion.models import RejectedRow, Run


class RunViewSet(StrictMixin, ReadOnlyModelViewSet[Run]):
    """Runs, the newest first: one for each file that was given to be loaded."""

    serializer_class = RunSerializer
    filterset_class = RunFilterSet
    queryset = Run.objects.all()
    ordering = "-id"
    sorts = {"id": ("id",), "started_at": ("started_at",)}

    def get_object(self) -> Run:
        run = Run.objects.filter(pk=self.kwargs["pk"]).first()
        if run is None:
            raise NotFound(f"There is no run {self.kwargs['pk']}.")
        return run


class RejectViewSet(StrictMixin, ListModelMixin, GenericViewSet[RejectedRow]):
    """The rows of a run's file that could not be loaded, each with every reason, in the order of the file."""

    serializer_class = RejectedRowSerializer
    filterset_class = RejectFilterSet
    queryset = RejectedRow.objects.defer("raw_bytes").prefetch_related("reasons")
    ordering = "line"
    sorts = {"line": ("line",)}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if not Run.objects.filter(pk=kwargs["run"]).exists():
            raise NotFound(f"There is no run {kwargs['run']}.")

    def get_queryset(self) -> QuerySet[RejectedRow]:
        return super().get_queryset().filter(run=self.kwargs["run"])
