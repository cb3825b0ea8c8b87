"""Versions beside and after each other: supersession, children, programmes of one owner, and what is over."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

import pytest
from sqlalchemy import Update, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from tests import factories
from tests.factories import FOLDER, SHANXI, SHANXI_FILL
from tests.operations.stories import Told, Work
from tests.operations.test_settlement import settled
from tests.published import change
from voucher.errors import Code, Refusal
from voucher.models.journal import Journal
from voucher.models.parties import Holder
from voucher.models.programmes import PolicyVersion, Programme
from voucher.models.regions import Region
from voucher.models.settlements import SettlementBatch
from voucher.money import Fen
from voucher.operations.applicant import applicant_of
from voucher.operations.fit_version import PublishRequest
from voucher.operations.issue import IssueRequest, issue
from voucher.operations.outcome import only
from voucher.operations.place_order import PlaceRequest, place_order
from voucher.operations.policies import policy_in_force, policy_of
from voucher.operations.publish import Published
from voucher.rules.permissions import Actor
from voucher.schemas.messages import sentence

DOCUMENT = (FOLDER / "documents" / "shanxi-2022.txt").read_text("utf-8")
CHILDREN = {"lvliang-innovation-2022": "lvliang-2022", "zezhou-innovation-2022": "zezhou-2022"}


def read(name: str) -> str:
    return (FOLDER / name).read_text("utf-8")


def request(*pairs: tuple[str, str], book: str = "140000", supersedes: str | None = None) -> PublishRequest:
    """The Shanxi version with these texts replaced in file, fill-in and document."""
    text, fill, document = SHANXI, SHANXI_FILL, DOCUMENT
    for old, new in pairs:
        assert old in text + fill, old
        text, fill = text.replace(old, new), fill.replace(old, new)
        document = document.replace(old, new)
    if supersedes is not None:
        text = text.replace("[policy]\n", f'[policy]\nsupersedes = "{supersedes}"\n')
    return PublishRequest(text=text, fills=(fill,), document_text=document, book_code=book)


def second_version(
    day: str = "2026-05-01", *, supersedes: str | None = "CN-140000-INNO-2022"
) -> PublishRequest:
    return request(
        ('code = "CN-140000-INNO-2022"', 'code = "CN-140000-INNO-NEW"'),
        ('policy = "CN-140000-INNO-2022"', 'policy = "CN-140000-INNO-NEW"'),
        ("value = 2022-03-11", f"value = {day}"),
        ("20_000_000\nsource", "50_000_000\nsource"),
        ("不超过 20 万元", "不超过 50 万元"),
        supersedes=supersedes,
    )


def child(name: str, *pairs: tuple[str, str], book: str = "140000") -> PublishRequest:
    text, fill = read(f"{name}.toml"), read(f"fills/{name}-demo.toml")
    for old, new in pairs:
        assert old in text + fill, old
        text, fill = text.replace(old, new), fill.replace(old, new)
    return PublishRequest(
        text=text, fills=(fill,), document_text=read(f"documents/{CHILDREN[name]}.txt"), book_code=book
    )


def publish(told: Told, wanted: PublishRequest, *, actor: Actor | None = None) -> Published:
    by = actor or told.world.officer
    return told.do(lambda session, at: factories.publish(session, wanted, actor=by, at=at))


def refusal(told: Told, wanted: PublishRequest, *, actor: Actor | None = None) -> Refusal:
    with pytest.raises(Refusal) as caught:
        publish(told, wanted, actor=actor)
    return caught.value


def local(told: Told, region: str) -> Actor:
    """An officer of a place who has no book."""
    return replace(told.world.officer, region_codes=frozenset({region}), book_ids=frozenset())


def test_a_version_that_names_the_one_before_ends_it_the_day_before_and_changes_none_of_its_words(
    told: Told,
) -> None:
    before = told.one(PolicyVersion, code=factories.POLICY)
    publish(told, second_version())
    after = told.one(PolicyVersion, code=factories.POLICY)
    assert (after.effective_to, after.superseded_by) == (date(2026, 5, 1), "CN-140000-INNO-NEW")
    assert (after.text, after.fills, after.sha256) == (before.text, before.fills, before.sha256)
    (row,) = [each for each in told.rows(Journal) if each.action == "policy.supersede"]
    assert row.facts["superseded_by"] == "CN-140000-INNO-NEW"
    with told.database.read() as session:
        last = policy_in_force(session, factories.PROGRAMME, datetime.fromisoformat("2026-04-30T23:59+08:00"))
        first = policy_in_force(
            session, factories.PROGRAMME, datetime.fromisoformat("2026-05-01T00:00+08:00")
        )
    assert (last.code, last.effective_to) == (factories.POLICY, date(2026, 5, 1))
    assert first.code == "CN-140000-INNO-NEW"


def test_the_day_on_which_a_version_ends_is_set_once_whoever_writes(told: Told) -> None:
    publish(told, second_version())
    for changes in ({"effective_to": None}, {"superseded_by": None}, {"effective_to": date(2026, 9, 1)}):
        statement = update(PolicyVersion).where(PolicyVersion.code == factories.POLICY).values(**changes)
        with pytest.raises(DBAPIError):
            told.do(executing(statement))


def test_a_second_version_on_the_same_days_that_supersedes_nothing_names_both_documents(told: Told) -> None:
    refused = refusal(told, second_version(supersedes=None))
    assert refused.code is Code.POLICY_OVERLAPS
    assert refused.facts["other_policy"] == factories.POLICY
    assert refused.facts["document_no"] == refused.facts["other_document_no"] == "晋发改高新发〔2022〕79号"


@pytest.mark.parametrize("day", ["2022-03-11", "2022-03-10"])
def test_nothing_is_superseded_from_its_first_day_on_or_before(told: Told, day: str) -> None:
    assert refusal(told, second_version(day)).facts["key"] == "policy.supersedes"


def test_only_a_version_of_the_same_programme_that_still_runs_is_superseded(told: Told) -> None:
    assert refusal(told, second_version(supersedes="NONE")).facts["key"] == "policy.supersedes"
    publish(told, child("lvliang-innovation-2022"))
    wrong = refusal(told, second_version(supersedes="CN-141100-INNO-2022"))
    assert (wrong.code, wrong.facts["line"]) == (Code.POLICY_INVALID, None)
    publish(told, second_version())
    third = replace(second_version(), text=second_version("2026-08-01").text.replace("INNO-NEW", "INNO-3"))
    third = replace(third, fills=(third.fills[0].replace("INNO-NEW", "INNO-3"),))
    assert refusal(told, third).facts["key"] == "policy.supersedes"


def test_two_programmes_of_one_owner_may_not_say_two_things_for_one_cap(told: Told) -> None:
    other = request(
        ('code = "CN-140000-INNO-2022"', 'code = "CN-140000-OTHER-2022"'),
        ('policy = "CN-140000-INNO-2022"', 'policy = "CN-140000-OTHER-2022"'),
        ('programme = "CN-140000-INNO"', 'programme = "CN-140000-OTHER"'),
    )
    refused = refusal(told, other)
    assert (refused.code, refused.facts["other_policy"]) == (Code.POLICY_OVERLAPS, factories.POLICY)
    apart = replace(other, text=other.text.replace('cap_family = "CN-140000-INNO"', 'cap_family = "OTHER"'))
    assert publish(told, apart).programme_code == "CN-140000-OTHER"


def test_a_child_that_carries_out_the_province_is_published_by_the_citys_people_on_the_provinces_book(
    told: Told,
) -> None:
    city = local(told, "141100")
    made = publish(told, child("lvliang-innovation-2022"), actor=city)
    version, programme = (
        told.one(PolicyVersion, code=made.policy_code),
        told.one(Programme, code=made.programme_code),
    )
    assert (version.parent_code, programme.region_code) == (factories.POLICY, "141100")
    assert programme.book_id == told.world.book_id
    assert version.parent_sha256 == told.one(PolicyVersion, code=factories.POLICY).sha256
    with told.database.read() as session:
        policy = policy_of(session, made.policy_code)
    assert policy.caps[0].amount_fen == 200_000_00 and policy.heir_of("caps") == factories.POLICY
    assert policy.notice_days == 5


def test_a_platform_that_the_province_certified_takes_the_vouchers_of_a_city_that_carries_out_its_programme(
    told: Told,
) -> None:
    made = publish(told, child("lvliang-innovation-2022"))

    def fund(session: Session, at: datetime) -> tuple[str, factories.Firm]:
        owner = session.get_one(Programme, made.programme_code)
        line = factories.budget_line(session, owner, maker=told.world.maker, at=at)
        firm = factories.firm(
            session,
            reviewer=told.world.reviewer,
            region_code="141100",
            programme_code=made.programme_code,
            at=at,
        )
        return line.code, firm

    line, firm = told.do(fund)
    wanted = [IssueRequest(firm.holder_ref, Fen(10_000_00))]
    number = told.do(lambda s, at: only(issue(s, line, wanted, actor=told.world.officer, at=at))).number
    wish = PlaceRequest(number, told.world.platform.platform_id, factories.SERVICES[0])
    order = told.do(lambda s, at: only(place_order(s, [wish], actor=firm.actor, at=at)))
    assert told.order(order.number).policy_code == "CN-141100-INNO-2022"


def test_a_child_is_refused_without_its_parent_outside_its_place_or_on_another_book(told: Told) -> None:
    wanted = child("zezhou-innovation-2022")
    assert refusal(told, wanted, actor=local(told, "141100")).code is Code.NOT_FOUND
    told.do(lambda session, _: factories.book(session, code="140525"))
    wrong_book = refusal(told, replace(wanted, book_code="140525"))
    assert (wrong_book.code, wrong_book.facts["key"]) == (Code.POLICY_INVALID, "policy.parent")
    assert refusal(told, replace(wanted, book_code="999")).code is Code.NOT_FOUND
    orphan = child("zezhou-innovation-2022", ('parent = "CN-140000-INNO-2022"', 'parent = "CN-NONE"'))
    assert (refusal(told, orphan).facts["key"]) == "policy.parent"


def test_a_child_may_not_raise_the_parents_cap(told: Told) -> None:
    more = '\n[[caps]]\nperiod = "year"\nbasis = "redeemed"\namount_fen = 20_000_001\n'
    wanted = child("zezhou-innovation-2022")
    source = (
        'source = { document_no = "泽发改发〔2022〕43号", item = "15", quote = "通过申领科技创新券的方式" }\n'
    )
    refused = refusal(told, replace(wanted, text=f"{wanted.text}{more}{source}"))
    assert (refused.code, refused.facts["key"]) == (Code.POLICY_INVALID, "caps[0]")


def test_children_end_with_the_version_that_they_hang_on_and_begin_anew_below_the_next(told: Told) -> None:
    for name in CHILDREN:
        publish(told, child(name))
    publish(told, second_version())
    for code in ("CN-141100-INNO-2022", "CN-140525-INNO-2022"):
        version = told.one(PolicyVersion, code=code)
        assert (version.effective_to, version.superseded_by) == (date(2026, 5, 1), "CN-140000-INNO-NEW")
    late = child(
        "zezhou-innovation-2022",
        ('code = "CN-140525-INNO-2022"', 'code = "CN-140525-LATE"'),
        ('policy = "CN-140525-INNO-2022"', 'policy = "CN-140525-LATE"'),
    )
    assert refusal(told, late).code is Code.POLICY_OVERLAPS
    anew = child(
        "zezhou-innovation-2022",
        ('code = "CN-140525-INNO-2022"', 'code = "CN-140525-NEW"'),
        ('policy = "CN-140525-INNO-2022"', 'policy = "CN-140525-NEW"'),
        ('parent = "CN-140000-INNO-2022"', 'parent = "CN-140000-INNO-NEW"'),
        ("value = 2022-06-01", "value = 2026-05-01"),
    )
    made = publish(told, anew)
    with told.database.read() as session:
        assert policy_of(session, made.policy_code).caps[0].amount_fen == 500_000_00


def test_an_order_of_the_last_day_is_settled_by_the_version_of_that_day(told: Told) -> None:
    publish(told, second_version())
    voucher = told.voucher()
    told.at = datetime.fromisoformat("2026-04-30T10:00+08:00")
    order = told.captured_order(voucher=voucher)
    told.at = datetime.fromisoformat("2026-06-01T10:00+08:00")
    number = settled(told, told.approved(order=order))
    assert told.one(SettlementBatch, number=number).total_fen == 50_000_00
    assert told.order(order).policy_code == factories.POLICY
    with told.database.read() as session:
        kept = policy_of(session, told.order(order).policy_code)
        assert kept.caps[0].amount_fen == 200_000_00
    later = told.held_order(voucher=voucher)
    assert told.order(later).policy_code == "CN-140000-INNO-NEW"


def test_under_a_version_that_is_over_nothing_new_begins_and_the_clause_is_named(told: Told) -> None:
    voucher, order = told.voucher(), told.captured_order()
    told.do(lambda session, _: change(session, factories.POLICY, effective_to=date(2026, 3, 10)))
    told.at = datetime.fromisoformat("2026-03-10T00:00+08:00")
    facts = {"policy": factories.POLICY, "document_no": "晋发改高新发〔2022〕79号", "through": "2026-03-09"}
    issuing = IssueRequest(told.world.firm.holder_ref, Fen(1_000_00))
    with pytest.raises(Refusal) as caught:
        told.do(lambda s, at: issue(s, told.world.line_code, [issuing], actor=told.world.officer, at=at))
    assert {name: caught.value.facts[name] for name in facts} == facts
    wish = PlaceRequest(voucher, told.world.platform.platform_id, factories.SERVICES[0])
    told.refuses(
        Code.POLICY_EXPIRED, lambda s, at: place_order(s, [wish], actor=told.world.firm.actor, at=at), **facts
    )
    with pytest.raises(Refusal) as caught:
        told.do(lambda s, at: apply_for(s, told, at=at))
    assert caught.value.code is Code.POLICY_EXPIRED
    assert settled(told, told.approved(order=order))


def test_the_last_day_of_lhasas_document_is_named_with_its_words(told: Told) -> None:
    lhasa = PublishRequest(
        text=read("lhasa-innovation-2019.toml"),
        fills=(read("fills/lhasa-innovation-2019-demo.toml"),),
        document_text=read("documents/lhasa-2019.txt"),
        book_code="540100",
    )

    def place(session: Session, at: datetime) -> Actor:
        session.add(
            Region(
                code="540000",
                name="西藏自治区",
                level="province",
                parent_code="000000",
                path="/000000/540000/",
            )
        )
        session.flush()
        path = "/000000/540000/540100/"
        session.add(Region(code="540100", name="拉萨市", level="prefecture", parent_code="540000", path=path))
        session.flush()
        book = factories.book(session, code="540100")
        return replace(local(told, "540100"), book_ids=frozenset({book.book_id}))

    publish(told, lhasa, actor=told.do(place))
    with told.database.read() as session, pytest.raises(Refusal) as caught:
        policy_in_force(session, "CN-540100-INNO", told.at)
    facts = caught.value.facts
    assert (caught.value.code, facts["through"]) == (Code.POLICY_EXPIRED, "2020-12-31")
    assert facts["item"]
    assert "施行至 2020-12-31" in sentence(caught.value)
    with told.database.read() as session:
        last_day = datetime.fromisoformat("2020-12-31T12:00+08:00")
        assert policy_in_force(session, "CN-540100-INNO", last_day).code == "CN-540100-INNO-2019"


def executing(statement: Update) -> Work[object]:
    return lambda session, _: session.execute(statement)


def apply_for(session: Session, told: Told, *, at: datetime) -> object:
    """What an application asks first."""
    holder = session.get_one(Holder, told.world.firm.holder_id)
    return applicant_of(session, factories.PROGRAMME, holder, at=at)
