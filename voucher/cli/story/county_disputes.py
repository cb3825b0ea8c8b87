"""Deliveries of the county that are disputed, settled, never answered, or to be done again."""

from __future__ import annotations

from datetime import datetime

from voucher.cli.story.county import Play
from voucher.cli.story.county_orders import deliver_with, held
from voucher.cli.story.stage import accepted
from voucher.cli.story.steps import Deal
from voucher.cli.story.teller import Story
from voucher.clock import business_date
from voucher.money import Fen
from voucher.operations.deliver import SendBackRequest, send_back
from voucher.operations.dispute import Statement, agree, decide_dispute, offer, open_dispute, state_case
from voucher.operations.dispute_end import Outcome
from voucher.operations.escalate import escalate_disputes
from voucher.operations.expire import Slice
from voucher.operations.order_files import Given
from voucher.operations.sweep import SYSTEM
from voucher.operations.unconfirmed import settle_unconfirmed
from voucher.terms import DisputeOutcome, OrderFileKind, Role


def tell_disputes(play: Play) -> None:
    """Plan every story of a delivery that the firm does not simply confirm."""
    for told in (_disputed, _settled_between_sides, _decided, _unanswered, _sent_back):
        play.follow(told)


def _delivered(play: Play, deal: Deal, day: int) -> Story[str]:
    order = yield from held(play, deal, day)
    at = yield play.on(day - 4)
    deliver_with(play, deal, order, at, note="检测报告")
    return order


def _open(play: Play, deal: Deal, order: str, at: datetime, *, reason: str) -> None:
    said = Statement(order, reason)
    play.do(lambda s, told: open_dispute(s, said, actor=deal.firm.actor, at=told), at)


def _disputed(play: Play) -> Story[None]:
    """Both sides have spoken; nothing is settled."""
    deal = play.deal(7, 2, 32_000, "伺服电机振动测试")
    order = yield from _delivered(play, deal, 12)
    at = yield play.on(5)
    _open(play, deal, order, at, reason="报告缺少合同约定的三个工况")
    at = yield play.on(4)
    paper = play.paper(f"statement {order}", f"{order}-说明.pdf")
    answer = Statement(order, "三个工况因样机故障未做，愿意补测", (Given(OrderFileKind.STATEMENT, paper),))
    play.do(lambda s, told: state_case(s, answer, actor=deal.lab.actor, at=told), at)


def _settled_between_sides(play: Play) -> Story[None]:
    """The sides agreed on a part: that was captured, the rest went back."""
    deal = play.deal(6, 2, 28_000, "热泵机组能效测试")
    order = yield from _delivered(play, deal, 22)
    at = yield play.on(16)
    _open(play, deal, order, at, reason="只测了两个工况中的一个")
    part = Outcome(DisputeOutcome.CAPTURE, Fen(7_000_00))
    at = yield play.on(15)
    play.do(lambda s, told: offer(s, order, part, actor=deal.lab.actor, at=told), at)
    at = yield play.on(14)
    play.do(lambda s, told: agree(s, order, part, actor=deal.firm.actor, at=told), at)


def _decided(play: Play) -> Story[None]:
    """The bureau decided: the work is to be done again."""
    deal = play.deal(5, 2, 22_000, "注塑模具热流道测试")
    order = yield from _delivered(play, deal, 17)
    at = yield play.on(12)
    _open(play, deal, order, at, reason="样品编号与送检样品不一致")
    at = yield play.on(9)
    resume = Outcome(DisputeOutcome.RESUME, reason="经查样品登记有误，应重新检测")
    reviewer = play.stage.offices[Role.REVIEWER]
    play.do(lambda s, told: decide_dispute(s, order, resume, actor=reviewer, at=told), at)


def _unanswered(play: Play) -> Story[None]:
    """The firm never answered a delivery: the product opened a dispute, and nobody settled it in its days."""
    deal = play.deal(4, 0, 11_000, "再生骨料含泥量检测")
    yield from _delivered(play, deal, 32)
    at = yield play.on(15, -480)
    play.do(lambda s, told: settle_unconfirmed(s, Slice(business_date(told)), actor=SYSTEM, at=told), at)
    at = yield play.on(1, -480)
    play.do(lambda s, told: escalate_disputes(s, actor=SYSTEM, at=told), at)


def _sent_back(play: Play) -> Story[None]:
    """The firm wants a delivery done again."""
    deal = play.deal(7, 0, 9_800, "滚珠丝杠表面硬度检测")
    order = yield from _delivered(play, deal, 8)
    at = yield play.on(3)
    wanted = SendBackRequest(order, "报告未盖检验检测专用章")
    play.do(lambda s, told: accepted(send_back(s, [wanted], actor=deal.firm.actor, at=told)), at)
