"""Every template compiles, and every page says in its title what it is."""

from __future__ import annotations

import inspect
import re

from flask import Flask
from jinja2 import nodes

from tests.guards.source import ROOT

TEMPLATES = ROOT / "templates"
JINJA = re.compile(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}", re.DOTALL)
INLINE = re.compile(
    r"<script(?![^>]*\bsrc=)|<style\b|<[a-z][^>]*\s(?:style|on[a-z]+|hx-on[:a-z-]*)=", re.IGNORECASE
)
GIVES_A_FILE = re.compile(r"\battachment\b")
LINK = re.compile(r"""<a\b[^>]*?url_for\(['"](?P<endpoint>[\w.]+)['"].*?\}\}"[^>]*>""")


def sources() -> dict[str, str]:
    """Name -> text of every HTML template."""
    found = {
        file.relative_to(TEMPLATES).as_posix(): file.read_text(encoding="utf-8")
        for file in TEMPLATES.rglob("*.html")
    }
    assert len(found) > 10, "the templates were not found"
    return found


def is_page(name: str) -> bool:
    """Whether a template is served as a page: not the base, a layout, a component, or a fragment (`_name.html`)."""
    return not name.startswith(("base.html", "layouts/", "components/")) and not name.rsplit("/", 1)[
        -1
    ].startswith("_")


def test_every_template_compiles(app: Flask) -> None:
    for name in sources():
        app.jinja_env.get_template(name)


def test_every_page_has_a_title(app: Flask) -> None:
    untitled = [
        name
        for name, text in sources().items()
        if is_page(name)
        and not any(
            block.name == "title" and block.body for block in app.jinja_env.parse(text).find_all(nodes.Block)
        )
    ]
    assert not untitled, "\n".join(untitled)


def test_no_template_holds_inline_script_or_style() -> None:
    """The content security policy would refuse it."""
    inline = [
        f"{name}: {found[0]}"
        for name, text in sources().items()
        for found in INLINE.finditer(JINJA.sub("", text))
    ]
    assert not inline, "\n".join(inline)


def test_a_link_to_a_file_says_so(app: Flask) -> None:
    """`download`: the page stays, and whoever follows links to look at pages (tests/e2e) is not sent a file."""
    files = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or ()) and GIVES_A_FILE.search(_source(app, rule.endpoint))
    }
    assert {"reviewer.document", "order_cases.file"} <= files
    silent = [
        f"{name}: {link[0]}"
        for name, text in sources().items()
        for link in LINK.finditer(text)
        if link["endpoint"] in files and not link[0].endswith(" download>")
    ]
    assert not silent, "\n".join(silent)


def _source(app: Flask, endpoint: str) -> str:
    return inspect.getsource(inspect.unwrap(app.view_functions[endpoint]))
