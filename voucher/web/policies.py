"""Policy versions for officials: looked at before they are published, proposed by one, published by another."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Code, Refusal, found
from voucher.operations.fit_version import PublishRequest, fit
from voucher.operations.publish import propose_version, publish_version, save_draft, withdraw_proposal
from voucher.queries.policies import names_of_regions, policy_file, policy_of, versions
from voucher.queries.policy_sheets import changes, proposal_file, proposals, sheet_of
from voucher.rules.permissions import permitted
from voucher.rules.policy_reading import LONGEST_FILE
from voucher.schemas.messages import sentence
from voucher.terms import PolicyState
from voucher.web.access import current_actor, permits, public
from voucher.web.entry import change, form_body, form_key, now, reading, whole_form
from voucher.web.policy_words import clause, pairs_of, rows_of

blueprint = Blueprint("policies", __name__, url_prefix="/programme/policies")
blueprint.add_app_template_filter(clause, "clause")
open_blueprint = Blueprint("public_policies", __name__, url_prefix="/policies")

_TEXTS: Final = ("text", "fill", "document")
_NAMES: Final = {"text": "政策文件", "fill": "填写文件", "document": "文件原文", "book": "出资账簿"}


@blueprint.get("/")
@permits("programme:policy:read")
def index() -> ResponseReturnValue:
    """Every published version, and drafts and proposals of the reader's regions."""
    actor = current_actor()
    with reading() as session:
        return render_template(
            "programme/policies.html",
            versions=versions(session),
            proposals=proposals(session, actor),
            today=business_date(now()),
            may_propose=permitted(actor, "programme:policy:propose"),
        )


@blueprint.get("/<code>")
@permits("programme:policy:read")
def policy_page(code: str) -> ResponseReturnValue:
    """One version: each parameter with its clause, who filled it in, what is inherited; and what changed."""
    return _version_page(code, "programme/policy.html")


@blueprint.get("/<code>/print")
@permits("programme:policy:read")
def printed(code: str) -> ResponseReturnValue:
    """The same on paper."""
    return _version_page(code, "programme/policy_print.html")


@blueprint.get("/check")
@permits("programme:policy:propose")
def check_form() -> ResponseReturnValue:
    """The form for a text; filled in from a draft or proposal of the reader's regions, if one is named."""
    draft = request.args.get("proposal", "")
    if not draft.isdecimal() or len(draft) > 18:
        return _form({}, {}), 200
    with reading() as session:
        row = found(proposal_file(session, current_actor(), int(draft))).row
        given = {
            "text": row.text,
            "fill": "\n".join(row.fills),
            "document": row.document_text or "",
            "book": row.book_code,
        }
        own = row.state == PolicyState.DRAFT.value and row.proposed_by == current_actor().person_id
    return _form({**given, "draft": draft if own else ""}, {}), 200


@blueprint.post("/check")
@permits("programme:policy:propose")
def check() -> ResponseReturnValue:
    """Look at a text: every problem at once, its parameters, and what it changes. Nothing is written."""
    given = _given()
    if errors := _errors(given):
        return _form(given, errors), 422
    return _checked(given, {}, 200)


@blueprint.post("/drafts")
@permits("programme:policy:propose")
def draft() -> ResponseReturnValue:
    """Keep a text for later."""
    given = _given()

    def work(session: Session, at: datetime) -> dict[str, Any]:
        wanted, actor = _request(given), current_actor()
        return {"id": save_draft(session, wanted, draft_id=_draft(given), actor=actor, at=at).proposal_id}

    return _sent(given, work, "草稿已保存。")


@blueprint.post("/proposals")
@permits("programme:policy:propose")
def propose() -> ResponseReturnValue:
    """Put the text before a second person."""
    given = _given()

    def work(session: Session, at: datetime) -> dict[str, Any]:
        wanted, actor = _request(given), current_actor()
        return {
            "id": propose_version(session, wanted, draft_id=_draft(given), actor=actor, at=at).proposal_id
        }

    return _sent(given, work, "已提请发布，等待另一人办理。")


@blueprint.get("/proposals/<int(max=9223372036854775807):proposal_id>")
@permits("programme:policy:read")
def proposal(proposal_id: int) -> ResponseReturnValue:
    """A draft or proposal, as it is now."""
    return _proposal(proposal_id, {}, 200)


@blueprint.post("/proposals/<int(max=9223372036854775807):proposal_id>/publish")
@permits("programme:policy:publish")
def publish(proposal_id: int) -> ResponseReturnValue:
    """Publish what somebody else proposed, and what this person was shown."""
    seen = request.form.get("sha256", "")

    def work(session: Session, at: datetime) -> dict[str, Any]:
        made = publish_version(session, proposal_id, seen_sha256=seen, actor=current_actor(), at=at)
        return {"code": made.policy_code}

    try:
        code = change(work, key=form_key(), body=form_body())["code"]
    except Refusal as refusal:
        return _proposal(proposal_id, whole_form(refusal), refusal.status)
    flash(f"{code} 已发布，不能再修改。", "success")
    return redirect(url_for(".policy_page", code=code), 303)


