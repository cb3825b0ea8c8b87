"""Signing in: the lockout counts over all workers, tokens and sessions end, and duties stay apart."""

from __future__ import annotations

import threading
import time
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests import factories
from voucher.db import Database
from voucher.errors import Code, Refusal
from voucher.models.journal import Journal
from voucher.models.people import ApiToken, Person, RoleGrant, SignInFailure
from voucher.operations import authenticate, enrol
from voucher.operations.authenticate import Attempt, SignedIn, hash_password, password_matches, presented
from voucher.operations.enrol import Enrolled, Enrolment, Grant, GrantRequest
from voucher.operations.outcome import Refused
from voucher.queries.people import actor_of_login, standing_of, standing_of_token
from voucher.rules.permissions import Actor
from voucher.terms import Role

AT = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
DAY = date(2026, 3, 2)
PASSWORD = "correct-Horse-7"
ADMIN = Actor(person_id=0, ref="system:test", name="测试", roles=frozenset())


def enrolled(database: Database, login: str = "zhang", *grants: Grant) -> int:
    """A person with the password of these tests."""
    request = Enrolment(
        login=login, name="张三", password_hash=hash_password(PASSWORD, profile="test"), grants=grants
    )
    (answer,) = database.transaction(lambda s, at: enrol.enrol(s, [request], actor=ADMIN, at=at), at=AT)
    assert isinstance(answer, Enrolled)
    return answer.person_id


def attempt(
    database: Database, password: str, *, login: str = "zhang", source: str = "10.0.0.1", at: datetime = AT
) -> SignedIn | Refused:
    """One attempt in the three steps that every entry point takes."""
    with database.read() as session:
        kept = presented(session, login)
    matches = password_matches(password, kept.password_hash, profile="test")
    given = Attempt(login, source, matches, kept.session_version)
    return database.transaction(lambda s, at: authenticate.sign_in(s, given, at=at), at=at)


def code_of(outcome: object) -> Code | None:
    return outcome.code if isinstance(outcome, Refused) else None


def test_the_right_password_signs_in_and_is_written_in_the_journal(database: Database) -> None:
    person_id = enrolled(database)
    assert attempt(database, PASSWORD) == SignedIn(person_id, 1)
    with database.read() as session:
        actions = list(session.scalars(select(Journal.action).order_by(Journal.id)))
    assert actions == ["person.enrol", "account.sign_in"]


def test_an_unknown_login_a_wrong_password_and_a_disabled_person_look_the_same(database: Database) -> None:
    person_id = enrolled(database)
    wrong = attempt(database, "wrong-Password-1")
    assert attempt(database, PASSWORD, login="nobody") == wrong == Refused(Code.SIGN_IN_FAILED)
    database.transaction(lambda s, at: enrol.disable(s, [person_id], actor=ADMIN, at=at), at=AT)
    assert attempt(database, PASSWORD) == wrong


def test_after_five_failures_even_the_right_password_waits_fifteen_minutes(database: Database) -> None:
    enrolled(database)
    for _ in range(5):
        assert code_of(attempt(database, "wrong")) is Code.SIGN_IN_FAILED
    assert attempt(database, PASSWORD) == Refused(Code.LOCKED_OUT, {"minutes": 15})
    almost = AT + timedelta(minutes=15) - timedelta(microseconds=1)
    assert code_of(attempt(database, PASSWORD, at=almost)) is Code.LOCKED_OUT
    assert code_of(attempt(database, PASSWORD, at=AT + timedelta(minutes=15))) is None


def test_a_success_forgets_the_failures_before_it(database: Database) -> None:
    enrolled(database)
    for _ in range(4):
        attempt(database, "wrong")
    assert code_of(attempt(database, PASSWORD)) is None
    for _ in range(4):
        attempt(database, "wrong")
    assert code_of(attempt(database, PASSWORD)) is None


def test_fifty_failures_from_one_address_lock_that_address_for_every_login(database: Database) -> None:
    enrolled(database)
    for number in range(50):
        attempt(database, "wrong", login=f"guess{number}")
    assert code_of(attempt(database, PASSWORD)) is Code.LOCKED_OUT
    assert code_of(attempt(database, PASSWORD, source="10.0.0.2")) is None


