"""`pressmark outlet add` and the live part of `pressmark outlet check`."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

from pressmark.cli.articles import plain as _plain
from pressmark.cli.output import err, fail, friendly, out, print_json, table
from pressmark.errors import FetchError
from pressmark.outlet import PAST_REACHING_METHODS, Outlet
from pressmark.probe.analysis import country_for, make_slug, timezone_for
from pressmark.probe.process import run_probe
from pressmark.registry import load_registry, read_outlet
from pressmark.settings import Settings
from pressmark.urls import absolute, on_domains, url_host

_DEFAULT_DELAY = 5.0
_HISTORY = "30d"
_FIELDS = ("headline", "date_published", "authors", "description", "main_image", "article_section")


@friendly
def add_outlet(
    homepage: Annotated[str, typer.Argument(metavar="HOMEPAGE", help="Address of the outlet's homepage.")],
    outlet_id: Annotated[str | None, typer.Option("--id", help="Id to give it; made of its name otherwise.")] = None,
    delay: Annotated[float, typer.Option(min=0, max=60, help="Seconds between requests of this look.")] = 1.0,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Write the file without asking.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was found, write nothing.")] = False,
) -> None:
    """Look at a site, print what a crawl would get from it, and write its outlet file after a question.

    It finds feeds, sitemaps, WordPress and sections, language, country, time zone and encoding, reads some
    articles, and tells what robots.txt and rights signals allow. A few dozen requests, one a second or slower.

    Examples:

      pressmark outlet add https://www.example.com/

      pressmark outlet add https://www.example.com/ --id example --yes
    """
    settings = Settings.from_env()
    address = absolute(homepage if "://" in homepage else f"https://{homepage}")
    if address is None or "." not in url_host(address):
        fail(f"{homepage!r} is not the address of a homepage: write https://www.example.com/", 2)
    known = load_registry(settings.outlets).outlets.values() if settings.outlets.is_dir() else ()
    taken = next((o for o in known if on_domains(address, o.domains)), None)
    if taken:
        fail(f"{address} belongs to the outlet {taken.id}: `pressmark outlet check {taken.id} --live` looks at it.", 2)
    found = _look({"home": address, "politeness": {"delay": delay}})
    fields = _fields(found, outlet_id)
    if as_json:
        print_json({"outlet": fields, "found": found})
        return
    _print_found(found)
    if not fields["endpoints"]:
        fail(
            f"{address}: no feed, sitemap, WordPress or section page was found that lists articles. Write the file by "
            "hand (docs/outlets.md), if need be with a spider of its own.",
        )
    try:
        outlet = Outlet.model_validate(fields)
    except ValidationError as error:
        problem = error.errors()[0]
        fail(f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}: {problem['input']!r}", 2)
    text = _yaml(fields, found)
    out.print(f"[bold]{_plain(outlet.id)}.yaml[/bold]")
    out.print(_plain(text))
    path = settings.outlets / f"{outlet.id}.yaml"
    if path.exists():
        fail(f"{path} exists: choose another id by --id.", 2)
    if not yes and not typer.confirm(f"Write {path}?", default=True):
        raise typer.Exit(1)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    out.print(f"Written. Try it: pressmark crawl {outlet.id} --dry-run")


def check_live(outlets: Sequence[Outlet]) -> bool:
    """Look at outlets that have files and say what is not as their files say; True where nothing is."""
    good = True
    for outlet in outlets:
        known = outlet.model_dump(mode="json", exclude_unset=True, exclude_none=True)
        out.print(f"[bold]{outlet.id}[/bold] {outlet.home}")
        try:
            found = _look({**known, "enabled": True, "politeness": {"delay": outlet.politeness.delay}})
        except FetchError as error:
            out.print(f"  [yellow]changed[/yellow] {_plain(str(error))}")
            good = False
            continue
        _print_found(found)
        changes = _changes(outlet, found)
        for change in changes:
            out.print(f"  [yellow]changed[/yellow] {_plain(change)}")
        if not changes:
            out.print("  all as its file says")
        good = good and not changes
    return good


def live_outlets(names: Sequence[Path]) -> list[Outlet]:
    """Outlets by id or file. Raises ConfigError for what is neither."""
    registry = load_registry(Settings.from_env().outlets)
    chosen = []
    for name in names:
        outlet, problems = read_outlet(name) if name.exists() else (registry.get(str(name)), [])
        for problem in problems:
            print(problem, file=sys.stderr)
        if outlet is None:
            raise typer.Exit(2)
        chosen.append(outlet)
    return chosen or sorted((o for o in registry.outlets.values() if o.enabled), key=lambda o: o.id)


def _look(known: dict[str, Any]) -> dict[str, Any]:
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Progress(*columns, console=err, disable=not err.is_terminal, transient=True) as progress:
        task = progress.add_task(f"looking at {known['home']}", total=None)
        return run_probe(known, lambda event: progress.update(task, description=f"looking at {event['at']}"[:120]))


def _fields(found: dict[str, Any], outlet_id: str | None) -> dict[str, Any]:
    """The fields of an outlet's file, as far as the look tells them."""
    articles = [row for row in found["articles"] if row["outcome"] == "article"]
    languages = [row["language"] for row in articles if row.get("language")]
    language = found["language"] or (max(set(languages), key=languages.count) if languages else "en")
    country = country_for(found["home"], language)
    offsets = [row["offset"] for row in articles if row.get("offset") is not None]
    zone, found["timezone_source"] = timezone_for(country, offsets, datetime.now(UTC))
    rights, chosen = found["rights"], [row for row in found["endpoints"] if row["chosen"]]
    denied = rights["robots"] != "allowed"
    fields: dict[str, Any] = {
        "id": outlet_id or make_slug(found["name"], found["domain"]),
        "name": found["name"],
        "home": found["home"],
        "domains": [found["domain"]],
        "country": country,
        "languages": list({one.partition("-")[0]: one for one in reversed([language, *languages])}.values())[::-1][:3],
        "timezone": zone,
        "tier": found["tier"],
        "enabled": not denied,
        "endpoints": [
            {"method": row["method"], "url": row["url"], "source": row["source"], "verified": date.today().isoformat()}
            for row in chosen
        ],
        "politeness": {"delay": max(_DEFAULT_DELAY, rights["crawl_delay"] or 0.0)},
    }
    if denied:
        fields["disabled_reason"] = rights["reason"] or rights["robots"]
    if any(row["method"] == "section" for row in chosen):
        fields["urls"] = {"include": [found["pattern"]]}
    if any(row["method"] in PAST_REACHING_METHODS for row in chosen):
        fields["max_age"] = _HISTORY  # else a schedule would work through all that its sitemaps list
    return fields


