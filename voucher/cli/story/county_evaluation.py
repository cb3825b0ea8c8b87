"""The county's yearly evaluation of its platforms: one is in each state that an evaluation and what follows can have."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from voucher.cli.story.county import Play
from voucher.cli.story.stage import POLICIES, accepted
from voucher.cli.story.teller import Story
from voucher.models.evaluations import Rectification
from voucher.operations.evaluate import EvaluateRequest, evaluate
from voucher.operations.evaluated import SubjectKey
from voucher.operations.evaluation_rules import RulesRequest, publish_rules
from voucher.operations.outcome import only
from voucher.operations.publish_evaluation import (
    ResultRequest,
    ReturnResult,
    publish_results,
    return_results,
)
from voucher.operations.rectify import AnswerRequest, SettleRequest, answer_orders, settle_orders
from voucher.terms import EvaluationSubject, RectificationState

_FAILED = {"filing": 12, "services": 10, "reports": 5, "tenants": 15, "activities": 6}
_PASSED = {"filing": 18, "services": 20, "reports": 13, "tenants": 20, "activities": 10}
_REMARKS = "两个季度没有报送数据"
# By place on the county's list: put right, ordered, answered, not put right; then scored only, and returned.
_PUT_RIGHT, _ORDERED, _ANSWERED, _NOT_PUT_RIGHT, _SCORED, _RETURNED = 0, 1, 2, 3, 5, 6
_FAILING = (_PUT_RIGHT, _ORDERED, _ANSWERED, _NOT_PUT_RIGHT)


def tell_evaluation(play: Play) -> None:
    """Plan last year's evaluation of the county's platforms."""
    play.follow(_evaluated)


def _evaluated(play: Play) -> Story[None]:
    at = yield play.on(44)
    text = (POLICIES / "evaluation" / "county-demo.toml").read_text("utf-8")
    officer, second = play.people["zzxiangmu"], play.people["zzxiangmu2"]
    play.do(lambda s, told: publish_rules(s, RulesRequest(text), actor=officer, at=told), at)
    at = yield play.on(30)
    scored = [_points(play, place, _FAILED, _REMARKS) for place in _FAILING]
    scored += [_points(play, place, _PASSED) for place in (_SCORED, _RETURNED)]
    rows = play.do(
        lambda s, told: [each.id for each in accepted(evaluate(s, scored, actor=officer, at=told))], at
    )
    at = yield play.on(28)
    results = [
        ResultRequest(
            evaluation_id=row,
            document_no=f"泽教科〔{play.stage.year}〕7号（演示）",
            demand="补报数据，完善服务记录",
        )
        for row in rows[: len(_FAILING)]
    ]
    back = ReturnResult(rows[-1], "服务指标缺少佐证，请补附后重评")
    play.do(lambda s, told: accepted(publish_results(s, results, actor=second, at=told)), at)
    play.do(lambda s, told: only(return_results(s, [back], actor=second, at=told)), at)
    with play.stage.database.read() as session:
        query = select(Rectification.id).where(Rectification.evaluation_id.in_(rows))
        orders = list(session.scalars(query.order_by(Rectification.evaluation_id)))
    yield from _put_right(play, dict(zip(_FAILING, orders, strict=True)))


def _points(play: Play, place: int, points: dict[str, int], remarks: str = "") -> EvaluateRequest:
    key = SubjectKey(EvaluationSubject.PLATFORM, play.stage.labs[place].certification_id)
    return EvaluateRequest(key=key, year=play.stage.year - 1, points=points, remarks=remarks)


def _put_right(play: Play, orders: dict[int, int]) -> Story[None]:
    """Three of the four answer; one answer is accepted, one is not, which suspends the platform."""
    at = yield play.on(16)
    for place in (_PUT_RIGHT, _ANSWERED, _NOT_PUT_RIGHT):
        _answer(play, place, orders[place], at)
    at = yield play.on(12)
    verdicts = [
        SettleRequest(orders[_PUT_RIGHT], RectificationState.PASSED),
        SettleRequest(orders[_NOT_PUT_RIGHT], RectificationState.FAILED, "现场核查：服务记录仍不完整"),
    ]
    officer = play.people["zzxiangmu"]
    play.do(lambda s, told: accepted(settle_orders(s, verdicts, actor=officer, at=told)), at)


def _answer(play: Play, place: int, order: int, at: datetime) -> None:
    answer = AnswerRequest(order, "已补报两个季度的数据，服务记录逐单建档。")
    actor = play.stage.labs[place].actor
    play.do(lambda s, told: only(answer_orders(s, [answer], actor=actor, at=told)), at)
