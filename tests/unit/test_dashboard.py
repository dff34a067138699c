"""The Grafana dashboard asks only for metrics that the Metrics page has."""

from __future__ import annotations

import inspect
import json
import re

from pressmark.airflow.pages import metrics
from pressmark.settings import PROJECT_ROOT

DASHBOARD = PROJECT_ROOT / "deploy" / "grafana" / "pressmark.json"


def test_dashboard_uses_only_existing_metrics_and_all_of_them() -> None:
    panels = json.loads(DASHBOARD.read_text())["panels"]
    asked = set(re.findall(r"pressmark_\w+", " ".join(t["expr"] for panel in panels for t in panel["targets"])))
    assert asked == set(re.findall(r'"(pressmark_\w+)"', inspect.getsource(metrics)))
    assert len({panel["id"] for panel in panels}) == len(panels)
