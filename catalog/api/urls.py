"""Addresses of the catalogue under /api/v1/."""

from django.urls import path

from catalog.api.views import OrderViewSet

urlpatterns = [
    path("orders/", OrderViewSet.as_view({"get": "list"}, name="Orders"), name="order-list"),
    path(
        "orders/<str:source>/<str:order_id>/",
        OrderViewSet.as_view({"get": "retrieve"}, name="Order"),
        name="order-detail",
    ),
]
