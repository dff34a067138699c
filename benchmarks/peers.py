"""Compare what other open tools extract from the benchmark packs.

    python benchmarks/peers.py [--packs DIR] [--tools NAME,...] [--pressmark FILE.jsonl ...] [--json]

Each tool runs in its own process, with its own packages, which `uv run` installs. If a tool cannot be installed or
imported, the reason is printed. The tools run one after the other, without network access. Predictions are scored like
Pressmark's (scoring.py). A page on which a tool raises an error counts as empty. CPU time covers extraction only. One
page is extracted before the measurement, so that lazy imports don't count.

Fundus has no general extractor, only parsers for single publishers. It is scored on the pages it has a parser for. If
predictions of Pressmark are given (see extraction.py), Pressmark is scored on the same pages. Ignore Fundus's scores on
the pack fundustests, because its gold texts were made with Fundus's own parsers. Older saved pages score low, because
the current parsers expect the current layout.

Two things change the scores slightly: the version of lxml, which the table shows, and Newspaper4k, whose results differ
from run to run.

A pack is a folder with gold.jsonl and the folder html/. By default the packs are those in ../shared/bench.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import logging
import shutil
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[1]
ARCHIVES = ROOT.parent / "shared" / "bench"
PYTHON = "3.11"
Prediction = dict[str, Any]
Extractor = Callable[[str, str], Prediction | None]  # HTML and URL; None: the tool has nothing for this page's outlet

_BLOCKS = (
    "address article aside blockquote br caption dd div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 "
    "header hr li main nav ol p pre section table td th tr ul"
).split()


def load_trafilatura(fast: bool = False) -> Extractor:
    """Return Trafilatura's extraction with metadata and without comments."""
    from trafilatura import bare_extraction

    def extract(html: str, url: str) -> Prediction:
        document: Any = bare_extraction(html, url=url, fast=fast, include_comments=False, with_metadata=True)
        if document is None:
            return {}
        authors = [name.strip() for name in (document.author or "").split(";") if name.strip()]
        return {"text": document.text, "title": document.title, "authors": authors, "date": document.date}

    return extract


def load_trafilatura_fast() -> Extractor:
    """Return Trafilatura's extraction without its fallbacks."""
    return load_trafilatura(fast=True)


def load_newspaper4k() -> Extractor:
    """Return the extraction of Newspaper4k; it fetches no images."""
    from newspaper import Article

    def extract(html: str, url: str) -> Prediction:
        article = Article(url, fetch_images=False)
        article.download(input_html=html)
        article.parse()
        date = _day(article.publish_date)
        return {"text": article.text, "title": article.title, "authors": list(article.authors), "date": date}

    return extract


def load_news_please() -> Extractor:
    """Return the extraction of news-please, which combines Newspaper4k and Readability; it fetches no images."""
    from newsplease import NewsPlease

    def extract(html: str, url: str) -> Prediction:
        article = NewsPlease.from_html(html, url=url, fetch_images=False)
        authors = list(article.authors or [])
        return {
            "text": article.maintext,
            "title": article.title,
            "authors": authors,
            "date": _day(article.date_publish),
        }

    return extract


def load_readability() -> Extractor:
    """Return the extraction of readability-lxml: the text of its summary, a line for each block, and its title."""
    from lxml.html import fromstring
    from readability import Document

    def extract(html: str, url: str) -> Prediction:
        document = Document(html, url=url)
        title = document.short_title()
        summary = fromstring(document.summary())
        for element in summary.iter(*_BLOCKS):
            element.text = "\n" + (element.text or "")
            element.tail = "\n" + (element.tail or "")
        return {"text": summary.text_content(), "title": title}

    return extract


def load_resiliparse() -> Extractor:
    """Return Resiliparse's main content without comments and without the alternative texts of images."""
    from resiliparse.extract.html2text import extract_plain_text

    def extract(html: str, url: str) -> Prediction:
        return {"text": extract_plain_text(html, main_content=True, comments=False, alt_texts=False)}

    return extract


def load_fundus() -> Extractor:
    """Return the extraction by the newest Fundus parser of the publisher whose domain is closest to the page's."""
    from fundus import PublisherCollection

    publishers: dict[str, Any] = {}
    for publisher in PublisherCollection:
        for address in (*publisher.deprecated_domains, publisher.domain):
            publishers[_host(address)] = publisher

    def extract(html: str, url: str) -> Prediction | None:
        labels = _host(url).split(".")
        domains = (".".join(labels[start:]) for start in range(len(labels)))
        publisher = next((publishers[domain] for domain in domains if domain in publishers), None)
        if publisher is None:
            return None
        # A parser that fails on one field still has the others.
        fields = publisher.parser().parse(html, error_handling="catch")
        body = fields.get("body")
        if isinstance(body, Exception):
            raise body
        known = {name: None if isinstance(value, Exception) else value for name, value in fields.items()}
        return {
            "text": str(body) if body else None,
            "title": known.get("title"),
            "authors": list(known.get("authors") or []),
            "date": _day(known.get("publishing_date")),
        }

    return extract


