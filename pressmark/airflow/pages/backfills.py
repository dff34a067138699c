"""Backfills: a form with a dry run, running ones with their progress, and what came of them."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from pressmark.airflow.pages.base import Row, open_reader, render
from pressmark.times import duration

_PAGE_SIZE = 15
_SHOWN_DAYS = 400  # of a plan, over all its outlets

router = APIRouter()


@router.get("/backfills", response_class=HTMLResponse)
def backfills(outlets: str = "", since: str = "", until: str = "", page: int = 1) -> str:
    """Backfills page. outlets (ids, separated by commas), since and until fill in the form."""
    page = max(page, 1)
    with open_reader() as reader:
        rows = reader("backfills", limit=_PAGE_SIZE + 1, offset=(page - 1) * _PAGE_SIZE)
        tiers = reader("tiers")
    form = {"outlets": outlets, "since": since, "until": until}
    return render(
        "backfills.html", "backfills", rows=[_described(row) for row in rows[:_PAGE_SIZE]], form=form, page=page,
        has_more=len(rows) > _PAGE_SIZE, groups=_groups(tiers),
    )  # fmt: skip


@router.get("/backfill-list", response_class=HTMLResponse)
def backfill_list(page: int = 1) -> str:
    """The list of the Backfills page alone, which the page reads again while a backfill runs."""
    with open_reader() as reader:
        rows = reader("backfills", limit=_PAGE_SIZE, offset=(max(page, 1) - 1) * _PAGE_SIZE)
    return render("backfill_list.html", "backfills", rows=[_described(row) for row in rows])


def _groups(tiers: list[Row]) -> dict[str, Any]:
    """Return the numbers of outlets by tier and by country, for the buttons of the form."""
    groups: dict[str, dict[str, int]] = {"tier": {}, "country": {}}
    for row in tiers:
        for name, counts in groups.items():
            if row[name]:
                counts[row[name]] = counts.get(row[name], 0) + row["outlets"]
    return groups


def _described(row: Row) -> Row:
    """Add what the template needs: totals of the plan, and the form that starts or resumes the backfill."""
    plans = [plan for plan in row["plan"].values() if not plan.get("error")]
    row["missing"] = sum(plan["missing"] for plan in plans)
    row["requests"] = sum(plan["requests"] for plan in plans)
    row["days"] = [
        (outlet, "no date" if day == "?" else day, counts)
        for outlet, plan in row["plan"].items()
        for day, counts in sorted(plan.get("days", {}).items())
    ][:_SHOWN_DAYS]
    row["time"] = duration(max((plan["seconds"] for plan in plans), default=0.0))
    row["form"] = {
        "outlets": row["outlets"], "since": f"{row['since']:%Y-%m-%d}", "until": f"{row['until']:%Y-%m-%d}",
        "methods": row["methods"] or [], "page_budget": row["page_budget"], "force_refetch": row["force_refetch"],
        "dry_run": False,
    }  # fmt: skip
    return row
