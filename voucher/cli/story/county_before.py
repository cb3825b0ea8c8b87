"""The December before the county's year: a voucher that expired since, appeals decided, and what lapsed at New Year."""

from __future__ import annotations

from datetime import datetime, timedelta

from voucher.cli.story import county_cast as cast
from voucher.cli.story.county import EARLIER, Play
from voucher.cli.story.stage import accepted
from voucher.cli.story.teller import Story
from voucher.money import Fen
from voucher.operations.appeal import AppealDecision, AppealRequest, decide_appeals, lodge
from voucher.operations.apply import ApplyRequest, apply
from voucher.operations.decide_applications import DecisionRequest, decide
from voucher.operations.move_up import advance
from voucher.operations.outcome import only
from voucher.operations.windows import WindowRequest, publish_windows
from voucher.rules.permissions import Actor
from voucher.terms import ApplicationVerdict, Role

_WANTED = (
    (7, 20_000_00, "数控样机检测"),
    (4, 15_000_00, "板材放射性检测"),
    (5, 12_000_00, "购置办公设备"),
    (6, 18_000_00, "换热器能效检测"),
)


def tell_before(play: Play) -> None:
    """Plan the December before, and the window of this year."""
    play.teller.follow(_december(play))


def _december(play: Play) -> Story[None]:
    """Four apply late in the year: one gets a voucher, two are refused and appeal, one is never decided."""
    begins, before = play.teller.begins, play.stage.year - 1
    at = yield begins - EARLIER + timedelta(hours=30)
    end = begins - timedelta(hours=2)
    _window(play, WindowRequest(cast.VOUCHERS.line_of(before), at, end, "演示科函〔年末〕1号"), at)
    numbers = []
    for place, wanted in enumerate(_WANTED):
        at = yield begins - EARLIER + timedelta(hours=31 + place)
        numbers.append(_applied(play, wanted, at))
    at = yield begins - EARLIER + timedelta(days=3)
    refusals = [
        DecisionRequest(number, ApplicationVerdict.REJECT, reason="用途与研发检测无关")
        for number in numbers[1:3]
    ]
    decisions = [DecisionRequest(numbers[0], ApplicationVerdict.APPROVE), *refusals]
    one, other = play.people["zzshenhe"], play.people["zzshenhe2"]
    play.do(lambda s, told: accepted(decide(s, decisions, actor=one, at=told)), at)
    at = yield begins - EARLIER + timedelta(days=5)
    appeals = [_appealed(play, number, place, at) for number, place in ((numbers[1], 4), (numbers[2], 5))]
    at = yield begins - EARLIER + timedelta(days=9)
    said = [
        AppealDecision(appeals[0], True, "检测用于新产品研发，原决定撤销，重新审核"),
        AppealDecision(appeals[1], False, "购置设备不在支持范围"),
    ]
    play.do(lambda s, told: accepted(decide_appeals(s, said, actor=other, at=told)), at)
    at = yield begins
    play.do(lambda s, told: advance(s, cast.VOUCHERS.programme, before, at=told), at)
    _window(play, WindowRequest(play.stage.line_code, at, None, "演示科函〔申领〕2号"), at)


def _window(play: Play, window: WindowRequest, at: datetime) -> None:
    officer = play.stage.offices[Role.PROGRAMME_OFFICER]
    play.do(lambda s, told: accepted(publish_windows(s, [window], actor=officer, at=told)), at)


def _applied(play: Play, wanted: tuple[int, int, str], at: datetime) -> str:
    place, fen, purpose = wanted
    firm = play.stage.firms[place]
    request = ApplyRequest(
        programme_code=cast.VOUCHERS.programme, wanted_fen=Fen(fen), purpose=purpose, holder_ref=firm.ref
    )
    return play.do(lambda s, told: only(apply(s, [request], actor=firm.actor, at=told)).number, at)


def _appealed(play: Play, number: str, place: int, at: datetime) -> str:
    actor: Actor = play.stage.firms[place].actor
    asked = AppealRequest(number, "检测用于新产品研发，附立项材料。")
    return play.do(lambda s, told: only(lodge(s, [asked], actor=actor, at=told)).number, at)