@dataclass(frozen=True)
class Tool:
    """An extraction tool: what to install, how to load it and which fields it returns."""

    distribution: str
    load: Callable[[], Extractor]
    requirements: tuple[str, ...]
    fields: tuple[str, ...] = ("text", "headline", "date", "authors")


# Newspaper4k needs the extras for Japanese and Chinese. For Korean it needs data NLTK downloads: those pages fail.
_NEWSPAPER4K = "newspaper4k[ja,zh]>=0.9,<0.10"
TOOLS = {
    "trafilatura": Tool("trafilatura", load_trafilatura, ("trafilatura",)),
    "trafilatura-fast": Tool("trafilatura", load_trafilatura_fast, ("trafilatura",)),
    "newspaper4k": Tool("newspaper4k", load_newspaper4k, (_NEWSPAPER4K,)),
    "news-please": Tool("news-please", load_news_please, ("news-please", _NEWSPAPER4K)),
    "readability-lxml": Tool("readability-lxml", load_readability, ("readability-lxml",), ("text", "headline")),
    "resiliparse": Tool("resiliparse", load_resiliparse, ("resiliparse",), ("text",)),
    # Fundus 0.5.7 imports a name that curl-cffi 0.16 no longer has.
    "fundus": Tool("fundus", load_fundus, ("fundus", "curl-cffi<0.16")),
}


