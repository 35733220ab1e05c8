"""Examples of what the API answers and takes, as it was seen on the sample."""

from __future__ import annotations

from typing import Any

HOST = "https://orders.example.org/api/v1"

ORDER: dict[str, Any] = {
    "order_id": 27549763,
    "source": "services",
    "customer_id": 1680001,
    "payment_id": 31499715,
    "voucher_id": 26095238,
    "product_id": 121183,
    "website": "VVBE",
    "order_status": "PAID",
    "voucher_status": "EXPIRED",
    "payment_status": "PAID",
    "order_date": "2019-10-20T16:45:27Z",
    "payment_date": "2019-10-21T02:37:03Z",
    "source_values": {"website": "VVNL", "voucher_status": "EXPRIED"},
    "url": f"{HOST}/orders/services/27549763/",
    "removed": False,
    "run": None,
    "line": None,
    "since": "2026-11-23T19:25:41.613210Z",
}

LOADED = {"kind": "load", "at": "2026-11-23T04:15:02.491197Z", "actor": "nightly", "reason": "", "run": 2}
BY_HAND = {
    "kind": "correction",
    "at": "2026-11-22T09:25:41.487858Z",
    "actor": "ana",
    "reason": "seen on the invoice",
    "run": None,
}

CORRECTION = {
    "id": 1,
    "order": "services/27549763",
    "url": f"{HOST}/orders/services/27549763/",
    "field": "website",
    "value": "VVBE",
    "base": "VVNL",
    "source_value": "VVDE",
    "made_by": BY_HAND,
    "ended_by": None,
    "ending": "",
    "conflict_by": LOADED,
}

ENTRY = {
    **BY_HAND,
    "until": "2026-11-23T04:15:02.491197Z",
    "first": False,
    "gone": False,
    "removed": None,
    "values": [
        {"field": "website", "before": "VVNL", "after": "VVBE", "source_before": "VVNL", "source_after": "VVNL"}
    ],
    "events": ["website corrected"],
}

RULE_REQUEST = {
    "field": "voucher_status",
    "old": "EXPRIED",
    "new": "EXPIRED",
    "reason": "The shop's own typing error: both spellings stand in its exports for the same state.",
}
RULE = {"id": 1, "url": f"{HOST}/rules/1/", **RULE_REQUEST, "active": False}
RULE_DETAIL = RULE | {"touches": 2, "examples": ["services/27549763", "services/24469424"]}
RULE_SWITCHED = RULE | {"active": True, "changed": 2}

REASON_REQUEST = {"reason": "seen on the invoice"}
CORRECTION_REQUEST = {"field": "website", "value": "VVBE", **REASON_REQUEST, "since": "2026-11-22T09:20:00Z"}
