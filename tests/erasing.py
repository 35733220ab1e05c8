"""Erasing a customer through the command, and looking for what is left of the number."""

from __future__ import annotations

import io

from django.apps import apps
from django.core.management import call_command

GONE = 987654321
"""A number that stands nowhere but where a test puts it."""


def erase(*options: str, source: str = "services", number: object = GONE, reason: str = "asked for by letter") -> str:
    """Run the command; what it says."""
    output = io.StringIO()
    call_command("erase_customer", source, str(number), "--reason", reason, *options, stdout=output)
    return output.getvalue()


def places(number: int = GONE) -> list[str]:
    """Where the digits of a number stand, in any column of any table."""
    found = []
    for model in apps.get_models():
        for record in model._default_manager.order_by("pk").values():
            for name, value in record.items():
                text = bytes(value).decode("latin-1") if isinstance(value, bytes | memoryview) else str(value)
                if str(number) in text:
                    found.append(f"{model.__name__}.{name}: {text}")
    return found


def of(customer: object = GONE, **texts: str) -> dict[str, str]:
    return {"customer_id": str(customer), **texts}
