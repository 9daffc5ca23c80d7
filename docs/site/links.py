"""Checks a folder of HTML pages: every link inside it leads somewhere, and nothing is loaded from elsewhere."""

from __future__ import annotations

from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADED = {("script", "src"), ("link", "href"), ("img", "src"), ("iframe", "src"), ("source", "src")}
"""What a browser fetches without a click; an address of another machine there breaks the site without network."""
NAMED_ONLY = {"canonical", "license", "author"}
"""Relations of a link element that fetch nothing."""


class Links(HTMLParser):
    """Links, loaded files and anchors of one page."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.anchors: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.anchors |= {value for name in ("id", "name") if (value := given.get(name))}
        for name in ("href", "src"):
            value = given.get(name)
            if value is None or (tag == "link" and given.get("rel") in NAMED_ONLY):
                continue
            (self.loaded if (tag, name) in LOADED else self.links).append(value)


@cache
def read(path: Path) -> Links:
    """The links of a page."""
    parser = Links()
    parser.feed(path.read_text(encoding="utf-8"))
    return parser


def fault(page: Path, target: str, loaded: bool) -> str | None:
    """What is wrong with a target named on a page; None where it is sound or leads to another machine by a click."""
    parts = urlsplit(target)
    if parts.scheme or parts.netloc:
        return "loaded from another machine" if loaded and parts.scheme != "data" else None
    path = (page.parent / unquote(parts.path)).resolve() if parts.path else page
    if path.is_dir():
        path /= "index.html"
    if not path.is_file():
        return "no such file"
    anchor = unquote(parts.fragment)
    if anchor and path.suffix == ".html" and anchor not in read(path).anchors:
        return "no such place on the page"
    return None


def faults(folder: Path) -> list[str]:
    """All faulty links of the pages in a folder, as texts ``page: target: what is wrong``."""
    found = []
    for page in sorted(folder.resolve().rglob("*.html")):
        links = read(page)
        for target, loaded in [(link, False) for link in links.links] + [(name, True) for name in links.loaded]:
            wrong = fault(page, target, loaded)
            if wrong:
                found.append(f"{page.relative_to(folder.resolve())}: {target}: {wrong}")
    return sorted(set(found))
