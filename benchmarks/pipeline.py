"""Speed of the whole pipeline, compared with two baselines in the same run.

    python benchmarks/pipeline.py [--site DIR] [--pages N] [--json]

The HTML pages of DIR are served on loopback under eight hosts and listed in feeds. Without DIR, the packs of
../shared/bench are used, or else the newsstand. The pages are crawled without delay, archived, extracted and loaded.
The baselines extract the same pages with Trafilatura in the mode that Pressmark uses:

- limit: Trafilatura alone on all cores, with the pages in memory. No pipeline can be faster.
- plain: a Scrapy spider that extracts in its callback and inserts row by row into the same Postgres.

Startup of interpreters and Postgres is not measured. The workers of the limit are warm. The plain spider is timed from
its first request. The pipeline is timed from the start of its crawls to its report, when everything is loaded and
clustered.

If there are fewer pages than --pages, they are served again under other URLs. Ratios compare measurements of the same
round; the result is the median of three rounds. The limit of a round is the mean of a run before and a run after the
pipeline. Every page must have the outcome `new` and a text. Pages with too little text are excluded beforehand.
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
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from pressmark.newsstand.site_map import documents  # noqa: E402
from pressmark.settings import Settings  # noqa: E402
from pressmark.text import plural  # noqa: E402
from pressmark.warehouse.connection import Warehouse  # noqa: E402
from pressmark.warehouse.migrations import migrate  # noqa: E402

HOSTS = 8
RUNS = 3
_PACKS = ROOT.parent / "shared" / "bench"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--site", type=Path, help="serve the HTML pages of this folder")
    parser.add_argument("--pages", type=int, default=1000, help="serve this number of pages (default: 1000)")
    parser.add_argument("--runs", type=int, default=RUNS, help="run this number of rounds (default: 3)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pressmark-bench-", dir="/var/tmp") as folder:
        work_folder = Path(folder)
        work_folder.chmod(0o755)
        pages = usable(load_pages(options.site, work_folder, options.pages))
        if not pages:
            parser.error("no page has enough text; choose another --site")
        pages = list(itertools.islice(itertools.cycle(pages), options.pages))
        result = measure(pages, work_folder, options.runs)
    if options.json:
        print(json.dumps(result))
        return
    pipeline = result["pipeline"]
    page_count, cores, runs = (plural(result[f"{noun}s"], noun) for noun in ("page", "core", "run"))
    print(f"{page_count}, {cores}, median of {runs}")
    for name in ("limit", "plain", "pipeline"):
        print(f"  {name:8} {result[name]['articles_per_second']:8.1f} articles/s")
    print(f"  pipeline / limit: {result['ratio_to_limit']:.2f} (target: 0.6)")
    print(f"  pipeline / plain: {result['ratio_to_plain']:.2f} (target: 1.7)")
    print("  CPU seconds per article: " + ", ".join(f"{k} {v:.4f}" for k, v in pipeline["cpu_per_article"].items()))
    print(f"  peak memory: {pipeline['peak_memory_mb']:.0f} MB")
    print(f"  every page is new and has a text: {'yes' if pipeline['all_new'] else 'no'}")


def load_pages(site: Path | None, work_folder: Path, count: int) -> list[bytes]:
    """Return the pages of the site, the benchmark packs or the newsstand: a quarter more than count, if available."""
    if site is None and _PACKS.exists():
        site = work_folder / "packs"
        for pack in sorted(_PACKS.glob("*.tar.xz")):
            shutil.unpack_archive(pack, site, filter="data")
    if site is None:
        return [d.body for (_, path), d in sorted(documents(1).items()) if "html" in d.content_type and path != "/"]
    files = sorted(p for p in site.rglob("*") if p.suffix in (".html", ".htm"))
    # Take files at even intervals, so that the selection resembles the whole folder.
    step = max(1, len(files) // count)
    return [path.read_bytes() for path in files[::step]][: count + count // 4]


def usable(pages: list[bytes]) -> list[bytes]:
    """Return the pages whose outcome is `new`, each once: with enough text and no rights signals against archiving."""
    with multiprocessing.get_context("spawn").Pool() as pool:
        verdicts = pool.map(_is_usable, pages, chunksize=4)
    return [page for page, is_usable in dict(zip(pages, verdicts, strict=True)).items() if is_usable]


def _is_usable(page: bytes) -> bool:
    from datetime import UTC, datetime

    from pressmark.extraction.extract import extract
    from pressmark.extraction.fields import ExtractionConfig
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


def measure(pages: list[bytes], work_folder: Path, runs: int) -> dict[str, Any]:
    """Measure all three alternately, so that changes in the machine's speed affect them equally."""
    limit, plain, pipeline = [], [], []
    with served(pages, work_folder) as site:
        for number in range(runs):
            limit_before = run_limit(pages)
            pipeline.append(run_pipeline(site, work_folder / f"pipeline{number}", len(pages)))
            limit.append((limit_before + run_limit(pages)) / 2)
            plain.append(run_plain(site, work_folder / f"plain{number}", len(pages)))
    median_run = sorted(pipeline, key=lambda run: run["articles_per_second"])[len(pipeline) // 2]
    rates = [run["articles_per_second"] for run in pipeline]
    result: dict[str, Any] = {
        "pages": len(pages),
        "cores": os.cpu_count(),
        "runs": runs,
        "limit": {"articles_per_second": statistics.median(limit)},
        "plain": {"articles_per_second": statistics.median(plain)},
        "pipeline": median_run,
    }
    # Compare measurements of the same round, because the machine's speed drifts between rounds.
    result["ratio_to_limit"] = statistics.median(a / b for a, b in zip(rates, limit, strict=True))
    result["ratio_to_plain"] = statistics.median(a / b for a, b in zip(rates, plain, strict=True))
    result["ratios"] = {
        "limit": [round(a / b, 3) for a, b in zip(rates, limit, strict=True)],
        "plain": [round(a / b, 3) for a, b in zip(rates, plain, strict=True)],
    }
    return result


# -- the limit: Trafilatura alone ---------------------------------------------------------------


def run_limit(pages: list[bytes]) -> float:
    """Return the articles per second of Trafilatura on all cores, with warm workers."""
    with multiprocessing.get_context("spawn").Pool(os.cpu_count()) as pool:
        pool.map(_extract_text, pages[: 8 * (os.cpu_count() or 1)], chunksize=4)
        begin = time.perf_counter()
        pool.map(_extract_text, pages, chunksize=4)
        return len(pages) / (time.perf_counter() - begin)


def _extract_text(page: bytes) -> int:
    from trafilatura import bare_extraction
    from trafilatura.settings import Extractor

    options = Extractor(output_format="python", comments=False, with_metadata=False, tables=True)
    document = bare_extraction(page, options=options)
    return len(getattr(document, "text", None) or "")


# -- the site -----------------------------------------------------------------------------------


class Site:
    """The web site with the pages. It has its own process, so that its CPU time can be measured separately."""

    def __init__(self, process: subprocess.Popen[str], port: int, hosts: list[str], work_folder: Path) -> None:
        self.process = process
        self.port = port
        self.hosts = hosts
        self.outlets = work_folder / "outlets"

    @property
    def resolve(self) -> str:
        """The value of PRESSMARK_RESOLVE for the hosts of this site."""
        return ",".join(f"{host}=127.0.0.1:{self.port}" for host in self.hosts)


@contextlib.contextmanager
def served(pages: list[bytes], work_folder: Path) -> Iterator[Site]:
    """Serve the pages on loopback under eight hosts, with one outlet file per host."""
    folder = work_folder / "site"
    hosts = []
    (work_folder / "outlets").mkdir()
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
        (work_folder / "outlets" / f"{outlet}.yaml").write_text(
            f"id: {outlet}\nname: {outlet}\nhome: http://{host}/\ndomains: [{host}]\nlanguages: [en]\ntimezone: UTC\n"
            "enabled: true\npoliteness: {delay: 0}\n"
            "budgets: {pages: 100000, pages_per_day: 100000, entries: 100000}\n"
            f"endpoints: [{{method: feed, url: 'http://{host}/feed.xml', source: a benchmark}}]\n"
        )
    process = subprocess.Popen(
        [sys.executable, __file__, "--serve", str(folder)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert process.stdout is not None
    try:
        yield Site(process, int(process.stdout.readline()), hosts, work_folder)
    finally:
        process.kill()
        process.wait()


def serve(folder: Path) -> None:
    """Run the server process, which serves files from memory by host and path."""
    from twisted.internet import reactor
    from twisted.web.resource import Resource
    from twisted.web.server import Site as WebSite

    # Nearly all news sites compress their responses.
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


# -- the pipeline -------------------------------------------------------------------------------


def run_pipeline(site: Site, home: Path, pages: int) -> dict[str, Any]:
    """Crawl and load with the command line into a new warehouse, and return the measurements."""
    env = {
        **os.environ,
        "PRESSMARK_HOME": str(home),
        "PRESSMARK_OUTLETS": str(site.outlets),
        "PRESSMARK_RESOLVE": site.resolve,
    }
    warehouse = Warehouse(Settings.from_env(env))
    assert warehouse.embedded is not None
    migrate(warehouse)
    site_cpu_before = _cpu(psutil.Process(site.process.pid))
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
    monitor = ProcessMonitor(process.pid, postmaster)
    assert process.stdout is not None
    first_line = process.stdout.readline()  # the report, printed after everything is loaded and clustered
    report_time = time.time()
    output, errors = process.communicate()
    output, total_seconds = first_line + output, time.perf_counter() - begin
    monitor.stop()
    if process.returncode != 0:
        raise SystemExit(f"the crawl failed:\n{errors[-2000:]}")
    report = json.loads(output)
    new = sum(row["outcomes"].get("new", 0) for row in report["crawls"])
    connection = warehouse.connect_admin()
    with contextlib.closing(connection), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM mart.article WHERE word_count > 0")
        (with_text,) = cursor.fetchone() or (0,)
        cursor.execute(
            "SELECT to_timestamp(%s)::timestamptz - min(started_at), "
            "(SELECT count(*) FROM core.dedup_text WHERE live), "
            "(SELECT count(*) FROM staging.cluster_queue) FROM ops.crawl",
            (report_time,),
        )
        (duration, clustered, queued) = cursor.fetchone() or (None, 0, 0)
        seconds = duration.total_seconds() if duration else total_seconds
    site_cpu = _cpu(psutil.Process(site.process.pid)) - site_cpu_before
    warehouse.embedded.remove()
    return {
        "articles_per_second": pages / seconds,
        "seconds": seconds,
        "seconds_with_start": total_seconds,
        "all_new": new == pages and with_text == pages == clustered and not queued and report["ledger_ok"],
        "cpu_per_article": {k: v / pages for k, v in monitor.cpu.items()},
        "site_cpu_per_article": site_cpu / pages,
        "peak_memory_mb": monitor.peak / 2**20,
        "peak_memory_mb_by_stage": {stage: round(size / 2**20) for stage, size in monitor.peak_by_stage.items()},
        "counts": {"new": new, "with_text": with_text, "clustered": clustered, "queued": queued},
    }


class ProcessMonitor:
    """Measures the CPU seconds of the pipeline's processes by stage, and their peak memory in total."""

    def __init__(self, command: int, postmaster: int) -> None:
        self.cpu: dict[str, float] = {}
        self.peak = 0
        self.peak_by_stage: dict[str, int] = {}
        self._roots = (psutil.Process(command), psutil.Process(postmaster))
        self._processes: dict[int, tuple[str, float]] = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop and sum the CPU seconds by stage."""
        self._stopped.set()
        self._thread.join()
        for stage, seconds in self._processes.values():
            self.cpu[stage] = self.cpu.get(stage, 0.0) + seconds

    def _run(self) -> None:
        rounds = 0
        while not self._stopped.wait(0.25):
            rounds += 1
            memory: Counter[str] = Counter()
            with contextlib.suppress(psutil.Error):
                for root in self._roots:
                    for process in (root, *root.children(recursive=True)):
                        with contextlib.suppress(psutil.Error, OSError):
                            self._processes[process.pid] = (self._stage(process), _cpu(process))
                            if rounds % 8 == 0:  # reading page tables costs time
                                memory[self._stage(process)] += _own_memory(process)
            if memory.total() > self.peak:
                self.peak, self.peak_by_stage = memory.total(), dict(memory)

    def _stage(self, process: psutil.Process) -> str:
        known = self._processes.get(process.pid)
        if known:
            return known[0]
        command = " ".join(process.cmdline())
        if "postgres" in process.name():
            return "postgres"
        return (
            "extract"
            if "forkserver" in command or "resource_tracker" in command
            else "crawl"
            if "spiders.job" in command
            else "load"
        )


def _own_memory(process: psutil.Process) -> int:
    """Return the bytes that a process has for itself, without the cache that the processes of Postgres share."""
    if "postgres" not in process.name():
        return int(process.memory_full_info().uss)
    lines = Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Anonymous:"))


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


# -- the plain spider ---------------------------------------------------------------------------


def run_plain(site: Site, home: Path, pages: int) -> float:
    """Return the articles per second of a spider that extracts in its callback and inserts row by row."""
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
    completed = subprocess.run(
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
    if completed.returncode != 0 or rows != pages:
        raise SystemExit(f"the plain spider stored {rows} of {pages} pages:\n{completed.stderr[-2000:]}")
    return pages / float(completed.stdout.split()[-1])


def plain(dsn: str, hosts: list[str]) -> None:
    """Run the plain spider, written as in a tutorial."""
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
