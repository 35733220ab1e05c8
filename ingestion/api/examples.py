"""Examples of what the API answers about runs, as it was seen on the sample."""

from __future__ import annotations

from typing import Any

from catalog.api.schema.examples import HOST
from catalog.contract import NAMES

RUN: dict[str, Any] = {
    "id": 1,
    "url": f"{HOST}/runs/1/",
    "rejects": f"{HOST}/runs/1/rejects/",
    "orders": f"{HOST}/orders/?run=1",
    "kind": "load",
    "undoes": None,
    "repairs": None,
    "status": "loaded",
    "reason_code": "",
    "reason": "",
    "same_as": None,
    "file": "/exports/orders.csv",
    "file_size": 70775,
    "sha256": "6becfca5fc5b0967909e10baeccda3b542994a258e89d9f9f7a7b2014db880ed",
    "compression": "",
    "encoding": "utf-8",
    "delimiter": ",",
    "columns": [*NAMES],
    "options": {},
    "started_at": "2026-11-23T04:15:02.419149Z",
    "finished_at": "2026-11-23T04:15:02.479304Z",
    "seconds": 0.06,
    "stages": {"fingerprint": 0.0, "read": 0.039, "settle": 0.001, "overlay": 0.003, "write": 0.006, "commit": 0.001},
    "actor": "nightly",
    "host": "loader-1",
    "process": 2395,
    "read": 599,
    "inserted": 596,
    "updated": 0,
    "unchanged": 0,
    "duplicate": 0,
    "rejected": 3,
    "removed": 0,
    "caught_up": 0,
    "conflicts": 0,
    "repaired": 0,
    "new_values": {"order_status": ["CANCELED", "PAID", "UNKNOWN"], "payment_status": ["PAID", "REFUNDED"]},
    "rejects_by_reason": {"too_few_fields": 1, "too_many_fields": 1, "not_an_integer": 1},
    "missing": {
        "payment_id": 30,
        "voucher_id": 160,
        "product_id": 97,
        "voucher_status": 160,
        "payment_status": 21,
        "payment_date": 30,
    },
}
NOTHING = dict.fromkeys(("read", "inserted", "updated", "unchanged", "duplicate", "rejected", "removed"), 0)

UNDO = {
    **RUN,
    **NOTHING,
    "id": 2,
    "url": f"{HOST}/runs/2/",
    "rejects": f"{HOST}/runs/2/rejects/",
    "orders": f"{HOST}/orders/?run=2",
    "kind": "undo",
    "undoes": 1,
    "file": "undo of run 1",
    "file_size": None,
    "sha256": "",
    "encoding": "",
    "delimiter": "",
    "columns": [],
    "stages": {},
    "removed": 596,
    "new_values": {},
    "rejects_by_reason": {},
    "missing": {},
    "warning": "",
}
UNDO_REQUEST = {"keep_touched": False, "dry_run": True}

REJECT: dict[str, Any] = {
    "line": 551,
    "raw": "26669088,services,7090664,30564569,25414321,1e5,VVBDBE,PAID,PAID_TO_SUPPLIER,PAID,2019-08-21 02:07:15.000,"
    "2019-08-25 22:14:22.000",
    "reasons": [
        {
            "code": "not_an_integer",
            "column": "product_id",
            "value": "1e5",
            "message": "'1e5' is not a whole number; only the digits 0 to 9 are allowed",
        }
    ],
    "state": "open",
    "repaired_by": None,
    "settled_by": "",
    "settled_at": None,
    "note": "",
}
SETTLED = {"repaired_by": 2, "settled_by": "bea", "settled_at": "2026-11-23T09:25:41.586284Z"}
REPAIRED = {
    "reject": REJECT | {"state": "repaired"} | SETTLED,
    "run": {
        **RUN,
        **NOTHING,
        "id": 2,
        "url": f"{HOST}/runs/2/",
        "rejects": f"{HOST}/runs/2/rejects/",
        "orders": f"{HOST}/orders/?run=2",
        "kind": "repair",
        "repairs": 1,
        "file": "repair of run 1",
        "file_size": 287,
        "read": 1,
        "inserted": 1,
        "actor": "bea",
        "repaired": 1,
        "new_values": {},
        "rejects_by_reason": {},
        "missing": {**dict.fromkeys(RUN["missing"], 0), "voucher_id": 1},
    },
}
REPAIR_REQUEST = {"product_id": "100000"}
