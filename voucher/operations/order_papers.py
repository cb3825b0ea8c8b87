"""Papers that an order has already: a claim does not ask for them a second time."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.models.contracts import Contract
from voucher.models.deliveries import OrderFile
from voucher.models.files import StoredFile
from voucher.models.joining import PreparedPaper
from voucher.models.orders import Order
from voucher.operations.documents import GivenDocument
from voucher.terms import DocumentKind, OrderFileKind

_RESULT = (OrderFileKind.RESULT.value, OrderFileKind.COVER.value, OrderFileKind.CONCLUSION.value)


def order_papers(session: Session, orders: Sequence[Order]) -> dict[int, tuple[GivenDocument, ...]]:
    """By order id: the filed contract, what was delivered, and what was prepared for the claim."""
    refs = {order.contract_ref for order in orders if order.contract_ref}
    contracts = {
        row.ref: GivenDocument(
            DocumentKind.CONTRACT, stored.sha256, stored.size_bytes, stored.media_type, row.file_name
        )
        for row, stored in session.execute(
            select(Contract, StoredFile)
            .join(StoredFile, StoredFile.sha256 == Contract.file_sha256)
            .where(Contract.ref.in_(refs))
        )
    }
    found: dict[int, list[GivenDocument]] = {
        order.id: [contracts[order.contract_ref]] if order.contract_ref in contracts else []
        for order in orders
    }
    delivered = (
        select(OrderFile, StoredFile)
        .join(StoredFile, StoredFile.sha256 == OrderFile.sha256)
        .where(OrderFile.order_id.in_(found), OrderFile.kind.in_(_RESULT))
        .order_by(OrderFile.id)
    )
    for row, stored in session.execute(delivered):
        found[row.order_id].append(
            GivenDocument(
                DocumentKind.RESULT, stored.sha256, stored.size_bytes, stored.media_type, row.file_name
            )
        )
    prepared = (
        select(PreparedPaper, StoredFile)
        .join(StoredFile, StoredFile.sha256 == PreparedPaper.sha256)
        .where(PreparedPaper.order_id.in_(found), PreparedPaper.dropped_at.is_(None))
        .order_by(PreparedPaper.id)
    )
    for paper, stored in session.execute(prepared):
        found[paper.order_id].append(
            GivenDocument(
                DocumentKind(paper.kind),
                stored.sha256,
                stored.size_bytes,
                stored.media_type,
                paper.file_name,
                facts=stored.facts,
            )
        )
    return {order_id: tuple(papers) for order_id, papers in found.items()}


def completed(given: Sequence[GivenDocument], known: Sequence[GivenDocument]) -> tuple[GivenDocument, ...]:
    """What was handed in, and of the order's own papers those of kinds that were not."""
    kinds = {each.kind for each in given}
    return (*given, *(each for each in known if each.kind not in kinds))
