"""Recognition agreements: anybody reads what was published; officers publish by two, end, revoke, keep the registry."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from voucher.errors import Refusal, found
from voucher.operations import agreement_registry as registry
from voucher.operations import publish_agreement as publishing
from voucher.queries.agreements import (
    AgreementFile,
    agreement_file,
    agreements,
    platforms_of,
    recognised_by,
)
from voucher.queries.platforms import own_platforms
from voucher.queries.policies import service_labels
from voucher.rules.permissions import permitted
from voucher.schemas.agreements import AgreementForm, AgreementStepForm, RegistryForm
from voucher.schemas.base import load_form
from voucher.schemas.messages import sentence
from voucher.terms import AgreementState, RegistryDeed
from voucher.web.access import current_actor, permits, public
from voucher.web.agreement_words import rows_of
from voucher.web.entry import change, form_body, form_key, reading

blueprint = Blueprint("agreements", __name__, url_prefix="/programme/agreements")
shown = Blueprint("public_agreements", __name__, url_prefix="/agreements")
own = Blueprint("recognition", __name__, url_prefix="/provider/recognition")

_ID: Final = "<int(max=9223372036854775807):version_id>"
_STEPS: Final[dict[str, tuple[Callable[..., publishing.VersionAnswer], str]]] = {
    "withdraw": (publishing.withdraw_agreement, "已撤回"),
    "end": (publishing.end_agreement, "已终止"),
    "revoke": (publishing.revoke_agreement, "已撤销，不再下单、锁定和核销"),
}


@shown.get("/")
@public
def public_list() -> ResponseReturnValue:
    """Every agreement that was published."""
    with reading() as session:
        return render_template("public/agreements.html", lines=agreements(session, published_only=True))


@shown.get(f"/{_ID}")
@public
def public_page(version_id: int) -> ResponseReturnValue:
    """One version: its parameters with their clauses, and the platforms on its registry."""
    with reading() as session:
        file = found(agreement_file(session, version_id, published_only=True))
        rows = _rows(session, file)
    return render_template("public/agreement.html", file=file, rows=rows)


@own.get("/")
@permits("provider:order:read")
def own_standing() -> ResponseReturnValue:
    """Which regions recognise one's own platforms, and by which agreement."""
    actor = current_actor()
    with reading() as session:
        platforms = own_platforms(session, actor=actor)
        lines = recognised_by(session, actor.platform_ids)
    names = {platform.id: platform.name for platform in platforms}
    return render_template("provider/recognition.html", lines=lines, names=names)


@blueprint.get("/")
@permits("programme:agreement:read")
def index() -> ResponseReturnValue:
    """Every version, proposed ones too."""
    with reading() as session:
        lines = agreements(session)
    may_publish = permitted(current_actor(), "programme:agreement:publish")
    return render_template("programme/agreements.html", lines=lines, may_publish=may_publish)


@blueprint.get("/new")
@permits("programme:agreement:publish")
def new() -> ResponseReturnValue:
    """The form for a new version."""
    return render_template("programme/agreement_new.html", form={}, errors={}, problems=())


@blueprint.post("/new")
@permits("programme:agreement:publish")
def send_new() -> ResponseReturnValue:
    """Check a version, every problem at once; fit and asked for, it is put down for another officer to publish."""
    asked = {name: value for name, value in request.form.items() if name != "deed"}
    data, errors = load_form(AgreementForm, asked)
    if errors:
        return _new(errors, (), 422)
    fills = (data["fill"],) if data["fill"] else ()
    given = publishing.AgreementText(
        text=data["text"], fills=fills, document_text=data["document_text"] or None
    )
    with reading() as session:
        problems = publishing.check_here(session, given)
    if problems or request.form.get("deed") == "check":
        if not problems:
            flash("没有问题，可以提请发布。", "success")
        return _new({}, problems, 422 if problems else 200)

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"id": publishing.propose_agreement(session, given, actor=current_actor(), at=at).version_id}

    try:
        answer = change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        return _new({"_schema": [sentence(refusal)]}, (), refusal.status)
    flash("已提请发布，请另一名主管人员核对后发布。", "success")
    return redirect(url_for("agreements.page", version_id=answer["id"]), 303)


@blueprint.get(f"/{_ID}")
@permits("programme:agreement:read")
def page(version_id: int) -> ResponseReturnValue:
    """One version: parameters with clauses, what became of it, its registry."""
    return _page(version_id, {}, 200)