@blueprint.post("/proposals/<int(max=9223372036854775807):proposal_id>/withdraw")
@permits("programme:policy:propose")
def withdraw(proposal_id: int) -> ResponseReturnValue:
    """Take a draft or proposal back, with a reason."""
    reason = request.form.get("reason", "").replace("\x00", "")[:200]

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {
            "id": withdraw_proposal(
                session, proposal_id, reason=reason, actor=current_actor(), at=at
            ).proposal_id
        }

    try:
        change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        return _proposal(proposal_id, whole_form(refusal), refusal.status)
    flash("已撤回。", "success")
    return redirect(url_for(".proposal", proposal_id=proposal_id), 303)


@open_blueprint.get("/")
@public
def listing() -> ResponseReturnValue:
    """The published versions, for anybody."""
    with reading() as session:
        return render_template("public/policies.html", versions=versions(session), today=business_date(now()))


@open_blueprint.get("/<code>")
@public
def page(code: str) -> ResponseReturnValue:
    """One published version, for anybody."""
    return _version_page(code, "public/policy.html")


def _version_page(code: str, template: str) -> ResponseReturnValue:
    with reading() as session:
        file = found(policy_file(session, code))
        before = policy_of(session, file.before) if file.before is not None else None
        regions = names_of_regions(session, file.policy)
        return render_template(
            template,
            file=file,
            rows=rows_of(file.parameters, regions),
            before=file.before,
            pairs=pairs_of(changes(before, file.policy), regions),
            standing=file.standing(business_date(now())),
        )


def _given() -> dict[str, str]:
    """What the form says; a file that was chosen stands before what was typed."""
    given = {name: request.form.get(name, "") for name in (*_TEXTS, "book", "draft")}
    for name in _TEXTS:
        upload = request.files.get(f"{name}_file")
        content = upload.stream.read(4 * LONGEST_FILE + 1) if upload else b""
        if content:
            given[name] = content.decode("utf-8-sig", "replace")
    return {name: value.replace("\r\n", "\n") for name, value in given.items()}


def _errors(given: dict[str, str]) -> dict[str, list[str]]:
    errors = {} if given["text"].strip() else {"text": ["请粘贴或上传政策文件。"]}
    for name in _TEXTS:
        if len(given[name]) > LONGEST_FILE:
            errors[name] = [f"{_NAMES[name]}过大，最多 {LONGEST_FILE} 个字。"]
        elif "\x00" in given[name] or "\ufffd" in given[name]:
            errors[name] = [f"{_NAMES[name]}不是 UTF-8 文字，或含有不可见的字符。"]
    return errors


def _request(given: dict[str, str]) -> PublishRequest:
    fills = (given["fill"],) if given["fill"].strip() else ()
    document = given["document"] if given["document"].strip() else None
    return PublishRequest(
        text=given["text"], fills=fills, document_text=document, book_code=given["book"].strip()[:40]
    )


def _draft(given: dict[str, str]) -> int | None:
    return int(given["draft"]) if given["draft"].isdecimal() and len(given["draft"]) <= 18 else None


def _sent(given: dict[str, str], work: Any, told: str) -> ResponseReturnValue:
    """Do what was asked for, or show the text again with why not; nothing that was written is lost."""
    if errors := _errors(given):
        return _form(given, errors), 422
    try:
        answer = change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        return _checked(given, _why(refusal), refusal.status)
    flash(told, "success")
    return redirect(url_for(".proposal", proposal_id=answer["id"]), 303)


def _why(refusal: Refusal) -> dict[str, list[str]]:
    if refusal.code is Code.NOT_FOUND and "book" in refusal.facts:
        told = (
            f"没有账簿“{refusal.facts['book']}”，或者账簿、主管地区不属于您的单位。请填写本单位的账簿代码。"
        )
        return {"book": [told]}
    return {"_schema": [sentence(refusal)]}


def _form(given: dict[str, str], errors: dict[str, list[str]]) -> str:
    return render_template(
        "programme/policy_check.html", given=given, errors=errors, names=_NAMES, sheet=None
    )


def _checked(given: dict[str, str], errors: dict[str, list[str]], status: int) -> ResponseReturnValue:
    wanted = _request(given)
    with reading() as session:
        sheet = sheet_of(session, wanted.text, wanted.fills, wanted.document_text)
        if not sheet.problems and not errors:
            try:
                fit(session, wanted, actor=current_actor())
            except Refusal as refusal:
                errors = _why(refusal)
        regions = names_of_regions(session, sheet.policy) if sheet.policy is not None else {}
        page = render_template(
            "programme/policy_check.html",
            given=given,
            errors=errors,
            names=_NAMES,
            sheet=sheet,
            rows=rows_of(sheet.parameters, regions),
            pairs=pairs_of(sheet.changes, regions),
        )
    return page, status


def _proposal(proposal_id: int, errors: dict[str, list[str]], status: int) -> ResponseReturnValue:
    actor = current_actor()
    with reading() as session:
        file = found(proposal_file(session, actor, proposal_id))
        is_open = file.state is PolicyState.PROPOSED
        policy = file.sheet.policy
        regions = names_of_regions(session, policy) if policy is not None else {}
        page = render_template(
            "programme/policy_proposal.html",
            file=file,
            errors=errors,
            rows=rows_of(file.sheet.parameters, regions),
            pairs=pairs_of(file.sheet.changes, regions),
            mine=file.row.proposed_by == actor.person_id,
            may_publish=is_open and permitted(actor, "programme:policy:publish"),
            may_withdraw=file.state in (PolicyState.DRAFT, PolicyState.PROPOSED)
            and permitted(actor, "programme:policy:propose"),
        )
    return page, status
