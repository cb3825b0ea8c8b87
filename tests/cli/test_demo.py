"""The demo shows a case in every state, made by the product's own steps, and its books and files are sound."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from voucher.cli import main
from voucher.cli.demo import YOUNGEST, told_between
from voucher.clock import fiscal_year
from voucher.db import Database
from voucher.models.applications import Appeal, Application
from voucher.models.catalogue import CatalogueEntry
from voucher.models.checks import CheckFinding, PartyBan
from voucher.models.claims import Claim, InvoiceUse
from voucher.models.contracts import Instalment
from voucher.models.disputes import Dispute
from voucher.models.evaluations import Evaluation, Rectification
from voucher.models.joining import Authorisation, CounterDevice, CounterPin, DeskCase, PreparedPaper
from voucher.models.messages import Message
from voucher.models.notices import Notice, NoticeLine, NoticePlace, Objection
from voucher.models.orders import Order
from voucher.models.parties import Certification
from voucher.models.people import Person, RoleGrant
from voucher.models.review import ClaimDefect, ExpertOpinion, Recusal, StandIn
from voucher.models.sessions import RedemptionSession
from voucher.models.settlements import SettlementBatch, SettlementLine
from voucher.models.versions import PolicyProposal
from voucher.models.vouchers import Voucher
from voucher.rules.lifecycle import TABLES
from voucher.terms import (
    AppealState,
    ApplicationState,
    BatchState,
    CertificationState,
    ClaimState,
    DeskKind,
    EntryState,
    EvaluationState,
    InstalmentState,
    LineState,
    MessageChannel,
    NoticeOutcome,
    NoticeState,
    ObjectionState,
    OrderChannel,
    OrderState,
    PolicyState,
    RectificationState,
    Role,
    SessionState,
    VoucherState,
)

STATES: tuple[tuple[InstrumentedAttribute[str], type[StrEnum]], ...] = (
    (Order.state, OrderState),
    (Claim.state, ClaimState),
    (Application.state, ApplicationState),
    (Appeal.state, AppealState),
    (Voucher.state, VoucherState),
    (SettlementBatch.state, BatchState),
    (SettlementLine.state, LineState),
    (Certification.state, CertificationState),
    (Notice.state, NoticeState),
    (NoticeLine.outcome, NoticeOutcome),
    (Objection.state, ObjectionState),
    (Evaluation.state, EvaluationState),
    (Rectification.state, RectificationState),
    (PolicyProposal.state, PolicyState),
    (Instalment.state, InstalmentState),
    (CatalogueEntry.state, EntryState),
    (RedemptionSession.state, SessionState),
)
# A counter session waits ten minutes at most: the worker would end it before anybody looks.
PASSING = {SessionState.OPEN, SessionState.SCANNED, SessionState.PROPOSED}


@pytest.fixture
def demo(told_demo: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """The told demo, as the command line finds it."""
    url = f"sqlite:///{told_demo / 'voucher.db'}"
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv("FILES_DIR", str(told_demo / "files"))
    database = Database(url)
    yield database
    database.dispose()


def run(*words: str) -> Result:
    return CliRunner().invoke(main, list(words))


def test_every_machine_that_docs_cases_draws_is_looked_at() -> None:
    assert set(TABLES) <= {states for _, states in STATES}


@pytest.mark.parametrize(("column", "states"), STATES, ids=[states.__name__ for _, states in STATES])
def test_every_state_has_a_case(
    demo: Database, column: InstrumentedAttribute[str], states: type[StrEnum]
) -> None:
    with demo.read() as session:
        shown = set(session.scalars(select(column).distinct()))
    assert {state for state in states if state.value not in shown} - PASSING == set()


def test_the_books_and_the_files_of_the_demo_are_sound(demo: Database) -> None:
    for words in (("ledger", "verify"), ("files", "verify")):
        checked = run(*words)
        assert checked.exit_code == 0, checked.output


def test_hledger_accepts_the_journal_of_the_demo(demo: Database, tmp_path: Path) -> None:
    exported = run("ledger", "export")
    assert exported.exit_code == 0, exported.output
    done = subprocess.run(
        ["hledger", "-f", "-", "check", "--strict"], input=exported.stdout, capture_output=True, text=True,
        timeout=60, env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_everybody_of_the_demo_has_a_password_and_every_role_somebody(
    demo: Database, told_demo: Path
) -> None:
    passwords = json.loads((told_demo / "passwords.json").read_text("utf-8"))
    with demo.read() as session:
        assert set(passwords) == set(session.scalars(select(Person.login)))
        acting = set(session.scalars(select(RoleGrant.role).distinct()))
    absent = {Role.SYSTEM_ADMIN, Role.AUDIT_ADMIN}  # they run the installation, and see no case
    assert {role for role in Role if role.value not in acting} == absent


def test_three_defects_a_shared_invoice_and_a_contract_of_three_orders(demo: Database) -> None:
    with demo.read() as session:
        defects = _most(session, ClaimDefect.return_id)
        shares = _most(session, InvoiceUse.invoice_id)
        orders = _most(session, Order.contract_ref, Order.contract_ref != "")
    assert (defects, shares, orders) == (3, 3, 3)


def _most(session: Session, column: InstrumentedAttribute[Any], *where: ColumnElement[bool]) -> int:
    """How often the most frequent value of a column stands there."""
    often = func.count(column)
    return session.scalars(select(often).where(*where).group_by(column).order_by(often.desc()).limit(1)).one()


@pytest.mark.parametrize(
    ("column", "where"),
    [
        (Order.id, Order.channel == OrderChannel.POST_SUBSIDY.value),
        (Order.id, Order.cancel_asked_by != ""),
        (CheckFinding.id, CheckFinding.settled_at.is_(None)),
        (CheckFinding.id, CheckFinding.settled_at.is_not(None)),
        (ExpertOpinion.id, ExpertOpinion.given_at.is_(None)),
        (ExpertOpinion.id, ExpertOpinion.given_at.is_not(None)),
        (Recusal.id, Recusal.ended_at.is_(None)),
        (StandIn.id, StandIn.ended_at.is_(None)),
        (Dispute.id, Dispute.outcome.is_(None) & Dispute.escalated_at.is_(None)),
        (Dispute.id, Dispute.escalated_at.is_not(None)),
        (PartyBan.id, PartyBan.lifted_at.is_(None)),
        (PartyBan.id, PartyBan.lifted_at.is_not(None)),
        (CounterDevice.id, CounterDevice.revoked_at.is_(None)),
        (CounterPin.person_id, CounterPin.pin_hash != ""),
        (PreparedPaper.id, PreparedPaper.id > 0),
        (Authorisation.id, Authorisation.mandates == "order,upload"),
        (DeskCase.id, DeskCase.kind == DeskKind.CONVERT.value),
        (NoticePlace.id, NoticePlace.id > 0),
        (Message.id, Message.channel == MessageChannel.EMAIL.value),
    ],
    ids=str,
)  # fmt: skip
def test_there_is_somebody_or_something_of_every_kind(
    demo: Database, column: InstrumentedAttribute[int], where: ColumnElement[bool]
) -> None:
    with demo.read() as session:
        assert session.scalars(select(func.count(column)).where(where)).one()


def test_a_bookkeeper_acts_for_two_firms(demo: Database) -> None:
    with demo.read() as session:
        query = select(func.count(RoleGrant.organisation_id.distinct())).where(
            RoleGrant.role == Role.BOOKKEEPER.value
        )
        assert session.scalars(query).one() == 2


def test_told_again_it_changes_nothing(demo: Database) -> None:
    again = run("demo")
    assert again.exit_code == 0
    assert "未写入" in again.output


@pytest.mark.parametrize("day", [1, 40, 74])
def test_a_year_too_young_for_its_stories_is_not_told_but_the_one_before(day: int) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day)
    begins, ends = told_between(now)
    assert fiscal_year(begins) == fiscal_year(ends) == 2025
    assert ends - begins > YOUNGEST


def test_a_grown_year_is_told_up_to_now() -> None:
    now = datetime(2026, 6, 1, 3, tzinfo=UTC)
    begins, ends = told_between(now)
    assert fiscal_year(begins) == 2026
    assert now - ends == timedelta(minutes=30)
