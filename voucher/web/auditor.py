"""The ledger as auditors, finance and officers browse it: postings, legs, accounts, caps."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from voucher.errors import found
from voucher.queries.account_reading import account_file, caps
from voucher.queries.ledger_reading import PostingFilter, posting_file, postings
from voucher.schemas.programme import AccountPage, CapSearch, PostingSearch
from voucher.terms import PostingKind
from voucher.web.access import current_actor, permits
from voucher.web.account_words import account_title
from voucher.web.entry import reading
from voucher.web.filtering import filters_of

blueprint = Blueprint("ledger", __name__, url_prefix="/ledger")
blueprint.add_app_template_filter(account_title, "account")


@blueprint.get("/")
@permits("ledger:posting:read")
def index() -> ResponseReturnValue:
    """The postings of the reader's books, newest first."""
    wanted, args = filters_of(PostingSearch)
    limits = PostingFilter(
        kind=wanted["kind"],
        from_on=wanted["from_on"],
        to_on=wanted["to_on"],
        account_id=wanted["account"],
        order_number=wanted["order"],
    )
    with reading() as session:
        rows, older = postings(session, current_actor(), limits, before=wanted["before"])
    return render_template("auditor/postings.html", rows=rows, older=older, args=args, kinds=PostingKind)


@blueprint.get("/postings/<uuid:posting_id>")
@permits("ledger:posting:read")
def posting_page(posting_id: UUID) -> ResponseReturnValue:
    """One posting with its legs."""
    with reading() as session:
        file = found(posting_file(session, current_actor(), posting_id))
    return render_template("auditor/posting.html", file=file)


@blueprint.get("/accounts/<int(max=9223372036854775807):account_id>")
@permits("ledger:posting:read")
def account_page(account_id: int) -> ResponseReturnValue:
    """One account with its entries."""
    wanted, _ = filters_of(AccountPage)
    with reading() as session:
        file = found(account_file(session, current_actor(), account_id, before=wanted["before"]))
    return render_template("auditor/account.html", file=file)


@blueprint.get("/caps")
@permits("ledger:posting:read")
def cap_list() -> ResponseReturnValue:
    """What every holder has used of its cap, the most used first."""
    wanted, args = filters_of(CapSearch)
    with reading() as session:
        page = caps(
            session, current_actor(), text=wanted["text"], period=wanted["period"], page=wanted["page"]
        )
    return render_template("auditor/caps.html", page=page, args=args)
