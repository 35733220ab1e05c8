"""The API's views of runs and of what they rejected."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db.models import QuerySet
from rest_framework.exceptions import NotFound
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet, ReadOnlyModelViewSet

from catalog.api.overlay_serializers import ReasonGiven
from catalog.api.overlay_views import NotPossibleNow
from catalog.api.permissions import MayChange
from catalog.api.schema.operations import Operation
from catalog.api.views import ListMixin
from catalog.changes import NotPossible
from ingestion.api.filters import RejectFilterSet, RunFilterSet
from ingestion.api.serializers import (
    RejectedRowSerializer,
    RepairedSerializer,
    RepairGiven,
    RunSerializer,
    UndoGiven,
    UndoSerializer,
)
from ingestion.errors import Locked
from ingestion.models import RejectedRow, Run
from ingestion.repair import dismiss_one, fields_of, replay
from ingestion.undo import undo_run


class RunViewSet(ListMixin, ReadOnlyModelViewSet[Run]):
    """Runs, the newest first: one for each file that was given to be loaded, and for each undo.

    POST `{keep_touched, dry_run}` to `undo/` takes a run back; both are false unless given.
    """

    operations = {
        "list": Operation(description="One for each file that was given to be loaded, each repair and each undo."),
        "retrieve": Operation(description="One run with all its figures."),
        "undo": Operation(
            answer=UndoSerializer,
            body=UndoGiven,
            conflicts=("locked", "nothing_left", "nothing_to_undo", "touched_since"),
        ),
    }
    serializer_class = RunSerializer
    permission_classes = (MayChange,)
    permissions_needed = {"undo": "ingestion.change_run"}
    filterset_class = RunFilterSet
    queryset = Run.objects.all()
    ordering = "-id"
    sorts = {"id": ("id",), "started_at": ("started_at",)}

    def get_object(self) -> Run:
        run = Run.objects.filter(pk=self.kwargs["pk"]).first()
        if run is None:
            raise NotFound(f"There is no run {self.kwargs['pk']}.")
        return run

    def get_serializer_class(self) -> Any:
        return UndoGiven if self.action == "undo" else RunSerializer

    def undo(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Take a run back, now or not at all; the answer is the run that does it."""
        number = self.get_object().pk
        given = UndoGiven(data=request.data)
        given.is_valid(raise_exception=True)
        try:
            done = undo_run(number, **given.validated_data, wait=False, actor=request.user.get_username())
        except (NotPossible, Locked) as refused:
            raise NotPossibleNow(refused) from refused
        return Response(UndoSerializer(done, context=self.get_serializer_context()).data)


class RejectViewSet(ListMixin, ListModelMixin, RetrieveModelMixin, GenericViewSet[RejectedRow]):
    """The rows of a run's file that could not be loaded, each with every reason, in the order of the file.

    POST the right texts to `<line>/repair/`, or `{reason}` to `<line>/dismiss/`.
    """

    operations = {
        "list": Operation(description="The rows of a run's file that could not be loaded, each with every reason."),
        "retrieve": Operation(description="One rejected row, and what became of it."),
        "repair": Operation(
            answer=RepairedSerializer,
            body=RepairGiven,
            conflicts=("locked", "not_loaded", "settled_already", "too_many_sources", "unknown_reject"),
        ),
        "dismiss": Operation(body=ReasonGiven, answer=RejectedRowSerializer, conflicts=("settled_already",)),
    }
    serializer_class = RejectedRowSerializer
    filterset_class = RejectFilterSet
    queryset = RejectedRow.objects.defer("raw_bytes").prefetch_related("reasons")
    ordering = "line"
    sorts = {"line": ("line",)}
    permission_classes = (MayChange,)
    permissions_needed = dict.fromkeys(("repair", "dismiss"), "ingestion.change_rejectedrow")

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if not Run.objects.filter(pk=kwargs["run"]).exists():
            raise NotFound(f"There is no run {kwargs['run']}.")

    def get_queryset(self) -> QuerySet[RejectedRow]:
        return super().get_queryset().filter(run=self.kwargs["run"])

    def get_serializer_class(self) -> Any:
        return {"repair": RepairGiven, "dismiss": ReasonGiven}.get(str(self.action), RejectedRowSerializer)

    def get_object(self) -> RejectedRow:
        row = self.get_queryset().select_related("run").filter(line=self.kwargs["line"]).first()
        if row is None:
            raise NotFound(f"Run {self.kwargs['run']} rejected no line {self.kwargs['line']}.")
        return row

    def repair(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Load the row with `{column: text}`; columns that are left out stay as they are in the row."""
        row = self.get_object()
        given = RepairGiven(data=request.data, texts=fields_of(row))
        if row.run.why_not_repairable:
            raise NotPossibleNow(NotPossible("not_loaded", row.run.why_not_repairable))
        given.is_valid(raise_exception=True)
        with told():
            done = replay(row.run, [(row, given.validated_data)], actor=request.user.get_username())
        told_of = {"reject": self.get_object(), "run": done}
        return Response(RepairedSerializer(told_of, context=self.get_serializer_context()).data)

    def dismiss(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Settle the row without loading it, for a reason."""
        row = self.get_object()
        given = ReasonGiven(data=request.data)
        given.is_valid(raise_exception=True)
        with told():
            dismiss_one(row, actor=request.user.get_username(), reason=given.validated_data["reason"])
        return Response(self.shown())

    def shown(self) -> Any:
        return RejectedRowSerializer(self.get_object(), context=self.get_serializer_context()).data


@contextmanager
def told() -> Iterator[None]:
    """What cannot be done as things stand is a conflict."""
    try:
        yield
    except NotPossible as refused:
        raise NotPossibleNow(refused) from refused
