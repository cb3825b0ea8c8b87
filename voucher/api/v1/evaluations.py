"""Yearly evaluation: scores, published results, orders to put right, the rules."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from voucher.api.access import current_actor
from voucher.api.endpoint import Endpoints, identified, listed_page, open_operation, operation
from voucher.api.entry import change, reading
from voucher.errors import Code
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
from voucher.queries.evaluations import ResultFilter, published, results
from voucher.schemas import api_centre_answers as answers
from voucher.schemas import api_centres as schemas
from voucher.schemas.api_fields import PageQuery
from voucher.schemas.api_orders import ReasonBody

blueprint = Endpoints("evaluations_v1", __name__, url_prefix="/api/v1", description="年度评价、限期整改")


@blueprint.route("/evaluations", methods=["GET"])
@operation("评价结果", "reviewer:centre:read")
@blueprint.arguments(schemas.ResultsQuery, location="query")
@blueprint.response(200, answers.ResultsAnswer)
def list_results(query: dict[str, Any]) -> dict[str, Any]:
    """本地区的评分和结果，每页 50 项。"""
    sought = ResultFilter(query["year"], query["state"])
    with reading() as session:
        page = results(session, current_actor(), sought, page=query["page"])
        return listed_page(page, "results", answers.result_answer)


@blueprint.route("/evaluations/published", methods=["GET"])
@open_operation("已公布的评价结果")
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, answers.OpenResultsAnswer)
def list_published(query: dict[str, Any]) -> dict[str, Any]:
    """任何人可以查看，年度近的在前，每页 50 项。"""
    with reading() as session:
        return listed_page(published(session, page=query["page"]), "results", answers.open_result_answer)


@blueprint.route("/evaluations", methods=["POST"])
@operation(
    "年度评分",
    "reviewer:centre:evaluate",
    refuses=(Code.NOT_FOUND, Code.NOT_EVALUABLE, Code.ALREADY_EVALUATED, Code.POINTS_INVALID),
    keyed=True,
)
@blueprint.arguments(schemas.EvaluateBody)
@blueprint.response(201, answers.EvaluationAnswer)
def score(body: dict[str, Any]) -> dict[str, Any]:
    """按评价办法逐项评分，由另一人核对后公布；退回的可以重评。"""
    key = SubjectKey(body["subject"], body["id"])
    wanted = EvaluateRequest(key=key, year=body["year"], points=body["points"], remarks=body["remarks"])

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return answers.evaluation_answer(only(evaluate(session, [wanted], actor=current_actor(), at=at)))

    return change(work, body=body)


@blueprint.route("/evaluations/<evaluation_id>/publish", methods=["POST"])
@operation(
    "公布评价结果",
    "programme:evaluation:publish",
    refuses=(Code.NOT_FOUND, Code.SELF_APPROVAL, Code.STATE_CHANGED, Code.REASON_MISSING),
    keyed=True,
)
@blueprint.arguments(schemas.PublishResultBody)
@blueprint.response(200, answers.EvaluationPublishedAnswer)
def publish(body: dict[str, Any], evaluation_id: str) -> dict[str, Any]:
    """不合格的通报并责令限期整改；连续不合格达到办法规定的年数的摘牌，称号同步取消，限制申报。"""
    wanted = ResultRequest(evaluation_id=identified(evaluation_id), **body)

    def work(session: Session, at: datetime) -> dict[str, Any]:
        done = only(publish_results(session, [wanted], actor=current_actor(), at=at))
        return {**answers.evaluation_answer(done.evaluation), "revoked": done.revoked}

    return change(work, body=body)


@blueprint.route("/evaluations/<evaluation_id>/return", methods=["POST"])
@operation(
    "退回重评",
    "reviewer:centre:evaluate",
    refuses=(Code.NOT_FOUND, Code.STATE_CHANGED, Code.REASON_MISSING),
    keyed=True,
)
@blueprint.arguments(ReasonBody)
@blueprint.response(200, answers.EvaluationAnswer)
def send_back(body: dict[str, Any], evaluation_id: str) -> dict[str, Any]:
    """公布之前可以退回。"""
    wanted = ReturnResult(identified(evaluation_id), body["reason"])

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return answers.evaluation_answer(
            only(return_results(session, [wanted], actor=current_actor(), at=at))
        )

    return change(work, body=body)


@blueprint.route("/rectifications/<order_id>/answer", methods=["POST"])
@operation(
    "报告整改情况",
    "own:rectification:answer",
    refuses=(Code.NOT_FOUND, Code.REASON_MISSING, Code.STATE_CHANGED),
    keyed=True,
)
@blueprint.arguments(schemas.AnswerOrderBody)
@blueprint.response(200, answers.RectificationAnswer)
def answer(body: dict[str, Any], order_id: str) -> dict[str, Any]:
    """由载体或平台的管理员报告，等待主管部门核验。"""
    wanted = AnswerRequest(identified(order_id), body["text"])

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return answers.order_answer(only(answer_orders(session, [wanted], actor=current_actor(), at=at)))

    return change(work, body=body)


@blueprint.route("/rectifications/<order_id>/settle", methods=["POST"])
@operation(
    "整改核验",
    "reviewer:centre:evaluate",
    refuses=(Code.NOT_FOUND, Code.REASON_MISSING, Code.STATE_CHANGED),
    keyed=True,
)
@blueprint.arguments(schemas.SettleOrderBody)
@blueprint.response(200, answers.RectificationAnswer)
def settle(body: dict[str, Any], order_id: str) -> dict[str, Any]:
    """合格的恢复在库；不合格的暂停资格；也可以退回继续整改。"""
    wanted = SettleRequest(identified(order_id), body["outcome"], body["reason"])

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return answers.order_answer(only(settle_orders(session, [wanted], actor=current_actor(), at=at)))

    return change(work, body=body)


@blueprint.route("/evaluation-rules", methods=["POST"])
@operation(
    "公布评价办法",
    "programme:evaluation:publish",
    refuses=(Code.NOT_FOUND, Code.RULES_INVALID, Code.ALREADY_REGISTERED, Code.POLICY_OVERLAPS),
    keyed=True,
)
@blueprint.arguments(schemas.RulesBody)
@blueprint.response(201, answers.RulesCodeAnswer)
def publish_rules_(body: dict[str, Any]) -> dict[str, Any]:
    """TOML 文件的全文；公布后不能修改。"""

    def work(session: Session, at: datetime) -> dict[str, Any]:
        rules = publish_rules(session, RulesRequest(body["text"]), actor=current_actor(), at=at)
        return {"code": rules.code}

    return change(work, body=body)
