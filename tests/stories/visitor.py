"""Somebody at a browser who knows no address but the first: links are followed and forms filled in as they are shown."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from flask import Flask
from lxml import html  # type: ignore[import-untyped]
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from tests.entrance import Browser
from voucher.rules.permissions import Actor

Given = Mapping[str, Any]
Paper = tuple[str, bytes]
_TYPED = "self::input or self::select or self::textarea"


class Visitor:
    """One person's browser. A link, a form, a field or a choice that is not on the page fails the test."""

    def __init__(self, app: Flask, actor: Actor | None = None, *, password: str = "") -> None:
        self._browser = Browser(app, actor)
        self._password = password
        self.path = ""
        self.proofs = 0
        self.answer: TestResponse
        self._page: Any = None

    @property
    def text(self) -> str:
        """What the page says, without its markup."""
        return _words(self._page)

    def go(self, path: str) -> Visitor:
        """Open an address of the own bookmarks."""
        return self._follow(self._browser.get(path), path)

    def click(self, words: str, *, exact: bool = False, last: bool = False) -> Visitor:
        """Follow the first link with these words (or just these; or the last one)."""
        links = self._page.xpath("//a[@href]")
        for link in reversed(links) if last else links:
            if words == _words(link) if exact else words in _words(link):
                return self.go(link.get("href"))
        raise AssertionError(f"no link “{words}” on {self.path}:\n{self.text[:1500]}")

    def press(self, button: str, given: Given | None = None, *, status: int = 200, into: str = "") -> Visitor:
        """Fill in the form that has this button (and `into` in its address) and send it as a browser would."""
        form, pressed = self._form(button, into)
        values = _shown(form, self._page)
        for name, value in (given or {}).items():
            _fill(form, self._page, values, name, value)
        if pressed.get("name"):
            values.add(pressed.get("name"), pressed.get("value", ""))
        target = pressed.get("formaction") or form.get("action") or self.path
        if form.get("method", "get") == "post":
            answer = self._browser.client.post(target, data=_sent(values))
        else:
            answer = self._browser.get(target, query_string=values)
        return self._follow(answer, target, status)

    def press_all(self, *buttons: str, given: Given | None = None) -> Visitor:
        """Fill in the first of these forms, and only confirm the next ones."""
        for place, button in enumerate(buttons):
            self.press(button, given if place == 0 else None)
        return self

    def value(self, name: str) -> str:
        """What a field of the page holds now."""
        (field,) = self._page.xpath(f"//*[@name='{name}'][{_TYPED}]")
        return str(field.text or "") if field.tag == "textarea" else str(field.get("value", ""))

    def has(self, name: str) -> bool:
        """Whether the page has a field of this name."""
        return bool(self._page.xpath(f"//*[@name='{name}']"))

    def drop(self, name: str) -> None:
        """Clear every box of this name."""
        for box in self._page.xpath(f"//input[@name='{name}'][@checked]"):
            del box.attrib["checked"]

    def choices(self, name: str, words: str = "") -> list[str]:
        """The values to be ticked of this name, in the lines of the page that hold these words."""
        boxes = self._page.xpath(f"//input[@name='{name}'][@type='checkbox' or @type='radio']")
        return [each.get("value") for each in boxes if words in _words(next(_lines(each)))]

    def _form(self, words: str, into: str) -> tuple[Any, Any]:
        for button in self._page.xpath("//button[not(@type) or @type='submit']"):
            for form in button.iterancestors("form"):
                if words in _words(button) and into in (button.get("formaction") or form.get("action") or ""):
                    return form, button
        raise AssertionError(f"no button “{words}” on {self.path}:\n{self.text[:3000]}")

    def _follow(self, answer: TestResponse, path: str, status: int = 200) -> Visitor:
        while answer.status_code in (302, 303):
            path = answer.location
            answer = self._browser.get(path)
            if path.startswith("/account/prove") and self._password:
                self._show(answer, path)
                self.proofs += 1
                return self.press("确认", {"password": self._password}, into="prove")
        assert answer.status_code == status, (path, answer.status_code, _words(html.fromstring(answer.text)))
        self._show(answer, path)
        return self

    def _show(self, answer: TestResponse, path: str) -> None:
        self.answer, self.path = answer, path
        self._page = html.fromstring(answer.text) if answer.mimetype == "text/html" else None


def _lines(box: Any) -> Any:
    return (each for each in box.iterancestors("tr", "div"))


def _words(node: Any) -> str:
    return " ".join(" ".join(node.itertext()).split())


def _fields(form: Any, page: Any, name: str = "") -> list[Any]:
    own = form.xpath(f".//*[@name][{_TYPED}]")
    if form.get("id"):
        own += page.xpath(f"//*[@form='{form.get('id')}'][@name]")
    return [each for each in own if not name or each.get("name") == name]


def _shown(form: Any, page: Any) -> MultiDict[str, Any]:
    """What the form would send untouched."""
    values: MultiDict[str, Any] = MultiDict()
    for field in _fields(form, page):
        name, kind = field.get("name"), field.get("type", "text")
        if field.tag == "select":
            chosen = field.xpath(".//option[@selected]") or field.xpath(".//option[1]")
            values.add(name, chosen[0].get("value", "") if chosen else "")
        elif field.tag == "textarea":
            values.add(name, field.text or "")
        elif kind in ("checkbox", "radio"):
            if field.get("checked") is not None:
                values.add(name, field.get("value", "on"))
        elif kind != "file":
            values.add(name, field.get("value", ""))
    return values


def _fill(form: Any, page: Any, values: MultiDict[str, Any], name: str, value: Any) -> None:
    fields = _fields(form, page, name)
    assert fields, f"no field {name}; there are {sorted({each.get('name') for each in _fields(form, page)})}"
    kind = fields[0].get("type", "text")
    wanted = value if isinstance(value, list) else [value]
    if fields[0].tag == "select":
        offered = fields[0].xpath(".//option/@value")
    else:
        offered = [each.get("value", "on") for each in fields] if kind in ("checkbox", "radio") else None
    if offered is not None:
        assert set(wanted) <= set(offered), (name, wanted, offered)
    assert kind != "hidden", f"{name} is hidden: nobody can fill it in"
    values.setlist(name, wanted)


def _sent(values: MultiDict[str, Any]) -> MultiDict[str, Any]:
    sent: MultiDict[str, Any] = MultiDict()
    for name, value in values.items(multi=True):
        sent.add(name, (io.BytesIO(value[1]), value[0]) if isinstance(value, tuple) else value)
    return sent
