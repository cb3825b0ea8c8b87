"""The firms and platforms of a story: accounts to be paid to, hosts with certified platforms, who acts for them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy.orm import Session

from voucher.cli.context import SYSTEM
from voucher.cli.story import cast
from voucher.cli.story.stage import Bench, Party, Setting, accepted, actor, enrolment
from voucher.clock import business_date
from voucher.operations.affiliate import PayeeRequest, set_payees
from voucher.operations.certify import Certified, CertifyRequest, certify
from voucher.operations.enrol import Grant, enrol
from voucher.operations.register import (
    OrganisationRequest,
    PlatformRequest,
    holder_ids,
    organisation_ids,
    register_organisations,
    register_platforms,
)
from voucher.rules.permissions import Actor
from voucher.terms import Role

FIRM_ROLES = (Role.ENTERPRISE_OPERATOR, Role.ENTERPRISE_APPROVER)
BASE_ROLES = (*FIRM_ROLES, Role.INCUBATOR_MANAGER)


def accounts(setting: Setting, firms: Sequence[tuple[str, str, str]], reviewer: Actor) -> dict[str, int]:
    """An account of each organisation to be paid to, by USCC."""
    found_ids: dict[str, int] = {}
    for start in range(0, len(firms), 1000):
        part = firms[start : start + 1000]
        wanted = [
            PayeeRequest(
                uscc=uscc, account_name=name, bank="晋商演示银行", account_no=f"6217{uscc[8:16]}0001"
            )
            for place, (uscc, name, _) in enumerate(part)
        ]

        def work(session: Session, at: datetime, wanted: list[PayeeRequest] = wanted) -> list[int]:
            return accepted(set_payees(session, wanted, actor=reviewer, at=at))

        ids = setting.database.transaction(work, at=setting.begins)
        found_ids.update(zip([uscc for uscc, _, _ in part], ids, strict=True))
    return found_ids


def labs(
    setting: Setting, cast_of: tuple[str, Sequence[cast.Company], Sequence[cast.Lab]], officer: Actor,
    passwords: dict[str, str],
) -> tuple[Bench, ...]:  # fmt: skip
    """Register hosts and their platforms, certify them in a region, and enrol a manager and a scanner for each host."""
    region, companies, places = cast_of
    today = business_date(setting.begins)

    def work(session: Session, at: datetime) -> tuple[dict[str, int], list[Certified]]:
        hosts = [
            OrganisationRequest(
                uscc=each.uscc, name=each.name, region_code=each.region, legal_representative=each.person
            )
            for each in companies
        ]
        accepted(register_organisations(session, hosts, actor=officer, at=at))
        wanted = [
            PlatformRequest(
                host_uscc=lab.host.uscc, name=lab.name, kind=lab.kind, region_code=lab.host.region
            )
            for lab in places
        ]
        platforms = [each.id for each in accepted(register_platforms(session, wanted, actor=officer, at=at))]
        titles = [
            CertifyRequest(
                platform_id=platform,
                certifier=lab.certifier,
                region_code=region,
                kinds=(lab.takes,),
                services=lab.services,
                document_no=f"科认（演示）〔{today.year}〕3号",
                from_on=date(today.year, 1, 1),
            )
            for platform, lab in zip(platforms, places, strict=True)
        ]  # fmt: skip
        certified = accepted(certify(session, titles, actor=officer, at=at))
        return organisation_ids(session, [each.uscc for each in companies]), certified

    hosts, certified = setting.database.transaction(work, at=setting.begins)
    _staff(setting, companies, hosts, passwords)
    return tuple(
        Bench(
            each.platform_id,
            lab.host.uscc,
            lab.services,
            actor(setting, lab.host.login),
            each.certification_id,
        )
        for each, lab in zip(certified, places, strict=True)
    )


def _staff(
    setting: Setting, companies: Sequence[cast.Company], hosts: dict[str, int], passwords: dict[str, str]
) -> None:
    people = []
    for host in companies:
        for login, name, role in (
            (host.login, host.person, Role.PROVIDER_MANAGER),
            (f"{host.login}2", f"{host.person[0]}扫码", Role.PROVIDER_SCANNER),
        ):
            grant = Grant(role=role, organisation_id=hosts[host.uscc])
            people.append(enrolment(setting, login, name, passwords, grants=(grant,)))
    setting.database.transaction(
        lambda session, at: accepted(enrol(session, people, actor=SYSTEM, at=at)), at=setting.begins
    )


def firms(
    setting: Setting, companies: Sequence[cast.Company], accounts_by_uscc: dict[str, int],
    passwords: dict[str, str], *, roles: tuple[Role, ...] = FIRM_ROLES,
) -> tuple[Party, ...]:  # fmt: skip
    """Enrol the one person of each of these firms, in these roles."""
    usccs = [each.uscc for each in companies]
    with setting.database.read() as session:
        organisations, holders = organisation_ids(session, usccs), holder_ids(session, usccs)
    people = []
    for each in companies:
        grants = tuple(Grant(role=role, organisation_id=organisations[each.uscc]) for role in roles)
        people.append(enrolment(setting, each.login, each.person, passwords, grants=grants))
    setting.database.transaction(
        lambda session, at: accepted(enrol(session, people, actor=SYSTEM, at=at)), at=setting.begins
    )
    return tuple(
        Party(
            each.uscc, holders[each.uscc], organisations[each.uscc], accounts_by_uscc[each.uscc],
            actor(setting, each.login), each.name,
        )
        for each in companies
    )  # fmt: skip
