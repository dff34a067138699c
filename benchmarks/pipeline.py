"""How fast the whole line is, beside two baselines of the same run.

    python benchmarks/pipeline.py [--site DIR] [--pages N] [--json]

Pages of DIR (HTML files; default: the packs of ../shared/bench, else the newsstand) are served on
loopback under eight hosts, listed in feeds, crawled without delay, archived, extracted and
loaded. The baselines extract the same pages with Trafilatura in the mode that Pressmark uses:

- limit: Trafilatura alone, on all cores, pages in memory: what no line can be faster than;
- plain: a Scrapy spider that extracts in its callback and inserts row by row into the same Postgres.

All three are timed at work, with interpreters and Postgres up: the limit's workers are warm, the plain
spider counts from its first request, the line from the opening of its crawls to its report:
everything is loaded then, and its copies are found.
Where there are fewer pages than --pages they are served again under other addresses. Ratios are of the
same turn, median of three turns; the limit of a turn is the mean of one just before the line and one just
after it. Every page must end `new` with text: pages on which Trafilatura finds too little for that are left
out before all measurements.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import itertools
import json
import multiprocessing
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from pressmark.newsstand.site_map import documents  # noqa: E402
from pressmark.settings import Settings  # noqa: E402
from pressmark.warehouse.connection import Warehouse  # noqa: E402
from pressmark.warehouse.migrations import migrate  # noqa: E402

HOSTS = 8
RUNS = 3
_PACKS = ROOT.parent / "shared" / "bench"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--site", type=Path, help="folder of HTML pages")
    parser.add_argument("--pages", type=int, default=1000, help="pages to serve (default: 1000)")
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pressmark-bench-", dir="/var/tmp") as folder:
        place = Path(folder)
        place.chmod(0o755)
        pages = usable(load_pages(options.site, place, options.pages))
        if not pages:
            parser.error("no page with text was found")
        pages = list(itertools.islice(itertools.cycle(pages), options.pages))
        result = measure(pages, place, options.runs)
    if options.json:
        print(json.dumps(result))
        return
    print(f"{result['pages']} pages, {result['cores']} cores, median of {result['runs']} runs")
    for name in ("limit", "plain", "line"):
        print(f"  {name:6} {result[name]['articles_per_second']:8.1f} articles/s")
    print(f"  line / limit: {result['ratio_to_limit']:.2f} (bar 0.6)")
    print(f"  line / plain: {result['ratio_to_plain']:.2f} (bar 1.7)")
    print(
        "  CPU seconds per article: " + ", ".join(f"{k} {v:.4f}" for k, v in result["line"]["cpu_per_article"].items())
    )
    print(f"  peak memory: {result['line']['peak_memory_mb']:.0f} MB; all new with text: {result['line']['all_new']}")


def load_pages(site: Path | None, place: Path, most: int) -> list[bytes]:
    """The pages' bytes."""
    if site is None and _PACKS.exists():
        site = place / "packs"
        for pack in sorted(_PACKS.glob("*.tar.xz")):
            shutil.unpack_archive(pack, site, filter="data")
    if site is None:
        return [d.body for (_, path), d in sorted(documents(1).items()) if "html" in d.content_type and path != "/"]
    files = sorted(p for p in site.rglob("*") if p.suffix in (".html", ".htm"))
    # Taken evenly over the folder, so that a part of it is like the whole.
    step = max(1, len(files) // most)
    return [path.read_bytes() for path in files[::step]][: most + most // 4]


def usable(pages: list[bytes]) -> list[bytes]:
    """Pages that end `new`: Trafilatura finds enough, and no page is another's copy of bytes."""
    with multiprocessing.get_context("spawn").Pool() as pool:
        judged = pool.map(_is_usable, pages, chunksize=4)
    return [page for page, good in dict(zip(pages, judged, strict=True)).items() if good]


def _is_usable(page: bytes) -> bool:
    from datetime import UTC, datetime

    from pressmark.extraction.extract import ExtractionConfig, extract
    from pressmark.extraction.worker import classify

    config = ExtractionConfig("bench", "Bench", "http://bench.example/", ("bench.example",), ("en",), "UTC")
    try:
        headers = (("Content-Type", "text/html"),)
        extraction = extract(page, "http://bench.example/page", headers, datetime.now(UTC), config)
    except Exception:
        return False
    return classify(extraction).outcome is None and not (
        extraction.rights.noarchive or extraction.rights.noindex or extraction.rights.tdm_reservation
    )


def measure(pages: list[bytes], place: Path, runs: int) -> dict[str, Any]:
    """All three, in turns, so that a slow minute of the machine hits them alike."""
    limit, plain, line = [], [], []
    with served(pages, place) as site:
        for number in range(runs):
            before = run_limit(pages)
            line.append(run_line(site, place / f"line{number}", len(pages)))
            limit.append((before + run_limit(pages)) / 2)
            plain.append(run_plain(site, place / f"plain{number}", len(pages)))
    middle = sorted(line, key=lambda one: one["articles_per_second"])[len(line) // 2]
    rates = [one["articles_per_second"] for one in line]
    result: dict[str, Any] = {
        "pages": len(pages),
        "cores": os.cpu_count(),
        "runs": runs,
        "limit": {"articles_per_second": statistics.median(limit)},
        "plain": {"articles_per_second": statistics.median(plain)},
        "line": middle,
    }
    # Of neighbours in time: a machine's speed drifts by more than what is measured.
    result["ratio_to_limit"] = statistics.median(a / b for a, b in zip(rates, limit, strict=True))
    result["ratio_to_plain"] = statistics.median(a / b for a, b in zip(rates, plain, strict=True))
    result["ratios"] = {
        "limit": [round(a / b, 3) for a, b in zip(rates, limit, strict=True)],
        "plain": [round(a / b, 3) for a, b in zip(rates, plain, strict=True)],
    }
    return result


# -- the limit: Trafilatura alone ---------------------------------------------------------------


def run_limit(pages: list[bytes]) -> float:
    """Articles a second of Trafilatura on all cores; the workers are warm before the clock starts."""
    with multiprocessing.get_context("spawn").Pool(os.cpu_count()) as pool:
        pool.map(_bare, pages[: 8 * (os.cpu_count() or 1)], chunksize=4)
        begin = time.perf_counter()
        pool.map(_bare, pages, chunksize=4)
        return len(pages) / (time.perf_counter() - begin)


def _bare(page: bytes) -> int:
    from trafilatura import bare_extraction
    from trafilatura.settings import Extractor

    options = Extractor(output_format="python", comments=False, with_metadata=False, tables=True)
    document = bare_extraction(page, options=options)
    return len(getattr(document, "text", None) or "")


# -- the site -----------------------------------------------------------------------------------


class Site:
    """Where the pages are served: a process of its own, so that its CPU time is told apart."""

    def __init__(self, process: subprocess.Popen[str], port: int, hosts: list[str], place: Path) -> None:
        self.process = process
        self.port = port
        self.hosts = hosts
        self.outlets = place / "outlets"

    @property
    def resolve(self) -> str:
        """For PRESSMARK_RESOLVE."""
        return ",".join(f"{host}=127.0.0.1:{self.port}" for host in self.hosts)


@contextlib.contextmanager
def served(pages: list[bytes], place: Path) -> Iterator[Site]:
    """The pages on loopback under eight hosts, an outlet each."""
    folder = place / "site"
    hosts = []
    (place / "outlets").mkdir()
    for host_number in range(min(HOSTS, len(pages))):
        host = f"host{host_number}.bench.example"
        hosts.append(host)
        (folder / host).mkdir(parents=True)
        links = []
        for number, page in enumerate(pages[host_number::HOSTS]):
            (folder / host / f"story-{number}.html").write_bytes(page)
            links.append(f"<item><link>http://{host}/story-{number}.html</link></item>")
        feed = f'<rss version="2.0"><channel><title>t</title>{"".join(links)}</channel></rss>'
        (folder / host / "feed.xml").write_text(feed)
        (folder / host / "robots.txt").write_text("User-agent: *\nDisallow:\n")
        outlet = host.split(".")[0]
        (place / "outlets" / f"{outlet}.yaml").write_text(
            f"id: {outlet}\nname: {outlet}\nhome: http://{host}/\ndomains: [{host}]\nlanguages: [en]\ntimezone: UTC\n"
            f"enabled: true\npoliteness: {{delay: 0}}\nbudgets: {{pages: 100000, entries: 100000}}\n"
            f"endpoints: [{{method: feed, url: 'http://{host}/feed.xml', source: a benchmark}}]\n"
        )
    process = subprocess.Popen(
        [sys.executable, __file__, "--serve", str(folder)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert process.stdout is not None
    try:
        yield Site(process, int(process.stdout.readline()), hosts, place)
    finally:
        process.kill()
        process.wait()


def serve(folder: Path) -> None:
    """The server process: files by host and path, from memory."""
    from twisted.internet import reactor
    from twisted.web.resource import Resource
    from twisted.web.server import Site as WebSite

    # Compressed, as nearly every news site answers a client that accepts it.
    files = {(p.parent.name, f"/{p.name}"): gzip.compress(p.read_bytes(), 6) for p in folder.rglob("*") if p.is_file()}
    types = {".html": b"text/html", ".xml": b"application/rss+xml", ".txt": b"text/plain"}

    class Pages(Resource):
        isLeaf = True

        def render_GET(self, request: Any) -> bytes:
            host = (request.getHeader("Host") or "").partition(":")[0]
            body = files.get((host, request.path.decode()))
            if body is None:
                request.setResponseCode(404)
                return b"no such page"
            request.setHeader(b"Content-Encoding", b"gzip")
            request.setHeader(b"Content-Type", types[Path(request.path.decode()).suffix])
            return body

    port = reactor.listenTCP(0, WebSite(Pages()), interface="127.0.0.1")  # type: ignore[attr-defined]
    print(port.getHost().port, flush=True)
    reactor.run()  # type: ignore[attr-defined]


# -- the line -----------------------------------------------------------------------------------


def run_line(site: Site, home: Path, pages: int) -> dict[str, Any]:
    """The real thing: crawl and load by the command line, on a fresh warehouse."""
    env = {
        **os.environ,
        "PRESSMARK_HOME": str(home),
        "PRESSMARK_OUTLETS": str(site.outlets),
        "PRESSMARK_RESOLVE": site.resolve,
    }
    warehouse = Warehouse(Settings.from_env(env))
    assert warehouse.embedded is not None
    migrate(warehouse)
    served_before = _cpu(psutil.Process(site.process.pid))
    command = [
        sys.executable,
        "-m",
        "pressmark.cli",
        "crawl",
        *sorted(p.stem for p in site.outlets.glob("*.yaml")),
        "--json",
    ]
    begin = time.perf_counter()
    process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    postmaster = int((warehouse.embedded.places.data / "postmaster.pid").read_text().split()[0])
    watch = Watch(process.pid, postmaster)
    assert process.stdout is not None
    first_line = process.stdout.readline()  # the report: everything is loaded and its copies are found
    ended = time.time()
    output, errors = process.communicate()
    output, whole = first_line + output, time.perf_counter() - begin
    watch.stop()
    if process.returncode != 0:
        raise SystemExit(f"the crawl failed:\n{errors[-2000:]}")
    report = json.loads(output)
    new = sum(row["outcomes"].get("new", 0) for row in report["crawls"])
    connection = warehouse.connect_admin()
    with contextlib.closing(connection), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM mart.article WHERE word_count > 0")
        (with_text,) = cursor.fetchone() or (0,)
        cursor.execute(
            "SELECT to_timestamp(%s)::timestamptz - min(started_at), (SELECT count(*) FROM core.dedup_text), "
            "(SELECT count(*) FROM staging.cluster_queue) FROM ops.crawl",
            (ended,),
        )
        (taken, compared, waiting) = cursor.fetchone() or (None, 0, 0)
        seconds = taken.total_seconds() if taken else whole
    served_cpu = _cpu(psutil.Process(site.process.pid)) - served_before
    warehouse.embedded.remove()
    return {
        "articles_per_second": pages / seconds,
        "seconds": seconds,
        "seconds_with_start": whole,
        "all_new": new == pages and with_text == pages == compared and not waiting and report["ledger_ok"],
        "cpu_per_article": {k: v / pages for k, v in watch.cpu.items()},
        "site_cpu_per_article": served_cpu / pages,
        "peak_memory_mb": watch.peak / 2**20,
    }


class Watch:
    """CPU seconds of the line's processes by station, and the most memory they had together."""

    def __init__(self, command: int, postmaster: int) -> None:
        self.cpu: dict[str, float] = {}
        self.peak = 0
        self._roots = (psutil.Process(command), psutil.Process(postmaster))
        self._seen: dict[int, tuple[str, float]] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Add up."""
        self._over.set()
        self._thread.join()
        for station, seconds in self._seen.values():
            self.cpu[station] = self.cpu.get(station, 0.0) + seconds

    def _run(self) -> None:
        rounds = 0
        while not self._over.wait(0.25):
            rounds += 1
            memory = 0
            with contextlib.suppress(psutil.Error):
                for root in self._roots:
                    for process in (root, *root.children(recursive=True)):
                        with contextlib.suppress(psutil.Error, OSError):
                            self._seen[process.pid] = (self._station(process), _cpu(process))
                            if rounds % 8 == 0:  # reading page tables costs time
                                memory += process.memory_full_info().uss
            self.peak = max(self.peak, memory)

    def _station(self, process: psutil.Process) -> str:
        known = self._seen.get(process.pid)
        if known:
            return known[0]
        line = " ".join(process.cmdline())
        if "postgres" in process.name():
            return "postgres"
        return (
            "extract"
            if "forkserver" in line or "resource_tracker" in line
            else "crawl"
            if "spiders.job" in line
            else "load"
        )


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


# -- the plain spider ---------------------------------------------------------------------------


def run_plain(site: Site, home: Path, pages: int) -> float:
    """Articles a second of a spider that extracts in its callback and inserts row by row."""
    env = {**os.environ, "PRESSMARK_HOME": str(home)}
    warehouse = Warehouse(Settings.from_env(env))
    migrate(warehouse)
    server = warehouse.embedded
    assert server is not None
    connection = warehouse.connect_admin()
    with contextlib.closing(connection), connection, connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE public.article (url text PRIMARY KEY, headline text, body text, fetched timestamptz)"
        )
    done = subprocess.run(
        [
            sys.executable,
            __file__,
            "--plain",
            server.dsn("postgres", "pressmark"),
            str(site.port),
            ",".join(site.hosts),
        ],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
        env={**os.environ, "PRESSMARK_RESOLVE": site.resolve, "PRESSMARK_HOME": str(home)},
    )
    connection = warehouse.connect_admin()
    with contextlib.closing(connection), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM public.article")
        (rows,) = cursor.fetchone() or (0,)
    server.remove()
    if done.returncode != 0 or rows != pages:
        raise SystemExit(f"the plain spider stored {rows} of {pages} pages:\n{done.stderr[-2000:]}")
    return pages / float(done.stdout.split()[-1])


def plain(dsn: str, hosts: list[str]) -> None:
    """The plain spider's process: as a tutorial would write it."""
    import psycopg2
    from scrapy import Request, Spider
    from scrapy.crawler import CrawlerProcess
    from trafilatura import bare_extraction
    from trafilatura.settings import Extractor

    connection = psycopg2.connect(dsn)
    started: list[float] = []
    options = Extractor(output_format="python", comments=False, with_metadata=False, tables=True)

    class Plain(Spider):
        name = "plain"

        async def start(self) -> Any:
            started.append(time.perf_counter())
            for host in hosts:
                yield Request(f"http://{host}/feed.xml", callback=self.parse_feed)

        def parse_feed(self, response: Any) -> Any:
            for link in re.findall(r"<link>([^<]+)</link>", response.text):
                yield Request(link, callback=self.parse_article)

        def parse_article(self, response: Any) -> None:
            document = bare_extraction(response.body, options=options)
            with connection.cursor() as cursor:
                cursor.execute(
                    "INSERT INTO public.article VALUES (%s, %s, %s, now()) ON CONFLICT DO NOTHING",
                    (response.url, response.css("title::text").get(), getattr(document, "text", None)),
                )
            connection.commit()

    process = CrawlerProcess(
        {
            "LOG_LEVEL": "WARNING",
            "ROBOTSTXT_OBEY": True,
            "CONCURRENT_REQUESTS": 16,
            "TWISTED_DNS_RESOLVER": "spiders.resolver.GuardedResolver",
            "TELNETCONSOLE_ENABLED": False,
        }
    )
    process.crawl(Plain)
    process.start()
    print(time.perf_counter() - started[0])


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        serve(Path(sys.argv[2]))
    elif sys.argv[1:2] == ["--plain"]:
        plain(sys.argv[2], sys.argv[4].split(","))
    else:
        main()
