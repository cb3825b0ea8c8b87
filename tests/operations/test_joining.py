"""One-time codes, authorisations, leavers, and the counter of two persons (issue 3, item 1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from tests import factories
from tests.operations.joining_world import KEY, Joining, paper
from tests.operations.stories import document
from voucher.clock import business_date
from voucher.codes import make_uscc
from voucher.db import Database
from voucher.errors import Code, Refusal
from voucher.models.claims import Document
from voucher.models.joining import Authorisation, Departure, DeskCase, JoinCode
from voucher.models.people import Person, RoleGrant
from voucher.operations.authorise import AuthorisationRequest, Authorised, authorise, end_authorisations
from voucher.operations.claim import claim
from voucher.operations.desk import DeskDecision, DeskRequest, decide, take_in
from voucher.operations.enrol import Enrolment, Grant, GrantRequest, enrol, grant
from voucher.operations.issue_codes import issue_letters, issue_resets
from voucher.operations.join import Joiner, Newcomer, join, reset_password
from voucher.operations.join_codes import MOST_LIVE, MadeCode, Presentation, join_key
from voucher.operations.leave import LeaveRequest, leave
from voucher.operations.outcome import Refused, only
from voucher.operations.prepare_papers import PrepareRequest, prepare_papers
from voucher.operations.staff import EndRequest, StaffRequest, end_staff, invite
from voucher.queries.people import standing_of
from voucher.rules.permissions import MANDATED, PERMISSIONS, permitted
from voucher.terms import DeskKind, DocumentKind, Mandate, Role

OPERATOR, APPROVER = Role.ENTERPRISE_OPERATOR, Role.ENTERPRISE_APPROVER


@pytest.fixture
def world(database: Database) -> Joining:
    return Joining(database)


def letter(world: Joining) -> tuple[str, MadeCode]:
    """A firm without an account, and the code on its letter."""

    def work(session: Session, at: datetime) -> tuple[str, MadeCode]:
        owner = factories.organisation(session)
        factories.holder(session, owner)
        codes = issue_letters(session, [owner.id], key=KEY, actor=world.world.reviewer, at=at)
        return owner.uscc, only(codes)

    return world.do(work)


def request(world: Joining, **changes: object) -> AuthorisationRequest:
    today = business_date(world.at)
    given = AuthorisationRequest(
        organisation_id=world.world.firm.organisation_id,
        name="李四",
        role=OPERATOR,
        mandates=frozenset({Mandate.ORDER}),
        from_on=today,
        to_on=today + timedelta(days=90),
        letter=paper("授权书.pdf"),
    )
    return replace(given, **changes)  # type: ignore[arg-type]


def authorised(world: Joining, **changes: object) -> Authorised:
    wanted, actor = request(world, **changes), world.world.firm.actor
    return world.do(lambda session, at: only(authorise(session, [wanted], key=KEY, actor=actor, at=at)))


def wrong(digits: str) -> str:
    """The same code with another secret part."""
    return digits[:4] + f"{(int(digits[4:]) + 1) % 10**8:08d}"


def test_a_code_is_twelve_digits_of_which_only_a_keyed_hash_is_kept(world: Joining) -> None:
    _, code = letter(world)
    assert len(code.digits) == 12 and code.digits.isdecimal()
    row = world.one(JoinCode, id=code.code_id)
    assert row.selector == code.digits[:4] and code.digits not in str(vars(row))
    assert len(row.code_hash) == 64


def test_a_code_is_used_once_and_opens_the_account(world: Joining) -> None:
    ref, code = letter(world)
    actor = world.actor(world.joins(ref, code, APPROVER, OPERATOR))
    assert actor.roles == {APPROVER, OPERATOR} and permitted(actor, "enterprise:authority:grant")
    answer = world.tries(ref, code.digits)
    assert isinstance(answer, Refused) and answer.code is Code.JOIN_CODE_WRONG


def test_a_letter_makes_nobody_anything_else(world: Joining) -> None:
    ref, code = letter(world)
    for role in (Role.REVIEWER, Role.SECURITY_ADMIN, Role.PROVIDER_MANAGER):
        with pytest.raises(Refusal, match="role_scope_missing"):
            world.tries(ref, code.digits, role)
    world.joins(ref, code)


def test_five_wrong_tries_end_a_code_and_four_do_not(world: Joining) -> None:
    ref, code = letter(world)
    for _ in range(4):
        world.tries(ref, wrong(code.digits))
    world.joins(ref, code)
    ref, code = letter(world)
    for _ in range(5):
        world.tries(ref, wrong(code.digits))
    answer = world.tries(ref, code.digits)
    assert isinstance(answer, Refused) and answer.code is Code.JOIN_CODE_WRONG


def test_a_stranger_who_knows_the_firm_alone_cannot_end_its_code(world: Joining) -> None:
    """A try counts against the code that its first four digits name."""
    ref, code = letter(world)
    other = f"{(int(code.digits[:4]) + 1) % 10_000:04d}{code.digits[4:]}"
    for number in range(10):
        world.tries(ref, other, source=f"203.0.113.{number}")
    world.joins(ref, code)


def test_an_address_that_tries_too_often_is_locked_out_even_with_the_right_code(world: Joining) -> None:
    ref, code = letter(world)
    for _ in range(20):
        world.tries(make_uscc("140105", 1), "111122223333")
    answer = world.tries(ref, code.digits)
    assert isinstance(answer, Refused) and answer.code is Code.LOCKED_OUT
    assert answer.facts["minutes"] == 15
    world.after(minutes=15)
    world.joins(ref, code)


def test_a_code_ends_by_its_time_and_by_a_newer_one(world: Joining) -> None:
    ref, code = letter(world)
    row = world.one(JoinCode, id=code.code_id)
    newer = world.do(
        lambda session, at: only(
            issue_letters(session, [row.organisation_id], key=KEY, actor=world.world.reviewer, at=at)
        )
    )
    assert isinstance(world.tries(ref, code.digits), Refused)
    world.after(days=30)
    assert isinstance(world.tries(ref, newer.digits), Refused)


def test_another_secret_key_ends_every_code(world: Joining) -> None:
    ref, code = letter(world)
    joiner, given = Joiner(world.world.firm.actor), Presentation(ref, code.digits, "198.51.100.7")
    answer = world.do(lambda session, at: join(session, given, joiner, key=join_key("another"), at=at))
    assert isinstance(answer, Refused) and answer.code is Code.JOIN_CODE_WRONG


def test_no_letter_for_a_firm_with_an_account_or_of_another_region(world: Joining) -> None:
    firm, actor = world.world.firm.organisation_id, world.world.reviewer
    world.refuses(
        Code.ACCOUNT_EXISTS,
        lambda session, at: issue_letters(session, [firm], key=KEY, actor=actor, at=at),
    )
    far = replace(actor, region_codes=frozenset({"610000"}))
    world.refuses(
        Code.NOT_FOUND,
        lambda session, at: issue_letters(session, [firm], key=KEY, actor=far, at=at),
    )


def test_a_login_that_is_taken_leaves_the_code_good(world: Joining) -> None:
    ref, code = letter(world)
    first = world.joins(ref, code)
    login = world.one(Person, id=first.person_id).login
    ref, code = letter(world)
    joiner = Joiner(Newcomer(login=login, name="同名", password_hash="-"))
    given = Presentation(ref, code.digits, "198.51.100.7")
    with pytest.raises(Refusal, match="login_taken"):
        world.do(lambda session, at: join(session, given, joiner, key=KEY, at=at))
    world.joins(ref, code)


def test_a_scope_narrows_what_the_operator_may_do_for_that_firm(world: Joining) -> None:
    """Orders for one firm, papers for another: neither permission reaches over to the other firm."""
    first = authorised(world)
    operator = world.actor(world.joins(world.world.firm.uscc, first.code))
    assert permitted(operator, "enterprise:order:place") and permitted(operator, "enterprise:order:read")
    for withheld in MANDATED - {
        "enterprise:order:place", "enterprise:order:cancel", "enterprise:session:open",
    }:  # fmt: skip
        assert not permitted(operator, withheld), withheld
    other = world.do(lambda session, at: factories.firm(session, reviewer=world.world.reviewer))
    world.world = replace(world.world, firm=other)
    second = authorised(world, mandates=frozenset({Mandate.UPLOAD}))
    given = Presentation(other.uscc, second.code.digits, "198.51.100.7")
    world.do(lambda session, at: join(session, given, Joiner(operator), key=KEY, at=at))
    with world.database.read() as session:
        standing = standing_of(session, operator.person_id, on=business_date(world.at))
    assert standing is not None
    placing = standing.acting_for(["enterprise:order:place"]).organisation_ids
    preparing = standing.acting_for(["enterprise:claim:prepare"]).organisation_ids
    assert preparing == {other.organisation_id} and other.organisation_id not in placing
    assert standing.actor.organisation_ids == placing | preparing


def test_every_deed_of_an_enterprise_stands_in_one_mandate_or_is_the_approvers() -> None:
    """So that a new permission is not given to every authorised operator by oversight."""
    deeds = {
        name
        for name, roles in PERMISSIONS.items()
        if OPERATOR in roles and not name.startswith("own:") and not name.endswith(":read")
    }
    assert deeds == MANDATED


def test_an_authorisation_begins_on_its_day_and_ends_on_its_day(world: Joining) -> None:
    today = business_date(world.at)
    given = authorised(world, from_on=today + timedelta(days=2), to_on=today + timedelta(days=5))
    joined = world.joins(world.world.firm.uscc, given.code)

    def roles(day: date) -> frozenset[Role]:
        with world.database.read() as session:
            standing = standing_of(session, joined.person_id, on=day)
        assert standing is not None
        return standing.actor.roles

    assert [bool(roles(today + timedelta(days=n))) for n in (0, 1, 2, 4, 5)] == [
        False, False, True, True, False,
    ]  # fmt: skip


def test_an_authorisation_needs_letter_mandate_days_and_firm(world: Joining) -> None:
    wrong: list[tuple[dict[str, object], Code]] = [
        ({"letter": None}, Code.FILE_REFUSED),
        ({"mandates": frozenset()}, Code.ROLE_SCOPE_MISSING),
        ({"role": APPROVER}, Code.ROLE_SCOPE_MISSING),
        ({"to_on": date(2026, 3, 2)}, Code.AUTHORISATION_PERIOD),
        ({"to_on": date(2032, 1, 1)}, Code.AUTHORISATION_PERIOD),
        ({"organisation_id": 10**6}, Code.NOT_FOUND),
    ]
    actor = world.world.firm.actor
    asked = [request(world, **changes) for changes, _ in wrong]
    answers = world.do(lambda session, at: authorise(session, asked, key=KEY, actor=actor, at=at))
    assert [getattr(answer, "code", None) for answer in answers] == [code for _, code in wrong]


def test_a_bookkeeper_of_several_firms_prepares_claims_and_nothing_else(world: Joining) -> None:
    first = authorised(world, role=Role.BOOKKEEPER, mandates=frozenset(Mandate))
    bookkeeper = world.actor(world.joins(world.world.firm.uscc, first.code))
    allowed = {name for name in PERMISSIONS if permitted(bookkeeper, name) and name.startswith("enterprise:")}
    assert allowed == {"enterprise:claim:prepare", "enterprise:order:read"}
    other = world.do(lambda session, at: factories.firm(session, reviewer=world.world.reviewer))
    wanted = request(world, role=Role.BOOKKEEPER, organisation_id=other.organisation_id)
    second = world.do(
        lambda session, at: only(authorise(session, [wanted], key=KEY, actor=other.actor, at=at))
    )
    given = Presentation(other.uscc, second.code.digits, "198.51.100.7")
    world.do(lambda session, at: join(session, given, Joiner(bookkeeper), key=KEY, at=at))
    firms = {world.world.firm.organisation_id, other.organisation_id}
    assert world.now(bookkeeper).organisation_ids == firms


def test_no_bookkeeper_without_an_end(world: Joining) -> None:
    grant = Grant(role=Role.BOOKKEEPER, organisation_id=world.world.firm.organisation_id)
    wanted = Enrolment(login="daizhang", name="代账", password_hash="-", grants=(grant,))
    world.refuses(
        Code.AUTHORISATION_PERIOD,
        lambda session, at: enrol(session, [wanted], actor=world.world.firm.actor, at=at),
    )


def test_an_authorisation_is_taken_up_by_the_person_whom_it_names(world: Joining) -> None:
    given = authorised(world, name="王 五")
    with pytest.raises(Refusal, match="name_differs"):
        world.joins(world.world.firm.uscc, given.code, name="赵六")
    assert world.actor(world.joins(world.world.firm.uscc, given.code, name="王五")).roles


def test_an_approver_does_not_take_up_their_own_authorisation(world: Joining) -> None:
    given = authorised(world)
    actor = world.world.firm.actor
    asked = Presentation(world.world.firm.uscc, given.code.digits, "198.51.100.7")
    with pytest.raises(Refusal, match="self_approval"):
        world.do(lambda session, at: join(session, asked, Joiner(actor), key=KEY, at=at))


def test_the_end_of_an_authorisation_ends_sessions_role_and_an_unused_code(world: Joining) -> None:
    taken, waiting = authorised(world), authorised(world, name="王五")
    joined = world.joins(world.world.firm.uscc, taken.code)
    actor = world.world.firm.actor
    both = [taken.authorisation_id, waiting.authorisation_id]
    world.do(lambda session, at: end_authorisations(session, both, actor=actor, at=at))
    assert world.one(Person, id=joined.person_id).session_version == joined.session_version + 1
    assert world.actor(joined).roles == frozenset()
    assert isinstance(world.tries(world.world.firm.uscc, waiting.code.digits), Refused)
    world.refuses(
        Code.NOT_FOUND,
        lambda session, at: end_authorisations(
            session, [taken.authorisation_id], actor=world.world.platform.manager, at=at
        ),
    )


def leaving(
    world: Joining, person: int, successor: int | None = None
) -> Callable[[Session, datetime], list[object]]:
    wanted = LeaveRequest(world.world.firm.organisation_id, person, successor)
    actor = world.world.firm.actor
    return lambda session, at: list(leave(session, [wanted], actor=actor, at=at))


def test_a_leaver_hands_over_what_is_open_to_a_named_colleague(world: Joining) -> None:
    given = authorised(world)
    joined = world.joins(world.world.firm.uscc, given.code)
    order = world.held_order()
    world.refuses(Code.SUCCESSOR_MISSING, leaving(world, joined.person_id), open=order)
    world.refuses(Code.NOT_FOUND, leaving(world, joined.person_id, world.world.reviewer.person_id))
    world.do(leaving(world, joined.person_id, world.world.firm.actor.person_id))
    departure = world.one(Departure)
    assert departure.open_tasks == {"orders": [order]}
    assert world.actor(joined).roles == frozenset()
    assert world.one(Authorisation).ended_at is not None
    assert world.one(Person, id=joined.person_id).session_version > joined.session_version


def test_the_last_approver_does_not_leave(world: Joining) -> None:
    world.refuses(Code.LAST_IN_CHARGE, leaving(world, world.world.firm.actor.person_id))


def test_the_last_manager_does_not_leave_the_platform_and_nobody_ends_anothers(world: Joining) -> None:
    place, manager = world.world.platform, world.world.platform.manager
    wanted = [EndRequest(place.platform_id, manager.person_id)]
    world.refuses(Code.LAST_IN_CHARGE, lambda session, at: end_staff(session, wanted, actor=manager, at=at))
    stranger = replace(manager, platform_ids=frozenset({10**6}))
    world.refuses(Code.NOT_FOUND, lambda session, at: end_staff(session, wanted, actor=stranger, at=at))


def test_an_approver_resets_no_password_of_somebody_who_also_works_elsewhere(world: Joining) -> None:
    given = authorised(world)
    joined = world.joins(world.world.firm.uscc, given.code)
    actor, other = world.world.firm.actor, world.world.platform

    def also(session: Session, at: datetime) -> None:
        session.add(
            RoleGrant(
                person_id=joined.person_id,
                role=Role.PROVIDER_SCANNER.value,
                platform_id=other.platform_id,
                from_on=business_date(at),
            )
        )

    reset = [joined.person_id]
    assert isinstance(
        only(world.do(lambda session, at: issue_resets(session, reset, key=KEY, actor=actor, at=at))),
        MadeCode,
    )
    world.do(also)
    world.refuses(
        Code.OTHER_DUTIES,
        lambda session, at: issue_resets(session, reset, key=KEY, actor=actor, at=at),
    )
    world.refuses(
        Code.NOT_FOUND,
        lambda session, at: issue_resets(
            session, [world.world.reviewer.person_id], key=KEY, actor=actor, at=at
        ),
    )


def reset_code(world: Joining, person_id: int) -> MadeCode:
    """A code for a colleague's new password, from the firm's approver."""
    actor = world.world.firm.actor
    return only(world.do(lambda session, at: issue_resets(session, [person_id], key=KEY, actor=actor, at=at)))


def is_dead(world: Joining, code: MadeCode) -> bool:
    """Whether a code for a new password is none any more."""
    given = Presentation(world.world.firm.uscc, code.digits, "198.51.100.8")
    answer = world.do(lambda session, at: reset_password(session, given, password_hash="x", key=KEY, at=at))
    return isinstance(answer, Refused) and answer.code is Code.JOIN_CODE_WRONG


def test_a_code_for_a_new_password_ends_when_its_person_leaves(world: Joining) -> None:
    joined = world.joins(world.world.firm.uscc, authorised(world).code)
    code = reset_code(world, joined.person_id)
    world.do(leaving(world, joined.person_id))
    assert is_dead(world, code)


def test_a_code_for_a_new_password_ends_when_its_person_works_elsewhere_too(world: Joining) -> None:
    joined = world.joins(world.world.firm.uscc, authorised(world).code)
    code = reset_code(world, joined.person_id)
    more = GrantRequest(joined.person_id, Grant(role=Role.REVIEWER, region_code="140000"))
    world.do(lambda session, at: only(grant(session, [more], actor=world.world.reviewer, at=at)))
    assert is_dead(world, code)


def test_an_organisation_has_two_hundred_codes_at_a_time_and_the_oldest_ends(world: Joining) -> None:
    place = world.world.platform
    wanted = [StaffRequest(place.platform_id, Role.PROVIDER_SCANNER)] * (MOST_LIVE + 1)
    codes = world.do(lambda session, at: invite(session, wanted, key=KEY, actor=place.manager, at=at))
    first, second = codes[0], codes[1]
    assert isinstance(first, MadeCode) and isinstance(second, MadeCode)
    assert isinstance(world.tries(place.uscc, first.digits), Refused)
    world.joins(place.uscc, second)


def test_codes_that_an_approver_made_end_with_a_new_legal_representative(world: Joining) -> None:
    colleague = world.joins(world.world.firm.uscc, authorised(world).code)
    reset, back_door = reset_code(world, colleague.person_id), authorised(world, name="后门").code
    case = world.case(DeskKind.REPRESENTATIVE, world.world.firm.uscc, name="新代表")
    fresh = world.decided(case).code
    assert is_dead(world, reset)
    assert isinstance(world.tries(world.world.firm.uscc, back_door.digits), Refused)
    assert fresh is not None
    world.joins(world.world.firm.uscc, fresh)


def desk(world: Joining, kind: DeskKind, ref: str, **changes: object) -> DeskRequest:
    given = DeskRequest(kind=kind, ref=ref, papers=(paper(),), facts={"name": "张三"})
    return replace(given, **changes)  # type: ignore[arg-type]


def test_the_counter_opens_an_account_by_two_persons_on_papers(world: Joining) -> None:
    ref, _ = letter(world)
    bare = desk(world, DeskKind.ACCOUNT, ref, papers=())
    reviewer = world.world.reviewer
    world.refuses(Code.FILE_REFUSED, lambda session, at: take_in(session, [bare], actor=reviewer, at=at))
    case = world.case(DeskKind.ACCOUNT, ref, name="张三")
    again = desk(world, DeskKind.ACCOUNT, ref)
    world.refuses(Code.STATE_CHANGED, lambda session, at: take_in(session, [again], actor=reviewer, at=at))
    yes = [DeskDecision(case, True)]
    world.refuses(
        Code.SELF_APPROVAL,
        lambda session, at: decide(session, yes, key=KEY, actor=reviewer, at=at),
    )
    code = world.decided(case).code
    assert code is not None
    world.joins(ref, code)


def test_the_database_itself_refuses_one_person_as_both(world: Joining) -> None:
    ref, _ = letter(world)
    case = world.case(DeskKind.ACCOUNT, ref, name="张三")

    def forge(session: Session, at: datetime) -> None:
        row = session.get_one(DeskCase, case)
        row.state, row.checked_by, row.checked_at = "done", row.made_by, at
        session.flush()

    with pytest.raises(IntegrityError, match="two_persons"):
        world.do(forge)


def test_the_counter_resets_passwords_of_firms_and_platforms_and_of_nobody_in_the_bureau(
    world: Joining,
) -> None:
    firm = world.world.firm
    login = world.one(Person, id=firm.actor.person_id).login
    code = world.decided(world.case(DeskKind.RESET, firm.uscc, login=login)).code
    assert code is not None
    given = Presentation(firm.uscc, code.digits, "198.51.100.7")
    joined = world.do(lambda session, at: reset_password(session, given, password_hash="new", key=KEY, at=at))
    assert not isinstance(joined, Refused) and joined.person_id == firm.actor.person_id
    assert world.one(Person, id=firm.actor.person_id).password_hash == "new"

    def promoted(session: Session, at: datetime) -> None:
        session.add(
            RoleGrant(
                person_id=firm.actor.person_id,
                role=Role.FINANCE_CHECKER.value,
                book_id=world.world.book_id,
                from_on=business_date(at),
            )
        )

    world.do(promoted)
    asked = desk(world, DeskKind.RESET, firm.uscc, login=login)
    world.refuses(
        Code.OTHER_DUTIES,
        lambda session, at: take_in(session, [asked], actor=world.world.reviewer, at=at),
    )


def test_a_new_legal_representative_ends_every_approver_of_before(world: Joining) -> None:
    firm = world.world.firm
    operator = world.joins(firm.uscc, authorised(world).code)
    code = world.decided(world.case(DeskKind.REPRESENTATIVE, firm.uscc, name="新法人")).code
    assert code is not None
    assert APPROVER not in world.now(firm.actor).roles
    assert OPERATOR in world.actor(operator).roles
    assert APPROVER in world.actor(world.joins(firm.uscc, code)).roles


def test_a_reviewer_of_another_region_sees_no_case(world: Joining) -> None:
    ref, _ = letter(world)
    case = world.case(DeskKind.ACCOUNT, ref, name="张三")
    far = replace(world.second, region_codes=frozenset({"610000"}))
    world.refuses(
        Code.NOT_FOUND,
        lambda session, at: decide(session, [DeskDecision(case, True)], key=KEY, actor=far, at=at),
    )


def test_what_a_bookkeeper_prepared_goes_along_with_the_claim(world: Joining) -> None:
    firm, order = world.world.firm, world.captured_order()
    bookkeeper = world.actor(world.joins(firm.uscc, authorised(world, role=Role.BOOKKEEPER).code))
    proof = document(DocumentKind.PAYMENT_PROOF)
    wanted = [PrepareRequest(order, (proof,))]
    world.do(lambda session, at: only(prepare_papers(session, wanted, actor=bookkeeper, at=at)))
    request = world.claim_request(order)
    papers = tuple(each for each in request.documents if each.kind is not DocumentKind.PAYMENT_PROOF)
    bare = replace(request, documents=papers)
    world.do(lambda session, at: only(claim(session, [bare], actor=firm.actor, at=at)))
    with world.database.read() as session:
        kinds = set(session.scalars(select(Document.kind)))
    assert DocumentKind.PAYMENT_PROOF.value in kinds
    world.refuses(
        Code.STATE_CHANGED,
        lambda session, at: prepare_papers(session, wanted, actor=bookkeeper, at=at),
    )


def test_nobody_prepares_papers_for_another_firm(world: Joining) -> None:
    order = world.captured_order()
    other = world.do(lambda session, at: factories.firm(session, reviewer=world.world.reviewer))
    wanted = [PrepareRequest(order, (document(DocumentKind.RESULT),))]
    world.refuses(
        Code.NOT_FOUND,
        lambda session, at: prepare_papers(session, wanted, actor=other.actor, at=at),
    )
