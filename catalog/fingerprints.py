"""What stays of an erased customer: a salted fingerprint, which later files are compared with.

A fingerprint answers one question, whether a given number is the erased one, and nobody reads the number off it.
It does not hide a number from somebody who holds the whole database and tries every number there is.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from functools import cached_property
from typing import TYPE_CHECKING

from django.db import models

if TYPE_CHECKING:
    from catalog.models import Change

SALT_BYTES = 32
BUCKET_BITS = 16
BUCKETS = 1 << BUCKET_BITS
WORD = 1 << 64


class ErasureSalt(models.Model):
    """One row: random bytes on which all fingerprints of this installation depend, made with the first of them.

    Not the secret key of the site: that may be changed at any time, and every erased customer would be back.
    """

    id = models.PositiveSmallIntegerField(primary_key=True)
    value = models.BinaryField()

    def __str__(self) -> str:
        return "the salt of the fingerprints"


class ErasedCustomer(models.Model):
    """A customer whose number the catalogue must not hold."""

    fingerprint = models.CharField(primary_key=True, max_length=64, help_text="of source and number, in hexadecimal")
    bucket = models.PositiveIntegerField(help_text="a cheap hash of the number, by which a load passes over the others")
    change = models.ForeignKey("catalog.Change", models.PROTECT, related_name="erased_customers")

    class Meta:
        ordering = ("change",)

    def __str__(self) -> str:
        return f"erased by change {self.change_id}"


class Salt:
    """The two hashes of a customer: the fingerprint, which is exact, and the bucket, which is cheap."""

    def __init__(self, value: bytes) -> None:
        self._value = value

    def fingerprint(self, source: str, number: int) -> str:
        return hmac.digest(self._value, f"{source}/{number}".encode(), "sha256").hex()

    @cached_property
    def multiplier(self) -> int:
        """An odd number; a bucket is the highest bits of a customer's number times this, in 64 bits."""
        return int.from_bytes(hashlib.sha256(b"bucket" + self._value).digest()[:8]) | 1

    def bucket(self, number: int) -> int:
        return number * self.multiplier % WORD // (WORD // BUCKETS)


class ErasedCustomers:
    """All erased customers, as they are now; empty at the price of one query."""

    def __init__(self) -> None:
        found = list(ErasedCustomer.objects.order_by().values_list("fingerprint", "bucket"))
        self._fingerprints = {fingerprint for fingerprint, _ in found}
        self.buckets = {bucket for _, bucket in found}
        self.salt = _salt() if found else Salt(b"")

    def __bool__(self) -> bool:
        return bool(self._fingerprints)

    def has(self, source: str, number: int) -> bool:
        """Whether this customer was erased."""
        return self.salt.bucket(number) in self.buckets and self.salt.fingerprint(source, number) in self._fingerprints


def _salt() -> Salt:
    return Salt(bytes(ErasureSalt.objects.get().value))


def is_erased(source: str, number: int) -> bool:
    """Whether this customer was erased."""
    if not ErasureSalt.objects.exists():
        return False
    return ErasedCustomer.objects.filter(pk=_salt().fingerprint(source, number)).exists()


def remember(source: str, number: int, change: Change) -> bool:
    """Keep the fingerprint of a customer whom a change erases; False when it is there already."""
    ErasureSalt.objects.get_or_create(pk=1, defaults={"value": secrets.token_bytes(SALT_BYTES)})
    salt = _salt()
    _, is_new = ErasedCustomer.objects.get_or_create(
        pk=salt.fingerprint(source, number), defaults={"bucket": salt.bucket(number), "change": change}
    )
    return is_new
