"""Orders of the county: by instalments, on one contract, called off, put off, disputed, overdue."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from voucher.cli.story import steps
from voucher.cli.story.county import Play
from voucher.cli.story.stage import accepted
from voucher.cli.story.steps import Deal
from voucher.cli.story.teller import Story
from voucher.clock import business_date
from voucher.money import Fen
from voucher.operations.cancel_order import CancelRequest, cancel_order
from voucher.operations.confirm_order import ConfirmRequest, confirm_order
from voucher.operations.deliver import DeliverRequest, deliver
from voucher.operations.expire import Slice, expire_orders, expire_vouchers
from voucher.operations.extend_order import (
    ExtensionAnswer,
    ExtensionRequest,
    answer_extension,
    ask_extension,
)
from voucher.operations.file_contract import ContractRequest, file_contract
from voucher.operations.order_files import Given
from voucher.operations.supplement import (
    SupplementAnswer,
    SupplementRequest,
    answer_supplement,
    file_supplement,
)
from voucher.operations.sweep import SYSTEM
from voucher.rules.contracts import Part
from voucher.terms import OrderFileKind


def held(play: Play, deal: Deal, day: int) -> Story[str]:
    """An order from this day before the end on, with its contract on file the day after; its number."""
    at = yield play.on(day)
    (order,) = steps.place_all(play.stage, [deal], at)
    at = yield play.on(day - 1)
    steps.accept_all(play.stage, [deal], [order], at)
    at = yield play.on(day - 1, 90)
    steps.file_all(play.stage, [deal], [order], at)
    return order


def captured(play: Play, deal: Deal, day: int) -> Story[str]:
    """An order that is delivered on the fourth day and confirmed on the fifth; its number."""
    order = yield from held(play, deal, day)
    at = yield play.on(day - 4)
    steps.deliver_all(play.stage, [deal], [order], at)
    at = yield play.on(day - 5)
    steps.confirm_all(play.stage, [deal], [order], at)
    return order


def tell_orders(play: Play) -> None:
    """Plan every story of an order that nobody disputes."""
    for told in (_instalments, _given_up, _one_contract, _called_off, _consent_wanted):
        play.follow(told)
    for told in (_put_off, _overdue, _supplemented):
        play.follow(told)


def _instalments(play: Play) -> Story[None]:
    """Three instalments: the first confirmed and captured, the second delivered, the third to come."""
    deal = play.deal(0, 2, 90_000, "数控主轴材料分期联合测试")
    titles = ("第一期：取样与成分分析", "第二期：疲劳试验", "第三期：总结报告")
    order = yield from _in_parts(play, deal, 24, titles)
    at = yield play.on(2)
    deliver_with(play, deal, order, at, note="第二期疲劳试验报告")


def _given_up(play: Play) -> Story[None]:
    """Two instalments: after the first the sides give up; what was confirmed stays captured."""
    deal = play.deal(3, 2, 24_000, "红外材料透过率分期测试")
    order = yield from _in_parts(play, deal, 27, ("第一期：室温透过率", "第二期：高温透过率"))
    at = yield play.on(12)
    asked = CancelRequest(order, "高温窗口材料停产，第二期不再做")
    play.do(lambda s, told: accepted(cancel_order(s, [asked], actor=deal.firm.actor, at=told)), at)
    at = yield play.on(11)
    agreed = CancelRequest(order, "同意")
    play.do(lambda s, told: accepted(cancel_order(s, [agreed], actor=deal.lab.actor, at=told)), at)


def _in_parts(play: Play, deal: Deal, day: int, titles: Sequence[str]) -> Story[str]:
    """An order in instalments of one size, the first delivered and confirmed within ten days; its number."""
    at = yield play.on(day)
    (order,) = steps.place_all(play.stage, [deal], at)
    at = yield play.on(day - 1)
    steps.accept_all(play.stage, [deal], [order], at)
    at = yield play.on(day - 1, 90)
    today = business_date(at)
    each_fen = Fen(deal.contract_fen // len(titles))
    parts = tuple(
        Part(title, each_fen, today + timedelta(days=9 * place))
        for place, title in enumerate(titles, start=1)
    )
    request = ContractRequest(order, deal.contract_no, today, deal.contract_fen, parts=parts)
    _file(play, deal, request, at)
    at = yield play.on(day - 9)
    deliver_with(play, deal, order, at, note=titles[0])
    at = yield play.on(day - 10)
    first = ConfirmRequest(order, part=1)
    play.do(lambda s, told: accepted(confirm_order(s, [first], actor=deal.firm.actor, at=told)), at)
    return order


def deliver_with(play: Play, deal: Deal, order: str, at: datetime, *, note: str) -> None:
    """Deliver with a result file."""
    result = Given(OrderFileKind.RESULT, play.paper(f"{order} {business_date(at)}", f"{order}-成果.pdf"))
    request = DeliverRequest(order, f"WT-{order[1:]}", note, files=(result,))
    play.do(lambda s, told: accepted(deliver(s, [request], actor=deal.lab.actor, at=told)), at)


def _one_contract(play: Play) -> Story[None]:
    """One framework contract over three orders at two laboratories of one host."""
    deals = [play.deal(1, lab, yuan, about) for lab, yuan, about in (
        (0, 12_000, "框架合同：原料成分检测"), (1, 18_000, "框架合同：压力容器探伤"),
        (0, 10_000, "框架合同：中间体检测"),
    )]  # fmt: skip
    at = yield play.on(20)
    orders = steps.place_all(play.stage, deals, at)
    at = yield play.on(19)
    for deal, order in zip(deals, orders, strict=True):
        steps.accept_all(play.stage, [deal], [order], at)
    at = yield play.on(19, 120)
    for deal, order in zip(deals, orders, strict=True):
        request = ContractRequest(
            order, deals[0].contract_no, business_date(at), deal.contract_fen, whole_fen=Fen(60_000_00)
        )
        _file(play, deal, request, at)
    at = yield play.on(16)
    steps.deliver_all(play.stage, deals[:1], orders[:1], at)
    at = yield play.on(15)
    steps.confirm_all(play.stage, deals[:1], orders[:1], at)


def _file(play: Play, deal: Deal, request: ContractRequest, at: datetime) -> None:
    play.do(lambda s, told: accepted(file_contract(s, [request], actor=deal.lab.actor, at=told)), at)


def _called_off(play: Play) -> Story[None]:
    """The firm asks to call an order off, the provider agrees: the money goes back at once."""
    deal = play.deal(2, 0, 8_000, "培养基重金属检测")
    order = yield from held(play, deal, 18)
    at = yield play.on(14)
    asked = CancelRequest(order, "研发计划改期")
    play.do(lambda s, told: accepted(cancel_order(s, [asked], actor=deal.firm.actor, at=told)), at)
    at = yield play.on(13)
    agreed = CancelRequest(order, "同意")
    play.do(lambda s, told: accepted(cancel_order(s, [agreed], actor=deal.lab.actor, at=told)), at)


def _consent_wanted(play: Play) -> Story[None]:
    """The provider asked to call an order off; the firm has not answered."""
    deal = play.deal(3, 0, 6_500, "光学镜片镀膜成分检测")
    order = yield from held(play, deal, 9)
    at = yield play.on(1, 30)
    asked = CancelRequest(order, "设备故障，两个月内无法恢复")
    play.do(lambda s, told: accepted(cancel_order(s, [asked], actor=deal.lab.actor, at=told)), at)


def _put_off(play: Play) -> Story[None]:
    """The provider asks for ten days more, and gets them; then for ten more, which waits."""
    deal = play.deal(4, 2, 26_000, "轻质墙板耐候性能试验")
    order = yield from held(play, deal, 21)
    for day, more, granted in ((12, 40, True), (1, 50, False)):
        at = yield play.on(day)
        until = business_date(play.on(20)) + timedelta(days=more)
        asked = ExtensionRequest(order, until, "老化试验周期比预计长")
        _ask_extension(play, deal, asked, at)
        if granted:
            at = yield play.on(day - 1)
            _grant_extension(play, deal, ExtensionAnswer(order, True), at)


def _ask_extension(play: Play, deal: Deal, asked: ExtensionRequest, at: datetime) -> None:
    play.do(lambda s, told: ask_extension(s, asked, actor=deal.lab.actor, at=told), at)


def _grant_extension(play: Play, deal: Deal, said: ExtensionAnswer, at: datetime) -> None:
    play.do(lambda s, told: answer_extension(s, said, actor=deal.firm.actor, at=told), at)


def _overdue(play: Play) -> Story[None]:
    """The provider never delivered: the hold ended with the last day, by the night's run."""
    deal = play.deal(5, 0, 15_000, "模具钢硬度检测")
    yield from held(play, deal, 44)
    at = yield play.on(10, -480)

    def work(session: Session, told: datetime) -> None:
        part = Slice(business_date(told))
        expire_orders(session, part, actor=SYSTEM, at=told)
        expire_vouchers(session, part, actor=SYSTEM, at=told)

    play.do(work, at)


