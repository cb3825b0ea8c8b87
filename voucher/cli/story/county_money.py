"""The county's money: notices and objections, batches in every state, and post-subsidies."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.cli.story import county_cast as cast
from voucher.cli.story import steps
from voucher.cli.story.county import Play
from voucher.cli.story.county_claims import approved
from voucher.cli.story.papers import claim_papers
from voucher.cli.story.stage import accepted
from voucher.cli.story.teller import Story
from voucher.clock import business_date
from voucher.models.claims import Claim
from voucher.models.orders import Order
from voucher.money import Fen
from voucher.operations.award import AwardRequest, apply_for_award
from voucher.operations.batch import BatchRequest, make
from voucher.operations.close_notices import close_notices
from voucher.operations.decide_objection import AnswerRequest, decide_objection
from voucher.operations.decision_basis import Minutes
from voucher.operations.invoices import GivenInvoice
from voucher.operations.object_to import ObjectionRequest, object_publicly, record_objection
from voucher.operations.opinions import Invitation, OpinionRequest, give_opinions, invite_experts
from voucher.operations.outcome import only
from voucher.operations.publicise import NoticeRequest, PlaceRequest, publicise, record_place
from voucher.operations.reconcile import BankResult
from voucher.operations.reverse import ReverseRequest, reverse
from voucher.operations.review import ReviewRequest, review
from voucher.operations.settle import ApprovalRequest, approve
from voucher.operations.sweep import SYSTEM
from voucher.operations.tax_checks import TaxResult, record_tax_checks
from voucher.operations.withdraw_claim import withdraw_claims
from voucher.queries.tax_list import TaxListFilter, tax_list
from voucher.terms import DocumentKind, ObjectionChannel, OpinionVerdict, Role, TaxVerdict, Verdict

_FIRST = (
    ("paid", 0, 0, 42_000, "减速机壳体材料检测"),
    ("trimmed", 1, 2, 38_000, "绿色催化剂活性联合评价"),
    ("bounced", 2, 0, 24_000, "发酵液成分检测"),
    ("approved", 3, 1, 30_000, "红外镜头环境可靠性检测"),
    ("collecting", 4, 0, 27_000, "加气混凝土强度检测"),
    ("cleared", 5, 2, 33_000, "模具钢疲劳性能测试"),
    ("upheld", 6, 1, 25_000, "蓄热罐焊缝检测"),
    ("dismissed", 7, 0, 29_000, "数控系统电源检测"),
    ("undone", 4, 0, 16_000, "轻骨料密度检测"),
)
_SECOND = (
    ("shown", 0, 1, 23_000, "机器人末端执行器检测"),
    ("objected", 2, 2, 35_000, "酶制剂中试分析"),
    ("waiting", 4, 1, 20_000, "墙板连接件拉拔试验"),
)
_AWARDED = (
    (0, 160_000, "受让一种柔性夹具专利并投产"),
    (4, 220_000, "引进固废制板工艺并投产"),
    (6, 90_000, "转化一种余热回收成果"),
)


def tell_money(play: Play) -> None:
    """Plan notices, batches and post-subsidies."""
    for scene in _FIRST:
        play.follow(partial(_approved, scene=scene, day=46))
    for scene in _SECOND:
        play.follow(partial(_approved, scene=scene, day=20))
    for told in (_first_notice, _second_notice, _batches):
        play.follow(told)
    for place in range(len(_AWARDED)):
        play.follow(partial(_award, place=place))


def _approved(play: Play, *, scene: tuple[str, int, int, int, str], day: int) -> Story[None]:
    name, firm, lab, yuan, about = scene
    deal = play.deal(firm, lab, yuan, about)
    play.claims[name] = yield from approved(play, deal, day, is_trimmed=name == "trimmed")


def _publish(play: Play, names: Sequence[str], title: str, at: datetime) -> str:
    claims = tuple(play.claims[name] for name in names)
    request = NoticeRequest(
        cast.VOUCHERS.programme, claims, title, "泽州县科学技术局（演示）", "0356-0000000"
    )
    officer = play.stage.offices[Role.PROGRAMME_OFFICER]

    def work(session: Session, told: datetime) -> str:
        notice = only(publicise(session, [request], actor=officer, at=told))
        where = PlaceRequest(
            notice.number, f"https://www.example.gov.cn/gs/{notice.number}.html", business_date(told)
        )
        accepted(record_place(session, [where], actor=officer, at=told))
        return notice.number

    return play.do(work, at)


def _first_notice(play: Play) -> Story[None]:
    """Nine claims; one was undone, objections by page and by telephone are decided; then the days are over."""
    at = yield play.on(34)
    number = _publish(play, [each[0] for each in _FIRST], "第一批科技创新券拟兑付名单公示（演示）", at)
    at = yield play.on(33)
    page = ObjectionRequest(
        number, play.claims["upheld"], "王某", "13800000000", "该企业当月停产，服务未实际发生。"
    )
    first = play.do(lambda s, told: object_publicly(s, page, source="192.0.2.44", at=told).number, at)
    call = ObjectionRequest(number, play.claims["dismissed"], "李某", "0356-0000001", "检测价格偏高。")
    reviewer, officer = play.stage.offices[Role.REVIEWER], play.stage.offices[Role.PROGRAMME_OFFICER]
    phone = ObjectionChannel.TELEPHONE
    second = play.do(
        lambda s, told: only(record_objection(s, [call], via=phone, actor=reviewer, at=told)).number, at
    )
    at = yield play.on(31)
    _undo(play, play.claims["undone"], at)
    at = yield play.on(29)
    answers = [
        AnswerRequest(first, True, "经现场核查，服务未发生。"),
        AnswerRequest(second, False, "经比对同类报价，价格在正常范围内。"),
    ]
    play.do(lambda s, told: accepted(decide_objection(s, answers, actor=officer, at=told)), at)
    at = yield play.on(19, -480)
    play.do(lambda s, told: close_notices(s, actor=SYSTEM, at=told), at)


def _undo(play: Play, claim: str, at: datetime) -> None:
    """The laboratory takes a redemption back while its claim is published."""
    lab = play.stage.labs[0].actor

    def work(session: Session, told: datetime) -> None:
        order = session.scalars(
            select(Order.number).join(Claim, Claim.order_id == Order.id).where(Claim.number == claim)
        ).one()
        undone = ReverseRequest(order, "样品报错批次，双方同意冲正")
        accepted(reverse(session, [undone], actor=lab, at=told))

    play.do(work, at)


def _second_notice(play: Play) -> Story[None]:
    """Open until next week; one claim of it has an objection that nobody decided."""
    at = yield play.on(2)
    number = _publish(play, ["shown", "objected"], "第二批科技创新券拟兑付名单公示（演示）", at)
    at = yield play.on(1)
    said = ObjectionRequest(
        number, play.claims["objected"], "赵某", "zhao@example.com", "两单位疑为关联企业。"
    )
    play.do(lambda s, told: object_publicly(s, said, source="192.0.2.45", at=told), at)


def _taxed(play: Play, at: datetime) -> None:
    """The tax bureau's answer: every invoice of approved claims is normal."""
    maker = play.stage.offices[Role.FINANCE_MAKER]

    def work(session: Session, told: datetime) -> None:
        lines = tax_list(session, maker, TaxListFilter())
        results = [TaxResult(line.key, TaxVerdict.NORMAL, business_date(told)) for line in lines]
        record_tax_checks(session, results, actor=maker, at=told)

    play.do(work, at)


