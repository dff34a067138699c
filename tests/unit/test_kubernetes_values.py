"""deploy/kubernetes/: values of Airflow's Helm chart. The chart itself cannot be had here, so they are not rendered."""

from __future__ import annotations

import copy
import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from pressmark import __version__
from pressmark.settings import PROJECT_ROOT

FOLDER = PROJECT_ROOT / "deploy" / "kubernetes"
SCHEMA = json.loads((Path(__file__).parent / "chart_values.schema.json").read_text())


@pytest.fixture
def values() -> dict[str, Any]:
    loaded: dict[str, Any] = YAML(typ="safe").load(FOLDER / "values.yaml")
    return loaded


def test_values_have_the_keys_and_types_of_the_chart(values: dict[str, Any]) -> None:
    jsonschema.validate(values, SCHEMA)
    for change in (
        {"executer": "KubernetesExecutor"},
        {"extraEnvFrom": [{"secretRef": {"name": "x"}}]},
        {"databaseCleanup": {"enabled": True, "retentionDays": 0}},
        {"workers": {"kubernetes": {"memory": "1Gi"}}},
    ):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**copy.deepcopy(values), **change}, SCHEMA)


def test_versions_and_settings_agree_with_the_rest(values: dict[str, Any]) -> None:
    job = YAML(typ="safe").load(FOLDER / "prepare.yaml")
    (container,) = job["spec"]["template"]["spec"]["containers"]
    image = f"{values['defaultAirflowRepository']}:{values['defaultAirflowTag']}"
    assert container["image"] == image and values["defaultAirflowTag"] == __version__
    assert values["airflowVersion"] == version("apache-airflow")
    compose = (PROJECT_ROOT / "docker-compose.yml").read_text()
    for name, value in values["config"]["scheduler"].items():
        assert f'AIRFLOW__SCHEDULER__{name.upper()}: "{value}"' in compose, name
    secrets = {values[name] for name in ("fernetKeySecretName", "apiSecretKeySecretName", "jwtSecretName")}
    guide = (PROJECT_ROOT / "docs" / "scale.md").read_text()
    for secret in (*secrets, values["data"]["metadataSecretName"], "pressmark-installer"):
        assert f"secret generic {secret} " in guide, secret