def _supplemented(play: Play) -> Story[None]:
    """A supplement raised the contract; another one waits for the firm's answer."""
    deal = play.deal(6, 1, 20_000, "换热器焊缝探伤")
    order = yield from held(play, deal, 13)
    for day, yuan in ((9, 24_000), (2, 27_000)):
        at = yield play.on(day)
        paper = play.paper(f"supplement {order} {yuan}", f"{order}-补充协议.pdf")
        asked = SupplementRequest(
            order, f"{deal.contract_no}-补{yuan // 1000}", business_date(at), Fen(yuan * 100), "增加焊缝数量",
            paper,
        )  # fmt: skip
        _file_supplement(play, deal, asked, at)
        if day > 2:
            at = yield play.on(day - 1)
            _agree_to_supplement(play, deal, SupplementAnswer(order, True), at)


def _file_supplement(play: Play, deal: Deal, asked: SupplementRequest, at: datetime) -> None:
    play.do(lambda s, told: file_supplement(s, asked, actor=deal.lab.actor, at=told), at)


def _agree_to_supplement(play: Play, deal: Deal, said: SupplementAnswer, at: datetime) -> None:
    play.do(lambda s, told: answer_supplement(s, said, actor=deal.firm.actor, at=told), at)


def deals_of(play: Play, wanted: Sequence[tuple[int, int, int, str]]) -> list[Deal]:
    """Deals by firm, laboratory, price in yuan and what it is about."""
    return [play.deal(*each) for each in wanted]
