"""`pressmark outlet add` and `pressmark outlet check --live`."""

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
from pressmark.outlet_files import read_outlet
from pressmark.probe.analysis import PLEASE_CHECK, country_for, make_slug, timezone_for
from pressmark.probe.process import run_probe
from pressmark.registry import load_registry
from pressmark.settings import Settings
from pressmark.text import plural
from pressmark.urls import absolute, on_domains, url_host

_DEFAULT_DELAY = 5.0
_DEFAULT_MAX_AGE = "30d"
_FIELDS = ("headline", "date_published", "authors", "description", "main_image", "article_section")


@friendly
def add_outlet(
    homepage: Annotated[str, typer.Argument(metavar="URL", help="URL of the outlet's homepage.")],
    outlet_id: Annotated[
        str | None, typer.Option("--id", help="Id of the new outlet. Default: made from its name.")
    ] = None,
    delay: Annotated[float, typer.Option(min=0, max=60, help="Wait this many seconds between requests.")] = 1.0,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Write the file without asking.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the results as JSON to stdout without writing a file.")
    ] = False,
) -> None:
    """Probe a site and write its outlet file.

    Finds feeds, sitemaps, WordPress and section pages, language, country, time
    zone and encoding. Extracts a few articles, and shows what robots.txt and
    rights signals allow. Makes a few dozen requests, one per second or slower.
    Asks before writing the file.

    Examples:

      pressmark outlet add https://www.example.com/

      pressmark outlet add https://www.example.com/ --id example --yes
    """
    settings = Settings.from_env()
    home_url = absolute(homepage if "://" in homepage else f"https://{homepage}")
    if home_url is None or "." not in url_host(home_url):
        fail(f"{homepage!r} is not the URL of a homepage. Write it like https://www.example.com/", 2)
    known = load_registry(settings).outlets.values() if settings.outlets.is_dir() else ()
    taken = next((o for o in known if on_domains(home_url, o.domains)), None)
    if taken:
        fail(
            f"{home_url} belongs to the outlet {taken.id}. Check it with `pressmark outlet check {taken.id} --live`.", 2
        )
    site = _probe({"home": home_url, "politeness": {"delay": delay}})
    fields = _outlet_fields(site, outlet_id)
    if as_json:
        print_json({"outlet": fields, "found": site})
        return
    _print_site(site)
    if not fields["endpoints"]:
        fail(
            f"{home_url}: no feed, sitemap, WordPress or section page was found that lists articles. Write the outlet "
            "file by hand, with its own spider if necessary: see docs/outlets.md.",
        )
    try:
        outlet = Outlet.model_validate(fields)
    except ValidationError as error:
        problem = error.errors()[0]
        fail(f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}: {problem['input']!r}", 2)
    text = _yaml(fields, site)
    out.print(f"[bold]{_plain(outlet.id)}.yaml[/bold]")
    out.print(_plain(text))
    path = settings.outlets / f"{outlet.id}.yaml"
    if path.exists():
        fail(f"{path} already exists. Choose another id with --id.", 2)
    if not yes and not typer.confirm(f"Write {path}?", default=True):
        raise typer.Exit(1)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    out.print(f"Wrote {path}. Try it: pressmark crawl {outlet.id} --dry-run")
    if outlet.disabled_reason:
        out.print(f"It is not scheduled yet: {_plain(outlet.disabled_reason)}.")


def check_live(outlets: Sequence[Outlet]) -> bool:
    """Probe outlets and print what differs from their files. Return True if nothing does."""
    unchanged = True
    for outlet in outlets:
        known = outlet.model_dump(mode="json", exclude_unset=True, exclude_none=True)
        out.print(f"[bold]{outlet.id}[/bold] {outlet.home}")
        try:
            site = _probe({**known, "enabled": True, "politeness": {"delay": outlet.politeness.delay}})
        except FetchError as error:
            out.print(f"  [yellow]changed[/yellow] {_plain(str(error))}")
            unchanged = False
            continue
        _print_site(site)
        changes = _changes(outlet, site)
        for change in changes:
            out.print(f"  [yellow]changed[/yellow] {_plain(change)}")
        if not changes:
            out.print("  unchanged: everything matches its file")
        unchanged = unchanged and not changes
    return unchanged


