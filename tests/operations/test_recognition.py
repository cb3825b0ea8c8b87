"""Vouchers used at platforms of another region: placed, held, captured, stopped; and how agreements come and go."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from tests import factories
from tests.factories import SERVICES, Provider
from tests.operations import counter
from tests.operations.counter import refuses, standing
from tests.operations.recognition_world import (
    CERTIFIED,
    Two,
    listed,
    proposed,
    published,
    recognised,
    two_provinces,
)
from tests.operations.stories import Told
from tests.operations.test_settlement import settled
from tests.rules.agreements import DOCUMENT, changed
from voucher.errors import Code
from voucher.ledger import accounts
from voucher.ledger.accounts import Ref
from voucher.ledger.balances import free_balance, standings
from voucher.ledger.verify import verify
from voucher.models.agreements import AgreementListing, AgreementStep
from voucher.models.orders import Order
from voucher.models.parties import Certification
from voucher.money import Fen
from voucher.operations.agreement_registry import (
    ListRequest,
    SuspendRequest,
    list_platform,
    readmit_platform,
    suspend_platform,
    take_off,
)
from voucher.operations.confirm_session import confirm_session, reject_session
from voucher.operations.outcome import only
from voucher.operations.place_order import PlaceRequest, place_order
from voucher.operations.propose import propose
from voucher.operations.publish_agreement import (
    AgreementText,
    StepRequest,
    end_agreement,
    propose_agreement,
    publish_agreement,
    revoke_agreement,
    withdraw_agreement,
)
from voucher.queries.platforms import offers
from voucher.queries.policies import policy_of
from voucher.rules.permissions import Actor
from voucher.terms import CertificationState, OrderState, Role

Work = Callable[[Session, datetime], object]


def placing(told: Told, voucher: str, platform: Provider, *, service: str = SERVICES[0]) -> Work:
    request = PlaceRequest(voucher, platform.platform_id, service)
    actor = told.world.firm.actor
    return lambda session, at: only(place_order(session, [request], actor=actor, at=at))


def confirming(told: Told, number: str) -> Work:
    actor = told.world.firm.actor
    return lambda session, at: only(confirm_session(session, [number], actor=actor, at=at))


def suspending(two: Two, by: Actor, region: str) -> Work:
    request = SuspendRequest(
        agreement="JINSHAN", platform_id=two.platform.platform_id, region_code=region, reason="整改"
    )
    return lambda session, at: suspend_platform(session, request, actor=by, at=at)


def certification(told: Told, two: Two, **values: object) -> None:
    def work(session: Session, _at: datetime) -> None:
        row = session.get_one(Certification, two.platform.certification_id)
        for name, value in values.items():
            setattr(row, name, value)

    told.do(work)


def quota(told: Told, firm_ref: str = "") -> tuple[int, int, int]:
    found = standing(told, accounts.quota("JINSHAN", firm_ref, 2026))
    return found.opened_fen, found.reserved_fen, found.available_fen


def test_an_order_at_a_recognised_platform_keeps_the_agreements_version_and_its_region(told: Told) -> None:
    two = two_provinces(told)
    voucher = told.voucher()
    refuses(
        told,
        Code.NOT_RECOGNISED,
        placing(told, voucher, two.platform),
        reason="no_agreement",
        home_name="山西省",
        certifying_name="陕西省",
    )
    version_id = published(told, two)
    facts = {"reason": "registry", "document_no": "演晋陕互认〔2026〕1号", "clause": "4"}
    refuses(told, Code.NOT_RECOGNISED, placing(told, voucher, two.platform), **facts)
    listed(told, two)
    told.do(placing(told, voucher, two.platform))
    order = told.one(Order, platform_id=two.platform.platform_id)
    assert (order.agreement_version_id, order.recognised_region) == (version_id, "610000")


def test_the_certifying_region_counts_and_not_the_address(told: Told) -> None:
    two = two_provinces(told, stands_in="140100", certified_by="610000")
    voucher = told.voucher()
    refuses(told, Code.NOT_RECOGNISED, placing(told, voucher, two.platform), reason="no_agreement")
    published(told, two, CERTIFIED)
    told.do(placing(told, voucher, two.platform))
    assert told.one(Order, platform_id=two.platform.platform_id).recognised_region == "610000"
    abroad = told.do(lambda s, at: factories.provider(s, region_code="610100", at=at))
    told.do(placing(told, voucher, abroad))
    assert told.one(Order, platform_id=abroad.platform_id).agreement_version_id is None


@pytest.mark.parametrize(
    ("pairs", "reason", "clause"),
    [
        ((("value = 2026-01-01", "value = 2026-03-03"),), "agreement_expired", "7"),
        ((('["innovation_voucher"]', '["startup_voucher"]'),), "kind", "2"),
        (
            (('["innovation_service_purchase", "technical_cooperation"]', '["technical_cooperation"]'),),
            "service",
            "3",
        ),
        (
            (
                ('value = "both"', 'value = "one_way"'),
                ('book = "140000"', 'book = "140000"\npart = "provider"'),
                ('book = "610000"', 'book = "610000"\npart = "home"'),
            ),
            "direction",
            "1",
        ),
    ],
)
def test_what_the_agreement_does_not_cover_is_refused_with_its_clause(
    told: Told, pairs: tuple[tuple[str, str], ...], reason: str, clause: str
) -> None:
    two = recognised(told, *pairs)
    refuses(
        told, Code.NOT_RECOGNISED, placing(told, told.voucher(), two.platform), reason=reason, clause=clause
    )


def test_the_agreement_of_the_days_between_its_edges_admits(told: Told) -> None:
    edges = (("value = 2026-01-01", "value = 2026-03-02"), ("2027-12-31", "2026-03-02"))
    two = recognised(told, *edges)
    told.do(placing(told, told.voucher(), two.platform))
    told.at = datetime.fromisoformat("2026-03-03T00:00+08:00")
    refuses(
        told, Code.NOT_RECOGNISED, placing(told, told.voucher(), two.platform), reason="agreement_expired"
    )


def test_either_region_suspends_and_only_the_same_lets_in_again(told: Told) -> None:
    two = recognised(told)
    voucher, home = told.voucher(), told.world.officer
    refuses(told, Code.NOT_FOUND, suspending(two, home, "610000"))
    told.do(suspending(two, home, "140000"))
    refuses(told, Code.STATE_CHANGED, suspending(two, home, "140000"))
    told.do(suspending(two, two.officer, "610000"))

    def lifting(by: Actor, region: str) -> Work:
        request = SuspendRequest(
            agreement="JINSHAN", platform_id=two.platform.platform_id, region_code=region, reason="改好"
        )
        return lambda session, at: readmit_platform(session, request, actor=by, at=at)

    facts = {"reason": "provider_status", "clause": "4"}
    refuses(told, Code.NOT_RECOGNISED, placing(told, voucher, two.platform), **facts)
    told.do(lifting(home, "140000"))
    refuses(told, Code.NOT_RECOGNISED, placing(told, voucher, two.platform), **facts)
    told.do(lifting(two.officer, "610000"))
    refuses(told, Code.STATE_CHANGED, lifting(two.officer, "610000"))
    certification(told, two, state=CertificationState.SUSPENDED.value)
    refuses(told, Code.NOT_RECOGNISED, placing(told, voucher, two.platform), **facts)
    certification(told, two, state=CertificationState.CERTIFIED.value)
    told.do(placing(told, voucher, two.platform))


def test_a_proposal_is_cut_to_the_firms_ceiling_and_then_refused_with_the_clause(told: Told) -> None:
    two = recognised(told)
    voucher, firm = told.voucher(), told.world.firm.holder_ref
    held = counter.proposed(told, voucher, 160_000_00)
    assert held.held_fen == 60_000_00
    assert [(cut["limit"], cut["by_fen"]) for cut in held.reductions] == [("quota", 20_000_00)]
    assert quota(told, firm) == (60_000_00, 60_000_00, 0)
    assert quota(told) == (1_000_000_00, 60_000_00, 940_000_00)
    number = counter.scanned(told, voucher)
    facts = {"reason": "ceiling", "clause": "6", "quota_fen": 60_000_00, "left_fen": 0}
    facts |= {"firm_left_fen": 0, "total_left_fen": 940_000_00}
    request = [counter.request_of(number, 100_00)]
    refuses(
        told,
        Code.NOT_RECOGNISED,
        lambda s, at: only(propose(s, request, actor=two.platform.scanner, at=at)),
        **facts,
    )


def test_the_home_programmes_cap_stays_one_wherever_the_firm_buys(told: Told) -> None:
    home = told.world.platform
    recognised(told, ("value = 6_000_000", "value = 90_000_000"))
    first, second = told.voucher(), told.voucher()
    counter.redeemed(told, first, 300_000_00)
    told.world = replace(told.world, platform=home)
    number = counter.scanned(told, second)
    held = told.do(
        lambda s, at: only(propose(s, [counter.request_of(number, 300_000_00)], actor=home.scanner, at=at))
    )
    assert held.held_fen == 50_000_00
    assert counter.cap_of(told).available_fen == 0


def test_a_rejected_proposal_gives_the_quota_back(told: Told) -> None:
    recognised(told)
    held = counter.proposed(told, told.voucher(), 10_000_00)
    assert quota(told)[1:] == (5_000_00, 995_000_00)
    told.do(
        lambda s, at: reject_session(s, held.session, reason="价格不符", actor=told.world.firm.actor, at=at)
    )
    assert quota(told)[1:] == (0, 1_000_000_00)


def stop(told: Told, two: Two, how: str) -> None:
    version = told.one(AgreementStep).version_id
    if how == "revoked":
        request = StepRequest(version_id=version, reason="查实虚假服务", document_no="撤1号")
        told.do(lambda s, at: revoke_agreement(s, request, actor=two.officer, at=at))
    elif how == "taken off":
        entry = told.one(AgreementListing).id
        told.do(lambda s, at: take_off(s, entry, reason="资质失效", actor=told.world.officer, at=at))
    elif how == "suspended":
        told.do(suspending(two, told.world.officer, "140000"))
    else:
        certification(told, two, state=CertificationState.REVOKED.value)


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("revoked", "agreement_expired"),
        ("taken off", "registry"),
        ("suspended", "provider_status"),
        ("struck off at home", "provider_status"),
    ],
)
def test_what_is_withdrawn_between_hold_and_capture_stops_the_capture(
    told: Told, how: str, reason: str
) -> None:
    two = recognised(told)
    held = counter.proposed(told, told.voucher(), 10_000_00)
    stop(told, two, how)
    refuses(told, Code.NOT_RECOGNISED, confirming(told, held.session), reason=reason)
    told.do(
        lambda s, at: reject_session(s, held.session, reason="停止互认", actor=told.world.firm.actor, at=at)
    )
    assert quota(told)[1:] == (0, 1_000_000_00)


def test_an_agreement_that_ends_leaves_its_orders_and_admits_no_new_one(told: Told) -> None:
    two = recognised(told)
    voucher = told.voucher()
    held = counter.proposed(told, voucher, 10_000_00)
    version = told.one(AgreementStep).version_id
    ending = StepRequest(version_id=version, reason="到期不续", from_on=date(2026, 3, 2))
    told.do(lambda s, at: end_agreement(s, ending, actor=two.officer, at=at))
    refuses(told, Code.NOT_RECOGNISED, placing(told, voucher, two.platform), reason="agreement_expired")
    told.do(confirming(told, held.session))
    assert told.one(Order, number=held.order).state == OrderState.CAPTURED.value


def test_an_order_keeps_the_version_of_its_day_when_another_follows(told: Told) -> None:
    flat = '\n[[rate_lines]]\nrate_bp = 3_000\nsource = { document_no = "演晋陕互认〔2026〕1号", item = "3", quote = "互认的服务为购买创新服务" }\n\n[kinds]'
    own_rate = ("\n[kinds]", flat)
    two = recognised(told, ("2027-12-31", "2026-03-31"), own_rate)
    voucher = told.voucher()
    held = counter.proposed(told, voucher, 10_000_00)
    assert held.held_fen == 3_000_00
    following = (
        ('code = "JINSHAN-2026"', 'code = "JINSHAN-2026-2"'),
        ("value = 2026-01-01", "value = 2026-04-01"),
    )
    later = published(told, two, *following)
    told.do(confirming(told, held.session))
    told.at = datetime.fromisoformat("2026-04-01T08:00+08:00")
    again = counter.proposed(told, voucher, 10_000_00)
    assert (again.held_fen, told.one(Order, number=again.order).agreement_version_id) == (5_000_00, later)


def test_an_order_is_held_at_contract_filing_by_the_agreement_of_its_day(told: Told) -> None:
    two = recognised(told)
    number = told.held_order(contract_fen=100_000_00)
    assert told.one(Order, number=number).held_fen == 50_000_00
    assert quota(told)[1:] == (50_000_00, 950_000_00)
    assert two.platform.platform_id == told.one(Order, number=number).platform_id
    told.captured_order(contract_fen=20_000_00)
    assert quota(told, told.world.firm.holder_ref) == (60_000_00, 50_000_00, 0)


def test_two_persons_publish_and_nothing_is_edited(told: Told) -> None:
    two = two_provinces(told)
    version = proposed(told)
    officer = told.world.officer
    refuses(
        told, Code.SELF_APPROVAL, lambda s, at: publish_agreement(s, version.version_id, actor=officer, at=at)
    )
    stranger = replace(two.second, region_codes=frozenset({"310000"}))
    refuses(
        told, Code.NOT_FOUND, lambda s, at: publish_agreement(s, version.version_id, actor=stranger, at=at)
    )
    refuses(
        told, Code.AGREEMENT_EXISTS, lambda s, at: propose_agreement(s, _given(), actor=two.officer, at=at)
    )
    told.do(lambda s, at: publish_agreement(s, version.version_id, actor=two.officer, at=at))
    refuses(
        told,
        Code.STATE_CHANGED,
        lambda s, at: publish_agreement(s, version.version_id, actor=two.second, at=at),
    )
    withdrawing = StepRequest(version_id=version.version_id)
    refuses(told, Code.STATE_CHANGED, lambda s, at: withdraw_agreement(s, withdrawing, actor=officer, at=at))


def test_no_region_is_bound_without_an_officer_of_its_own(told: Told) -> None:
    two = two_provinces(told)
    version = proposed(told)
    colleague = told.do(
        lambda s, at: factories.person(
            s, Role.PROGRAMME_OFFICER, region_code="140000", book_id=told.world.book_id, at=at
        )
    )
    refuses(
        told,
        Code.PARTNER_MISSING,
        lambda s, at: publish_agreement(s, version.version_id, actor=colleague, at=at),
    )
    told.do(lambda s, at: publish_agreement(s, version.version_id, actor=two.officer, at=at))


def test_the_database_itself_refuses_that_one_person_proposes_and_publishes(told: Told) -> None:
    two_provinces(told)
    version, officer = proposed(told), told.world.officer

    def work(session: Session, at: datetime) -> None:
        session.add(
            AgreementStep(
                version_id=version.version_id,
                proposed_by=officer.person_id,
                kind="publish",
                done_by=officer.person_id,
                done_at=at,
            )
        )
        session.flush()

    with pytest.raises(IntegrityError, match="two_persons"):
        told.do(work)


def test_a_withdrawn_proposal_makes_room_for_a_corrected_one(told: Told) -> None:
    two = two_provinces(told)
    version, officer = proposed(told), told.world.officer
    request = StepRequest(version_id=version.version_id, reason="有误")
    told.do(lambda s, at: withdraw_agreement(s, request, actor=officer, at=at))
    published(told, two)


def _given(*pairs: tuple[str, str]) -> AgreementText:
    return AgreementText(text=changed(*pairs), document_text=DOCUMENT)


def proposing(by: Actor, *pairs: tuple[str, str]) -> Work:
    given = _given(*pairs)
    return lambda session, at: propose_agreement(session, given, actor=by, at=at)


def test_a_faulty_text_or_one_with_a_strange_region_or_book_is_not_taken(told: Told) -> None:
    two_provinces(told)
    officer = told.world.officer
    faults = {
        "remit": (('value = "clearing"', 'value = "direct"'),),
        "parties[1].region": (('region = "610000"', 'region = "990000"'),),
        "parties[1].book": (('book = "610000"', 'book = "990000"'),),
    }
    for key, pairs in faults.items():
        refuses(told, Code.AGREEMENT_INVALID, proposing(officer, *pairs), key=key)


def test_two_agreements_for_the_same_regions_and_days_name_both_documents(told: Told) -> None:
    two = two_provinces(told)
    first = published(told, two)
    other = (
        ('agreement = "JINSHAN"', 'agreement = "OTHER"'),
        ('code = "JINSHAN-2026"', 'code = "OTHER-1"'),
    )
    document = DOCUMENT.replace("演晋陕互认〔2026〕1号", "另2号")
    given = AgreementText(text=changed(*other, ("演晋陕互认〔2026〕1号", "另2号")), document_text=document)

    def again(session: Session, at: datetime) -> object:
        return propose_agreement(session, given, actor=told.world.officer, at=at)

    facts = {
        "document_no": "另2号",
        "other_document_no": "演晋陕互认〔2026〕1号",
        "home_name": "山西省",
        "certifying_name": "陕西省",
    }
    refuses(told, Code.AGREEMENT_OVERLAPS, again, **facts)
    request = StepRequest(version_id=first, reason="撤", document_no="撤1号")
    told.do(lambda s, at: revoke_agreement(s, request, actor=two.officer, at=at))
    told.do(again)


def test_ending_and_revoking_ask_for_a_reason_and_a_version_in_force(told: Told) -> None:
    two = two_provinces(told)
    version = proposed(told).version_id
    late = StepRequest(version_id=version, reason="终止", from_on=date(2028, 1, 1))

    def ending(request: StepRequest) -> Work:
        return lambda session, at: end_agreement(session, request, actor=two.officer, at=at)

    def revoking(request: StepRequest) -> Work:
        return lambda session, at: revoke_agreement(session, request, actor=two.officer, at=at)

    bare = StepRequest(version_id=version)
    refuses(told, Code.STATE_CHANGED, ending(late))
    refuses(told, Code.STATE_CHANGED, revoking(late))
    told.do(lambda s, at: publish_agreement(s, version, actor=two.officer, at=at))
    refuses(told, Code.STATE_CHANGED, ending(late))
    refuses(told, Code.REASON_MISSING, ending(replace(bare, from_on=date(2026, 5, 1))))
    refuses(told, Code.REASON_MISSING, revoking(bare))
    refuses(told, Code.NOT_FOUND, ending(replace(late, version_id=99)))
    told.do(ending(replace(late, from_on=date(2026, 5, 1))))
    told.do(revoking(late))
    refuses(told, Code.STATE_CHANGED, revoking(late))


def test_an_entry_of_the_registry_is_made_once_and_taken_off_once(told: Told) -> None:
    two = recognised(told)
    entry = told.one(AgreementListing)
    assert listed(told, two) == entry.id

    def listing(**changes: object) -> Work:
        given = {
            "agreement": "JINSHAN",
            "platform_id": two.platform.platform_id,
            "document_no": "名录第1批",
            "from_on": date(2026, 1, 1),
        }
        request = ListRequest(**given | changes)  # type: ignore[arg-type]
        return lambda session, at: list_platform(session, request, actor=two.officer, at=at)

    refuses(told, Code.ALREADY_REGISTERED, listing(document_no="名录第2批"))
    refuses(told, Code.NOT_FOUND, listing(platform_id=9_999))
    refuses(told, Code.NOT_FOUND, listing(agreement="NONE"))
    with pytest.raises(ValueError, match="ends after"):
        told.do(listing(to_on=date(2026, 1, 1)))

    def off(reason: str, entry_id: int = entry.id) -> Work:
        return lambda s, at: take_off(s, entry_id, reason=reason, actor=two.officer, at=at)

    refuses(told, Code.REASON_MISSING, off(" "))
    refuses(told, Code.NOT_FOUND, off("x", 99))
    told.do(off("资质失效"))
    refuses(told, Code.STATE_CHANGED, off("资质失效"))
    refuses(told, Code.NOT_RECOGNISED, placing(told, told.voucher(), two.platform), reason="registry")


def test_a_contract_of_an_order_under_an_agreement_goes_by_the_agreements_rates(told: Told) -> None:
    recognised(told)
    order = told.captured_order(contract_fen=20_000_00)
    row = told.one(Order, number=order)
    assert (row.captured_fen, row.rule_code) == (10_000_00, f"{row.policy_code}@{row.agreement_version_id}")
    with told.database.read() as session:
        assert session.scalars(select(Order.held_fen)).all() == [0]
    assert Fen(row.captured_fen) == 10_000_00


def test_two_thirds_and_a_third_across_two_provinces_from_order_to_settlement(told: Told) -> None:
    two = recognised(told, ("value = 6_000_000", "value = 20_000_000"))
    home, other = told.world.book_id, two.book_id
    pledge = accounts.pledge(f"JINSHAN|{told.world.programme_code}", 2026)

    def left(ref: Ref) -> int:
        with told.database.read() as session:
            return standings(session, other, [ref])[ref].available_fen

    def moved(book_id: int, ref: Ref) -> int:
        with told.database.read() as session:
            return free_balance(session, book_id, ref)

    order = told.captured_order(contract_fen=200_000_00)
    assert (left(pledge), left(accounts.share(order))) == (966_666_66, 33_333_34)
    claim = told.approved(order=order, amount_fen=200_000_00)
    assert (left(pledge), left(accounts.share(order))) == (966_666_67, 33_333_33)
    settled(told, claim)
    assert moved(home, accounts.clearing("610000")) == -33_333_33
    assert moved(other, accounts.clearing("140000")) == 33_333_33
    assert moved(home, accounts.recovered(told.world.programme_code, 2026)) == 33_333_33
    assert left(accounts.share(order)) == 0
    assert quota(told)[2] == 900_000_00
    with told.database.read() as session:
        assert verify(session).faults == ()


def test_without_a_pledge_of_the_other_province_nothing_is_held(told: Told) -> None:
    two = two_provinces(told)
    published(told, two)
    listed(told, two)
    told.world = replace(told.world, platform=two.platform)
    number = counter.scanned(told, told.voucher())
    request = [counter.request_of(number, 100_00)]
    refuses(
        told,
        Code.PLEDGE_EXCEEDED,
        lambda s, at: only(propose(s, request, actor=two.platform.scanner, at=at)),
    )


def test_the_list_of_platforms_names_those_of_other_regions_only_where_an_agreement_recognises_them(
    told: Told,
) -> None:
    two = two_provinces(told)

    def listed_there() -> dict[int, str]:
        with told.database.read() as session:
            policy = policy_of(session, told.world.policy_code)
            return {each.platform.id: each.agreement for each in offers(session, policy, on=date(2026, 3, 2))}

    home = told.world.platform.platform_id
    assert listed_there() == {home: ""}
    published(told, two)
    assert listed_there() == {home: ""}
    listed(told, two)
    assert listed_there() == {home: "", two.platform.platform_id: "演晋陕互认〔2026〕1号"}
    told.do(suspending(two, told.world.officer, "140000"))
    assert listed_there() == {home: ""}
