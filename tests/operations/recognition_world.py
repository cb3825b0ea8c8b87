"""Shanxi and Shaanxi: an agreement between them, a platform that Shaanxi certified, and officers of both."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy.orm import Session

from tests import factories
from tests.factories import Provider
from tests.operations.stories import Told
from tests.rules.agreements import DOCUMENT, changed
from voucher.models.parties import Certification
from voucher.money import Fen
from voucher.operations.agreement_registry import ListRequest, list_platform
from voucher.operations.outcome import only
from voucher.operations.pledge import PledgeRequest, pledge
from voucher.operations.publish_agreement import (
    AgreementText,
    VersionAnswer,
    propose_agreement,
    publish_agreement,
)
from voucher.rules.permissions import Actor
from voucher.terms import Role

CERTIFIED = ('value = "listed"', 'value = "certified"')


@dataclass(frozen=True, slots=True)
class Two:
    """What the second province adds to the Shanxi world."""

    book_id: int
    officer: Actor
    second: Actor
    maker: Actor
    platform: Provider


def two_provinces(told: Told, *, stands_in: str = "610100", certified_by: str = "610000") -> Two:
    """Shaanxi's book and officer, and a platform that `certified_by` certified, standing wherever."""

    def work(session: Session, at: datetime) -> Two:
        book = factories.book(session, code="610000", authority="陕西省财政厅")
        officer = factories.person(
            session, Role.PROGRAMME_OFFICER, region_code="610000", book_id=book.book_id, at=at
        )
        second = factories.person(session, Role.PROGRAMME_OFFICER, region_code="140000", at=at)
        maker = factories.person(
            session, Role.FINANCE_MAKER, region_code="610000", book_id=book.book_id, at=at
        )
        platform = factories.provider(session, region_code=stands_in, at=at)
        session.get_one(Certification, platform.certification_id).region_code = certified_by
        return Two(book.book_id, officer, second, maker, platform)

    return told.do(work)


def proposed(told: Told, *pairs: tuple[str, str], by: Actor | None = None) -> VersionAnswer:
    """The demo's agreement with these pieces replaced, proposed by Shanxi's officer."""
    given = AgreementText(text=changed(*pairs), document_text=DOCUMENT)
    actor = by or told.world.officer
    return told.do(lambda session, at: propose_agreement(session, given, actor=actor, at=at))


def published(told: Told, two: Two, *pairs: tuple[str, str]) -> int:
    """The same, published by Shaanxi's officer; gives the version's id."""
    version = proposed(told, *pairs)
    told.do(lambda s, at: publish_agreement(s, version.version_id, actor=two.officer, at=at))
    return version.version_id


def listed(told: Told, two: Two, *, from_on: date = date(2026, 1, 1), to_on: date | None = None) -> int:
    """The other province's platform on the registry."""
    request = ListRequest(
        agreement="JINSHAN",
        platform_id=two.platform.platform_id,
        document_no="名录第1批",
        from_on=from_on,
        to_on=to_on,
    )
    return told.do(lambda s, at: list_platform(s, request, actor=two.officer, at=at))


def pledged(told: Told, two: Two, amount_fen: int = 1_000_000_00) -> None:
    """What the other province promised for the programme under the agreement, this year."""
    request = PledgeRequest(
        book_id=two.book_id,
        programme_code=told.world.programme_code,
        year=told.world.year,
        amount_fen=Fen(amount_fen),
        document_no="陕财教〔测试〕1号",
        agreement_code="JINSHAN",
    )
    told.do(lambda s, at: only(pledge(s, [request], actor=two.maker, at=at)))


def recognised(told: Told, *pairs: tuple[str, str]) -> Two:
    """An agreement in force with the platform on its registry; the story's platform is the other province's."""
    two = two_provinces(told)
    published(told, two, *pairs)
    if CERTIFIED not in pairs:
        listed(told, two)
    pledged(told, two)
    told.world = replace(told.world, platform=two.platform)
    return two
