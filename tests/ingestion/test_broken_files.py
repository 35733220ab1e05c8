"""Every broken or odd file of the table, loaded by the command: not one wrong value, every row accounted for."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingestion.models import RejectedRow, Run
from tests.csv_cases import FILES, Case
from tests.csv_values import VALUES
from tests.loading import catalogue, ingest, rows

CASES = [*FILES, *VALUES]


def test_names_are_unique() -> None:
    assert len({case.name for case in CASES}) == len(CASES) > 60


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_file(case: Case, tmp_path: Path) -> None:
    path = tmp_path / case.file
    path.write_bytes(case.content)

    loaded = ingest(path, "--max-rejects", "100%", *case.options)

    report = loaded.report
    if case.refused:
        assert (report["status"], report["reason_code"], loaded.exit_code) == ("refused", case.refused, 1)
        assert "\n" not in report["reason"]
        assert report["reason"].endswith((".", "?"))
        assert not any(catalogue().values())
        return
    assert (report["status"], report["reason"], loaded.exit_code) == ("loaded", None, 0)
    assert set(rows()) == set(case.rows)
    found = RejectedRow.objects.order_by("line").prefetch_related("reasons")
    assert tuple((reject.line, tuple(r.code for r in reject.reasons.all())) for reject in found) == case.rejects
    if Run.objects.get().encoding == "utf-8":
        raws = [reject.raw.encode() if reject.raw_bytes is None else bytes(reject.raw_bytes) for reject in found]
        assert all(raw in case.content for raw in raws)
    assert loaded.figures() == {
        name: number
        for name, number in {
            "read": len(case.rows) + len(case.rejects) + case.duplicates,
            "inserted": len(case.rows),
            "duplicate": case.duplicates,
            "rejected": len(case.rejects),
        }.items()
        if number
    }
