"""Outlet files, their JSON Schema, the registry and the settings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pressmark.cli.outlets import schema_text
from pressmark.errors import ConfigError
from pressmark.newsstand import OUTLETS as NEWSSTAND
from pressmark.registry import load_registry, read_outlet
from pressmark.settings import PROJECT_ROOT, Settings

GOOD = """id: one
name: One
home: http://one.example/
domains: [one.example]
languages: [en]
timezone: UTC
enabled: true
endpoints:
  - {method: feed, url: http://one.example/feed, source: a test}
"""


def test_shipped_outlets_are_valid() -> None:
    registry = load_registry(PROJECT_ROOT / "outlets")
    assert registry.problems == []
    assert "southfront" in registry.outlets and len(registry.outlets) >= 9
    assert len({o.country for o in registry.outlets.values()}) >= 6
    for outlet in registry.outlets.values():
        assert all(endpoint.source for endpoint in outlet.endpoints)
        assert outlet.comments == "off", "reader comments are off unless a user enables them"
        assert not outlet.enabled or all(endpoint.verified for endpoint in outlet.endpoints)
    assert load_registry(NEWSSTAND).problems == []


def test_outlet_schema_in_docs_is_up_to_date() -> None:
    committed = (PROJECT_ROOT / "docs" / "outlet.schema.json").read_text()
    assert committed == schema_text() + "\n", "run `make docs`"
    json.loads(committed)


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("id: one", "id: One!", 1, "id: 'One!' does not match"),
        ("timezone: UTC", "timezone: Mars/Olympus", 6, "timezone: not an IANA time zone"),
        ("domains: [one.example]", "domains: [two.example]", 3, "home: host 'one.example' is not listed in domains"),
        ("enabled: true", "enabled: false", None, "disabled_reason: state why"),
        ("name: One", "nmae: One", 2, "nmae"),
        ("method: feed", "method: gopher", 9, "endpoints.0.method"),
        ("languages: [en]", "languages: [en", None, "not valid YAML"),
    ],
)
def test_error_in_an_outlet_file_is_reported_with_file_and_line(
    tmp_path: Path, old: str, new: str, line: int | None, words: str
) -> None:
    path = tmp_path / "one.yaml"
    path.write_text(GOOD.replace(old, new))
    outlet, problems = read_outlet(path)
    assert outlet is None
    message = "\n".join(map(str, problems))
    assert words in message and str(path) in message
    if line:
        assert f"{path}:{line}: " in message


def test_invalid_outlet_file_does_not_affect_the_others(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(GOOD)
    (tmp_path / "two.yaml").write_text("- just\n- a list\n")
    (tmp_path / "three.yaml").write_text(GOOD)
    registry = load_registry(tmp_path)
    assert list(registry.outlets) == ["one"] and len(registry.problems) == 2
    assert "is already used by" in str(registry.problems)
    with pytest.raises(ConfigError, match="Known outlets: one"):
        registry.get("four")


def test_yaml_off_is_read_as_a_word_and_durations_have_units(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(GOOD + "comments: off\nrevisits: {after: [90m]}\n")
    outlet = load_registry(tmp_path).get("one")
    assert outlet.comments == "off" and outlet.revisits.after[0].total_seconds() == 5400


def test_settings_error_names_the_invalid_variable() -> None:
    with pytest.raises(ConfigError, match=r"news.example=127.0.0.1:8080"):
        Settings.from_env({"PRESSMARK_RESOLVE": "news.example=localhost:1"})
    with pytest.raises(ConfigError, match="PRESSMARK_WORKERS"):
        Settings.from_env({"PRESSMARK_WORKERS": "many"})


def test_shipped_outlets_cover_many_languages_and_name_their_sources() -> None:
    registry = load_registry(PROJECT_ROOT / "outlets")
    assert registry.problems == [] and len(registry.outlets) >= 20
    assert len({outlet.languages[0].split("-")[0] for outlet in registry.outlets.values()}) >= 12
    for outlet in registry.outlets.values():
        assert all(len(endpoint.source) > 10 for endpoint in outlet.endpoints), (
            f"{outlet.id}: an endpoint does not name its source"
        )
        assert outlet.politeness.delay >= 5 and outlet.comments == "off"
