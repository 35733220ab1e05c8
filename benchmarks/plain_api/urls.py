"""The product's addresses, and under `/plain/` what it is compared with."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from benchmarks.plain_api import views
from talpa_site.urls import handler400, handler404, handler500
from talpa_site.urls import urlpatterns as product

__all__ = ["handler400", "handler404", "handler500", "urlpatterns"]

router = SimpleRouter()
router.register("orders", views.OrderViewSet, basename="plain-order")
router.register("numbered", views.NumberedOrderViewSet, basename="plain-numbered")

urlpatterns = [
    *product,
    path("plain/empty-django/", views.empty_django),
    path("plain/empty-drf/", views.EmptyView.as_view()),
    path("plain/worker/", views.worker),
    path("plain/", include(router.urls)),
]
