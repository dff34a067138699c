"""Article: the archived page beside the text, sources of the fields, revisions, copies, the ledger of its URL."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import APIRouter, HTTPException
from fastapi.responses import HTMLResponse

from pressmark.airflow.pages.base import Row, open_reader, render
from pressmark.archive.records import read_response
from pressmark.archive.store import ArchiveStore
from pressmark.content_encoding import remove_content_encoding
from pressmark.errors import PressmarkError
from pressmark.extraction.charset import decode
from pressmark.settings import Settings

_LARGEST_PAGE = 20 * 2**20  # bytes
# No scripts, no forms, no request to any server: only what is in the page itself.
_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"

router = APIRouter()


@router.get("/article", response_class=HTMLResponse)
def article(id: UUID) -> str:
    """Article page."""
    values: dict[str, Any] = {"article": id}
    with open_reader() as reader:
        rows = reader("article", **values)
        if not rows:
            raise HTTPException(404, f"There is no article {id} in the warehouse. It may have been removed.")
        sections = {
            "diff": reader("diff", **values), "variants": reader("variants", **values),
            "decisions": reader("decisions", **values),
            "copies": reader("copies", **values, cluster=rows[0]["copy_cluster"]),
        }  # fmt: skip
    return render("article.html", "outlets", article=rows[0], **sections)


@router.get("/archived", response_class=HTMLResponse)
def archived(article: UUID | None = None, outlet: str = "", url: str = "") -> HTMLResponse:
    """An archived page as it was captured, for a frame: of an article, or of a rejected URL of an outlet."""
    with open_reader() as reader:
        rows = reader("article", article=article) if article else reader("rejected", outlet=outlet, url=url)
    if not rows or rows[0]["archive_file"] is None:
        raise HTTPException(404, "This page is not archived.")
    headers = {
        "Content-Security-Policy": _POLICY, "X-Content-Type-Options": "nosniff", "X-DNS-Prefetch-Control": "off",
    }  # fmt: skip
    return HTMLResponse(_archived_page(rows[0]), headers=headers)


def _archived_page(row: Row) -> str:
    try:
        store = ArchiveStore(Settings.from_env().archive)
        response = read_response(store.read(row["archive_file"], row["archive_offset"], row["archive_length"]))
        body = remove_content_encoding(response.body, response.header("Content-Encoding"), _LARGEST_PAGE)
    except PressmarkError as error:
        raise HTTPException(503, str(error)) from error
    return decode(body, response.header("Content-Type"))[0]
