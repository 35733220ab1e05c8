"""The admin under the product's own site."""

from django.contrib.admin.apps import AdminConfig


class CatalogueAdminConfig(AdminConfig):
    """Puts `CatalogueSite` where Django's own site would be."""

    default_site = "talpa_site.admin_site.CatalogueSite"
