"""What the groups that the migrations make may do."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group

pytestmark = pytest.mark.django_db


def rights(group: str) -> set[str]:
    return {permission.codename for permission in Group.objects.get(name=group).permissions.all()}


def test_a_viewer_looks() -> None:
    assert rights("viewer")
    assert not [right for right in rights("viewer") if not right.startswith("view_")]


def test_a_steward_repairs() -> None:
    assert "change_rejectedrow" in rights("steward")
    assert rights("viewer") <= rights("steward")


def test_a_loader_loads_uploads_and_undoes() -> None:
    assert rights("loader") - rights("viewer") == {"add_run", "change_run", "add_upload", "change_upload"}
    assert rights("viewer") <= rights("loader")
