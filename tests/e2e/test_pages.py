"""Every page that a person can reach: answers, has a title, nothing on the console, no barrier, no sideways scroll."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from urllib.parse import urldefrag, urlsplit

import pytest

from tests.e2e.conftest import Visit
from tests.e2e.site import Site
from tests.e2e.visitor import Visitor

MOST = 60
EXAMPLES = {
    "/enterprise/orders/*": 3,
    "/provider/orders/*": 3,
    "/finance/batches/*": 3,
    "/ledger/postings/*": 2,
}
"""How many of a kind of page one person opens; one of every other kind."""
PEOPLE = (
    "qiye02", "qiye10", "gaoxiao", "zhongshi2", "shenhe", "caizheng", "fuhe", "xiangmu", "shenji", "anquan",
)  # fmt: skip
_LINKS = "() => [...document.querySelectorAll('a[href]:not([download])')].map((a) => a.href)"
_NUMBERED = re.compile(r"(?<=/)(?:[A-Z]{1,2}[0-9]{6,}|[0-9]+|[0-9a-f-]{36})(?=/|$)")


def kind_of(path: str) -> str:
    """The address with every number and query taken out."""
    parts = urlsplit(path)
    return _NUMBERED.sub("*", parts.path) + ("?" if parts.query else "")


def crawl(visitor: Visitor, start: str) -> Iterator[str]:
    """Open what the pages link to, within the site: a few examples of every kind of page."""
    base = visitor.site.server.address
    waiting, seen, kinds = [start], {start}, Counter[str]()
    while waiting and kinds.total() < MOST:
        path = waiting.pop(0)
        kind = kind_of(path)
        if kinds[kind] >= EXAMPLES.get(kind, 1):
            continue
        kinds[kind] += 1
        answer = visitor.page.goto(path)
        assert answer is not None
        assert answer.status == 200, f"{path}: {answer.status}"
        yield path
        for link in visitor.page.evaluate(_LINKS):
            address = urldefrag(link).url
            if not address.startswith(base) or "/documents/" in address or address.startswith(f"{base}/api/"):
                continue
            if (inside := address.removeprefix(base)) not in seen:
                seen.add(inside)
                waiting.append(inside)


@pytest.fixture(scope="module")
def examined() -> Counter[str]:
    """How often a kind of page was looked at for barriers and width: two people's views of it are enough."""
    return Counter()


def faults_of(visitor: Visitor, path: str, examined: Counter[str]) -> list[str]:
    title, kind = visitor.page.title(), kind_of(path)
    faults = [] if re.fullmatch(r"(?!错误).+ · 创新券台账", title) else [f"title is {title!r}"]
    examined[kind] += 1
    if examined[kind] <= max(2, EXAMPLES.get(kind, 1)):
        faults += [f"overflow {each}" for each in visitor.overflow()]
        faults += [f"axe {each}" for each in visitor.barriers()]
    return [f"{path}: {each}" for each in faults]


@pytest.mark.parametrize("login", ["", *PEOPLE])
def test_every_page_within_reach_answers_and_is_fit_to_be_seen(
    demo: Site, visit: Visit, examined: Counter[str], login: str
) -> None:
    visitor = visit(demo, login)
    faults: list[str] = []
    for count, path in enumerate(crawl(visitor, "/account/profile" if login else "/")):
        faults += faults_of(visitor, path, examined)
        name = path.strip("/").split("?")[0].replace("/", "_") or "front"
        visitor.look(f"pages-{login or 'visitor'}-{count:02d}-{name}")
    assert not faults, "\n".join(faults)


def test_a_barrier_and_a_wide_page_are_noticed(demo: Site, visit: Visit) -> None:
    visitor = visit(demo)
    visitor.page.goto("/")
    assert faults_of(visitor, "/", Counter()) == []
    visitor.page.evaluate(
        """() => {
          const wide = document.createElement('div');
          wide.className = 'too-wide';
          wide.style.width = '2000px';
          wide.append(document.createElement('input'));
          document.querySelector('main').append(wide);
        }"""
    )
    found = " ".join(faults_of(visitor, "/", Counter()))
    assert "too-wide" in found
    assert "label: <input>" in found


def test_chinese_text_has_glyphs(demo: Site, visit: Visit) -> None:
    visitor = visit(demo)
    visitor.page.goto("/")
    widths = visitor.page.evaluate(
        """() => {
          const context = document.createElement('canvas').getContext('2d');
          const family = getComputedStyle(document.body).fontFamily;
          context.font = '40px ' + family;
          const ink = (text) => {
            const canvas = document.createElement('canvas');
            canvas.width = canvas.height = 60;
            const pen = canvas.getContext('2d');
            pen.font = context.font;
            pen.fillText(text, 5, 45);
            return [...pen.getImageData(0, 0, 60, 60).data].join('');
          };
          return new Set(['券', '额', '兑', '\\u{10FFFD}'].map(ink)).size;
        }"""
    )
    assert widths == 4, "characters without a glyph all look the same"