def _yaml(fields: dict[str, Any], found: dict[str, Any]) -> str:
    yaml = YAML()
    yaml.default_flow_style = False
    yaml.width = 4096
    stream = io.StringIO()
    document = CommentedMap({k: v for k, v in fields.items() if v is not None})
    document.yaml_add_eol_comment(found["timezone_source"], "timezone")
    yaml.dump(document, stream)
    head = "# yaml-language-server: $schema=../docs/outlet.schema.json\n"
    told = f"# Found by `pressmark outlet add` on {date.today().isoformat()}, in {found['requests']} requests.\n"
    return head + told + stream.getvalue()


def _print_found(found: dict[str, Any]) -> None:
    listed = table("", "method", "address", "entries", "newest", "a day", "dated", "known by")
    for row in found["endpoints"]:
        mark = "[green]take[/green]" if row["chosen"] else "[yellow]leave[/yellow]" if row["flags"] else ""
        listed.add_row(
            mark, row["method"], _plain(row["url"]), str(row["entries"]), str(row["newest"] or "-")[:16],
            "-" if row["per_day"] is None else f"{row['per_day']:g}", f"{row['dated']:.0%}",
            _plain("; ".join(row["flags"]) or row["source"]),
        )  # fmt: skip
    out.print(listed)
    sample = table("article", "outcome", "words", "published", "language", "encoding", "authors")
    for row in found["articles"]:
        sample.add_row(
            _plain((row.get("headline") or row["url"])[:70]), _plain(row["outcome"]), str(row.get("words", "-")),
            str(row.get("date_published") or "-")[:16], row.get("language") or "-", row.get("encoding") or "-",
            _plain(", ".join(row.get("authors") or [])[:40] or "-"),
        )  # fmt: skip
    out.print(sample)
    articles = [row for row in found["articles"] if row["outcome"] == "article"]
    coverage = ", ".join(f"{name} {sum(bool(row.get(name)) for row in articles)}/{len(articles)}" for name in _FIELDS)
    out.print(f"  fields: {coverage}")
    rights = found["rights"]
    out.print(f"  robots.txt: {rights['robots']}{': ' + _plain(rights['reason']) if rights['reason'] else ''}")
    told = {k: v for k, v in rights.items() if k not in ("robots", "reason") and v is not None}
    for row in articles:
        for name, value in (row.get("rights") or {}).items():
            told.setdefault(name, value)
    stated = ", ".join(f"{name} {value}" for name, value in told.items()) or "none stated"
    out.print(f"  rights: {_plain(stated)}")
    out.print(f"  {found['requests']} requests; suggested tier: {found['tier']}")


def _changes(outlet: Outlet, found: dict[str, Any]) -> list[str]:
    """What is not as the outlet's file says."""
    changes = []
    if found["domain"] not in outlet.domains and not on_domains(found["home"], outlet.domains):
        changes.append(f"home: it now leads to {found['home']}, which is not under domains")
    named = {endpoint.url for endpoint in outlet.endpoints}
    for row in found["endpoints"]:
        if row["url"] in named and row["flags"] and row["method"] != "robots":
            changes.append(f"endpoints: {row['method']} {row['url']}: {'; '.join(row['flags'])}")
        elif row["url"] not in named and row["chosen"]:
            changes.append(f"endpoints: a new {row['method']} lists what none of its own does: {row['url']}")
    articles = found["articles"]
    failed = [row for row in articles if row["outcome"] != "article"]
    if failed and len(failed) * 2 > len(articles):
        first = f"{failed[0]['url']}: {failed[0]['outcome']}"
        changes.append(f"articles: {len(failed)} of {len(articles)} could not be read, {first}")
    languages = {row["language"].partition("-")[0] for row in articles if row.get("language")}
    if languages and not languages & {language.partition("-")[0] for language in outlet.languages}:
        changes.append(f"languages: its articles are in {', '.join(sorted(languages))}")
    rights = found["rights"]
    if rights["robots"] != "allowed":
        changes.append(f"robots.txt: {rights['robots']}: {rights['reason']}")
    if (rights["crawl_delay"] or 0) > outlet.politeness.max_crawl_delay:
        changes.append(f"robots.txt asks for {rights['crawl_delay']:g} s between requests; max_crawl_delay allows less")
    return changes
