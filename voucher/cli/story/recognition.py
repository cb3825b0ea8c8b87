"""Two regions recognise each other's platforms: one order is paid by both, another is refused, and the books settle up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from voucher.cli.story import cast, parties, steps
from voucher.cli.story.cast import Company, Lab
from voucher.cli.story.document_cast import XINING
from voucher.cli.story.documents import (
    ACCEPTED,
    CLAIMED,
    CONFIRMED,
    DECIDED,
    DELIVERED,
    FILED,
    day,
    pay_batch,
)
from voucher.cli.story.papers import claim_papers
from voucher.cli.story.stage import POLICIES, Setting, Stage, accepted, actor
from voucher.cli.story.steps import Deal
from voucher.cli.story.teller import PAPERS
from voucher.errors import Refusal
from voucher.models.cofunding import Remittance
from voucher.money import Fen
from voucher.operations import remit
from voucher.operations.outcome import only
from voucher.operations.place_order import PlaceRequest, place_order
from voucher.operations.pledge import PledgeRequest, pledge
from voucher.operations.publish_agreement import AgreementText, propose_agreement, publish_agreement
from voucher.schemas.messages import sentence
from voucher.terms import PlatformKind, Role

AGREEMENT: Final = "JINNING"
HOST = Company("xnhezuo", "西宁高原新材料联合研究院", "630105", 800541, "昂青才旦", "12")
_OUTSIDE: Final = "innovation_service_purchase"
_LAB = Lab("新材料协作实验室", PlatformKind.ETRC, HOST, ("technical_cooperation", _OUTSIDE))
_FIRM, _FACE_FEN, _PRICE_FEN, _SHARE_FEN = 11, 30_000_00, 60_000_00, 8_000_00
_REMITTED, _NOTED = 70, 73


def tell_recognition(setting: Setting, told: Stage, passwords: dict[str, str]) -> tuple[str, ...]:
    """From the agreement of both regions' officers to the remittance; gives lines on what to look at."""
    _agree(setting, told)
    officer = actor(setting, f"{_xining()}xiangmu")
    (lab,) = parties.labs(setting, (XINING.scheme.region, (HOST,), (_LAB,)), officer, passwords)
    firm = told.firms[_FIRM]
    (voucher,) = steps.issue_all(told, [(firm, _FACE_FEN)], day(setting, 1))
    deal = Deal(
        firm=firm,
        lab=lab,
        voucher_number=voucher,
        service="technical_cooperation",
        contract_fen=Fen(_PRICE_FEN),
        contract_no="JN-HT-000001",
        invoice_no=f"{told.year % 100:02d}632000{1:>012}",
        about="高原型农机耐候材料技术合作",
    )
    (order,) = steps.place_all(told, [deal], day(setting, 1))
    steps.accept_all(told, [deal], [order], day(setting, ACCEPTED))
    refused = _refused(setting, told, deal)
    steps.file_all(told, [deal], [order], day(setting, FILED))
    steps.deliver_all(told, [deal], [order], day(setting, DELIVERED))
    steps.confirm_all(told, [deal], [order], day(setting, CONFIRMED))
    claims = steps.claim_all(
        told, [deal], [order], day(setting, CLAIMED),
        papers=lambda number: claim_papers(told.files_dir, PAPERS, about=number),
    )  # fmt: skip
    steps.review_all(told, claims, day(setting, DECIDED))
    pay_batch(setting, told, [each.number for each in claims])
    _settle_up(setting, told)
    return (
        f"跨地区互认：订单 {order}（{firm.name}，西宁市认定的平台，按协议 40%，两地 2:1 分担，已清算汇划）",
        f"互认被拒：同一企业在同一平台另购“创新服务”，{refused}",
    )


def _xining() -> str:
    return XINING.offices[0].login.removesuffix("xiangmu")


def _agree(setting: Setting, told: Stage) -> None:
    """Proposed by the province's officer, published by the city's, who pledges its share."""
    text = (POLICIES / "agreements" / "jinning-demo.toml").read_text("utf-8")
    document = (POLICIES / "documents" / "agreement-jinning-demo.txt").read_text("utf-8")
    given = AgreementText(text=text, document_text=document)
    ours, theirs = told.offices[Role.PROGRAMME_OFFICER], actor(setting, f"{_xining()}xiangmu")
    maker = actor(setting, f"{_xining()}caizheng")

    def propose(session: Session, at: datetime) -> int:
        return propose_agreement(session, given, actor=ours, at=at).version_id

    def publish(session: Session, at: datetime) -> None:
        publish_agreement(session, version, actor=theirs, at=at)
        (book_id,) = maker.book_ids
        promise = PledgeRequest(
            book_id, cast.PROGRAMME, told.year, Fen(200_000_00), "宁财（演示互认）1号", AGREEMENT
        )
        only(pledge(session, [promise], actor=maker, at=at))

    version = steps.at_told(told, propose, setting.begins)
    steps.at_told(told, publish, setting.begins)


def _refused(setting: Setting, told: Stage, deal: Deal) -> str:
    """What the firm reads when it wants a service that the agreement does not name."""
    wanted = PlaceRequest(deal.voucher_number, deal.lab.platform_id, _OUTSIDE, "展会服务")

    def work(session: Session, at: datetime) -> None:
        only(place_order(session, [wanted], actor=deal.firm.actor, at=at))

    try:
        steps.at_told(told, work, day(setting, ACCEPTED))
    except Refusal as refusal:
        return sentence(refusal)
    raise RuntimeError("the demo's agreement names a service that it should not")


def _settle_up(setting: Setting, told: Stage) -> None:
    """The city pays its share to the province: prepared and sent by two, noted and received by two others."""
    maker, checker = (actor(setting, f"{_xining()}{each}") for each in ("caizheng", "fuhe"))
    ours = told.offices[Role.FINANCE_MAKER], told.offices[Role.FINANCE_CHECKER]
    asked = remit.RemitRequest(XINING.scheme.book, cast.SHANXI.book, Fen(_SHARE_FEN), "宁财（演示清算）1号")

    def pay(session: Session, at: datetime) -> str:
        number = only(remit.prepare(session, [asked], actor=maker, at=at)).number
        return only(remit.send(session, [number], actor=checker, at=at)).number

    def take(session: Session, at: datetime) -> Sequence[Remittance]:
        found = remit.NoteRequest(number, "JS-000001")
        accepted(remit.note(session, [found], actor=ours[0], at=at))
        return accepted(remit.receive(session, [number], actor=ours[1], at=at))

    number = steps.at_told(told, pay, day(setting, _REMITTED))
    steps.at_told(told, take, day(setting, _NOTED))
