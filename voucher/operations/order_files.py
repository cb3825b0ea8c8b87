"""Files of orders: results of deliveries, and what sides bring in a dispute."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from voucher.models.deliveries import OrderFile
from voucher.operations.keep_files import Care, keep_files
from voucher.rules.permissions import Actor
from voucher.store import Stored
from voucher.terms import OrderFileKind

_CONFIDENTIAL = Care(confidential=True)


@dataclass(frozen=True, slots=True)
class Given:
    """A file in the store, and what it is."""

    kind: OrderFileKind
    file: Stored


@dataclass(frozen=True, slots=True)
class Place:
    """What files belong to: a delivery or a statement of an order."""

    order_id: int
    delivery_id: int | None = None
    statement_id: int | None = None


def attach(session: Session, place: Place, given: Sequence[Given], *, actor: Actor, at: datetime) -> None:
    """Write down files of one delivery or one statement. They are business secrets and kept as such."""
    if not given:
        return
    keep_files(session, [each.file for each in given], actor=actor, at=at, care=_CONFIDENTIAL)
    session.add_all(
        OrderFile(
            order_id=place.order_id,
            delivery_id=place.delivery_id,
            statement_id=place.statement_id,
            kind=each.kind.value,
            sha256=each.file.sha256,
            file_name=each.file.file_name,
            media_type=each.file.media_type,
            uploaded_by=actor.person_id,
            uploaded_at=at,
        )
        for each in given
    )
    session.flush()
