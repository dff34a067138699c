"""docker-compose.yml: its services, its .env file and validation by Docker Compose."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from pressmark.settings import PROJECT_ROOT


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = YAML(typ="safe").load(PROJECT_ROOT / "docker-compose.yml")
    return loaded


def test_services_have_limits_health_checks_and_local_ports(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert set(services) == {"postgres", "init", "api-server", "scheduler", "dag-processor", "triggerer"}
    assert services["postgres"]["image"] == "postgres:18"
    for name, service in services.items():
        assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory"}, name
        assert name == "init" or service["healthcheck"]["test"], name
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ())), name
        assert name in ("postgres", "init") or service["depends_on"]["init"], name
    assert "archive:/var/lib/pressmark-archive" in services["scheduler"]["volumes"]


def test_make_env_creates_a_private_file_only_once(tmp_path: Path, compose: dict[str, Any]) -> None:
    shutil.copy(PROJECT_ROOT / "Makefile", tmp_path)
    subprocess.run(["make", "env"], cwd=tmp_path, check=True, capture_output=True)
    file = tmp_path / ".env"
    first = file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600
    values = dict(line.split("=", 1) for line in first.splitlines())
    assert len(set(values.values())) == len(values) == 5 and min(map(len, values.values())) >= 24
    subprocess.run(["make", "env"], cwd=tmp_path, check=True, capture_output=True)
    assert file.read_text() == first
    # .env has every required variable, so docker-compose.yml needs no secrets.
    text = (PROJECT_ROOT / "docker-compose.yml").read_text()
    required = {part.split(":?")[0] for part in text.split("${")[1:] if ":?" in part.split("}")[0]}
    assert required == set(values)


def test_docker_compose_accepts_the_file(tmp_path: Path) -> None:
    tool = _compose_command()
    if tool is None:
        pytest.skip("neither `docker compose` nor docker-compose is installed")
    subprocess.run(["make", "-f", str(PROJECT_ROOT / "Makefile"), "env"], cwd=tmp_path, check=True, capture_output=True)
    command = [*tool, "--env-file", str(tmp_path / ".env"), "-f", str(PROJECT_ROOT / "docker-compose.yml"), "config"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    config = YAML(typ="safe").load(done.stdout)
    assert set(config["services"]) == {"postgres", "init", "api-server", "scheduler", "dag-processor", "triggerer"}
    url = config["services"]["scheduler"]["environment"]["PRESSMARK_DATABASE_URL"]
    assert url.startswith("postgresql://pressmark:") and url.endswith("@postgres:5432/pressmark")
    # Without .env, the error names the next step.
    bare = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    empty = tmp_path / "empty"
    empty.touch()
    command = [*tool, "--env-file", str(empty), "-f", str(PROJECT_ROOT / "docker-compose.yml"), "config"]
    refused = subprocess.run(command, capture_output=True, text=True, check=False, env=bare)
    assert refused.returncode != 0 and "run make env" in refused.stderr


def _compose_command() -> list[str] | None:
    """Return the Compose command that is installed, or None."""
    for command in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(command[0]):
            done = subprocess.run([*command, "version"], capture_output=True, check=False)
            if done.returncode == 0:
                return command
    return None
