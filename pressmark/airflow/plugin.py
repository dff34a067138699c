"""The operator pages as an Airflow plugin. Airflow's API server loads this module (entry point `airflow.plugins`).

Every route requires Airflow's login, including static files; only the metrics accept a token instead.
"""

from __future__ import annotations

from pathlib import Path

from airflow.api_fastapi.core_api.security import get_user
from airflow.plugins_manager import AirflowPlugin
from fastapi import APIRouter, Depends, FastAPI, HTTPException
from fastapi.responses import FileResponse, RedirectResponse

from pressmark.airflow.pages import actions, article, backfills, metrics, outlet, outlets, overview, reextractions

_FILES = Path(__file__).parent / "pages" / "static"
_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}

home = APIRouter()


@home.get("/", response_class=RedirectResponse)
def redirect_to_overview() -> str:
    """Redirect to the Overview page."""
    return "overview"


@home.get("/static/{name}")
def static(name: str) -> FileResponse:
    """Serve a style sheet, script or icon. The pages load nothing from other servers."""
    path = _FILES / name
    if path.parent != _FILES or path.suffix not in _TYPES or not path.is_file():
        raise HTTPException(404)
    return FileResponse(path, media_type=_TYPES[path.suffix], headers={"Cache-Control": "private, max-age=3600"})


app = FastAPI(title="Pressmark", docs_url=None, redoc_url=None, openapi_url=None)
for router in (
    home, overview.router, outlets.router, outlet.router, article.router, backfills.router, reextractions.router,
    actions.router,
):  # fmt: skip
    app.include_router(router, dependencies=[Depends(get_user)])
app.include_router(metrics.router)


class PressmarkPlugin(AirflowPlugin):
    """Register the pages, and a link to them in Airflow's navigation bar."""

    name = "pressmark"
    fastapi_apps = [{"app": app, "url_prefix": "/pressmark", "name": "Pressmark"}]  # noqa: RUF012 - Airflow's API
    external_views = [  # noqa: RUF012
        {
            "name": "Pressmark",
            "href": "/pressmark/overview",
            "destination": "nav",
            "url_route": "pressmark",
            "icon": "/pressmark/static/icon.svg",
            "icon_dark_mode": "/pressmark/static/icon-dark.svg",
        }
    ]