def test_many_guesses_at_once_are_counted_as_exactly_as_one_after_the_other(pg_database: Database) -> None:
    enrolled(pg_database)
    outcomes: list[Code | None] = []
    threads = [
        threading.Thread(target=lambda: outcomes.append(code_of(attempt(pg_database, "wrong"))))
        for _ in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count(Code.SIGN_IN_FAILED) == 5
    assert outcomes.count(Code.LOCKED_OUT) == 7
    with pg_database.read() as session:
        assert session.scalar(select(func.count()).select_from(SignInFailure)) == 5


def test_a_password_changed_during_an_attempt_makes_it_fail(database: Database) -> None:
    person_id = enrolled(database)
    with database.read() as session:
        kept = presented(session, "zhang")
    change(database, person_id)
    late = Attempt("zhang", "10.0.0.1", True, kept.session_version)
    outcome = database.transaction(lambda s, at: authenticate.sign_in(s, late, at=at), at=AT)
    assert code_of(outcome) is Code.SIGN_IN_FAILED


def change(database: Database, person_id: int) -> int:
    new = hash_password("another-Horse-8", profile="test")
    return database.transaction(
        lambda s, at: enrol.change_password(s, person_id, password_hash=new, actor=ADMIN, at=at), at=AT
    )


def test_an_unknown_login_takes_about_as_long_as_a_known_one() -> None:
    kept = hash_password(PASSWORD, profile="full")
    password_matches("warm up", None, profile="full")

    def seconds(stored: str | None) -> float:
        began = time.process_time()
        assert not password_matches("wrong", stored, profile="full")
        return time.process_time() - began

    known = min(seconds(kept) for _ in range(3))
    unknown = min(seconds(None) for _ in range(3))
    assert 0.4 < unknown / known < 2.5


def test_a_token_is_kept_as_a_hash_and_ends_with_its_time_or_the_password(database: Database) -> None:
    person_id = enrolled(database)
    token, ends = database.transaction(
        lambda s, at: authenticate.issue_token(s, SignedIn(person_id, 1), at=at), at=AT
    )

    def holder_of(shown: str, at: datetime) -> bool:
        with database.read() as session:
            return standing_of_token(session, authenticate.token_hash(shown), at=at) is not None

    with database.read() as session:
        assert session.scalar(select(ApiToken.token_hash)) != token
    assert holder_of(token, AT)
    assert not holder_of(token[:-1], AT)
    assert not holder_of(token, ends)
    change(database, person_id)
    assert not holder_of(token, AT)


def test_a_login_is_given_once(database: Database) -> None:
    enrolled(database)
    again = Enrolment(login="zhang", name="李四", password_hash="-")
    other = Enrolment(login="li", name="李四", password_hash="-")
    answers = database.transaction(
        lambda s, at: enrol.enrol(s, [again, other, other], actor=ADMIN, at=at), at=AT
    )
    assert [code_of(answer) for answer in answers] == [Code.LOGIN_TAKEN, None, Code.LOGIN_TAKEN]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN),
        (Role.SECURITY_ADMIN, Role.AUDIT_ADMIN),
        (Role.AUDIT_ADMIN, Role.SYSTEM_ADMIN),
    ],
)
def test_one_person_never_holds_two_administrations(database: Database, first: Role, second: Role) -> None:
    both = Enrolment(
        login="both", name="两任", password_hash="-", grants=(Grant(role=first), Grant(role=second))
    )
    (answer,) = database.transaction(lambda s, at: enrol.enrol(s, [both], actor=ADMIN, at=at), at=AT)
    assert code_of(answer) is Code.DUTIES_SEPARATED
    # Nor later, nor when the first one has not begun yet.
    person_id = enrolled(database, "one", Grant(role=first, from_on=date(2027, 1, 1)))
    more = GrantRequest(person_id, Grant(role=second))
    (answer,) = database.transaction(lambda s, at: enrol.grant(s, [more], actor=ADMIN, at=at), at=AT)
    assert code_of(answer) is Code.DUTIES_SEPARATED
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(RoleGrant)) == 1


def test_an_enterprise_role_needs_its_enterprise_and_a_provider_role_its_place(database: Database) -> None:
    homeless = [
        Enrolment(login=role.value, name="无", password_hash="-", grants=(Grant(role=role),))
        for role in (Role.ENTERPRISE_OPERATOR, Role.PROVIDER_SCANNER)
    ]
    answers = database.transaction(lambda s, at: enrol.enrol(s, homeless, actor=ADMIN, at=at), at=AT)
    assert [code_of(answer) for answer in answers] == [Code.ROLE_SCOPE_MISSING] * 2


def test_a_new_role_ends_the_sessions_that_do_not_know_it(database: Database) -> None:
    person_id = enrolled(database)
    more = GrantRequest(person_id, Grant(role=Role.AUDITOR))
    database.transaction(lambda s, at: enrol.grant(s, [more], actor=ADMIN, at=at), at=AT)
    with database.read() as session:
        assert session.get_one(Person, person_id).session_version == 2


def test_nobody_is_disabled_or_changed_who_does_not_exist(database: Database) -> None:
    with pytest.raises(Refusal, match="not_found"):
        database.transaction(lambda s, at: enrol.disable(s, [77], actor=ADMIN, at=at), at=AT)
    with pytest.raises(Refusal, match="not_found"):
        change(database, 77)


def test_an_actor_has_the_roles_of_the_day_and_only_what_they_are_for(database: Database) -> None:
    def world(session: Session, at: datetime) -> tuple[int, list[int], int]:
        factories.places(session)
        host = factories.organisation(session, at=at)
        own = [factories.platform(session, host, name=name, at=at).id for name in ("甲室", "乙室")]
        firm = factories.organisation(session, at=at)
        return host.id, own, firm.id

    host, platforms, firm = database.transaction(world, at=AT)
    person_id = enrolled(
        database,
        "wang",
        Grant(role=Role.PROVIDER_MANAGER, organisation_id=host),
        Grant(role=Role.ENTERPRISE_OPERATOR, organisation_id=firm, from_on=DAY, to_on=date(2026, 4, 1)),
    )

    def actor_on(on: date) -> Actor:
        with database.read() as session:
            standing = standing_of(session, person_id, on=on)
        assert standing is not None
        return standing.actor

    actor = actor_on(DAY)
    assert actor.roles == {Role.PROVIDER_MANAGER, Role.ENTERPRISE_OPERATOR}
    assert actor.platform_ids == set(platforms)
    assert actor.organisation_ids == {firm}  # the host's own vouchers are not a provider's business
    assert actor_on(date(2026, 4, 1)).organisation_ids == frozenset()
    assert actor_on(date(2026, 3, 1)).roles == frozenset()
    with database.read() as session:
        assert actor_of_login(session, "nobody", on=DAY) is None
