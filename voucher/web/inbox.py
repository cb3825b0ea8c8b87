"""One's own messages, and by which other ways one wants to be told."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from voucher.dispatch.ways import open_channels
from voucher.operations.contacts import ContactRequest, mark_read, set_contact
from voucher.queries.messages import InboxLine, contact_of, inbox
from voucher.rules.permissions import Actor
from voucher.schemas.base import load_form
from voucher.schemas.notes import told
from voucher.schemas.notices import ContactForm, InboxSearch, ReadForm
from voucher.terms import MessageEvent, ProposalKind, Role
from voucher.web.access import current_actor, permits
from voucher.web.entry import change, form_body, form_key, reading, settings
from voucher.web.filtering import filters_of

blueprint = Blueprint("inbox", __name__, url_prefix="/account/messages")

_FIRM: Final = frozenset({Role.ENTERPRISE_OPERATOR, Role.ENTERPRISE_APPROVER})
_PLATFORM: Final = frozenset({Role.PROVIDER_SCANNER, Role.PROVIDER_MANAGER})
_BUREAU: Final = frozenset({Role.REVIEWER, Role.PROGRAMME_OFFICER})
_PAGES: Final = (
    ("O", _FIRM, "enterprise_orders.page"),
    ("O", _PLATFORM, "provider_orders.page"),
    ("C", _BUREAU, "reviewer.claim_page"),
    ("C", _FIRM, "enterprise_claims.page"),
    ("V", _FIRM, "enterprise.voucher_page"),
    ("N", _BUREAU, "objections.objection_page"),
)

_PROPOSALS: Final = {
    ProposalKind.POLICY: ("policies.proposal", {"proposal_id": "proposal"}),
    ProposalKind.AGREEMENT: ("agreements.page", {"version_id": "version"}),
    ProposalKind.YEAR_END: ("year_ends.page", {"code": "line"}),
    ProposalKind.FACTOR: ("factors.page", {"programme": "programme", "year": "year"}),
    ProposalKind.EVALUATION: ("evaluations.page", {"evaluation_id": "evaluation"}),
}
"""The page on which a proposal of a kind is answered, and which of its facts say where."""

_PUT_RIGHT: Final = (MessageEvent.RECTIFY_OVERDUE, MessageEvent.RECTIFY_ANSWERED)


@blueprint.get("/")
@permits("own:account:read")
def index() -> ResponseReturnValue:
    """The messages, the newest first, unread ones marked."""
    wanted, args = filters_of(InboxSearch)
    actor = current_actor()
    with reading() as session:
        page = inbox(session, actor.person_id, unread=bool(wanted["unread"]), page=wanted["page"])
    shown = [(line, told(line.event, line.subject, line.facts), _page_of(actor, line)) for line in page.rows]
    return render_template("messages/inbox.html", page=page, shown=shown, args=args)


@blueprint.post("/read")
@permits("own:account:read")
def send_read() -> ResponseReturnValue:
    """Mark one message as read, or all of them."""
    data, _ = load_form(ReadForm, request.form)
    ids = None if data.get("message") is None else [data["message"]]

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"read": mark_read(session, ids, actor=current_actor(), at=at)}

    change(work, key=form_key(), body=form_body())
    return redirect(url_for("inbox.index"), 303)


@blueprint.get("/contact")
@permits("own:account:read")
def contact_page() -> ResponseReturnValue:
    """Where and by which channels one is told."""
    with reading() as session:
        known = contact_of(session, current_actor().person_id)
    form = {"email": known.email, "mobile": known.mobile} if known else {}
    return _contact(form, known.channels if known else [], {}, 200)


@blueprint.post("/contact")
@permits("own:account:read")
def send_contact() -> ResponseReturnValue:
    """Set them."""
    data, errors = load_form(ContactForm, request.form)
    if errors:
        return _contact(request.form, request.form.getlist("channels"), errors, 422)
    wanted = ContactRequest(data["email"], data["mobile"], frozenset(data["channels"]))

    def work(session: Session, at: datetime) -> dict[str, Any]:
        set_contact(session, wanted, actor=current_actor(), at=at)
        return {}

    change(work, key=form_key(), body=form_body())
    flash("联系方式已保存。", "success")
    return redirect(url_for("account.profile"), 303)


def _contact(form: Any, chosen: list[str], errors: dict[str, list[str]], status: int) -> ResponseReturnValue:
    channels = [(channel.value, channel.label) for channel in open_channels(settings())]
    page = render_template(
        "messages/contact.html", form=form, chosen=chosen, channels=channels, errors=errors
    )
    return page, status


def _page_of(actor: Actor, line: InboxLine) -> str | None:
    """Where the reader finds the thing that a message is about."""
    if line.event is MessageEvent.PROPOSAL_WAITING:
        endpoint, names = _PROPOSALS[ProposalKind(str(line.facts["proposal_kind"]))]
        return url_for(endpoint, **{name: line.facts[fact] for name, fact in names.items()})
    if line.event in _PUT_RIGHT and actor.roles & _BUREAU:
        return url_for("evaluations.page", evaluation_id=line.facts["evaluation"])
    if line.event is MessageEvent.ALLOTMENT_GIVEN:
        return url_for("tenant.index")
    for letter, roles, endpoint in _PAGES:
        if line.subject.startswith(letter) and actor.roles & roles:
            return url_for(endpoint, number=line.subject)
    return None
