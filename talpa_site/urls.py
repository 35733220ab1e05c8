"""Every address of the site."""

from django.contrib import admin
from django.templatetags.static import static
from django.urls import URLPattern, URLResolver, include, path
from django.utils.functional import lazy
from django.views.generic import RedirectView

from catalog.api.schema.views import RedocPage, SchemaView, SwaggerPage
from talpa_site.api import ApiRoot
from talpa_site.health import healthz, readyz

api: list[URLPattern | URLResolver] = [
    path("", ApiRoot.as_view(), name="api-root"),
    path("", include("catalog.api.urls")),
    path("", include("ingestion.api.urls")),
    path("schema/", SchemaView.as_view(), name="schema"),
    path("docs/", SwaggerPage.as_view(), name="swagger"),
    path("redoc/", RedocPage.as_view(), name="redoc"),
]
urlpatterns = [
    path("", RedirectView.as_view(pattern_name="api-root")),
    path("api/v1/", include(api)),
    path("api-auth/", include("rest_framework.urls")),
    path("admin/", admin.site.urls),
    # Browsers ask for it on their own; where it lies depends on the storage of static files.
    path("favicon.ico", RedirectView.as_view(url=lazy(static, str)("catalog/icon.svg"))),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
]

handler400 = "talpa_site.errors.bad_request"
handler403 = "talpa_site.errors.forbidden"
handler404 = "talpa_site.errors.not_found"
handler500 = "talpa_site.errors.server_error"
