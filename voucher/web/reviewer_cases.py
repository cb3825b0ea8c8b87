"""What reviewers do with a case beside deciding it: take it, give it away, ask experts, file reports, sign."""

from __future__ import annotations

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from voucher.clock import business_date
from voucher.operations.cosign import SignRequest, cosign
from voucher.operations.opinions import Invitation, ReportRequest, invite_experts, record_reports
from voucher.operations.revoke_award import RevokeRequest, revoke_awards
from voucher.operations.take_case import HandOver, hand_over, release_cases, take_cases
from voucher.schemas.base import load_form
from voucher.schemas.review import HandOverForm, InviteForm, ReportForm, SignForm
from voucher.web.access import permits, require_step_up
from voucher.web.case_page import case_page, send
from voucher.web.entry import now
from voucher.web.uploads import received

blueprint = Blueprint("cases", __name__, url_prefix="/reviewer/claims/<number>")


@blueprint.post("/take")
@permits("reviewer:claim:decide")
def take(number: str) -> ResponseReturnValue:
    """Take the case in hand."""
    return send(
        number,
        lambda session, at, actor: take_cases(session, [number], actor=actor, at=at),
        done=f"{number} 由您办理。",
        form={},
    )


@blueprint.post("/release")
@permits("reviewer:claim:assign")
def release(number: str) -> ResponseReturnValue:
    """Put it back for everybody."""
    return send(
        number,
        lambda session, at, actor: release_cases(session, [number], actor=actor, at=at),
        done=f"{number} 已放回待办。",
        form={},
    )


@blueprint.post("/hand-over")
@permits("reviewer:claim:assign")
def give(number: str) -> ResponseReturnValue:
    """Give it to a colleague."""
    data, errors = load_form(HandOverForm, request.form)
    if errors:
        return case_page(number, form=request.form, errors=errors)
    wanted = HandOver(number, data["colleague"], data["note"])
    return send(
        number,
        lambda session, at, actor: hand_over(session, [wanted], actor=actor, at=at),
        done=f"{number} 已转给同事。",
        form=request.form,
    )


@blueprint.post("/experts")
@permits("reviewer:claim:decide")
def invite(number: str) -> ResponseReturnValue:
    """Ask an expert."""
    data, errors = load_form(InviteForm, request.form)
    if not errors and data["due_on"] < business_date(now()):
        errors = {"due_on": ["期限不能早于今天。"]}
    if errors:
        return case_page(number, form=request.form, errors=errors)
    wanted = Invitation(number, data["expert"], data["due_on"])
    return send(
        number,
        lambda session, at, actor: invite_experts(session, [wanted], actor=actor, at=at),
        done="已邀请专家评审。",
        form=request.form,
    )


@blueprint.post("/reports")
@permits("reviewer:claim:decide")
def file_report(number: str) -> ResponseReturnValue:
    """File a third party's report."""
    data, errors = load_form(ReportForm, request.form)
    files = received({"report": False})
    errors |= files.errors
    if not files.files["report"]:
        errors.setdefault("report", ["请上传报告文件。"])
    if not errors and data["reported_on"] > business_date(now()):
        errors["reported_on"] = ["日期不能晚于今天。"]
    if errors:
        return case_page(number, form=request.form, errors=errors, kept=files.files)
    wanted = ReportRequest(
        number,
        data["report_organisation"],
        data["report_no"],
        data["reported_on"],
        data["report_amount"],
        files.stored("report")[0],
        data["report_text"],
    )
    return send(
        number,
        lambda session, at, actor: record_reports(session, [wanted], actor=actor, at=at),
        done="第三方报告已归入案卷。",
        form=request.form,
    )


@blueprint.post("/signatures")
@permits("reviewer:claim:cosign")
def sign(number: str) -> ResponseReturnValue:
    """Sign, or object, for one's authority."""
    data, errors = load_form(SignForm, request.form)
    if errors:
        return case_page(number, form=request.form, errors=errors)
    wanted = SignRequest(number, data["function"], data["agreed"] == "yes", data["sign_text"])
    return send(
        number,
        lambda session, at, actor: cosign(session, [wanted], actor=actor, at=at),
        done="会签意见已记录。",
        form=request.form,
    )


@blueprint.post("/revoke")
@permits("reviewer:award:revoke")
def revoke(number: str) -> ResponseReturnValue:
    """Take back an approved post-subsidy that is in no batch yet."""
    require_step_up()
    wanted = RevokeRequest(number, request.form.get("revoke_reason", "")[:500])
    return send(
        number,
        lambda session, at, actor: revoke_awards(session, [wanted], actor=actor, at=at),
        done=f"{number} 的核定已撤销，资金退回预算指标。",
        form=request.form,
    )
