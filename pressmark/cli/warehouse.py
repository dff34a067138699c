"""`pressmark snapshot`, `export`, `remove` and `maintain`."""

from __future__ import annotations

import getpass
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress, TextColumn, TimeElapsedColumn

from pressmark.archive.store import ArchiveStore
from pressmark.cli.articles import plain
from pressmark.cli.connection import ready_warehouse
from pressmark.cli.output import err, fail, friendly, out, print_json, table
from pressmark.errors import ConfigError
from pressmark.health.installation import OLD_VERSIONS
from pressmark.removal.erasure import apply_removal, preview, record_removal
from pressmark.removal.rules import Action, Target
from pressmark.text import plural
from pressmark.times import short_time
from pressmark.warehouse.exports import Format
from pressmark.warehouse.exports import export as write_export
from pressmark.warehouse.snapshots import (
    Snapshot,
    check_snapshot,
    create_snapshot,
    datasheet,
    list_snapshots,
    read_snapshot,
)

_MAX_URLS_SHOWN = 5
_Json = Annotated[bool, typer.Option("--json", help="Print one JSON object to stdout.")]


class Formats(StrEnum):
    """File formats that an export can write."""

    parquet = "parquet"
    csv = "csv"
    jsonl = "jsonl"


@friendly
def snapshot(
    name: Annotated[
        str | None,
        typer.Argument(help="Name of the snapshot. Without a name, lists all snapshots.", show_default=False),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Recompute the content hash of a snapshot and compare it.")
    ] = False,
    sheet: Annotated[bool, typer.Option("--datasheet", help="Print the datasheet of a snapshot as Markdown.")] = False,
    as_json: _Json = False,
) -> None:
    """Name the current state of the warehouse.

    A named state can be queried later with mart.article_as_of and exported with
    `pressmark export --snapshot`.

    Examples:

      pressmark snapshot

      pressmark snapshot 2026-q3

      pressmark snapshot 2026-q3 --check

      pressmark snapshot 2026-q3 --datasheet > datasheet.md
    """
    warehouse = ready_warehouse()
    if name is None:
        _list_snapshots(list_snapshots(warehouse), as_json)
        return
    if sheet:
        print(datasheet(warehouse, name), end="")
        return
    if check:
        checked = check_snapshot(warehouse, name)
        if as_json:
            removals = [{k: str(v) for k, v in row.items()} for row in checked.removals]
            print_json(
                {
                    "name": name, "equal": checked.equal, "content_hash": checked.content_hash, "removals": removals,
                    "comments_gone": checked.comments_gone,
                }
            )  # fmt: skip
        else:
            out.print(f"was {checked.snapshot.content_hash}\nis  {checked.content_hash}")
            for row in checked.removals:
                out.print(
                    f"removed since: {row['action']} of {row['target']}, {plural(row['articles'], 'article')}: "
                    f"{plain(row['reason'])}"
                )
            if checked.comments_gone:
                comments = plural(checked.comments_gone, "reader comment")
                out.print(f"{comments} no longer stored: removed, or past their retention")
        if not checked.equal:
            explained = checked.removals or checked.comments_gone
            fail(
                f"Snapshot {name} can no longer be reproduced exactly"
                + ("; the changes since then explain it." if explained else ", and no removal explains it.")
            )
        return
    created = create_snapshot(warehouse, name)
    if as_json:
        print_json(
            {
                "name": created.name, "load_seq": created.load_seq, "content_hash": created.content_hash,
                **created.counts,
            }
        )  # fmt: skip
        return
    articles = plural(created.counts["articles"], "article")
    out.print(f"{created.name}: load {created.load_seq}, {articles}, {created.content_hash}")
    out.print(f"Query it in SQL with mart.article_as_of({created.load_seq}).")


def _list_snapshots(snapshots: list[Snapshot], as_json: bool) -> None:
    if as_json:
        print_json(
            {"snapshots": [{"name": s.name, "load_seq": s.load_seq, "content_hash": s.content_hash} for s in snapshots]}
        )
        return
    rows = table("name", "#load", "created", "by", "#articles", "#removals since", "content hash")
    for s in snapshots:
        rows.add_row(
            s.name, str(s.load_seq), short_time(s.created_at), s.created_by, str(s.counts["articles"]),
            str(s.removals_since), s.content_hash,
        )  # fmt: skip
    out.print(rows)


