"""Claims of the county on their way to a decision: awaited, sent back, mended, withdrawn, looked at by others."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from voucher.cli.story import steps
from voucher.cli.story.county import Play
from voucher.cli.story.county_orders import captured, deals_of
from voucher.cli.story.papers import claim_papers
from voucher.cli.story.stage import accepted
from voucher.cli.story.steps import Deal
from voucher.cli.story.teller import PAPERS, Story
from voucher.clock import business_date
from voucher.money import Fen
from voucher.operations.claim import Claimed, ClaimRequest, claim
from voucher.operations.confirm_claim import ClaimAnswer, confirm_claims
from voucher.operations.cosign import SignRequest, cosign
from voucher.operations.invoices import GivenInvoice
from voucher.operations.opinions import (
    Invitation,
    OpinionRequest,
    ReportRequest,
    give_opinions,
    invite_experts,
    record_reports,
)
from voucher.operations.resubmit import Mended, resubmit
from voucher.operations.return_claim import Defect, ReturnRequest, return_claims
from voucher.operations.settle_finding import SettleRequest, settle_findings
from voucher.operations.take_case import HandOver, hand_over, take_cases
from voucher.operations.withdraw_claim import withdraw_claims
from voucher.queries.findings import findings_of
from voucher.terms import ClaimItem, OpinionVerdict, Role

CONTACT = "泽州县科技创新券受理处 司慧敏 0356-0000000"


def claimed(play: Play, deal: Deal, day: int) -> Story[str]:
    """A claim on the sixth day after an order was placed; its number. The provider has not confirmed it."""
    order = yield from captured(play, deal, day)
    at = yield play.on(day - 6)
    (made,) = steps.claim_all(play.stage, [deal], [order], at, papers=play.teller.papers)
    return made.number


def submitted(play: Play, deal: Deal, day: int) -> Story[str]:
    """A claim that the provider confirmed on the seventh day."""
    number = yield from claimed(play, deal, day)
    at = yield play.on(day - 7)
    answer(play, deal, ClaimAnswer(number, True), at)
    return number


def approved(play: Play, deal: Deal, day: int, *, is_trimmed: bool = False) -> Story[str]:
    """A claim that the finance bureau signed and a reviewer approved on the ninth day."""
    number = yield from submitted(play, deal, day)
    at = yield play.on(day - 8)
    sign(play, number, at)
    at = yield play.on(day - 9)
    half = Fen(deal.contract_fen // 2)
    decide(play, number, half, at, is_trimmed=is_trimmed)
    return number


def decide(play: Play, number: str, claimed_fen: Fen, at: datetime, *, is_trimmed: bool = False) -> None:
    """A reviewer says yes, or yes to a tenth less."""
    made = Claimed(0, number, claimed_fen, claimed_fen)
    steps.review_all(play.stage, [made], at, trimmed=[number] if is_trimmed else [])


def answer(play: Play, deal: Deal, said: ClaimAnswer, at: datetime) -> None:
    """The provider's word on a claim."""
    play.do(lambda s, told: accepted(confirm_claims(s, [said], actor=deal.lab.actor, at=told)), at)


def sign(play: Play, number: str, at: datetime) -> None:
    """The finance bureau agrees."""
    said, actor = SignRequest(number, "finance", True), play.people["zzhuiqian"]
    play.do(lambda s, told: accepted(cosign(s, [said], actor=actor, at=told)), at)


def tell_claims(play: Play) -> None:
    """Plan every story of a claim that is not decided yet."""
    for told in (_awaited, _denied, _withdrawn, _sent_back, _mended, _in_hand, _strange, _shared_invoice):
        play.follow(told)


def _awaited(play: Play) -> Story[None]:
    yield from claimed(play, play.deal(0, 0, 13_000, "液压油清洁度检测"), 7)


def _denied(play: Play) -> Story[None]:
    """The provider does not confirm the figures."""
    deal = play.deal(1, 1, 16_000, "管道焊缝超声检测")
    number = yield from claimed(play, deal, 9)
    at = yield play.on(1, 60)
    answer(play, deal, ClaimAnswer(number, False, "实际检测数量为申请所列的一半，请核对"), at)


def _withdrawn(play: Play) -> Story[None]:
    deal = play.deal(2, 2, 14_000, "菌种保藏条件验证")
    number = yield from submitted(play, deal, 14)
    at = yield play.on(5)
    play.do(lambda s, told: accepted(withdraw_claims(s, [number], actor=deal.firm.actor, at=told)), at)


def _return(play: Play, number: str, defects: tuple[Defect, ...], at: datetime) -> None:
    request, reviewer = ReturnRequest(number, defects, CONTACT), play.stage.offices[Role.REVIEWER]
    play.do(lambda s, told: accepted(return_claims(s, [request], actor=reviewer, at=told)), at)


def _sent_back(play: Play) -> Story[None]:
    """Three defects, told at once; the firm has not answered."""
    number = yield from submitted(play, play.deal(3, 0, 19_000, "光学胶粘度与折射率测定"), 11)
    at = yield play.on(2)
    defects = (
        Defect(ClaimItem.CONTRACT, "合同缺第 3 页，请补传完整合同"),
        Defect(ClaimItem.PAYMENT, "付款凭证看不清付款日期，请重新上传"),
        Defect(ClaimItem.RESULT, "检测报告未盖章，请上传盖章版"),
    )
    _return(play, number, defects, at)