def _batches(play: Play) -> Story[None]:
    """Reconciled; exported with a payment that came back; approved; still being put together."""
    at = yield play.on(18)
    names = ("paid", "trimmed", "bounced", "approved", "collecting")
    claims = {name: play.claims[name] for name in names}
    _taxed(play, at)
    at = yield play.on(17)
    paid = steps.batch_of(play.stage, [claims["paid"], claims["trimmed"]], at)
    bounced = steps.batch_of(play.stage, [claims["bounced"]], at)
    at = yield play.on(16)
    for batch in (paid, bounced):
        steps.settle_batch(play.stage, batch, at)
    at = yield play.on(12)
    steps.bank_answers(
        play.stage,
        [
            BankResult(paid.number, 1, 1, True, f"YH{paid.number[1:]}01"),
            BankResult(paid.number, 2, 1, True, f"YH{paid.number[1:]}02"),
            BankResult(bounced.number, 1, 1, False, "", "收款账号已销户"),
        ],
        at,
    )
    at = yield play.on(3)
    waiting = steps.batch_of(play.stage, [claims["approved"]], at)
    at = yield play.on(2, 60)
    seen, checker = ApprovalRequest(waiting.number, waiting.content_sha256), play.people["zzfuhe"]
    play.do(lambda s, told: only(approve(s, [seen], actor=checker, at=told)), at)
    at = yield play.on(1, 120)
    begun = BatchRequest(cast.VOUCHERS.programme, (claims["collecting"],))
    maker = play.people["zzcaizheng"]
    play.do(lambda s, told: only(make(s, [begun], actor=maker, at=told)), at)