@friendly
def export(
    source: Annotated[
        str, typer.Argument(help="View, such as mart.article, or a SELECT in quotes.", show_default=False)
    ],
    to: Annotated[Path, typer.Option(help="File to write, or a folder with --by-day.", show_default=False)],
    file_format: Annotated[
        Formats | None, typer.Option("--format", help="Format to write. Default: by the suffix of --to, else parquet.")
    ] = None,
    with_text: Annotated[
        bool, typer.Option("--with-text", help="Include full texts (article_body, comment_body).")
    ] = False,
    by_day: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="Write one file per day of this column and skip days already written."),
    ] = None,
    of_snapshot: Annotated[
        str | None, typer.Option("--snapshot", metavar="NAME", help="Export mart.article as of this snapshot.")
    ] = None,
    comments: Annotated[
        bool, typer.Option("--comments", help="Log in with the role that can read reader comments.")
    ] = False,
    as_json: _Json = False,
) -> None:
    """Write a view or query to a file.

    Writes Parquet, CSV or JSONL, and a manifest next to it. The number of rows
    is not limited.

    Examples:

      pressmark export mart.article --to articles.parquet

      pressmark export mart.article --to articles/ --by-day date_published_day --with-text

      pressmark export "SELECT outlet, url, headline FROM mart.article WHERE in_language = 'de'" --to german.csv
    """
    warehouse = ready_warehouse()
    suffix = to.suffix.removeprefix(".")
    chosen: Format = file_format.value if file_format else suffix if suffix in list(Formats) else "parquet"  # type: ignore[assignment]
    load_seq = None
    if of_snapshot is not None:
        if source != "mart.article":
            raise ConfigError("--snapshot works only with mart.article. In a query, use mart.article_as_of(load_seq).")
        load_seq = read_snapshot(warehouse, of_snapshot).load_seq
        source = f"SELECT * FROM mart.article_as_of({load_seq:d})"  # noqa: S608 - a number
    columns = (TextColumn("{task.description}"), TextColumn("{task.completed} rows"), TimeElapsedColumn())
    with Progress(*columns, console=err, disable=not err.is_terminal, transient=True) as progress:
        bar = progress.add_task(to.name, total=None)
        done = write_export(
            warehouse, source, to, chosen, with_text=with_text, by_day=by_day, snapshot=of_snapshot, load_seq=load_seq,
            comments=comments, on_rows=lambda rows, file: progress.update(bar, completed=rows, description=file),
        )  # fmt: skip
    if as_json:
        print_json({"export_id": done.export_id, "rows": done.rows, "files": done.files, "skipped": done.skipped,
                    "left_out": done.left_out})  # fmt: skip
        return
    skipped = f"; {plural(done.skipped, 'day')} already written" if done.skipped else ""
    out.print(f"Wrote {plural(done.rows, 'row')} to {plural(done.files, 'file')}{skipped}.")
    if done.left_out:
        out.print(f"Left out: {', '.join(done.left_out)}. --with-text includes full texts.")


