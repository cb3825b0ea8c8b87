"""The steps of redemptions, each over a sequence, each one transaction at a told instant."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TypeVar

from sqlalchemy.orm import Session

from voucher.cli.story.stage import Bench, Party, Stage, accepted
from voucher.clock import business_date
from voucher.codes import Keys, make_code, scan_code
from voucher.errors import found
from voucher.money import Fen
from voucher.operations.answer_order import AcceptRequest, accept_order
from voucher.operations.batch import Batch, BatchRequest, make, submit
from voucher.operations.cancel_order import CancelRequest, cancel_order
from voucher.operations.claim import Claimed, ClaimRequest, claim
from voucher.operations.claim_papers import GivenPayment
from voucher.operations.confirm_order import ConfirmRequest, confirm_order
from voucher.operations.confirm_session import confirm_session
from voucher.operations.deliver import DeliverRequest, deliver
from voucher.operations.documents import GivenDocument
from voucher.operations.file_contract import ContractRequest, file_contract
from voucher.operations.invoices import GivenInvoice
from voucher.operations.issue import IssueRequest, issue
from voucher.operations.open_session import open_session
from voucher.operations.outcome import Refused, only
from voucher.operations.pay import export
from voucher.operations.place_order import PlaceRequest, place_order
from voucher.operations.propose import ProposeRequest, propose
from voucher.operations.reconcile import BankResult, reconcile
from voucher.operations.review import ReviewRequest, review
from voucher.operations.scan import ScanRequest, scan
from voucher.operations.settle import ApprovalRequest, approve
from voucher.rules.permissions import Actor
from voucher.terms import Role, Verdict

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Deal:
    """What one redemption is about: who buys what from whom with which voucher, and at what price."""

    firm: Party
    lab: Bench
    voucher_number: str
    service: str
    contract_fen: Fen
    contract_no: str
    invoice_no: str
    about: str = ""


def at_told(stage: Stage, work: Callable[[Session, datetime], T], at: datetime) -> T:
    """One transaction at a told instant."""
    return stage.database.transaction(work, at=at)


def issue_all(stage: Stage, wanted: Sequence[tuple[Party, int]], at: datetime) -> list[str]:
    """Issue a voucher of an amount to each firm; their numbers."""
    requests = [IssueRequest(firm.ref, Fen(face_fen)) for firm, face_fen in wanted]
    officer = stage.offices[Role.PROGRAMME_OFFICER]
    issued = at_told(
        stage,
        lambda session, told: accepted(issue(session, stage.line_code, requests, actor=officer, at=told)),
        at,
    )
    return [each.number for each in issued]


def place_all(stage: Stage, deals: Sequence[Deal], at: datetime) -> list[str]:
    """Place an order for each deal; their numbers."""
    requests = [
        PlaceRequest(deal.voucher_number, deal.lab.platform_id, deal.service, deal.about) for deal in deals
    ]
    actor = _buyers(deals)
    return at_told(
        stage,
        lambda session, told: [
            order.number for order in accepted(place_order(session, requests, actor=actor, at=told))
        ],
        at,
    )


def accept_all(stage: Stage, deals: Sequence[Deal], orders: Sequence[str], at: datetime) -> None:
    """Accept the orders at their price."""
    requests = [AcceptRequest(order, deal.contract_fen) for deal, order in zip(deals, orders, strict=True)]
    actor = _sellers(deals)
    at_told(
        stage, lambda session, told: len(accepted(accept_order(session, requests, actor=actor, at=told))), at
    )


def file_all(stage: Stage, deals: Sequence[Deal], orders: Sequence[str], at: datetime) -> None:
    """File the contracts, which holds the vouchers' money."""
    requests = [
        ContractRequest(order, deal.contract_no, business_date(at), deal.contract_fen)
        for deal, order in zip(deals, orders, strict=True)
    ]
    actor = _sellers(deals)
    at_told(
        stage, lambda session, told: len(accepted(file_contract(session, requests, actor=actor, at=told))), at
    )


def file_what_fits(stage: Stage, deals: Sequence[Deal], orders: Sequence[str], at: datetime) -> list[int]:
    """File the contracts; the places of those that found room under voucher and cap. The others are called off."""
    requests = [
        ContractRequest(order, deal.contract_no, business_date(at), deal.contract_fen)
        for deal, order in zip(deals, orders, strict=True)
    ]
    sellers, buyers = _sellers(deals), _buyers(deals)

    def work(session: Session, told: datetime) -> list[int]:
        answers = file_contract(session, requests, actor=sellers, at=told)
        full = [order for order, answer in zip(orders, answers, strict=True) if isinstance(answer, Refused)]
        accepted(cancel_order(session, [CancelRequest(order) for order in full], actor=buyers, at=told))
        return [place for place, answer in enumerate(answers) if not isinstance(answer, Refused)]

    return at_told(stage, work, at)


def deliver_all(stage: Stage, deals: Sequence[Deal], orders: Sequence[str], at: datetime) -> None:
    """Deliver the orders under the platforms' own numbers."""
    requests = [DeliverRequest(order, f"WT-{order[1:]}") for order in orders]
    actor = _sellers(deals)
    at_told(stage, lambda session, told: len(accepted(deliver(session, requests, actor=actor, at=told))), at)


