"""Re-extractions: what the current extractor reads differently, on samples, before anything is promoted."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, HTTPException
from fastapi.responses import HTMLResponse

from pressmark.airflow.pages.base import Row, open_reader, render

router = APIRouter()


@router.get("/reextractions", response_class=HTMLResponse)
def reextractions() -> str:
    """Re-extractions page."""
    with open_reader() as reader:
        rows = reader("reextractions")
    return render("reextractions.html", "reextractions", rows=rows)


@router.get("/reextraction", response_class=HTMLResponse)
def reextraction(id: UUID) -> str:
    """Re-extraction page: counts by field, and pages that differ, before and after."""
    with open_reader() as reader:
        rows = reader("reextraction", reextraction=id)
        if not rows:
            raise HTTPException(404, f"There is no re-extraction {id} in the warehouse.")
        samples = reader("reextraction_samples", reextraction=id)
    return render("reextraction.html", "reextractions", row=rows[0], samples=[_fields(sample) for sample in samples])


def _fields(sample: Row) -> Row:
    """Return the fields of a sample that differ as (name, before, after)."""
    pairs = [
        ("headline", sample["headline_before"], sample["headline"]),
        ("authors", ", ".join(sample["authors_before"] or ()), ", ".join(sample["authors"] or ())),
        ("date published", sample["date_published_before"], sample["date_published"]),
        ("text", sample["article_body_before"], sample["article_body"]),
    ]
    sample["fields"] = [(name, before, after) for name, before, after in pairs if before != after]
    return sample
