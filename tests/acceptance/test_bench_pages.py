"""Crawl real pages of a public benchmark pack under their own host names."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import urlsplit

from tests.conftest import Installation
from tests.hostile.corpora import bench_pack
from tests.site import Answer, WebSite, feed

PAGES = 14


def words(text: str) -> set[str]:
    return set(text.casefold().split())


def test_real_pages_are_crawled_under_their_own_host_names(
    installation: Installation, site: WebSite, tmp_path: Path
) -> None:
    pack = bench_pack("aeb")
    pack = pack / "aeb" if (pack / "aeb").exists() else pack
    gold = [json.loads(text) for text in (pack / "gold.jsonl").read_text().splitlines()]
    chosen, hosts = [], set()
    for page in gold:
        host = urlsplit(page["url"]).hostname
        if host and host not in hosts and len(page["body"]) > 1500:
            hosts.add(host)
            chosen.append(page)
        if len(chosen) == PAGES:
            break
    folder = tmp_path / "outlets"
    folder.mkdir()
    pages_by_url = {}
    for number, page in enumerate(chosen):
        parts = urlsplit(page["url"])
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        url = f"http://{parts.hostname}{target}"
        pages_by_url[url] = page
        name = page["html"] if page["html"].startswith("html/") else f"html/{page['html']}"
        site.answers[parts.hostname or "", target] = Answer((pack / name).read_bytes(), content_type="text/html")
        site.answers[parts.hostname or "", "/feed.xml"] = feed((url, "t"))
        (folder / f"real-{number}.yaml").write_text(
            f"id: real-{number}\nname: {parts.hostname}\nhome: http://{parts.hostname}/\ndomains: [{parts.hostname}]\n"
            f"languages: [en]\ntimezone: UTC\nenabled: true\npoliteness: {{delay: 0}}\n"
            f"endpoints: [{{method: feed, url: 'http://{parts.hostname}/feed.xml', source: a benchmark pack}}]\n"
        )
    installation.env = {"PRESSMARK_OUTLETS": str(folder), "PRESSMARK_RESOLVE": site.resolve(*sorted(hosts))}
    assert installation.outcomes(*[f"real-{n}" for n in range(len(chosen))]) == {"new": PAGES}
    rows = dict(
        installation.query(
            "SELECT u.url, a.article_body FROM mart.article a JOIN mart.article_url u USING (article_uid) "
            "WHERE u.kind = 'requested'"
        )
    )
    recalls = []
    for url, page in pages_by_url.items():
        expected_words = words(page["body"])
        recalls.append(len(expected_words & words(rows[url])) / len(expected_words))
    assert sum(recalls) / len(recalls) > 0.9, recalls
    assert installation.query(
        "SELECT count(*) FROM mart.article WHERE (archive_file IS NULL) <> "
        "COALESCE(rights->'robots' ? 'noarchive', false) OR headline IS NULL OR in_language IS NULL"
    ) == [(0,)]
