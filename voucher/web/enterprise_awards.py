"""Applying for a post-subsidy (后补助): paid first, claimed afterwards, without a voucher."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Code, Refusal, found
from voucher.operations.award import AwardRequest, apply_for_award, preview_award
from voucher.operations.outcome import only
from voucher.queries.award_programmes import AwardProgramme, award_programmes, own_holder
from voucher.queries.claim_orders import last_payer_account
from voucher.rules.matching import accepted_channels
from voucher.schemas.base import load_form
from voucher.schemas.claim_form import AwardForm, Written, invoice_rows, load_claims, payment_rows
from voucher.schemas.messages import sentence
from voucher.terms import DocumentKind
from voucher.web import claim_files
from voucher.web.access import current_actor, permits
from voucher.web.claim_answers import Answers, labels, requests_of
from voucher.web.claim_fill import filled
from voucher.web.claim_writing import SHOWN_AGAIN, accounts_of, more_rows
from voucher.web.entry import change, form_body, form_key, now, reading, typed_again

blueprint = Blueprint("enterprise_awards", __name__, url_prefix="/enterprise/awards")
_LABELS: Final = {
    "service": "事项",
    "description": "内容",
    "origin_region": "来源地的行政区划代码",
    "contract_no": "合同号",
    "contract_on": "合同日期",
}


@blueprint.get("/")
@permits("enterprise:claim:submit")
def index() -> ResponseReturnValue:
    """The post-subsidies that can be applied for today."""
    with reading() as session:
        versions = award_programmes(session, business_date(now()))
    return render_template("enterprise/awards.html", versions=versions), 200


@blueprint.get("/<programme>")
@permits("enterprise:claim:submit")
def new(programme: str) -> ResponseReturnValue:
    """The form, with the firm filled in."""
    return _page(programme, Answers([""], [], [{}], [{}]), {}), 200


@blueprint.post("/<programme>")
@permits("enterprise:claim:submit")
def send(programme: str) -> ResponseReturnValue:
    """Add a row, read an original, check the answers, or send."""
    files, refused_files = claim_files.received()
    invoices, payments = invoice_rows(request.form), payment_rows(request.form)
    step = request.form.get("step", "check")
    given = Answers([""], files, filled(invoices, files), payments or [{}])
    if step in SHOWN_AGAIN:
        return _page(programme, more_rows(given, step), refused_files), 422 if refused_files else 200
    asked = bool(request.form.get("contract_amount", "").strip())
    written, errors = load_claims(request.form, invoices, payments, orders=1, contract_asked=asked)
    data, wrong = load_form(AwardForm, request.form)
    errors = {**errors, **wrong, **_lacking(programme, files), **refused_files}
    if errors:
        return _page(programme, given, errors), 422
    wanted = _request(programme, data, written, given, contract=asked)
    try:
        return _check(programme, given, wanted) if step != "send" else _submit(wanted)
    except Refusal as refusal:
        if refusal.code is Code.NOT_FOUND and "region" not in refusal.facts:
            raise
        return _page(programme, given, {"_schema": [sentence(refusal)]}), refusal.status


def _check(programme: str, given: Answers, wanted: AwardRequest) -> ResponseReturnValue:
    with reading() as session:
        judged = preview_award(session, wanted, actor=current_actor(), at=now())
        shown = _open(session, programme)
    page = render_template(
        "enterprise/award_check.html",
        policy=shown.policy,
        wanted=wanted,
        judged=judged,
        files=given.files,
        typed=typed_again(),
    )
    return page, 200


def _submit(wanted: AwardRequest) -> ResponseReturnValue:
    actor = current_actor()

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"number": only(apply_for_award(session, [wanted], actor=actor, at=at)).number}

    number = change(work, key=form_key(), body=form_body())["number"]
    flash(f"后补助申请已提交：{number}。", "success")
    return redirect(url_for("enterprise_claims.page", number=number), 303)


def _request(
    programme: str, data: dict[str, Any], written: Written, given: Answers, *, contract: bool
) -> AwardRequest:
    (whole,) = requests_of(written, given)
    with reading() as session:
        holder = found(own_holder(session, current_actor()))
    return AwardRequest(
        programme_code=programme,
        holder_ref=holder.ref,
        service=data["service"],
        description=data["description"],
        origin_region=data["origin_region"],
        units=data["units"],
        contract_no=data["contract_no"],
        contract_on=data["contract_on"],
        contract_fen=whole.contract_fen if contract else None,
        invoices=whole.invoices,
        payments=whole.payments,
        documents=whole.documents,
        payee_account_id=whole.payee_account_id,
    )


def _lacking(programme: str, files: list[tuple[str, Any]]) -> dict[str, list[str]]:
    with reading() as session:
        policy = _open(session, programme).policy
    kinds = {each.kind for _, each in files}
    return {f"file_{kind.value}": [f"请上传{kind.label}。"] for kind in policy.evidence if kind not in kinds}


def _page(programme: str, given: Answers, errors: Mapping[str, list[str]]) -> str:
    with reading() as session:
        policy = _open(session, programme).policy
        holder = found(own_holder(session, current_actor()))
        return render_template(
            "enterprise/award_form.html",
            policy=policy,
            holder=holder,
            services=[(each.code, each.label) for each in policy.services],
            accounts=accounts_of(session, policy, platform=None, holder=holder),
            kinds=tuple(DocumentKind),
            channels=[(each.value, each.label) for each in accepted_channels(policy)],
            papers=claim_files.by_field(given.files),
            payer_account=last_payer_account(session, holder.id),
            given=given,
            typed=request.form,
            labels=labels(given) | _LABELS,
            errors=errors,
        )


def _open(session: Session, programme: str) -> AwardProgramme:
    return found(next(iter(award_programmes(session, business_date(now()), programme)), None))