def score_pack(gold: Iterable[Mapping[str, Any]], predictions: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """Return the scores of predictions by page id. A page without prediction counts as empty."""
    from scoring import score  # not in a tool's process, which has its own packages only

    return score((page, predictions.get(page["id"], {})) for page in gold)


def work(name: str, pack: Path, out: Path) -> None:
    """Write a tool's predictions for a pack, one object per line, and print versions, CPU time and failures as JSON."""
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    socket.getaddrinfo = _no_network
    tool = TOOLS[name]
    failed: dict[str, str] = {}
    seconds, pages, warm = 0.0, 0, False
    with redirect_stdout(sys.stderr), out.open("w", encoding="utf-8") as file:
        extract = tool.load()
        for row in read_jsonl(pack / "gold.jsonl"):
            html = (pack / "html" / row["html"]).read_text(encoding="utf-8")
            if not warm:
                warm = _is_extracted(extract, html, row["url"])
            started = time.process_time()
            try:
                prediction = extract(html, row["url"])
            except Exception as error:
                prediction = {}
                failed[row["id"]] = f"{type(error).__name__}: {str(error).strip()[:200]}"
            spent = time.process_time() - started
            if prediction is None:
                continue
            pages += 1
            seconds += spent
            file.write(json.dumps({"id": row["id"], **prediction}, ensure_ascii=False) + "\n")
    versions = {"version": _version(tool.distribution), "lxml": _version("lxml")}
    print(json.dumps({**versions, "pages": pages, "cpu_seconds": seconds, "failed": failed}))


def run(uv: str, name: str, pack: Path, out: Path) -> dict[str, Any]:
    """Run a tool on a pack in a process with its own packages; return what the process printed.

    Raises RuntimeError, with the last lines of the process's errors, if the tool cannot be installed or loaded.
    """
    command = [uv, "run", "--quiet", "--isolated", "--no-project", "--python", PYTHON]
    for requirement in TOOLS[name].requirements:
        command += ["--with", requirement]
    # -I: the modules beside this file must not stand in for packages of the same name.
    command += ["python", "-I", str(Path(__file__).resolve())]
    command += ["--worker", name, "--pack", str(pack.resolve()), "--out", str(out.resolve())]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        raise RuntimeError(" | ".join(lines[-3:]) or f"exit status {done.returncode}")
    report: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return report


def compare(
    packs: Sequence[Path], tools: Sequence[str], pressmark: Mapping[str, Prediction], scratch: Path
) -> dict[str, Any]:
    """Run the tools on the packs; return a row for each, and the reason for each tool that could not run.

    With Pressmark's predictions by page id, there are rows for these too.
    """
    uv = find_uv()
    rows: list[dict[str, Any]] = []
    skipped: dict[str, str] = {}
    for pack in packs:
        gold = read_jsonl(pack / "gold.jsonl")
        if any(page["id"] in pressmark for page in gold):
            rows.append({"tool": "pressmark", "pack": pack.name, "pages": len(gold), **score_pack(gold, pressmark)})
        for name in tools:
            if name in skipped:
                continue
            print(f"{pack.name}: {name}", file=sys.stderr)
            out = scratch / f"{pack.name}.{name}.jsonl"
            try:
                report = run(uv, name, pack, out)
            except RuntimeError as error:
                skipped[name] = str(error)
                continue
            for page_id, reason in report["failed"].items():
                print(f"{pack.name}: {name}: {page_id}: {reason}", file=sys.stderr)
            predictions = {prediction["id"]: prediction for prediction in read_jsonl(out)}
            covered = [page for page in gold if page["id"] in predictions]
            scores = score_pack(covered, predictions)
            hidden = {"headline", "date", "authors"} - set(TOOLS[name].fields)
            rows.append(
                {
                    "tool": name,
                    "version": report["version"],
                    "lxml": report["lxml"],
                    "pack": pack.name,
                    "pages": report["pages"],
                }
                | {field: None if field in hidden else value for field, value in scores.items()}
                | {"ms": round(1000 * report["cpu_seconds"] / report["pages"], 1) if report["pages"] else None}
                | {"failed": len(report["failed"])}
            )
            if 0 < len(covered) < len(gold) and any(page["id"] in pressmark for page in covered):
                row = {"tool": f"pressmark, {name}'s pages", "pack": pack.name, "pages": len(covered)}
                rows.append({**row, **score_pack(covered, pressmark)})
    return {"rows": rows, "skipped": skipped}


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the rows as a table of text; a dash stands for what a tool or the gold does not have."""
    columns = (
        "tool",
        "version",
        "lxml",
        "pack",
        "pages",
        "text",
        "headline",
        "date",
        "authors",
        "ms",
        "failed",
    )
    cells = [list(columns)] + [[_cell(column, row.get(column)) for column in columns] for row in rows]
    widths = [max(len(line[n]) for line in cells) for n in range(len(columns))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if n < 4 else cell.rjust(width)
            for n, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in cells
    )


def find_uv() -> str:
    """Return the path of uv: beside this Python or on PATH."""
    beside = Path(sys.executable).with_name("uv")
    uv = str(beside) if beside.exists() else shutil.which("uv")
    if uv is None:
        sys.exit("uv is neither beside this Python nor on PATH")
    return uv


def unpack(archives: Path, folder: Path) -> Path:
    """Unpack all archives of packs into a folder and return it."""
    for archive in sorted(archives.glob("*.tar.xz")):
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")
    return folder


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    """Return the objects of a file with one JSON object per line."""
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def _is_extracted(extract: Extractor, html: str, url: str) -> bool:
    try:
        return extract(html, url) is not None
    except Exception:
        return False


def _no_network(*_: Any, **__: Any) -> NoReturn:
    raise OSError("the benchmark uses no network")


def _version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def _host(url: str) -> str:
    return (urlsplit(url).hostname or "").removeprefix("www.")


def _day(date: Any) -> str | None:
    return str(date)[:10] if date else None


def _cell(column: str, value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.4f}" if isinstance(value, float) and column != "ms" else str(value)


def main() -> None:
    """Run the tools and print the table; with --worker, run one tool in this process."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packs", type=Path, help="read the packs from the folders in this folder")
    parser.add_argument("--tools", default=",".join(TOOLS), help="run only these tools (default: %(default)s)")
    parser.add_argument(
        "--pressmark", type=Path, nargs="+", default=[], metavar="FILE", help="score Pressmark's predictions too"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--worker", choices=TOOLS, help=argparse.SUPPRESS)
    parser.add_argument("--pack", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        work(arguments.worker, arguments.pack, arguments.out)
        return
    tools = arguments.tools.split(",")
    if unknown := [name for name in tools if name not in TOOLS]:
        parser.error(f"unknown tools: {', '.join(unknown)}; known are {', '.join(TOOLS)}")
    pressmark = {prediction["id"]: prediction for path in arguments.pressmark for prediction in read_jsonl(path)}
    with tempfile.TemporaryDirectory(prefix="pressmark-peers-") as scratch:
        folder = arguments.packs or unpack(ARCHIVES, Path(scratch) / "packs")
        packs = sorted(path.parent for path in folder.glob("*/gold.jsonl"))
        if not packs:
            parser.error(f"no packs in {arguments.packs or ARCHIVES}")
        results = compare(packs, tools, pressmark, Path(scratch))
    if arguments.json:
        print(json.dumps(results, ensure_ascii=False))
        return
    print(table(results["rows"]))
    for name, reason in results["skipped"].items():
        print(f"{name} could not run: {reason}")


if __name__ == "__main__":
    main()
