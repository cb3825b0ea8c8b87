"""The provider's side of claims: confirming those of firms, and claiming itself where the policy pays providers (通兑)."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue

from voucher.queries.orders import platforms_order
from voucher.web import claim_mend, claim_steps, claim_writing
from voucher.web.access import permits
from voucher.web.claim_writing import Side
from voucher.web.counter_words import words

blueprint = Blueprint("provider_claims", __name__, url_prefix="/provider")
blueprint.context_processor(words)
_SIDE: Final = Side("provider_claims", "provider_orders", "provider_appeals", platforms_order)


@blueprint.get("/orders/<number>/claim")
@permits("provider:claim:submit")
def new(number: str) -> ResponseReturnValue:
    """The form of a claim, with everything filled in that the order knows."""
    return claim_writing.blank(_SIDE, number)


@blueprint.post("/orders/<number>/claim")
@permits("provider:claim:submit")
def send(number: str) -> ResponseReturnValue:
    """Add a row, read an original, check the answers, go back to them, or send."""
    return claim_writing.send(_SIDE, number)


@blueprint.get("/claims")
@permits("provider:order:read")
def listing() -> ResponseReturnValue:
    """The claims on its orders, those that wait for its confirmation among them."""
    return claim_steps.listing(_SIDE)


@blueprint.get("/claims/<number>")
@permits("provider:order:read")
def page(number: str) -> ResponseReturnValue:
    """One claim: how far it is, what was decided and why, its papers."""
    return claim_steps.page(_SIDE, number)


@blueprint.get("/claims/<number>/documents/<int(max=9223372036854775807):document_id>")
@permits("provider:order:read")
def document(number: str, document_id: int) -> Response:
    """One file of a claim on its orders."""
    return claim_steps.document(number, document_id)


@blueprint.post("/claims/<number>/answer")
@permits("provider:claim:confirm")
def answer(number: str) -> ResponseReturnValue:
    """Confirm the firm's claim, or deny it."""
    return claim_steps.answer(_SIDE, number)


@blueprint.post("/claims/<number>/withdraw")
@permits("provider:claim:submit")
def withdraw(number: str) -> ResponseReturnValue:
    """Withdraw a claim that is not decided yet."""
    return claim_steps.withdraw(_SIDE, number)


@blueprint.get("/claims/<number>/mend")
@permits("provider:claim:submit")
def mend(number: str) -> ResponseReturnValue:
    """The form of a claim that came back, with its open items."""
    return claim_mend.form(_SIDE, number)


@blueprint.post("/claims/<number>/mend")
@permits("provider:claim:submit")
def send_mended(number: str) -> ResponseReturnValue:
    """Hand a mended claim in again."""
    return claim_mend.send(_SIDE, number)
