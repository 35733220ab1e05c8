"""Addresses of runs under /api/v1/."""

from django.urls import path

from catalog.api.parsers import JSONParser
from ingestion.api.views import RejectViewSet, RunViewSet

REJECT = "runs/<db_number:run>/rejects/<db_number:line>/"

urlpatterns = [
    path("runs/", RunViewSet.as_view({"get": "list"}, name="Runs"), name="run-list"),
    path("runs/<db_number:pk>/", RunViewSet.as_view({"get": "retrieve"}, name="Run"), name="run-detail"),
    path("runs/<db_number:pk>/undo/", RunViewSet.as_view({"post": "undo"}, name="Undo"), name="run-undo"),
    path(
        "runs/<db_number:run>/rejects/",
        RejectViewSet.as_view({"get": "list"}, name="Rejected rows"),
        name="reject-list",
    ),
    path(REJECT, RejectViewSet.as_view({"get": "retrieve"}, name="Rejected row"), name="reject-detail"),
    # The inputs of a form cannot say which columns stay as they are.
    path(
        f"{REJECT}repair/",
        RejectViewSet.as_view({"post": "repair"}, name="Repair the row", parser_classes=[JSONParser]),
        name="reject-repair",
    ),
    path(
        f"{REJECT}dismiss/", RejectViewSet.as_view({"post": "dismiss"}, name="Dismiss the row"), name="reject-dismiss"
    ),
]