@blueprint.post(f"/{_ID}/publish")
@permits("programme:agreement:publish")
def send_publish(version_id: int) -> ResponseReturnValue:
    """Publish what somebody else proposed."""

    def work(session: Session, at: datetime) -> dict[str, Any]:
        publishing.publish_agreement(session, version_id, actor=current_actor(), at=at)
        return {}

    return _done(version_id, work, "已发布，自生效之日起互认。")


@blueprint.post(f"/{_ID}/<any(withdraw, end, revoke):deed>")
@permits("programme:agreement:publish")
def send_step(version_id: int, deed: str) -> ResponseReturnValue:
    """Withdraw a proposal, end a version, or revoke it at once."""
    verb, told = _STEPS[deed]
    data, errors = load_form(AgreementStepForm, request.form)
    if errors:
        return _page(version_id, errors, 422)
    wanted = publishing.StepRequest(version_id=version_id, **data)

    def work(session: Session, at: datetime) -> dict[str, Any]:
        verb(session, wanted, actor=current_actor(), at=at)
        return {}

    return _done(version_id, work, f"{told}。")


@blueprint.get(f"/{_ID}/registry")
@permits("programme:agreement:read")
def registry_page(version_id: int) -> ResponseReturnValue:
    """The platforms on the registry of the version's agreement, and those that a region suspended."""
    return _registry(version_id, {}, 200)


@blueprint.post(f"/{_ID}/registry")
@permits("programme:registry:write")
def send_registry(version_id: int) -> ResponseReturnValue:
    """Put a platform on the registry or take it off; suspend it, or let it in again."""
    data, errors = load_form(RegistryForm, request.form)
    if errors:
        return _registry(version_id, errors, 422)
    with reading() as session:
        code = found(agreement_file(session, version_id)).line.version.agreement_code

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"id": _deed(session, code, data, at)}

    try:
        change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        return _registry(version_id, {"_schema": [sentence(refusal)]}, refusal.status)
    flash(f"已办理：{data['deed'].label}。", "success")
    return redirect(url_for("agreements.registry_page", version_id=version_id), 303)


def _deed(session: Session, code: str, data: Mapping[str, Any], at: datetime) -> int:
    actor, deed = current_actor(), data["deed"]
    if deed is RegistryDeed.LIST:
        entry = registry.ListRequest(
            agreement=code,
            **{name: data[name] for name in ("platform_id", "document_no", "from_on", "to_on")},
        )
        return registry.list_platform(session, entry, actor=actor, at=at)
    if deed is RegistryDeed.TAKE_OFF:
        place = code, data["platform_id"]
        return registry.take_off_platform(session, place, reason=data["reason"], actor=actor, at=at)
    names = ("platform_id", "region_code", "reason", "document_no")
    away = registry.SuspendRequest(agreement=code, **{name: data[name] for name in names})
    verb = registry.suspend_platform if deed is RegistryDeed.SUSPEND else registry.readmit_platform
    return verb(session, away, actor=actor, at=at)


def _registry(version_id: int, errors: dict[str, list[str]], status: int) -> ResponseReturnValue:
    with reading() as session:
        file = found(agreement_file(session, version_id))
        platforms = platforms_of(session, file.line.agreement)
    answer = render_template(
        "programme/agreement_registry.html",
        file=file,
        platforms=platforms,
        form=request.form,
        errors=errors,
        deeds=RegistryDeed,
        may_write=permitted(current_actor(), "programme:registry:write"),
    )
    return answer, status


def _done(
    version_id: int, work: Callable[[Session, datetime], dict[str, Any]], told: str
) -> ResponseReturnValue:
    try:
        change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        return _page(version_id, {"_schema": [sentence(refusal)]}, refusal.status)
    flash(told, "success")
    return redirect(url_for("agreements.page", version_id=version_id), 303)


def _new(errors: dict[str, list[str]], problems: Any, status: int) -> ResponseReturnValue:
    return render_template(
        "programme/agreement_new.html", form=request.form, errors=errors, problems=problems
    ), status


def _page(version_id: int, errors: dict[str, list[str]], status: int) -> ResponseReturnValue:
    actor = current_actor()
    with reading() as session:
        file = found(agreement_file(session, version_id))
        rows = _rows(session, file)
    answer = render_template(
        "programme/agreement.html",
        file=file,
        rows=rows,
        form=request.form,
        errors=errors,
        states=AgreementState,
        is_own=file.line.version.proposed_by == actor.person_id,
        may_publish=permitted(actor, "programme:agreement:publish"),
    )
    return answer, status


def _rows(session: Session, file: AgreementFile) -> Any:
    return rows_of(file.line.agreement, regions=file.region_names, services=service_labels(session))
