"""Outlet files, their JSON Schema, the registry and the settings."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from pressmark import outlet_files
from pressmark import registry as registry_module
from pressmark.cli.outlets import schema_text
from pressmark.errors import ConfigError
from pressmark.newsstand import OUTLETS as NEWSSTAND
from pressmark.outlet import Outlet
from pressmark.outlet_files import read_outlet
from pressmark.registry import Registry
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
    registry = Registry(PROJECT_ROOT / "outlets")
    assert registry.problems == []
    assert "southfront" in registry.outlets and len(registry.outlets) >= 9
    assert len({o.country for o in registry.outlets.values()}) >= 6
    for outlet in registry.outlets.values():
        assert all(endpoint.source for endpoint in outlet.endpoints)
        assert outlet.comments == "off", "reader comments are off unless a user enables them"
        assert not outlet.enabled or all(endpoint.verified for endpoint in outlet.endpoints)
    assert Registry(NEWSSTAND).problems == []


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
    (tmp_path / "one.yml").write_text(GOOD)
    (tmp_path / "two.yaml").write_text("- just\n- a list\n")
    (tmp_path / "three.yaml").write_text(GOOD)
    registry = Registry(tmp_path)
    assert list(registry.outlets) == ["one"]
    assert [str(problem).removeprefix(f"{tmp_path}/") for problem in registry.problems] == [
        "one.yml: one.yaml is there too. Remove one of them",
        "three.yaml:1: id: is 'one', so the file must be named one.yaml. Rename it",
        "two.yaml: is empty or not a mapping; start from a copy of another outlet file",
    ]
    with pytest.raises(ConfigError, match="Known outlets: one"):
        registry.get("four")
    with pytest.raises(ConfigError, match="not a mapping"):
        registry.get("two")
    with pytest.raises(ConfigError, match="No outlet"):
        registry.get("../one")
    assert registry.find("one") == registry.outlets["one"] and registry.find("two") is None


def test_one_outlet_is_read_without_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    monkeypatch.setattr(registry_module, "read_outlet", lambda path: read.append(path.name) or read_outlet(path))
    for name in ("one", "two"):
        (tmp_path / f"{name}.yaml").write_text(GOOD.replace("id: one", f"id: {name}"))
    registry = Registry(tmp_path)
    assert registry.get("two").id == "two" and registry.get("two").id == "two"
    assert read == ["two.yaml"]


@pytest.mark.parametrize(
    "value",
    ["no", "off", "True", "~", "null", "012", "0o17", "0x1F", "1_000", "1:30", "1e3", ".5", ".inf", "12", "-3", "1.50",
     "2024-05-01", "2024-05-01T10:00:00Z", "'12'", '"a"', "24h", "1.2.3", "a: b", "{a: 1, a: 2}", "&x 1", "=", "<<"],
)  # fmt: skip
def test_both_parsers_read_a_value_alike(tmp_path: Path, value: str) -> None:
    text = GOOD.replace("name: One", f"name: {value}")
    assert text != GOOD
    fast = outlet_files._read_valid(text)
    slow, problems = outlet_files._read_with_lines(tmp_path / "one.yaml", text)
    assert fast is None or fast == slow
    assert read_outlet_text(tmp_path, text) == (slow, problems)


def read_outlet_text(folder: Path, text: str) -> tuple[Outlet | None, list[outlet_files.Problem]]:
    (folder / "one.yaml").write_text(text)
    return read_outlet(folder / "one.yaml")


def test_all_shipped_files_are_read_by_the_fast_parser() -> None:
    for path in [*(PROJECT_ROOT / "outlets").glob("*.yaml"), *NEWSSTAND.glob("*.yaml")]:
        fast = outlet_files._read_valid(path.read_text())
        assert fast is not None and fast == outlet_files._read_with_lines(path, path.read_text())[0], path


def test_cache_follows_every_change_of_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry_module, "_MIN_CACHED", 2)
    monkeypatch.setattr(registry_module, "_SETTLED_SECONDS", -60)
    read: list[str] = []
    monkeypatch.setattr(registry_module, "read_outlet", lambda path: read.append(path.stem) or read_outlet(path))
    folder, cache = tmp_path / "outlets", tmp_path / "cache" / "outlets"
    folder.mkdir()

    def names() -> tuple[dict[str, str], list[str]]:
        read.clear()
        found = Registry(folder, cache)
        return {outlet.id: outlet.name for outlet in found.outlets.values()}, list(read)

    for name in ("a", "b", "c"):
        (folder / f"{name}.yaml").write_text(GOOD.replace("id: one", f"id: {name}"))
    everything = dict.fromkeys("abc", "One")
    assert names() == (everything, ["a", "b", "c"])
    assert names() == (everything, [])
    times = (folder / "b.yaml").stat()
    (folder / "b.yaml").write_text(GOOD.replace("id: one", "id: b").replace("One", "Two"))
    os.utime(folder / "b.yaml", ns=(times.st_atime_ns, times.st_mtime_ns))
    assert names() == ({**everything, "b": "Two"}, ["b"]), "the same size and time of modification"
    (folder / "c.yaml").unlink()
    assert names()[0] == {"a": "One", "b": "Two"}
    for damage in (b"", b"nonsense", cache.read_bytes()[:-9]):
        cache.write_bytes(damage)
        assert names() == ({"a": "One", "b": "Two"}, ["a", "b"])
    monkeypatch.setattr(registry_module, "_SETTLED_SECONDS", 60)
    cache.unlink()
    assert names() == names() == ({"a": "One", "b": "Two"}, ["a", "b"]), "files that were just changed are not cached"


def test_yaml_off_is_read_as_a_word_and_durations_have_units(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(GOOD + "comments: off\nrevisits: {after: [90m]}\n")
    outlet = Registry(tmp_path).get("one")
    assert outlet.comments == "off" and outlet.revisits.after[0].total_seconds() == 5400


def test_settings_error_names_the_invalid_variable() -> None:
    with pytest.raises(ConfigError, match=r"news.example=127.0.0.1:8080"):
        Settings.from_env({"PRESSMARK_RESOLVE": "news.example=localhost:1"})
    with pytest.raises(ConfigError, match="PRESSMARK_WORKERS"):
        Settings.from_env({"PRESSMARK_WORKERS": "many"})


def test_shipped_outlets_cover_many_languages_and_name_their_sources() -> None:
    registry = Registry(PROJECT_ROOT / "outlets")
    assert registry.problems == [] and len(registry.outlets) >= 20
    assert len({outlet.languages[0].split("-")[0] for outlet in registry.outlets.values()}) >= 12
    for outlet in registry.outlets.values():
        assert all(len(endpoint.source) > 10 for endpoint in outlet.endpoints), (
            f"{outlet.id}: an endpoint does not name its source"
        )
        assert outlet.politeness.delay >= 5 and outlet.comments == "off"


def test_groups_stand_for_enabled_outlets_and_misspelt_ids_get_a_hint() -> None:
    registry = Registry(NEWSSTAND)
    everyone = registry.select_groups(["all"])
    assert {o.id for o in everyone} == {o.id for o in registry.outlets.values() if o.enabled} and len(everyone) > 4
    hourly = {o.id for o in registry.select_groups(["hourly", "tagesblick"])}
    assert hourly == {o.id for o in everyone if o.tier == "hourly"} | {"tagesblick"}
    past = registry.select_groups(["all"], reaching_past=True)
    assert past and all(o.reaches_past for o in past) and len(past) < len(everyone)
    with pytest.raises(ConfigError, match="Did you mean tagesblick"):
        registry.select_groups(["tagesblik"])
    with pytest.raises(ConfigError, match="Known outlets: "):
        registry.get("zzzz")
