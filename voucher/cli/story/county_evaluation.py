"""The county's yearly evaluation of its platforms: one failed last year and has to put things right (限期整改)."""

from __future__ import annotations

from voucher.cli.story.county import Play
from voucher.cli.story.stage import POLICIES
from voucher.cli.story.teller import Story
from voucher.operations.evaluate import EvaluateRequest, evaluate
from voucher.operations.evaluated import SubjectKey
from voucher.operations.evaluation_rules import RulesRequest, publish_rules
from voucher.operations.outcome import only
from voucher.operations.publish_evaluation import ResultRequest, publish_results
from voucher.terms import EvaluationSubject

_POINTS = {"filing": 12, "services": 10, "reports": 5, "tenants": 15, "activities": 6}


def tell_evaluation(play: Play) -> None:
    """Plan last year's evaluation of the laboratory for non-destructive testing."""
    play.follow(_evaluated)


def _evaluated(play: Play) -> Story[None]:
    at = yield play.on(44)
    text = (POLICIES / "evaluation" / "county-demo.toml").read_text("utf-8")
    officer, second = play.people["zzxiangmu"], play.people["zzxiangmu2"]
    play.do(lambda s, told: publish_rules(s, RulesRequest(text), actor=officer, at=told), at)
    at = yield play.on(30)
    key = SubjectKey(EvaluationSubject.PLATFORM, play.stage.labs[1].certification_id)
    scored = EvaluateRequest(
        key=key, year=play.stage.year - 1, points=_POINTS, remarks="两个季度没有报送数据"
    )
    row = play.do(lambda s, told: only(evaluate(s, [scored], actor=officer, at=told)), at)
    at = yield play.on(28)
    result = ResultRequest(
        evaluation_id=row.id,
        document_no=f"泽教科〔{play.stage.year}〕7号（演示）",
        demand="补报数据，完善服务记录",
    )
    play.do(lambda s, told: only(publish_results(s, [result], actor=second, at=told)), at)
