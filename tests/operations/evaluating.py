"""Centres and platforms of the Shanxi world that are evaluated by the rules of Lhasa 2019, for other years."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

from tests import factories
from tests.operations.stories import Told
from voucher.models.evaluations import Evaluation, Rectification
from voucher.operations.centres import CentreRequest, Registered, register_centres
from voucher.operations.evaluate import EvaluateRequest, evaluate
from voucher.operations.evaluated import SubjectKey
from voucher.operations.evaluation_rules import RulesRequest, publish_rules
from voucher.operations.outcome import only
from voucher.operations.publish_evaluation import PublishedResult, ResultRequest, publish_results
from voucher.rules.permissions import Actor
from voucher.terms import CentreKind, Certifier, EvaluationSubject, Role, TitleKind

LHASA = (factories.FOLDER / "evaluation" / "lhasa-2019.toml").read_text("utf-8")
GOOD = {"filing": 20, "services": 25, "reports": 15, "tenants": 25, "activities": 15}
BAD = {"filing": 10, "services": 10, "reports": 10, "tenants": 10, "activities": 10}


def rules_text(*, region: str = "140100", subject: str = "centre", code: str = "TEST-CENTRES") -> str:
    """Lhasa's rules, for another region and every year from 2019 on."""
    return (
        LHASA.replace('region = "540100"', f'region = "{region}"')
        .replace("through = 2020-12-31\n", "")
        .replace('subject = "centre"', f'subject = "{subject}"')
        .replace('code = "CN-540100-CENTRES-2019"', f'code = "{code}"')
    )


def base(told: Told, **changes: object) -> CentreRequest:
    """A base of a new organisation, certified by 人社 for Taiyuan, with two titles."""
    host = told.do(lambda session, at: factories.organisation(session, at=at)).id
    request = CentreRequest(
        organisation_id=host,
        name="小店创业孵化基地",
        kind=CentreKind.INCUBATION_BASE,
        authority=Certifier.HUMAN_RESOURCES,
        certifying_region="140100",
        location_region="140105",
        document_no="并人社认〔2025〕3号",
        from_on=date(2020, 1, 1),
        grade="市级",
        titles=((TitleKind.MAKERSPACE, ""), (TitleKind.IE_BASE, "并双创〔2025〕1号")),
    )
    return replace(request, **changes)  # type: ignore[arg-type]


def registered(told: Told, request: CentreRequest) -> Registered:
    """The centre, registered by the reviewer."""
    reviewer = told.world.reviewer
    return told.do(lambda s, at: only(register_centres(s, [request], actor=reviewer, at=at)))


def with_rules(told: Told, text: str = "") -> None:
    """Publish the rules, by default those for Taiyuan's centres."""
    wanted = RulesRequest(text or rules_text())
    told.do(lambda s, at: publish_rules(s, wanted, actor=told.world.officer, at=at))


def centre_key(centre_id: int) -> SubjectKey:
    return SubjectKey(EvaluationSubject.CENTRE, centre_id)


def scored(told: Told, key: SubjectKey, year: int, points: dict[str, int]) -> Evaluation:
    """The year scored by the reviewer, on a day of the year after it."""
    told.at = max(told.at, datetime(year + 1, 2, 3, 2, tzinfo=UTC))
    wish = EvaluateRequest(key=key, year=year, points=points)
    return told.do(lambda s, at: only(evaluate(s, [wish], actor=told.world.reviewer, at=at)))


def published(told: Told, row: Evaluation) -> PublishedResult:
    """The result, published by the officer."""
    wish = ResultRequest(
        evaluation_id=row.id, document_no=f"并双创评〔{row.year}〕1号", demand="补齐孵化企业备案"
    )
    return told.do(lambda s, at: only(publish_results(s, [wish], actor=told.world.officer, at=at)))


def judged(told: Told, key: SubjectKey, year: int, *, passed: bool) -> PublishedResult:
    """A whole year: scored and published."""
    return published(told, scored(told, key, year, GOOD if passed else BAD))


def order_of(told: Told, row: Evaluation) -> Rectification:
    """The order to put right after a failed year."""
    with told.database.read() as session:
        return session.query(Rectification).filter_by(evaluation_id=row.id).one()


def manager(told: Told, organisation_id: int) -> Actor:
    """An incubator's manager."""
    return told.do(
        lambda s, at: factories.person(s, Role.INCUBATOR_MANAGER, organisation_id=organisation_id, at=at)
    )
