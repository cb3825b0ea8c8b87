"""Claims of several firms and providers, whose papers are their own unless a test says otherwise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from itertools import count
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import factories
from tests.factories import Firm, Provider
from tests.operations.stories import Told
from tests.published import rewrite
from voucher.errors import Code
from voucher.models.checks import CheckFinding
from voucher.models.claims import Claim
from voucher.models.parties import Organisation
from voucher.models.programmes import PolicyVersion
from voucher.operations.claim import claim
from voucher.operations.documents import GivenDocument
from voucher.operations.outcome import Refused, only
from voucher.operations.place_order import PlaceRequest, place_order
from voucher.operations.settle_finding import SettleRequest, settle_findings
from voucher.terms import DocumentKind

_papers = count(1)


def fill(told: Told, toml: str) -> None:
    """Add parameters to the version in force, as an authority fills them in."""

    def work(session: Session, _at: datetime) -> None:
        row = session.get_one(PolicyVersion, told.world.policy_code)
        rewrite(session, [f"{row.fills[0]}\n{toml}\n"], code=row.code)

    told.do(work)


def another(told: Told, *, firm: Firm | None = None, platform: Provider | None = None) -> Told:
    """The same story with another firm or platform in the leading parts."""
    other = copy(told)
    other.world = replace(told.world, firm=firm or told.world.firm, platform=platform or told.world.platform)
    return other


def new_firm(told: Told) -> Told:
    """The same story with a firm of its own."""
    firm = told.do(lambda session, at: factories.firm(session, reviewer=told.world.reviewer, at=at))
    return another(told, firm=firm)


def new_provider(told: Told) -> Told:
    """The same story with a provider of its own."""
    return another(told, platform=told.do(lambda session, at: factories.provider(session, at=at)))


def papers(**same: str) -> tuple[GivenDocument, ...]:
    """A file of each kind with a content of its own; `same` gives kinds the content of this name."""
    return tuple(
        GivenDocument(
            kind,
            sha256((same.get(kind.value) or f"paper {next(_papers)}").encode()).hexdigest(),
            1234,
            "application/pdf",
            f"{kind.label}.pdf",
        )
        for kind in DocumentKind
    )


def claimed(told: Told, **changes: Any) -> str:
    """The number of a claim of the story's firm against its platform, with its own papers and bank account."""
    order = changes.pop("order", "") or told.captured_order(
        contract_fen=changes.get("amount_fen", 100_000_00)
    )
    changes.setdefault("documents", papers())
    changes.setdefault(
        "payments",
        (told.payment(payer_account=f"62220{told.world.firm.organisation_id:014d}"),),
    )
    return told.claimed(order=order, **changes)


def refused(told: Told, **changes: Any) -> Refused:
    """Why the claim of the story's firm is refused."""
    order = changes.pop("order", "") or told.captured_order()
    changes.setdefault("documents", papers())
    request = told.claim_request(order, **changes)
    (answer,) = told.do(lambda session, at: claim(session, [request], actor=told.world.firm.actor, at=at))
    assert isinstance(answer, Refused), answer
    return answer


def findings(told: Told, number: str) -> dict[str, CheckFinding]:
    """What was found about a claim, by kind."""
    with told.database.read() as session:
        rows = session.scalars(
            select(CheckFinding).join(Claim, Claim.id == CheckFinding.claim_id).where(Claim.number == number)
        )
        return {row.kind: row for row in rows}


def kinds(told: Told, number: str, row_no: int) -> set[str]:
    """The kinds that one row of domain section 4 found about a claim."""
    return {kind for kind, row in findings(told, number).items() if row.row_no == row_no}


def placing(told: Told, voucher: str = "") -> Sequence[object]:
    """The answer to placing an order of the story's firm at its platform."""
    number, world = voucher or told.voucher(), told.world
    wish = PlaceRequest(number, world.platform.platform_id, factories.SERVICES[0])
    return told.do(lambda session, at: place_order(session, [wish], actor=world.firm.actor, at=at))


def place_refused(told: Told, code: Code, **facts: object) -> None:
    """Placing an order is refused so."""
    (answer,) = placing(told)
    assert isinstance(answer, Refused), answer
    assert answer.code is code
    assert {name: answer.facts.get(name) for name in facts} == facts


def change(told: Told, organisation_id: int, **columns: object) -> None:
    """Set columns of an organisation, as a register would."""

    def work(session: Session, _at: datetime) -> None:
        row = session.get_one(Organisation, organisation_id)
        for name, value in columns.items():
            setattr(row, name, value)

    told.do(work)


def one(told: Told, work: Callable[[Session, datetime], Sequence[Any]]) -> Any:
    """The answer to a sequence of one; refusals are raised."""
    return told.do(lambda session, at: only(work(session, at)))


def settle(told: Told, number: str, kind: str, reason: str) -> None:
    """The reviewer settles one finding of a claim."""
    request = SettleRequest(number, findings(told, number)[kind].seq, reason)
    reviewer = told.world.reviewer
    one(told, lambda session, at: settle_findings(session, [request], actor=reviewer, at=at))
