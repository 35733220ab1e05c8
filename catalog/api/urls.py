"""Addresses of the catalogue under /api/v1/."""

from django.urls import path

from catalog.api.aggregate import AggregateView
from catalog.api.entities import CustomerView, ProductView, WebsitesView
from catalog.api.export import OrderExportView
from catalog.api.facets import FacetsView
from catalog.api.histogram import HistogramView
from catalog.api.overlay_views import ConflictViewSet, HistoryView, OrderCorrectionViewSet, RuleViewSet
from catalog.api.quality import QualityView
from catalog.api.views import OrderViewSet

ORDER = "orders/<str:source>/<str:order_id>/"

urlpatterns = [
    path("orders/", OrderViewSet.as_view({"get": "list"}, name="Orders"), name="order-list"),
    path("orders/export/", OrderExportView.as_view(), name="order-export"),
    path("orders/facets/", FacetsView.as_view(), name="order-facets"),
    path("orders/aggregate/", AggregateView.as_view(), name="order-aggregate"),
    path("orders/histogram/", HistogramView.as_view(), name="order-histogram"),
    path(
        ORDER,
        OrderViewSet.as_view({"get": "retrieve"}, name="Order"),
        name="order-detail",
    ),
    path(f"{ORDER}history/", HistoryView.as_view(), name="order-history"),
    path(
        f"{ORDER}corrections/",
        OrderCorrectionViewSet.as_view({"get": "list", "post": "create"}, name="Corrections"),
        name="order-correction-list",
    ),
    path(
        f"{ORDER}corrections/<db_number:pk>/retire/",
        OrderCorrectionViewSet.as_view({"post": "retire"}, name="Retire a correction"),
        name="order-correction-retire",
    ),
    path("customers/<str:source>/<str:customer_id>/", CustomerView.as_view(), name="customer"),
    path("products/<str:source>/<str:product_id>/", ProductView.as_view(), name="product"),
    path("websites/", WebsitesView.as_view(), name="websites"),
    path("conflicts/", ConflictViewSet.as_view({"get": "list"}, name="Conflicts"), name="conflict-list"),
    path(
        "conflicts/<db_number:pk>/keep/",
        ConflictViewSet.as_view({"post": "keep"}, name="Keep the correction"),
        name="conflict-keep",
    ),
    path(
        "conflicts/<db_number:pk>/take_source/",
        ConflictViewSet.as_view({"post": "take_source"}, name="Take the source's value"),
        name="conflict-take-source",
    ),
    path("rules/", RuleViewSet.as_view({"get": "list", "post": "create"}, name="Value rules"), name="rule-list"),
    path("rules/<db_number:pk>/", RuleViewSet.as_view({"get": "retrieve"}, name="Value rule"), name="rule-detail"),
    path("rules/<db_number:pk>/on/", RuleViewSet.as_view({"post": "on"}, name="Switch on"), name="rule-on"),
    path("rules/<db_number:pk>/off/", RuleViewSet.as_view({"post": "off"}, name="Switch off"), name="rule-off"),
    path("quality/", QualityView.as_view(), name="quality"),
]
