"""A believable year: scenes that begin on a day and go as far as they go, told in the order of their instants.

Days are counted on a scale of 320 from the year's first day to now, so that the same year is told in January and in
December.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from heapq import heappop, heappush
from itertools import count

from voucher.cli.story import steps
from voucher.cli.story.papers import claim_papers
from voucher.cli.story.scenes import COUNTER, ISSUED, SCENES, Scene
from voucher.cli.story.stage import Stage, accepted
from voucher.cli.story.steps import Deal
from voucher.clock import business_date, day_bounds
from voucher.codes import Keys
from voucher.money import Fen
from voucher.operations.answer_order import DeclineRequest, decline_order
from voucher.operations.batch import Batch
from voucher.operations.cancel_order import CancelRequest, cancel_order
from voucher.operations.claim import Claimed
from voucher.operations.confirm_session import reject_session
from voucher.operations.documents import GivenDocument
from voucher.operations.pay import RepayRequest, pay_again
from voucher.operations.reconcile import BankResult
from voucher.operations.reverse import ReverseRequest, reverse
from voucher.operations.review import ReviewRequest, review
from voucher.operations.sweep import sweep_holds
from voucher.terms import DocumentKind, Role, Verdict

DAYS = 320
YOUNG = timedelta(days=DAYS)
OFFICE_MINUTES = 8 * 60
PAPERS = (DocumentKind.CONTRACT, DocumentKind.INVOICE, DocumentKind.PAYMENT_PROOF, DocumentKind.RESULT)
_REACH = {"placed": 1, "declined": 1, "accepted": 2, "cancelled": 2, "held": 3, "released": 3, "delivered": 4}
_REACH |= {"captured": 5, "reversed": 5, "claimed": 6, "disallowed": 6}
_BATCHED = 7


@dataclass(slots=True)
class Teller:
    """Tells scenes in the order of their instants. `approved` are the claims that wait for a batch."""

    stage: Stage
    keys: Keys
    begins: datetime
    ends: datetime
    vouchers: dict[int, str] = field(default_factory=dict)
    approved: list[tuple[str, Scene]] = field(default_factory=list)
    waiting: list[tuple[datetime, int, Callable[[datetime], None]]] = field(default_factory=list)
    turn: count[int] = field(default_factory=count)

    def on(self, day: float) -> datetime:
        """The instant of a day on the scale of 320, in office hours unless the year is young."""
        span = self.ends - self.begins
        at = self.begins + span * int(day * 100) // (DAYS * 100)
        if span < YOUNG:
            return at
        morning = day_bounds(business_date(at))[0] + timedelta(hours=9)
        return min(morning + timedelta(minutes=int(day * 53) % OFFICE_MINUTES), self.ends)

    def then(self, day: float, work: Callable[[datetime], None]) -> None:
        """Do something on a day; what is planned for the same instant keeps its order."""
        heappush(self.waiting, (self.on(day), next(self.turn), work))

    def tell(self) -> None:
        """Tell everything that was planned, and what is planned meanwhile."""
        while self.waiting:
            at, _, work = heappop(self.waiting)
            work(at)

    def papers(self, order: str) -> tuple[GivenDocument, ...]:
        """The papers of an order's claim."""
        return claim_papers(self.stage.files_dir, PAPERS, about=order)


def tell_year(stage: Stage, keys: Keys, *, begins: datetime, ends: datetime) -> None:
    """Issue vouchers, play every scene, and settle three batches: paid, half paid, waiting for the checker."""
    teller = Teller(stage, keys, begins, ends)
    teller.then(5, partial(_issue, teller))
    for serial, scene in enumerate(SCENES, start=1):
        teller.then(scene.day, partial(_remote, teller, scene, serial))
    for serial, scene in enumerate(COUNTER, start=len(SCENES) + 1):
        teller.then(scene.day, partial(_counter, teller, scene, serial))
    teller.then(160, partial(_first_batch, teller))
    teller.then(272, partial(_second_batch, teller))
    teller.then(314, partial(_third_batch, teller))
    teller.tell()


def _issue(teller: Teller, at: datetime) -> None:
    wanted = [(teller.stage.firms[place], face_fen) for place, face_fen in ISSUED]
    numbers = steps.issue_all(teller.stage, wanted, at)
    teller.vouchers.update(zip([place for place, _ in ISSUED], numbers, strict=True))


def _deal(teller: Teller, scene: Scene, serial: int) -> Deal:
    firm, lab = teller.stage.firms[scene.firm], teller.stage.labs[scene.lab]
    year = teller.stage.year
    return Deal(
        firm=firm,
        lab=lab,
        voucher_number=teller.vouchers[scene.firm],
        service=lab.services[0],
        contract_fen=Fen(scene.contract_fen),
        contract_no=f"HT{year}-{serial:04d}",
        invoice_no=f"{year % 100:02d}142000{serial:012d}",
        about=scene.about,
    )


def _remote(teller: Teller, scene: Scene, serial: int, at: datetime) -> None:
    """Place the order, and plan its steps as far as the scene goes."""
    stage, deal = teller.stage, _deal(teller, scene, serial)
    (order,) = steps.place_all(stage, [deal], at)
    planned = (
        (1, partial(steps.accept_all, stage, [deal], [order])),
        (3, partial(steps.file_all, stage, [deal], [order])),
        (18, partial(steps.deliver_all, stage, [deal], [order])),
        (20, partial(steps.confirm_all, stage, [deal], [order])),
        (27, partial(_claim, teller, scene, (deal, order))),
    )
    for days, work in planned[: _REACH.get(scene.end, _BATCHED) - 1]:
        teller.then(scene.day + days, work)
    odd = {
        "declined": (1, _decline),
        "cancelled": (2, _cancel),
        "released": (13, _cancel),
        "reversed": (22, _reverse),
    }
    if scene.end in odd:
        days, turn = odd[scene.end]
        teller.then(scene.day + days, partial(turn, teller, deal, order))


