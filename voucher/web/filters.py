"""Template filters: how money, dates, closed lists and codes are written for people.

Every filter shows None as a dash, so that a template never prints "None".
"""

import re
from collections.abc import Sequence
from datetime import date, datetime
from enum import StrEnum
from uuid import uuid4

from flask import Flask
from markupsafe import Markup, escape

from voucher.clock import SHANGHAI, business_date
from voucher.models.parties import Platform
from voucher.money import Fen, capital_yuan, format_yuan
from voucher.terms import Term

DASH = "—"
_CELL = re.compile(r"<(tr|td|th)\b([^>]*)>")
_SPAN = re.compile(r'colspan="([0-9]+)"')


def yuan(fen: int | None) -> str:
    """Fen -> figures in yuan with two decimals: 123456 -> "1,234.56"."""
    return DASH if fen is None else format_yuan(Fen(fen))


def capital(fen: int | None) -> str:
    """Fen -> 大写金额."""
    return DASH if fen is None else capital_yuan(Fen(fen))


def day(value: date | datetime | None) -> str:
    """A date, or the day in Asia/Shanghai of an instant: "2026-03-01"."""
    if value is None:
        return DASH
    return (business_date(value) if isinstance(value, datetime) else value).isoformat()


def moment(at: datetime | None, *, seconds: bool = False) -> str:
    """An instant in Asia/Shanghai: "2026-03-01 09:30", with seconds on request."""
    if at is None:
        return DASH
    return at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S" if seconds else "%Y-%m-%d %H:%M")


def label(value: StrEnum | str | None) -> str:
    """The Chinese label of a member of a closed list (voucher.terms); plain text stays as it is."""
    if value is None:
        return DASH
    return str(getattr(value, "label", value))


def options(terms: type[Term]) -> list[tuple[str, str]]:
    """A closed list as the choices of a field: value and Chinese label."""
    return [(term.value, term.label) for term in terms]


def fours(text: str | None) -> Markup:
    """A long number in groups of four for the eye; copied or read by a program it has no gaps."""
    if not text:
        return escape(DASH)
    groups = (text[start : start + 4] for start in range(0, len(text), 4))
    spans = Markup("").join(Markup("<span>{}</span>").format(group) for group in groups)
    return Markup('<data class="fours" value="{}">{}</data>').format(text, spans)


def stacked(rows: Markup, heads: Sequence[str | tuple[str, str]]) -> Markup:
    """The rows of a table, each cell with the head of its column: a narrow screen shows a row as a list of both.

    A cell over several columns takes the first one's head; roles keep what the boxes no longer say.
    """
    names = [head if isinstance(head, str) else head[0] for head in heads]
    place = 0

    def marked(found: re.Match[str]) -> str:
        nonlocal place
        tag, rest = found[1], found[2]
        if tag == "tr":
            place = 0
            return f'<tr role="row"{rest}>'
        name = escape(names[place]) if place < len(names) else ""
        span = _SPAN.search(rest)
        place += int(span[1]) if span else 1
        said = f' data-label="{name}"' if name else ""
        return f'<{tag}{rest}{said} role="{"cell" if tag == "td" else "rowheader"}">'

    return Markup(_CELL.sub(marked, rows))  # noqa: S704 - rows are markup already, heads are escaped


def housed(platform: Platform | None) -> str:
    """A platform with its host (依托单位): several hosts have a 检测中心. A host that is its own platform stands once."""
    if platform is None:
        return DASH
    host = platform.organisation.name
    return platform.name if platform.name == host else f"{platform.name}（{host}）"


def new_key() -> str:
    """A fresh idempotency key for a form."""
    return str(uuid4())


def register(app: Flask) -> None:
    """Make the filters and `new_key()` known to the templates of an application."""
    filters = (yuan, capital, day, moment, label, options, fours, stacked, housed)
    app.jinja_env.filters.update({function.__name__: function for function in filters})
    app.jinja_env.filters["uscc"] = fours
    app.jinja_env.globals["new_key"] = new_key
