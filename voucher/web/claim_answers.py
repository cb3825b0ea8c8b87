"""What was typed into a claim's form: as requests, and as the policy would answer them before they are sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from voucher.models.orders import Order
from voucher.money import Fen
from voucher.operations.claim import ClaimRequest
from voucher.operations.claim_papers import GivenPayment, Judged
from voucher.operations.documents import GivenDocument
from voucher.operations.invoices import GivenInvoice
from voucher.operations.preview_claim import preview
from voucher.queries.claim_papers import taken_of
from voucher.rules.invoices import Difference, differences
from voucher.schemas.claim_form import Written, numbered_field

_LABELS: Final = {"payee_account_id": "收款账户"}
_INVOICE: Final = {
    "number": "号码", "code": "代码", "issued_on": "开票日期", "net": "不含税金额", "buyer_uscc": "购买方",
    "seller_uscc": "销售方", "buyer_name": "购买方名称", "seller_name": "销售方名称",
}  # fmt: skip
_PAYMENT: Final = {
    "paid_amount": "付款金额", "paid_on": "付款日期", "payer_name": "付款户名", "payer_account": "付款账号",
    "channel": "付款方式", "serial": "交易流水号",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answers:
    """A form as typed: the orders' numbers, the files with their tickets, rows of invoices and payments."""

    numbers: list[str]
    files: list[tuple[str, GivenDocument]]
    invoices: list[dict[str, str]]
    payments: list[dict[str, str]]


@dataclass(frozen=True, slots=True)
class Short:
    """An invoice of which less is left than this claim wants. Amounts in fen."""

    key: str
    net_fen: int
    taken_fen: int
    wanted_fen: int

    @property
    def left_fen(self) -> int:
        """What is left for this claim."""
        return max(self.net_fen - self.taken_fen, 0)


@dataclass(frozen=True, slots=True)
class Preview:
    """What one order's claim would ask for, why, and what differs from the originals. Amounts in fen."""

    order: Order
    judged: Judged
    claimed_fen: Fen
    differences: Sequence[tuple[str, Difference]]
    short: Sequence[Short]

    @property
    def cut_fen(self) -> int:
        """What the policy would give beyond what was redeemed."""
        return self.judged.computation.amount_fen - self.claimed_fen


def labels(given: Answers) -> dict[str, str]:
    """The names of all fields, for the summary of errors."""
    found = dict(_LABELS)
    for at, number in enumerate(given.numbers):
        found[numbered_field("contract_amount", at)] = f"订单 {number} 的合同金额" if at else "合同金额"
    for place in range(len(given.invoices)):
        found |= {f"invoice_{name}_{place}": f"发票 {place + 1} {label}" for name, label in _INVOICE.items()}
        for at in range(len(given.numbers)):
            found[f"invoice_share_{place}_{at}"] = f"发票 {place + 1} 分摊"
    for place in range(len(given.payments)):
        which = f"付款 {place + 1} " if place else ""
        found |= {numbered_field(name, place): f"{which}{label}" for name, label in _PAYMENT.items()}
        for at in range(len(given.numbers)):
            found[f"paid_share_{place}_{at}"] = f"付款 {place + 1} 分摊"
    return found


def requests_of(written: Written, given: Answers) -> list[ClaimRequest]:
    """One claim for each order, each with its shares of invoices and payments; all with the same papers."""
    return [
        ClaimRequest(
            order_number=number,
            contract_fen=written.contracts[at] if written.contracts else Fen(0),
            invoices=tuple(_invoice(each, each["shares"][at]) for each in written.invoices if _has(each, at)),
            payments=tuple(_payment(each, each["shares"][at]) for each in written.payments if _has(each, at)),
            documents=tuple(each for _, each in given.files),
            payee_account_id=written.payee_account_id,
        )
        for at, number in enumerate(given.numbers)
    ]


def previews(
    session: Session, orders: Sequence[Order], wanted: Sequence[ClaimRequest], *, at: datetime
) -> list[Preview]:
    """What the policy makes of the claims as they stand. Raises the Refusal that sending would meet on the papers."""
    found = []
    for order, request in zip(orders, wanted, strict=True):
        judged, claimed_fen = preview(session, order, request, at=at)
        apart = [
            (each.key, difference)
            for each in judged.invoices
            for difference in differences(each.head, each.original)
        ]
        found.append(Preview(order, judged, claimed_fen, apart, shorts(session, judged)))
    return found


def shorts(session: Session, judged: Judged, *, but: int = 0) -> list[Short]:
    """The invoices of which other claims (than the one with the id `but`) have left too little."""
    taken = taken_of(session, [each.key for each in judged.invoices], but=but)
    found = [
        Short(each.key, *taken[each.key], each.allocated_fen) for each in judged.invoices if each.key in taken
    ]
    return [each for each in found if each.wanted_fen > each.left_fen]


def _has(row: dict[str, Any], at: int) -> bool:
    """Whether a row has a part for this order; a single order has the whole."""
    return len(row["shares"]) == 1 or row["shares"][at] is not None


def _invoice(row: dict[str, Any], share: Fen | None) -> GivenInvoice:
    return GivenInvoice(
        number=row["number"],
        code=row["code"],
        issued_on=row["issued_on"],
        net_fen=row["net"],
        buyer_uscc=row["buyer_uscc"],
        seller_uscc=row["seller_uscc"],
        buyer_name=row["buyer_name"],
        seller_name=row["seller_name"],
        allocated_fen=share,
    )


def _payment(row: dict[str, Any], share: Fen | None) -> GivenPayment:
    return GivenPayment(
        amount_fen=row["paid_amount"] if share is None else share,
        paid_on=row["paid_on"],
        payer_name=row["payer_name"],
        payer_account=row["payer_account"],
        channel=row["channel"],
        serial=row["serial"],
    )
