"""docker-compose.yml and its .env file: every setting is passed on, secrets stay where they belong, limits fit."""

from __future__ import annotations

import re
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from pressmark import __version__
from pressmark.settings import PROJECT_ROOT

TEXT = (PROJECT_ROOT / "docker-compose.yml").read_text(encoding="utf-8")
LOCAL = {"init", "api-server", "scheduler", "dag-processor", "triggerer", "cleaner"}
CELERY = {f"celery-{name}" for name in LOCAL} | {"worker", "redis", "s3"}


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    loaded: dict[str, Any] = YAML(typ="safe").load(TEXT)
    return dict(loaded["services"])


def test_profiles_have_their_services(services: dict[str, Any]) -> None:
    assert set(services) == LOCAL | CELERY | {"postgres"}
    assert {name for name, service in services.items() if service.get("profiles") == ["local"]} == LOCAL
    assert {name for name, service in services.items() if service.get("profiles") == ["celery"]} == CELERY


def test_services_fit_two_cores_and_publish_to_this_machine_only(services: dict[str, Any]) -> None:
    for name, service in services.items():
        assert service["mem_limit"], name
        assert float(service.get("cpus", 0)) <= 2, f"{name}: Docker refuses limits above the machine's processors"
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ())), name
        assert "healthcheck" in service or re.search("init|cleaner", name), name


def test_images_carry_the_version(services: dict[str, Any]) -> None:
    ours = [service for service in services.values() if "build" in service]
    assert {service["image"] for service in ours} == {f"pressmark:{__version__}"}
    assert {service["build"]["args"]["VERSION"] for service in ours} == {__version__}


def test_every_setting_of_the_docs_is_passed_on(services: dict[str, Any]) -> None:
    documented = set(re.findall(r"^\| `(PRESSMARK_\w+)`", (PROJECT_ROOT / "docs" / "settings.md").read_text(), re.M))
    assert len(documented) >= 14
    for name in ("scheduler", "worker", "celery-api-server"):
        assert documented - set(services[name]["environment"]) == set(), name


def test_only_the_preparation_has_the_password_of_the_superuser(services: dict[str, Any]) -> None:
    holders = {name for name, service in services.items() if "{POSTGRES_PASSWORD" in str(service.get("environment"))}
    assert holders == {"postgres", "init", "celery-init"}


def run_make_env(folder: Path) -> dict[str, str]:
    shutil.copy(PROJECT_ROOT / "Makefile", folder)
    shutil.copytree(PROJECT_ROOT / "deploy", folder / "deploy", dirs_exist_ok=True)
    subprocess.run(["make", "env"], cwd=folder, check=True, capture_output=True)
    lines = (folder / ".env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def test_make_env_adds_what_is_missing_and_keeps_the_rest(tmp_path: Path) -> None:
    values = run_make_env(tmp_path)
    file = tmp_path / ".env"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert values.pop("COMPOSE_PROFILES") == "local"
    assert len(set(values.values())) == len(values) and min(map(len, values.values())) >= 24
    # .env has every required variable, so docker-compose.yml needs no secrets.
    assert set(re.findall(r"\$\{(\w+):\?", TEXT)) == set(values)
    first = file.read_text()
    run_make_env(tmp_path)
    assert file.read_text() == first
    # A file of an earlier version, with settings of the user and without an end of line.
    file.write_text("# mine\nPOSTGRES_PASSWORD=kept\nPRESSMARK_CONTACT=https://example.org/")
    upgraded = run_make_env(tmp_path)
    assert upgraded["POSTGRES_PASSWORD"] == "kept" and upgraded["PRESSMARK_CONTACT"] == "https://example.org/"
    assert set(values) <= set(upgraded) and file.read_text().startswith("# mine\n")
