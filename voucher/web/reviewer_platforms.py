"""Platforms: the register, certifying, suspending, reinstating and taking off the register."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from voucher.errors import Refusal, found
from voucher.operations.certify import (
    Certified,
    CertifyRequest,
    ChangeRequest,
    certify,
    reinstate,
    revoke,
    suspend,
)
from voucher.operations.outcome import Refused, only
from voucher.queries.certifications import PlatformFile, certified_platforms, platform_file
from voucher.queries.evaluations import results_about
from voucher.queries.policies import policy_of, versions
from voucher.schemas.base import ReasonForm, load_form
from voucher.schemas.claims import CertifyForm, PlatformSearch
from voucher.schemas.messages import sentence
from voucher.terms import CertificationState, Certifier, VoucherKind
from voucher.web.access import current_actor, permits
from voucher.web.deeds import timeline_of
from voucher.web.entry import change, form_body, form_key, reading
from voucher.web.filtering import filters_of

blueprint = Blueprint("platforms", __name__, url_prefix="/reviewer/platforms")

_Verb = Callable[..., list[Certified | Refused]]
_VERBS: Final[dict[str, tuple[_Verb, str]]] = {
    "suspend": (suspend, "暂停收券"),
    "reinstate": (reinstate, "恢复收券"),
    "revoke": (revoke, "摘牌"),
}


@blueprint.get("/")
@permits("reviewer:platform:certify")
def index() -> ResponseReturnValue:
    """The register."""
    wanted, args = filters_of(PlatformSearch)
    with reading() as session:
        return render_template(
            "reviewer/platforms.html",
            page=certified_platforms(
                session, text=wanted["text"], state=wanted["state"], page=wanted["page"]
            ),
            args=args,
            states=CertificationState,
        )


@blueprint.get("/<int(max=9223372036854775807):platform_id>")
@permits("reviewer:platform:certify")
def platform_page(platform_id: int) -> ResponseReturnValue:
    """One platform: its certifications, the form for another one, its history."""
    return _page(platform_id, {}, {})


@blueprint.post("/<int(max=9223372036854775807):platform_id>/certify")
@permits("reviewer:platform:certify")
def send_certify(platform_id: int) -> ResponseReturnValue:
    """Certify."""
    data, errors = load_form(CertifyForm, request.form)
    if errors:
        return _page(platform_id, request.form, errors)
    last = data["to_on"]
    wanted = CertifyRequest(
        platform_id=platform_id,
        certifier=data["certifier"],
        region_code=data["region_code"],
        kinds=tuple(data["kinds"]),
        services=tuple(data["services"]),
        document_no=data["document_no"],
        from_on=data["from_on"],
        to_on=last + timedelta(days=1) if last else None,
    )

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"id": only(certify(session, [wanted], actor=current_actor(), at=at)).certification_id}

    try:
        change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        return _page(platform_id, request.form, {"_schema": [sentence(refusal)]}, refusal.status)
    flash("认定已登记，平台可以收券。", "success")
    return redirect(url_for("platforms.platform_page", platform_id=platform_id), 303)


@blueprint.post(
    "/<int(max=9223372036854775807):platform_id>/certifications/<int(max=9223372036854775807):certification_id>/<verb>"
)
@permits("reviewer:platform:certify")
def send_change(platform_id: int, certification_id: int, verb: str) -> ResponseReturnValue:
    """Suspend, reinstate or revoke a certification, with the reason."""
    if verb not in _VERBS:
        abort(404)
    operation, word = _VERBS[verb]
    data, errors = load_form(ReasonForm, request.form)
    if errors:
        return _page(platform_id, request.form, errors)
    wanted = ChangeRequest(certification_id, data["reason"])

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"state": only(operation(session, [wanted], actor=current_actor(), at=at)).state.value}

    try:
        change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        return _page(platform_id, request.form, {"_schema": [sentence(refusal)]}, refusal.status)
    flash(f"已{word}。", "success")
    return redirect(url_for("platforms.platform_page", platform_id=platform_id), 303)


def _page(
    platform_id: int, form: Any, errors: dict[str, list[str]], status: int = 422
) -> ResponseReturnValue:
    with reading() as session:
        file: PlatformFile = found(platform_file(session, current_actor(), platform_id))
        results = results_about(session, platform_id=platform_id)
        services = {
            service.code: service.label
            for version in versions(session)
            for service in policy_of(session, version.code).services
        }
    page = render_template(
        "reviewer/platform.html",
        file=file,
        results=results,
        services=sorted(services.items()),
        certifiers=Certifier,
        kinds=VoucherKind,
        regions=sorted(current_actor().region_codes),
        form=form,
        chosen={name: form.getlist(name) if form else [] for name in ("kinds", "services")},
        history=timeline_of(file.history),
        errors=errors,
    )
    return page, status if errors else 200
