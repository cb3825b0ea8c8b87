"""What lists share: pages, stored states as members of their lists, and whose things a person sees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from sqlalchemy import ColumnElement, Dialect, Select, String, false, func, or_, select, type_coerce
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.types import TypeDecorator

from voucher.models.orders import Order
from voucher.models.parties import Holder
from voucher.models.regions import Region
from voucher.rules.permissions import Actor
from voucher.terms import Term

T = TypeVar("T")

PAGE_ROWS: Final = 50


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A page of a list, counted from 1, and how many pages and rows there are."""

    rows: Sequence[T]
    page: int
    pages: int
    total: int


class _Termed(TypeDecorator[Any]):
    """A stored value, read as a member of its closed list."""

    impl = String
    cache_ok = True

    def __init__(self, terms: type[Term]) -> None:
        super().__init__()
        self.terms = terms

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        return None if value is None else self.terms(value)


def as_term(column: InstrumentedAttribute[str], terms: type[Term]) -> ColumnElement[Any]:
    """A column of stored values, selected as members of their closed list (with labels)."""
    return type_coerce(column, _Termed(terms)).label(column.key)


def paged(
    session: Session, query: Select[Any], shape: type[T], *, page: int, size: int = PAGE_ROWS
) -> Page[T]:
    """One page of a query, each row as a `shape`. A page beyond the end is the last one."""
    total = session.execute(select(func.count()).select_from(query.order_by(None).subquery())).scalar_one()
    pages = max(1, -(-total // size))
    page = min(max(page, 1), pages)
    rows = session.execute(query.limit(size).offset((page - 1) * size))
    return Page([shape(*row) for row in rows], page, pages, total)


def in_regions(actor: Actor) -> ColumnElement[bool]:
    """Whether the joined `Region` lies in one of the actor's regions."""
    if not actor.region_codes:
        return false()
    return or_(*(Region.path.contains(f"/{code}/", autoescape=True) for code in sorted(actor.region_codes)))


def seen_orders(actor: Actor) -> ColumnElement[bool]:
    """Whether the joined order is in the actor's regions (its holder's), or their firm's, or their platform's."""
    return or_(
        in_regions(actor),
        Holder.organisation_id.in_(actor.organisation_ids),
        Order.platform_id.in_(actor.platform_ids),
    )


def holding(text: str, *columns: InstrumentedAttribute[str]) -> ColumnElement[bool]:
    """Whether one of the columns holds this text; % and _ are plain characters."""
    return or_(*(column.icontains(text, autoescape=True) for column in columns))
