"""Applications of the demo in every state: received, returned, rejected and appealed, issued, waiting, withdrawn."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from voucher.cli.story import cast
from voucher.cli.story.stage import Party, Stage, accepted
from voucher.money import Fen
from voucher.operations.appeal import AppealRequest, lodge
from voucher.operations.apply import ApplyRequest, apply, withdraw
from voucher.operations.decide_applications import DecisionRequest, decide
from voucher.operations.fund import FundRequest, LineRequest, fund, open_lines
from voucher.operations.windows import (
    UndertakingRequest,
    WindowRequest,
    publish_undertakings,
    publish_windows,
)
from voucher.terms import ApplicationVerdict, Role

_LINE_FEN: Final = Fen(60_000_00)
_UNDERTAKING: Final = (
    "本单位申领和使用科技创新券，承诺如下：\n"
    "一、申报的材料和用途真实；\n"
    "二、服务真实发生，合同、发票、付款与订单一致；\n"
    "三、与所选服务机构没有投资、隶属、共建等关联关系；\n"
    "四、同一发票不在其他项目重复使用。\n"
    "如有违反，退回补助资金，并承担相应责任。"
)
_WISHES: Final = (
    (0, 50_000_00, "传感芯片可靠性试验"),
    (2, 30_000_00, "仿真软件适配测评"),
    (6, 40_000_00, "镁合金腐蚀性能检测"),
    (7, 20_000_00, "曲药微生物检测"),
    (8, 35_000_00, "胶凝材料放射性检测"),
    (10, 25_000_00, "正极材料热稳定性检测"),
)


def tell_applications(stage: Stage, begun: datetime) -> None:
    """Publish a window of its own small line and an undertaking; six firms apply within the hour after `begun`."""
    run = stage.database.transaction
    run(lambda session, at: _publish(session, stage, at), at=begun)
    numbers = []
    for turn, wish in enumerate(_WISHES, start=1):
        numbers.append(_applied(stage, wish, begun + timedelta(minutes=9 * turn)))
    run(lambda session, at: _decide(session, stage, numbers, at), at=begun + timedelta(hours=3))


def _applied(stage: Stage, wish: tuple[int, int, str], at: datetime) -> str:
    """The number of an application made at this instant."""
    return stage.database.transaction(lambda session, told: _apply(session, stage, wish, told), at=at)


def _publish(session: Session, stage: Stage, at: datetime) -> None:
    code = f"{cast.PROGRAMME}-{stage.year}-2"
    maker, officer = stage.offices[Role.FINANCE_MAKER], stage.offices[Role.PROGRAMME_OFFICER]
    line = LineRequest(code, cast.PROGRAMME, stage.year, "申领追加资金")
    accepted(open_lines(session, [line], actor=maker, at=at))
    accepted(fund(session, [FundRequest(code, "演示财〔追加〕1号", _LINE_FEN)], actor=maker, at=at))
    window = WindowRequest(code, at, None, "演示科函〔申领〕1号")
    accepted(publish_windows(session, [window], actor=officer, at=at))
    text = UndertakingRequest(cast.PROGRAMME, _UNDERTAKING)
    accepted(publish_undertakings(session, [text], actor=officer, at=at))


def _apply(session: Session, stage: Stage, wish: tuple[int, int, str], at: datetime) -> str:
    place, wanted_fen, purpose = wish
    firm: Party = stage.firms[place]
    request = ApplyRequest(
        programme_code=cast.PROGRAMME,
        wanted_fen=Fen(wanted_fen),
        purpose=purpose,
        holder_ref=firm.ref,
        undertaking_version=1,
        signed_name=firm.actor.name,
    )
    actor = replace(firm.actor, organisation_ids=frozenset({firm.organisation_id}))
    (made,) = accepted(apply(session, [request], actor=actor, at=at))
    return made.number


def _decide(session: Session, stage: Stage, numbers: list[str], at: datetime) -> None:
    """The first is issued, the second waits for money, the third is rejected and appeals, the fourth has to mend."""
    approve, reject, send_back = (
        ApplicationVerdict.APPROVE,
        ApplicationVerdict.REJECT,
        ApplicationVerdict.RETURN,
    )
    requests = [
        DecisionRequest(numbers[0], approve),
        DecisionRequest(numbers[1], approve),
        DecisionRequest(numbers[2], reject, reason="申领用途与研发活动无关"),
        DecisionRequest(numbers[3], send_back, reason="请写明检测项目和样品数量"),
    ]
    accepted(decide(session, requests, actor=stage.offices[Role.REVIEWER], at=at))
    appeal = AppealRequest(numbers[2], "检测用于新合金配方的研发，附研发项目立项书。")
    accepted(lodge(session, [appeal], actor=stage.firms[6].actor, at=at))
    accepted(withdraw(session, [numbers[4]], actor=stage.firms[8].actor, at=at))
