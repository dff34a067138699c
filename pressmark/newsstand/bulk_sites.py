"""Many small outlets on the newsstand, to measure the overhead of a tier with hundreds of outlets."""

from __future__ import annotations

from html import escape
from pathlib import Path

from pressmark.newsstand.model import Document
from pressmark.newsstand.text_generator import ENGLISH, write_headline, write_paragraphs


def small_outlets(count: int, articles: int, folder: Path) -> dict[tuple[str, str], Document]:
    """Write the files of `count` outlets into `folder`. Return their documents by (host, path).

    articles: number of articles per outlet.
    """
    folder.mkdir(parents=True, exist_ok=True)
    documents: dict[tuple[str, str], Document] = {}
    for number in range(count):
        host = f"small{number:04}.newsstand.example"
        (folder / f"small-{number:04}.yaml").write_text(
            f"id: small-{number:04}\nname: Small {number}\nhome: http://{host}/\ndomains: [{host}]\nlanguages: [en]\n"
            "timezone: UTC\ntier: hourly\nenabled: true\npoliteness: {delay: 0.05}\n"
            f"endpoints: [{{method: feed, url: 'http://{host}/feed.xml', source: the newsstand}}]\n"
        )
        links = "".join(f"<item><link>http://{host}/{n}.html</link></item>" for n in range(articles))
        feed = f'<rss version="2.0"><channel><title>Small {number}</title>{links}</channel></rss>'
        documents[host, "/feed.xml"] = Document("application/rss+xml", feed.encode())
        documents[host, "/robots.txt"] = Document("text/plain", b"User-agent: *\nDisallow:\n")
        for n in range(articles):
            seed = f"{host} {n}"
            text = "".join(f"<p>{escape(paragraph)}</p>" for paragraph in write_paragraphs(ENGLISH, seed))
            page = f"<html lang=en><body><article><h1>{escape(write_headline(ENGLISH, seed))}</h1>{text}</article>"
            documents[host, f"/{n}.html"] = Document("text/html", page.encode())
    return documents