def live_outlets(names: Sequence[Path]) -> list[Outlet]:
    """Return outlets by id or file; all enabled outlets if `names` is empty. Raises ConfigError for an unknown id."""
    registry = load_registry(Settings.from_env())
    chosen = []
    for name in names:
        outlet, problems = read_outlet(name) if name.exists() else (registry.get(str(name)), [])
        for problem in problems:
            print(problem, file=sys.stderr)
        if outlet is None:
            raise typer.Exit(2)
        chosen.append(outlet)
    return chosen or sorted((o for o in registry.outlets.values() if o.enabled), key=lambda o: o.id)


def _probe(known: dict[str, Any]) -> dict[str, Any]:
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Progress(*columns, console=err, disable=not err.is_terminal, transient=True) as progress:
        task = progress.add_task(f"Probing {known['home']}", total=None)
        return run_probe(known, lambda event: progress.update(task, description=f"Probing {event['at']}"[:120]))


def _outlet_fields(site: dict[str, Any], outlet_id: str | None) -> dict[str, Any]:
    """Return the fields of the outlet file that the results of a probe give."""
    articles = [row for row in site["articles"] if row["outcome"] == "article"]
    languages = [row["language"] for row in articles if row.get("language")]
    language = site["language"] or (max(set(languages), key=languages.count) if languages else "en")
    country = country_for(site["home"], language)
    offsets = [row["offset"] for row in articles if row.get("offset") is not None]
    zone, site["timezone_source"] = timezone_for(country, offsets, datetime.now(UTC))
    rights, chosen = site["rights"], [row for row in site["endpoints"] if row["chosen"]]
    denied = rights["robots"] != "allowed"
    zone_is_a_guess = PLEASE_CHECK in site["timezone_source"]
    fields: dict[str, Any] = {
        "id": outlet_id or make_slug(site["name"], site["domain"]),
        "name": site["name"],
        "home": site["home"],
        "domains": [site["domain"]],
        "country": country,
        "languages": list({one.partition("-")[0]: one for one in reversed([language, *languages])}.values())[::-1][:3],
        "timezone": zone,
        "tier": site["tier"],
        "enabled": not denied and not zone_is_a_guess,
        "endpoints": [
            {"method": row["method"], "url": row["url"], "source": row["source"], "verified": date.today().isoformat()}
            for row in chosen
        ],
        "politeness": {"delay": max(_DEFAULT_DELAY, rights["crawl_delay"] or 0.0)},
    }
    if denied:
        fields["disabled_reason"] = rights["reason"] or rights["robots"]
    elif zone_is_a_guess:
        fields["disabled_reason"] = "its time zone is a guess; correct it, then set enabled: true"
    if any(row["method"] == "section" for row in chosen):
        fields["urls"] = {"include": [site["pattern"]]}
    if any(row["method"] in PAST_REACHING_METHODS for row in chosen):
        fields["max_age"] = _DEFAULT_MAX_AGE  # without it, scheduled runs would fetch the whole history of its sitemaps
    return fields


def _yaml(fields: dict[str, Any], site: dict[str, Any]) -> str:
    yaml = YAML()
    yaml.default_flow_style = False
    yaml.width = 4096
    stream = io.StringIO()
    document = CommentedMap({k: v for k, v in fields.items() if v is not None})
    document.yaml_add_eol_comment(site["timezone_source"], "timezone")
    yaml.dump(document, stream)
    head = "# yaml-language-server: $schema=../docs/outlet.schema.json\n"
    origin = (
        f"# Found by `pressmark outlet add` on {date.today().isoformat()} with {plural(site['requests'], 'request')}.\n"
    )
    return head + origin + stream.getvalue()