def _award(play: Play, *, place: int) -> Story[None]:
    """A post-subsidy: one approved on an expert's word and with minutes, one with the expert, one withdrawn."""
    party, expert = play.stage.firms[_AWARDED[place][0]], play.people["zhuanjia"]
    at = yield play.on(21 - 5 * place)
    request = _award_request(play, place, at)
    number = play.do(
        lambda s, told: only(apply_for_award(s, [request], actor=party.actor, at=told)).number, at
    )
    at = yield play.on(19 - 5 * place)
    if place == len(_AWARDED) - 1:
        play.do(lambda s, told: accepted(withdraw_claims(s, [number], actor=party.actor, at=told)), at)
        return
    asked = Invitation(number, expert.person_id, business_date(at) + timedelta(days=20))
    reviewer = play.stage.offices[Role.REVIEWER]
    play.do(lambda s, told: accepted(invite_experts(s, [asked], actor=reviewer, at=told)), at)
    if place:
        return
    at = yield play.on(17)
    said = OpinionRequest(number, OpinionVerdict.SUPPORT, None, "成果已投产，支出与转化直接相关")
    play.do(lambda s, told: accepted(give_opinions(s, [said], actor=expert, at=told)), at)
    at = yield play.on(15)
    minutes = Minutes(
        "局务会纪要〔演示〕3号", business_date(at), play.paper(f"minutes {number}", "局务会纪要.pdf")
    )
    yes = ReviewRequest(
        number, Verdict.APPROVE, minutes=minutes, budget_line=cast.AWARDS.line_of(play.stage.year)
    )
    play.do(lambda s, told: accepted(review(s, [yes], actor=reviewer, at=told)), at)


def _award_request(play: Play, place: int, at: datetime) -> AwardRequest:
    firm, yuan, about = _AWARDED[place]
    party, day, serial = play.stage.firms[firm], business_date(at), next(play.serials)
    kinds = (DocumentKind.INVOICE, DocumentKind.PAYMENT_PROOF)
    bought = GivenInvoice(
        number=f"{play.stage.year % 100:02d}112000{serial:012d}",
        issued_on=day,
        net_fen=Fen(yuan * 100),
        buyer_uscc=party.ref,
        seller_uscc=cast.HOSTS[1].uscc,
    )
    return AwardRequest(
        programme_code=cast.AWARDS.programme,
        holder_ref=party.ref,
        service="technology_transfer",
        description=about,
        origin_region="110000",
        invoices=(bought,),
        payments=(steps.payment(party, Fen(yuan * 100), day),),
        documents=claim_papers(play.stage.files_dir, kinds, about=str(serial), named="后补助申请-"),
        payee_account_id=party.account_id,
    )