def confirm_all(stage: Stage, deals: Sequence[Deal], orders: Sequence[str], at: datetime) -> None:
    """Confirm the deliveries, which captures the money."""
    requests = [ConfirmRequest(order) for order in orders]
    actor = _buyers(deals)
    at_told(
        stage, lambda session, told: len(accepted(confirm_order(session, requests, actor=actor, at=told))), at
    )


def counter_open(stage: Stage, deal: Deal, keys: Keys, at: datetime) -> str:
    """At the counter: the firm shows a code and the platform scans it; the session's number."""

    def work(session: Session, told: datetime) -> str:
        opened = open_session(session, deal.voucher_number, actor=deal.firm.actor, at=told)
        code = found(scan_code(make_code(keys, opened.number, told)))
        request = ScanRequest(code, deal.lab.platform_id, told)
        only([scan(session, request, keys, actor=deal.lab.actor, at=told)])
        return opened.number

    return at_told(stage, work, at)


def counter_propose(stage: Stage, deal: Deal, number: str, at: datetime) -> str:
    """The platform proposes the price in a scanned session; the order's number."""
    request = ProposeRequest(number, deal.service, deal.contract_fen, deal.contract_no, "", deal.about)
    held = at_told(
        stage, lambda session, told: only(propose(session, [request], actor=deal.lab.actor, at=told)), at
    )
    return held.order.number


def counter_confirm(stage: Stage, deal: Deal, number: str, at: datetime) -> None:
    """The firm confirms."""
    at_told(
        stage,
        lambda session, told: only(confirm_session(session, [number], actor=deal.firm.actor, at=told)),
        at,
    )


def claim_all(
    stage: Stage, deals: Sequence[Deal], orders: Sequence[str], at: datetime, *,
    papers: Callable[[str], tuple[GivenDocument, ...]],
) -> list[Claimed]:  # fmt: skip
    """Claim the money for captured orders, with one invoice each, paid the day before."""
    day = business_date(at)
    requests = [
        ClaimRequest(
            order_number=order,
            contract_fen=deal.contract_fen,
            invoices=(
                GivenInvoice(
                    number=deal.invoice_no,
                    issued_on=day,
                    net_fen=deal.contract_fen,
                    buyer_uscc=deal.firm.ref,
                    seller_uscc=deal.lab.host_uscc,
                ),
            ),
            payments=(payment(deal.firm, deal.contract_fen, day),),
            documents=papers(order),
            payee_account_id=deal.firm.account_id,
        )
        for deal, order in zip(deals, orders, strict=True)
    ]
    actor = _buyers(deals)
    return at_told(stage, lambda session, told: accepted(claim(session, requests, actor=actor, at=told)), at)


def review_all(stage: Stage, claims: Sequence[Claimed], at: datetime, *, trimmed: Sequence[str] = ()) -> None:
    """Approve claims; those named in `trimmed` by a tenth less."""
    requests = [
        ReviewRequest(
            each.number, Verdict.TRIM, Fen(each.claimed_fen * 9 // 10), "发票中有一项不在服务范围内"
        )
        if each.number in trimmed
        else ReviewRequest(each.number, Verdict.APPROVE)
        for each in claims
    ]
    actor = stage.offices[Role.REVIEWER]
    at_told(stage, lambda session, told: len(accepted(review(session, requests, actor=actor, at=told))), at)


def batch_of(stage: Stage, claims: Sequence[str], at: datetime) -> Batch:
    """Make and submit a batch of approved claims."""
    maker = stage.offices[Role.FINANCE_MAKER]

    def work(session: Session, told: datetime) -> Batch:
        made = only(make(session, [BatchRequest(stage.programme, tuple(claims))], actor=maker, at=told))
        return only(submit(session, [made.number], actor=maker, at=told))

    return at_told(stage, work, at)


def settle_batch(stage: Stage, batch: Batch, at: datetime) -> None:
    """The checker approves, and the payment file is exported."""
    maker, checker = stage.offices[Role.FINANCE_MAKER], stage.offices[Role.FINANCE_CHECKER]

    def work(session: Session, told: datetime) -> None:
        seen = ApprovalRequest(batch.number, batch.content_sha256)
        only(approve(session, [seen], actor=checker, at=told))
        only(export(session, [batch.number], actor=maker, at=told))

    at_told(stage, work, at)


def bank_answers(stage: Stage, results: Sequence[BankResult], at: datetime) -> None:
    """Take in the bank's answers, line by line."""
    maker = stage.offices[Role.FINANCE_MAKER]
    at_told(stage, lambda session, told: len(accepted(reconcile(session, results, actor=maker, at=told))), at)


def payment(firm: Party, amount_fen: Fen, day: date) -> GivenPayment:
    """What a firm paid from its own account by bank transfer."""
    account = f"6222{firm.organisation_id:012d}"
    return GivenPayment(amount_fen=amount_fen, paid_on=day, payer_name=firm.name, payer_account=account)


def _buyers(deals: Sequence[Deal]) -> Actor:
    """The firms' operator; where a sequence has several firms, one who acts for all of them."""
    ids = frozenset(deal.firm.organisation_id for deal in deals)
    return replace(deals[0].firm.actor, organisation_ids=ids)


def _sellers(deals: Sequence[Deal]) -> Actor:
    ids = frozenset(deal.lab.platform_id for deal in deals)
    return replace(deals[0].lab.actor, platform_ids=ids)


def later(at: datetime, *, minutes: int) -> datetime:
    """Some minutes on."""
    return at + timedelta(minutes=minutes)
