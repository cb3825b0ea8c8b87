"""Xining's startup voucher: a base that the 人社 bureau certified buys for its tenants, and shows who came (创业券)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.cli.story import parties, steps
from voucher.cli.story.documents import (
    ACCEPTED,
    CLAIMED,
    CONFIRMED,
    DECIDED,
    DELIVERED,
    FILED,
    day,
    deal_of,
    pay,
    set_stage,
)
from voucher.cli.story.papers import claim_papers, paper
from voucher.cli.story.stage import Setting, Stage, accepted
from voucher.cli.story.steps import Deal
from voucher.cli.story.teller import PAPERS
from voucher.cli.story.town import Town
from voucher.models.parties import Holder
from voucher.models.tenancies import Tenancy
from voucher.money import Fen
from voucher.operations.allot import AllotRequest, allot
from voucher.operations.attend import AttendanceList, record_list
from voucher.operations.group_order import Line, TenantOrderRequest, place_for_tenants
from voucher.operations.outcome import only
from voucher.operations.place_order import PlaceRequest
from voucher.terms import Role

ALLOTTED_FEN = Fen(10_000_00)


def tell_base(setting: Setting, town: Town, passwords: dict[str, str]) -> Stage:
    """Issue the base's voucher, allot it to its tenants, and buy one service for all of them: the last did not come."""
    told = set_stage(setting, town, passwords)
    names = [(each.uscc, each.name, each.region) for each in town.tenants]
    paid_to = parties.accounts(setting, names, told.offices[Role.REVIEWER])
    parties.firms(setting, town.tenants, paid_to, passwords)
    (voucher,) = steps.issue_all(told, [(told.firms[0], town.face_fen)], setting.begins)
    deal = deal_of(town, told, 0, voucher)
    order = _placed(setting, told, deal, _allotted(setting, told, town, voucher))
    steps.accept_all(told, [deal], [order], day(setting, ACCEPTED))
    steps.file_all(told, [deal], [order], day(setting, FILED))
    _attended(setting, told, deal, order, came=len(town.tenants) - 1)
    steps.deliver_all(told, [deal], [order], day(setting, DELIVERED))
    steps.confirm_all(told, [deal], [order], day(setting, CONFIRMED))
    claims = steps.claim_all(
        told, [deal], [order], day(setting, CLAIMED),
        papers=lambda number: claim_papers(told.files_dir, PAPERS, about=number),
    )  # fmt: skip
    steps.review_all(told, claims, day(setting, DECIDED))
    pay(setting, told, town, [each.number for each in claims])
    return told


def _allotted(setting: Setting, told: Stage, town: Town, voucher: str) -> list[str]:
    """The same amount for every tenant; the numbers of the allotments."""
    base, refs = told.firms[0].actor, [each.uscc for each in town.tenants]

    def work(session: Session, at: datetime) -> list[str]:
        query = select(Tenancy.id).join(Holder, Holder.id == Tenancy.holder_id).where(Holder.ref.in_(refs))
        asked = [AllotRequest(each, ALLOTTED_FEN) for each in session.scalars(query.order_by(Tenancy.id))]
        return [each.allotment.number for each in accepted(allot(session, voucher, asked, actor=base, at=at))]

    return steps.at_told(told, work, setting.begins)


def _placed(setting: Setting, told: Stage, deal: Deal, allotments: Sequence[str]) -> str:
    """One order, an equal part of the price for every tenant; its number."""
    part = Fen(deal.contract_fen // len(allotments))
    place = PlaceRequest(deal.voucher_number, deal.lab.platform_id, deal.service, "创业辅导集中培训")
    asked = TenantOrderRequest(place, tuple(Line(number, part) for number in allotments))
    base = deal.firm.actor
    return steps.at_told(
        told, lambda s, at: only(place_for_tenants(s, [asked], actor=base, at=at)).number, day(setting, 1)
    )


def _attended(setting: Setting, told: Stage, deal: Deal, order: str, *, came: int) -> None:
    """The signed list: the first so many were there."""
    signed = paper(told.files_dir, f"attendance {order}", "签到表.pdf")
    given = AttendanceList(order, frozenset(range(1, came + 1)), signed)
    base = deal.firm.actor
    steps.at_told(
        told, lambda s, at: record_list(s, given, actor=base, at=at).number, day(setting, DELIVERED - 1)
    )