def _mended(play: Play) -> Story[None]:
    """Sent back once, and mended in what was named; it waits for review again at its old place."""
    deal = play.deal(4, 2, 21_000, "保温板导热系数测定")
    number = yield from submitted(play, deal, 19)
    at = yield play.on(9)
    _return(play, number, (Defect(ClaimItem.RESULT, "检测报告未盖章，请上传盖章版"),), at)
    at = yield play.on(4)
    papers = claim_papers(play.stage.files_dir, PAPERS[-1:], about=f"{number}-1")
    request = Mended(claim_number=number, documents=papers)
    play.do(lambda s, told: accepted(resubmit(s, [request], actor=deal.firm.actor, at=told)), at)


def _in_hand(play: Play) -> Story[None]:
    """A reviewer has it, heard an expert and an auditor, and handed it to a colleague."""
    number = yield from submitted(play, play.deal(5, 1, 36_000, "级进模具三坐标全尺寸检测"), 15)
    reviewer, expert = play.stage.offices[Role.REVIEWER], play.people["zhuanjia"]
    at = yield play.on(7)
    asked = Invitation(number, expert.person_id, business_date(at) + timedelta(days=5))
    play.do(lambda s, told: accepted(take_cases(s, [number], actor=reviewer, at=told)), at)
    play.do(lambda s, told: accepted(invite_experts(s, [asked], actor=reviewer, at=told)), at)
    at = yield play.on(5)
    said = OpinionRequest(number, OpinionVerdict.SUPPORT_LESS, Fen(15_000_00), "两项尺寸重复检测，建议核减")
    play.do(lambda s, told: accepted(give_opinions(s, [said], actor=expert, at=told)), at)
    at = yield play.on(4)
    audit = ReportRequest(
        number, "晋城正信会计师事务所（演示）", "正信专审〔演示〕8号", business_date(at), Fen(36_000_00),
        play.paper(f"audit {number}", f"{number}-专项审计.pdf"),
    )  # fmt: skip
    play.do(lambda s, told: accepted(record_reports(s, [audit], actor=reviewer, at=told)), at)
    at = yield play.on(3)
    over = HandOver(number, play.people["zzshenhe2"].person_id, "请继续核对核减金额")
    play.do(lambda s, told: accepted(hand_over(s, [over], actor=reviewer, at=told)), at)


def _strange(play: Play) -> Story[None]:
    """Automatic checks found something in two claims: one finding is settled, one is open."""
    first = yield from submitted(play, play.deal(6, 0, 17_000, "换热工质成分检测（含招待费）"), 16)
    at = yield play.on(8)
    reviewer = play.stage.offices[Role.REVIEWER]
    with play.stage.database.read() as session:
        seqs = [each.row.seq for each in findings_of(session, first)]
    settled = [SettleRequest(first, seq, "已电话核实：合同金额不含该项") for seq in seqs]
    play.do(lambda s, told: accepted(settle_findings(s, settled, actor=reviewer, at=told)), at)
    yield from submitted(play, play.deal(7, 0, 18_500, "礼品级数控面板外观检测"), 8)


def _shared_invoice(play: Play) -> Story[None]:
    """One monthly invoice of a laboratory over three orders, paid in one sum."""
    deals = deals_of(
        play,
        [
            (3, 0, 4_000, "镜头模组七月例行检测"),
            (3, 0, 5_500, "滤光片例行检测"),
            (3, 1, 6_000, "支架探伤例行检测"),
        ],
    )
    orders = []
    for deal in deals:
        order = yield from captured(play, deal, 16)
        orders.append(order)
    at = yield play.on(9)
    play.do(lambda session, told: _claim_shared(play, session, (deals, orders), told), at)


def _claim_shared(play: Play, session: Session, made: tuple[list[Deal], list[str]], at: datetime) -> None:
    deals, orders = made
    day, firm = business_date(at), deals[0].firm
    whole = Fen(sum(each.contract_fen for each in deals))
    invoice_file = claim_papers(play.stage.files_dir, PAPERS[1:3], about=f"monthly {deals[0].invoice_no}")
    requests = [
        ClaimRequest(
            order_number=order,
            contract_fen=deal.contract_fen,
            invoices=(
                GivenInvoice(
                    number=deals[0].invoice_no,
                    issued_on=day,
                    net_fen=whole,
                    buyer_uscc=firm.ref,
                    seller_uscc=deal.lab.host_uscc,
                    allocated_fen=deal.contract_fen,
                ),
            ),
            payments=(steps.payment(firm, deal.contract_fen, day),),
            documents=(
                *claim_papers(play.stage.files_dir, (PAPERS[0], PAPERS[3]), about=order),
                *invoice_file,
            ),
            payee_account_id=firm.account_id,
        )
        for deal, order in zip(deals, orders, strict=True)
    ]
    numbers = [each.number for each in accepted(claim(session, requests, actor=firm.actor, at=at))]
    answers = [ClaimAnswer(number, True) for number in numbers]
    accepted(confirm_claims(session, answers, actor=deals[0].lab.actor, at=at))
