"""Addresses of runs under /api/v1/."""

from django.urls import path, register_converter
from django.urls.converters import IntConverter

from ingestion.api.views import RejectViewSet, RunViewSet


class RunNumber(IntConverter):
    """A number that the database can hold."""

    regex = "[0-9]{1,18}"


register_converter(RunNumber, "run_number")

urlpatterns = [
    path("runs/", RunViewSet.as_view({"get": "list"}, name="Runs"), name="run-list"),
    path("runs/<run_number:pk>/", RunViewSet.as_view({"get": "retrieve"}, name="Run"), name="run-detail"),
    path(
        "runs/<run_number:run>/rejects/",
        RejectViewSet.as_view({"get": "list"}, name="Rejected rows"),
        name="reject-list",
    ),
]
