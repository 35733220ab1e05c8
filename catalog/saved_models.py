"""What a person keeps of the admin's list of orders: filters by name, and the columns chosen last."""

from __future__ import annotations

from django.conf import settings
from django.db import models

MOST_SAVED = 50
"""Filters that one person may keep."""

MAX_QUERY = 4000
"""Characters in a saved query."""


class SavedFilter(models.Model):
    """Filters, order and columns of the list under a name; nobody but their owner sees them.

    Kept is the query of the address, which is read and checked again like any other whenever it is opened.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=MAX_QUERY, blank=True)

    class Meta:
        # Everybody keeps their own, and nobody looks at those of others.
        default_permissions = ()
        ordering = ("name",)
        constraints = (models.UniqueConstraint(fields=("user", "name"), name="catalog_savedfilter_name"),)

    def __str__(self) -> str:
        return self.name


class ChosenColumns(models.Model):
    """The columns of the list that a person chose last, by name with commas between."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="+")
    columns = models.CharField(max_length=500)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.columns