def _print_site(site: dict[str, Any]) -> None:
    endpoints = table("", "method", "URL", "#entries", "newest", "#per day", "#dated", "source or problem")
    for row in site["endpoints"]:
        mark = "[green]use[/green]" if row["chosen"] else "[yellow]skip[/yellow]" if row["flags"] else ""
        endpoints.add_row(
            mark, row["method"], _plain(row["url"]), str(row["entries"]), str(row["newest"] or "-")[:16],
            "-" if row["per_day"] is None else f"{row['per_day']:g}", f"{row['dated']:.0%}",
            _plain("; ".join(row["flags"]) or row["source"]),
        )  # fmt: skip
    out.print(endpoints)
    sample = table("article", "outcome", "#words", "published", "language", "encoding", "authors")
    for row in site["articles"]:
        sample.add_row(
            _plain((row.get("headline") or row["url"])[:70]), _plain(row["outcome"]), str(row.get("words", "-")),
            str(row.get("date_published") or "-")[:16], row.get("language") or "-", row.get("encoding") or "-",
            _plain(", ".join(row.get("authors") or [])[:40] or "-"),
        )  # fmt: skip
    out.print(sample)
    articles = [row for row in site["articles"] if row["outcome"] == "article"]
    coverage = ", ".join(f"{name} {sum(bool(row.get(name)) for row in articles)}/{len(articles)}" for name in _FIELDS)
    out.print(f"  fields: {coverage}")
    rights = site["rights"]
    out.print(f"  robots.txt: {rights['robots']}{': ' + _plain(rights['reason']) if rights['reason'] else ''}")
    signals = {k: v for k, v in rights.items() if k not in ("robots", "reason") and v is not None}
    for row in articles:
        for name, value in (row.get("rights") or {}).items():
            signals.setdefault(name, value)
    listed_signals = ", ".join(f"{name} {value}" for name, value in signals.items()) or "none"
    out.print(f"  rights signals: {_plain(listed_signals)}")
    out.print(f"  {plural(site['requests'], 'request')}; suggested tier: {site['tier']}")


def _changes(outlet: Outlet, site: dict[str, Any]) -> list[str]:
    """List what differs from the outlet's file."""
    changes = []
    if site["domain"] not in outlet.domains and not on_domains(site["home"], outlet.domains):
        changes.append(f"home: redirects to {site['home']}, which is not in domains")
    named = {endpoint.url for endpoint in outlet.endpoints}
    for row in site["endpoints"]:
        if row["url"] in named and row["flags"] and row["method"] != "robots":
            changes.append(f"endpoints: {row['method']} {row['url']}: {'; '.join(row['flags'])}")
        elif row["url"] not in named and row["chosen"]:
            changes.append(
                f"endpoints: a new {row['method']} lists articles that no configured endpoint lists: {row['url']}"
            )
    articles = site["articles"]
    failed = [row for row in articles if row["outcome"] != "article"]
    if failed and len(failed) * 2 > len(articles):
        first = f"{failed[0]['url']}: {failed[0]['outcome']}"
        changes.append(f"articles: {len(failed)} of {len(articles)} could not be extracted, such as {first}")
    languages = {row["language"].partition("-")[0] for row in articles if row.get("language")}
    if languages and not languages & {language.partition("-")[0] for language in outlet.languages}:
        changes.append(f"languages: articles are in {', '.join(sorted(languages))}")
    rights = site["rights"]
    if rights["robots"] != "allowed":
        changes.append(f"robots.txt: {rights['robots']}: {rights['reason']}")
    if (rights["crawl_delay"] or 0) > outlet.politeness.max_crawl_delay:
        changes.append(
            f"robots.txt: Crawl-delay is {rights['crawl_delay']:g} s, more than max_crawl_delay "
            f"({outlet.politeness.max_crawl_delay:g} s) allows"
        )
    return changes