@friendly
def remove(
    url: Annotated[
        str | None, typer.Option(metavar="URL", help="Remove the article at this URL, with all URLs that lead to it.")
    ] = None,
    prefix: Annotated[
        str | None, typer.Option(metavar="URL", help="Remove all URLs that start with this prefix.")
    ] = None,
    outlet: Annotated[
        str | None,
        typer.Option(
            metavar="ID", help="Remove everything of this outlet. With another option, limit the removal to it."
        ),
    ] = None,
    author: Annotated[str | None, typer.Option(metavar="NAME", help="Remove articles by this author.")] = None,
    commenter: Annotated[str | None, typer.Option(metavar="NAME", help="Remove comments by this person.")] = None,
    hide: Annotated[bool, typer.Option("--hide", help="Hide the data from analysts and keep it stored.")] = False,
    erase: Annotated[
        bool, typer.Option("--erase", help="Delete the data permanently from tables, archive and logs.")
    ] = False,
    reason: Annotated[str | None, typer.Option(help="Reason for the removal, kept with it.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be removed without removing it.")] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Skip the confirmation. --erase needs it without a terminal or with --json.")
    ] = False,
    as_json: _Json = False,
) -> None:
    """Remove data and keep it removed.

    Crawls, loads, rebuilds and restored backups respect the removal. Backups and
    exports written earlier are not changed: see docs/removal.md.

    Examples:

      pressmark remove --url https://news.example/a-story/ --erase --reason "court order 12/26" --dry-run

      pressmark remove --author "Jane Doe" --outlet news-example --hide --reason "her request of 3 March"
    """
    targets: dict[Target, str | None] = {
        "url": url, "prefix": prefix, "author": author, "commenter": commenter,
    }  # fmt: skip
    given = [(target, value) for target, value in targets.items() if value is not None]
    if not given and outlet is not None:
        given, outlet = [("outlet", outlet)], None
    if len(given) != 1:
        raise ConfigError("Name one of --url, --prefix, --outlet, --author, --commenter.")
    if hide == erase:
        raise ConfigError("Use either --hide (keep the data, hide it from analysts) or --erase (delete it).")
    if not reason and not dry_run:
        raise ConfigError("--reason is missing. It is kept with the removal, for whoever asks later.")
    target, value = given[0]
    action: Action = "erase" if erase else "hide"
    warehouse = ready_warehouse()
    covered = preview(warehouse, target, value, action, outlet)
    summary = {
        "target": target, "action": action, "articles": len(covered.articles), "addresses": len(covered.urls),
        "comments": len(covered.comments), "dry_run": dry_run,
    }  # fmt: skip
    store = ArchiveStore(warehouse.settings.archive)
    if erase:
        summary["archive_keeps_versions"] = store.keeps_versions()
    if not as_json:
        comments = f"{plural(len(covered.comments), 'comment')} in " if target == "commenter" else ""
        out.print(
            f"{action} {target} {plain(value)}: {comments}{plural(len(covered.articles), 'article')}, "
            f"{plural(len(covered.urls), 'URL')}"
        )
        for covered_url in covered.urls[:_MAX_URLS_SHOWN]:
            out.print(f"  {plain(covered_url)}")
        if len(covered.urls) > _MAX_URLS_SHOWN:
            out.print(f"  and {len(covered.urls) - _MAX_URLS_SHOWN} more")
        if summary.get("archive_keeps_versions"):
            err.print(f"[yellow]{OLD_VERSIONS}[/]")
    if dry_run:
        if as_json:
            print_json(summary)
        return
    if not yes and err.is_terminal and sys.stdin.isatty() and not as_json:
        typer.confirm("This cannot be undone. Continue?" if erase else "Continue?", abort=True)
    elif not yes and erase:
        raise ConfigError(
            f"Nothing was erased: nobody can be asked to confirm. Look at {plural(len(covered.urls), 'URL')} with "
            "--dry-run, then add --yes."
        )
    removal = record_removal(warehouse, store, target, value, action, reason or "", outlet)
    done = apply_removal(warehouse, store, [removal])
    if as_json:
        print_json({**summary, "removal_id": removal.removal_id, "captures_overwritten": done.captures,
                    "log_lines": done.log_lines})  # fmt: skip
        return
    out.print(
        f"Removed: {plural(done.articles, 'article')}, {plural(done.comments, 'comment')}. "
        f"{plural(done.captures, 'capture')} overwritten in the archive, {plural(done.log_lines, 'log line')} blanked. "
        f"Removal {removal.removal_id} by {getpass.getuser()}."
    )


@friendly
def maintain(as_json: _Json = False) -> None:
    """Run the daily maintenance now.

    Maintains partitions, applies retention, joins small archive files and
    stages orphaned archive files again. The `maintain` DAG does the same. It is
    safe to interrupt and repeat.

    Examples:

      pressmark maintain

      pressmark maintain --json
    """
    from pressmark.crawl.maintenance import RESTAGED_SEGMENTS, run_maintenance

    done = run_maintenance(ready_warehouse().settings)
    if as_json:
        print_json(done.counts)
        return
    for kind, count in done.counts.items():
        out.print(f"{count:>8}  {kind}")
    if done.counts[RESTAGED_SEGMENTS]:
        out.print("Run `pressmark load` to load the staged segments.")
