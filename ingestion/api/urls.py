"""Addresses of runs under /api/v1/."""

from django.urls import path

from ingestion.api.views import RejectViewSet, RunViewSet

urlpatterns = [
    path("runs/", RunViewSet.as_view({"get": "list"}, name="Runs"), name="run-list"),
    path("runs/<db_number:pk>/", RunViewSet.as_view({"get": "retrieve"}, name="Run"), name="run-detail"),
    path(
        "runs/<db_number:run>/rejects/",
        RejectViewSet.as_view({"get": "list"}, name="Rejected rows"),
        name="reject-list",
    ),
]
