"""Finding processes that a killed supervisor left running, even if only root can read their environment."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil

from pressmark.airflow.service import MARK, AirflowService, State
from pressmark.settings import Settings

# A session leader that starts a child, prints its pid and waits.
LEADER = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(child.pid, flush=True)
child.wait()
"""


def test_leftover_processes_are_found_by_environment_and_by_session(tmp_path: Path) -> None:
    service = AirflowService(Settings.from_env({"PRESSMARK_HOME": str(tmp_path)}))
    service.make_home()
    marked = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(60)"], env={**os.environ, MARK: str(service.home)}
    )
    leader = subprocess.Popen([sys.executable, "-c", LEADER], stdout=subprocess.PIPE, start_new_session=True, text=True)
    assert leader.stdout is not None
    child = psutil.Process(int(leader.stdout.readline()))
    started_at = psutil.Process(leader.pid).create_time()
    try:
        assert {p.pid for p in service.processes()} == {marked.pid}
        service.write_state(State(1, 8080, "ready", True, None, {"scheduler": [leader.pid, started_at - 100]}))
        assert {p.pid for p in service.processes()} == {marked.pid}, (
            "an earlier session with the same id does not count"
        )
        service.write_state(State(1, 8080, "ready", True, None, {"scheduler": [leader.pid, started_at]}))
        assert {p.pid for p in service.processes()} == {marked.pid, leader.pid, child.pid}
        leader.kill()
        leader.wait()
        assert {p.pid for p in service.processes()} == {marked.pid, child.pid}, "the child is found without its leader"
        assert service.stop() is True
        assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
        marked.wait(5)
        assert service.processes() == []
    finally:
        for process in (marked, leader):
            process.kill()
            process.wait()
        if child.is_running():
            child.kill()