def _claim(teller: Teller, scene: Scene, captured: tuple[Deal, str], at: datetime) -> None:
    deal, order = captured
    (claimed,) = steps.claim_all(teller.stage, [deal], [order], at, papers=teller.papers)
    if scene.end == "claimed":
        return
    teller.then(scene.day + 33, partial(_review, teller, scene, claimed))


def _review(teller: Teller, scene: Scene, claimed: Claimed, at: datetime) -> None:
    if scene.end == "disallowed":
        refusal = ReviewRequest(claimed.number, Verdict.REJECT, None, "检测报告与合同约定的服务内容不符")
        actor = teller.stage.offices[Role.REVIEWER]
        steps.at_told(
            teller.stage,
            lambda session, told: len(accepted(review(session, [refusal], actor=actor, at=told))),
            at,
        )
        return
    steps.review_all(teller.stage, [claimed], at, trimmed=[claimed.number] if scene.end == "trimmed" else [])
    teller.approved.append((claimed.number, scene))


def _decline(teller: Teller, deal: Deal, order: str, at: datetime) -> None:
    wanted = DeclineRequest(order, "本季度设备检修，无法按期交付")
    steps.at_told(
        teller.stage,
        lambda session, told: len(accepted(decline_order(session, [wanted], actor=deal.lab.actor, at=told))),
        at,
    )


def _cancel(teller: Teller, deal: Deal, order: str, at: datetime) -> None:
    wanted = CancelRequest(order, "项目计划调整")
    steps.at_told(
        teller.stage,
        lambda session, told: len(accepted(cancel_order(session, [wanted], actor=deal.firm.actor, at=told))),
        at,
    )


def _reverse(teller: Teller, deal: Deal, order: str, at: datetime) -> None:
    wanted = ReverseRequest(order, "样品批次录入有误，双方同意冲正")
    steps.at_told(
        teller.stage,
        lambda session, told: len(accepted(reverse(session, [wanted], actor=deal.lab.actor, at=told))),
        at,
    )


def _counter(teller: Teller, scene: Scene, serial: int, at: datetime) -> None:
    """Show, scan, propose, and then: confirm, reject, or let the ten minutes pass."""
    stage, deal = teller.stage, _deal(teller, scene, serial)
    number = steps.counter_open(stage, deal, teller.keys, at)
    steps.counter_propose(stage, deal, number, steps.later(at, minutes=2))
    if scene.end == "captured":
        steps.counter_confirm(stage, deal, number, steps.later(at, minutes=3))
    elif scene.end == "rejected":
        actor, told = deal.firm.actor, steps.later(at, minutes=4)
        steps.at_told(
            stage,
            lambda session, now: reject_session(session, number, reason="金额有误", actor=actor, at=now),
            told,
        )
    else:
        steps.at_told(stage, lambda session, now: sweep_holds(session, at=now), steps.later(at, minutes=20))


def _batch(teller: Teller, at: datetime, *, wanted: Callable[[Scene], bool]) -> tuple[Batch, list[Scene]]:
    """Batch the approved claims of the scenes that are meant."""
    taken = [(number, scene) for number, scene in teller.approved if wanted(scene)]
    teller.approved = [each for each in teller.approved if each not in taken]
    return steps.batch_of(teller.stage, [number for number, _ in taken], at), [scene for _, scene in taken]


def _answers(batch: Batch, scenes: list[Scene], *, attempt: int = 1) -> list[BankResult]:
    return [
        BankResult(batch.number, seq, attempt, True, f"YH{batch.number[1:]}{seq:03d}")
        for seq, scene in enumerate(scenes, start=1)
        if scene.end != "settled"
    ]


def _first_batch(teller: Teller, at: datetime) -> None:
    """Everything approved by then, settled; one line bounces, and is paid again."""
    batch, scenes = _batch(teller, at, wanted=lambda scene: True)
    steps.settle_batch(teller.stage, batch, teller.on(163))
    bounced = next(seq for seq, scene in enumerate(scenes, start=1) if scene.end == "bounced")
    answers = [
        BankResult(batch.number, each.seq, 1, False, "", "收款账号与户名不符")
        if each.seq == bounced
        else each
        for each in _answers(batch, scenes)
    ]
    teller.then(165, lambda told: steps.bank_answers(teller.stage, answers, told))
    teller.then(168, partial(_pay_again, teller, RepayRequest(batch.number, bounced)))
    paid = [BankResult(batch.number, bounced, 2, True, f"YH{batch.number[1:]}R{bounced:02d}")]
    teller.then(170, lambda told: steps.bank_answers(teller.stage, paid, told))


def _pay_again(teller: Teller, request: RepayRequest, at: datetime) -> None:
    maker = teller.stage.offices[Role.FINANCE_MAKER]
    steps.at_told(
        teller.stage,
        lambda session, told: len(accepted(pay_again(session, [request], actor=maker, at=told))),
        at,
    )


def _second_batch(teller: Teller, at: datetime) -> None:
    """Approved and exported; the bank has answered for some lines only."""
    batch, scenes = _batch(teller, at, wanted=lambda scene: scene.end in ("paid", "settled"))
    steps.settle_batch(teller.stage, batch, teller.on(275))
    teller.then(278, lambda told: steps.bank_answers(teller.stage, _answers(batch, scenes), told))


def _third_batch(teller: Teller, at: datetime) -> None:
    """Submitted, and waiting for the checker."""
    _batch(teller, at, wanted=lambda scene: scene.end == "in_batch")
