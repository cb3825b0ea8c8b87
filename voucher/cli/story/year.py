"""A believable year: scenes that begin on a day and go as far as they go, told in the order of their instants.

Days are counted on a scale of 320 from the year's first day to now, so that the same year is told in January and in
December.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

from sqlalchemy.orm import Session

from voucher.cli.story import steps
from voucher.cli.story.scenes import COUNTER, ISSUED, SCENES, Scene
from voucher.cli.story.stage import accepted
from voucher.cli.story.steps import Deal
from voucher.cli.story.teller import Teller
from voucher.money import Fen
from voucher.operations.answer_order import DeclineRequest, decline_order
from voucher.operations.batch import Batch
from voucher.operations.cancel_order import CancelRequest, cancel_order
from voucher.operations.claim import Claimed
from voucher.operations.confirm_session import cancel_session, reject_session
from voucher.operations.pay import RepayRequest, pay_again
from voucher.operations.reconcile import BankResult
from voucher.operations.reverse import ReverseRequest, reverse
from voucher.operations.review import ReviewRequest, review
from voucher.operations.sweep import sweep_holds
from voucher.terms import Role, Verdict

_REACH = {"placed": 1, "declined": 1, "accepted": 2, "cancelled": 2, "held": 3, "released": 3, "delivered": 4}
_REACH |= {"captured": 5, "reversed": 5, "claimed": 6, "disallowed": 6}
_BATCHED = 7


def plan_year(teller: Teller) -> None:
    """Issue vouchers, play every scene, and settle three batches: paid, half paid, waiting for the checker."""
    teller.then(5, partial(_issue, teller))
    for serial, scene in enumerate(SCENES, start=1):
        teller.then(scene.day, partial(_remote, teller, scene, serial))
    for serial, scene in enumerate(COUNTER, start=len(SCENES) + 1):
        teller.then(scene.day, partial(_counter, teller, scene, serial))
    teller.then(160, partial(_first_batch, teller))
    teller.then(272, partial(_second_batch, teller))
    teller.then(314, partial(_third_batch, teller))


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
    """Show, scan, propose, and then: confirm, reject, call off, or let the ten minutes pass."""
    stage, deal = teller.stage, _deal(teller, scene, serial)
    number = steps.counter_open(stage, deal, teller.keys, at)
    steps.counter_propose(stage, deal, number, steps.later(at, minutes=2))
    told = steps.later(at, minutes=4)
    if scene.end == "captured":
        steps.counter_confirm(stage, deal, number, steps.later(at, minutes=3))
    elif scene.end in ("rejected", "called off"):
        _call_off(teller, deal, number, told, by_firm=scene.end == "rejected")
    else:
        steps.at_told(stage, lambda session, now: sweep_holds(session, at=now), steps.later(at, minutes=20))


def _call_off(teller: Teller, deal: Deal, number: str, at: datetime, *, by_firm: bool) -> None:
    def work(session: Session, told: datetime) -> None:
        if by_firm:
            reject_session(session, number, reason="金额有误", actor=deal.firm.actor, at=told)
        else:
            cancel_session(session, number, reason="样品未到", actor=deal.lab.actor, at=told)

    steps.at_told(teller.stage, work, at)


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
