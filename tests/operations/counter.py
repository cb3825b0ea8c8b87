"""The counter, told through its operations: a code shown, scanned, an amount proposed and confirmed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import factories
from tests.factories import Provider
from tests.operations.stories import Told, snapshot
from voucher.codes import Code20, Keys, make_code, scan_code
from voucher.errors import Code, Refusal
from voucher.ledger import accounts
from voucher.ledger.accounts import Ref
from voucher.ledger.balances import Standing, standings
from voucher.models.parties import Certification
from voucher.models.sessions import RedemptionSession
from voucher.models.vouchers import Voucher
from voucher.money import Fen
from voucher.operations.confirm_session import confirm_session
from voucher.operations.open_session import open_session
from voucher.operations.outcome import Refused, only
from voucher.operations.propose import ProposeRequest, propose
from voucher.operations.scan import ScanRequest, scan
from voucher.rules.permissions import Actor
from voucher.terms import CertificationState, VoucherState

KEYS = Keys.parse("07:" + "ab" * 32)


@dataclass(frozen=True, slots=True)
class Proposed:
    """A proposal: its session, its order, and what is held of it."""

    session: str
    order: str
    held_fen: int
    reductions: tuple[dict[str, object], ...]


def code_of(number: str, at: datetime) -> Code20:
    """What the holder's screen shows at that instant."""
    code = scan_code(make_code(KEYS, number, at))
    assert code is not None
    return code


def opened(told: Told, voucher: str, *, actor: Actor | None = None) -> str:
    """The number of a session that the firm opened."""
    firm = actor or told.world.firm.actor
    return told.do(lambda session, at: open_session(session, voucher, actor=firm, at=at).number)


def scanning(
    session: Session, provider: Provider, code: Code20, *, presented_at: datetime | None = None, at: datetime
) -> RedemptionSession | Refused:
    """One scan by a platform."""
    request = ScanRequest(code, provider.platform_id, presented_at or at)
    return scan(session, request, KEYS, actor=provider.scanner, at=at)


def scanned(told: Told, voucher: str, *, actor: Actor | None = None, by: Provider | None = None) -> str:
    """The number of a session whose code was scanned."""
    number, provider = opened(told, voucher, actor=actor), by or told.world.platform
    answer = told.do(lambda session, at: scanning(session, provider, code_of(number, at), at=at))
    assert isinstance(answer, RedemptionSession), answer
    return number


def request_of(number: str, gross_fen: int, **changes: Any) -> ProposeRequest:
    """A proposal for the first Shanxi service, of which half is the voucher's part."""
    return ProposeRequest(number, changes.pop("service", factories.SERVICES[0]), Fen(gross_fen), **changes)


def proposed(
    told: Told, voucher: str, gross_fen: int, *, actor: Actor | None = None, by: Provider | None = None
) -> Proposed:
    """A session that waits for the firm's confirmation; half of `gross_fen` is wanted."""
    number, provider = scanned(told, voucher, actor=actor, by=by), by or told.world.platform
    held = told.do(
        lambda session, at: only(
            propose(session, [request_of(number, gross_fen)], actor=provider.scanner, at=at)
        )
    )
    return Proposed(number, held.order.number, held.held_fen, held.reductions)


def redeemed(told: Told, voucher: str, gross_fen: int, *, actor: Actor | None = None) -> Proposed:
    """A whole redemption at the counter."""
    made, firm = proposed(told, voucher, gross_fen, actor=actor), actor or told.world.firm.actor
    told.do(lambda session, at: only(confirm_session(session, [made.session], actor=firm, at=at)))
    return made


def refuses(told: Told, code: Code, work: Callable[[Session, datetime], object], **facts: object) -> Refusal:
    """The work, run as an entry point runs it, is refused with these facts and leaves every table as it was."""
    before = snapshot(told.database)
    with pytest.raises(Refusal) as caught:
        told.do(work)
    assert caught.value.code is code, caught.value
    assert {name: caught.value.facts.get(name) for name in facts} == facts
    assert snapshot(told.database) == before
    return caught.value


def cap_of(told: Told, year: int = 2026, *, holder_ref: str = "") -> Standing:
    """The firm's cap as it stands."""
    ref = accounts.cap(factories.PROGRAMME, holder_ref or told.world.firm.holder_ref, year)
    return standing(told, ref)


def standing(told: Told, ref: Ref) -> Standing:
    """A limited account as it stands."""
    with told.database.read() as session:
        return standings(session, told.world.book_id, [ref])[ref]


def publish(told: Told, code: str, *pairs: tuple[str, str]) -> str:
    """One more published version of the Shanxi policy under another code, with these texts replaced."""
    text, fill = factories.SHANXI, factories.SHANXI_FILL
    for old, new in ((f'"{factories.POLICY}"', f'"{code}"'), *pairs):
        assert old in text + fill, old
        text, fill = text.replace(old, new), fill.replace(old, new)
    told.do(
        lambda session, at: factories.policy_version(
            session, told.world.officer, text=text, fills=(fill,), at=at
        )
    )
    return code


def state_of(told: Told, number: str) -> str:
    """The state of a session."""
    return told.one(RedemptionSession, number=number).state


def suspend(told: Told) -> None:
    """Suspend the world's platform."""

    def work(session: Session, _at: datetime) -> None:
        row = session.get_one(Certification, told.world.platform.certification_id)
        row.state = CertificationState.SUSPENDED.value

    told.do(work)


def revoke(told: Told, number: str) -> None:
    """Revoke a voucher, whatever it holds."""

    def work(session: Session, _at: datetime) -> None:
        row = session.scalars(select(Voucher).where(Voucher.number == number)).one()
        row.state = VoucherState.REVOKED.value

    told.do(work)


def scan_of(told: Told, code: Code20, **more: datetime) -> RedemptionSession | Refused:
    """A scan by the world's platform."""
    return told.do(lambda session, at: scanning(session, told.world.platform, code, at=at, **more))


def scan_refused(told: Told, code: Code20, why: Code, **facts: object) -> None:
    """A scan by the world's platform that is answered, and committed, with this refusal."""
    answer = scan_of(told, code)
    assert isinstance(answer, Refused), answer
    assert (answer.code, {name: answer.facts.get(name) for name in facts}) == (why, facts)
