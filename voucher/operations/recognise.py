"""Whether a platform may take a voucher: certified by the voucher's own region, or recognised by an agreement (互认).

Agreements are read only where a platform has no certification of the voucher's own region.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.errors import Code, Refusal
from voucher.models.orders import Order
from voucher.models.parties import Certification
from voucher.models.regions import Region
from voucher.operations.agreements import standings
from voucher.rules import eligibility
from voucher.rules.policy import Policy
from voucher.rules.recognition import (
    Foreign,
    NotRecognised,
    Recognised,
    Standing,
    Wanted,
    recognise,
    still_recognised,
)
from voucher.rules.subsidy import within
from voucher.terms import CertificationState, Certifier, RecognitionReason, VoucherKind


class Recognition:
    """The agreements as they stand for some platforms; read, and locked FOR SHARE, when first asked for."""

    def __init__(self, session: Session, platform_ids: Collection[int], *, locked: bool = True) -> None:
        self._session = session
        self._platform_ids = set(platform_ids)
        self._locked = locked
        self._standings: dict[int, list[Standing]] | None = None

    def admit(
        self, policy: Policy, rows: Sequence[Certification], *, platform_id: int, service: str, on: date
    ) -> Recognised | None:
        """The agreement version that admits a platform with these certifications; None for one of the home region.

        Refused: `provider_suspended` where the home region's certification is suspended or revoked, or every other
        region's is and no agreement speaks of it,
        `service_not_certified` where no certification of any region covers voucher, service and day, `not_recognised`
        (reason, agreement, document, clause) where only another region's does and no agreement admits it.
        """
        home = [plain(row) for row in rows if within(row.region_code, policy.home_region)]
        finding = eligibility.platform(policy, home, service=service, on=on)
        if finding is None:
            return None
        foreign = covering(policy, rows, service=service, on=on)
        if finding[0] is Code.PROVIDER_SUSPENDED:
            raise Refusal(finding[0], **finding[1])
        everywhere = eligibility.platform(policy, [plain(row) for row in rows], service=service, on=on)
        if not foreign:
            told = everywhere or finding
            raise Refusal(told[0], **told[1])
        wanted = Wanted(
            home=policy.owner_region, kind=policy.kind or VoucherKind.INNOVATION, service=service, on=on
        )
        found = recognise(wanted, foreign, self.standings(platform_id))
        if isinstance(found, Recognised):
            return found
        is_unknown = found.reason is RecognitionReason.NO_AGREEMENT
        if is_unknown and everywhere is not None and everywhere[0] is Code.PROVIDER_SUSPENDED:
            raise Refusal(everywhere[0], **everywhere[1])
        raise self._refusal(policy, found)

    def check_order(self, policy: Policy, order: Order, rows: Sequence[Certification], *, on: date) -> None:
        """Whether an order may still be held or captured today, at the platform with these certifications.

        Refused: what `admit` refuses of an order placed at a platform of the home region; under an agreement
        `not_recognised` once the version is revoked, the platform taken off the registry, or suspended in either
        region. An agreement that has only ended leaves the orders placed before.
        """
        if order.agreement_version_id is None:
            home = [row for row in rows if within(row.region_code, policy.home_region)]
            finding = eligibility.platform(policy, [plain(row) for row in home], service=order.service, on=on)
            if finding is not None:
                raise Refusal(finding[0], **finding[1])
            return
        foreign = covering(policy, rows, service=order.service, on=on)
        theirs = [each for each in foreign if each.region == order.recognised_region]
        (standing,) = [
            each
            for each in self.standings(order.platform_id)
            if each.version_id == order.agreement_version_id
        ]
        found = still_recognised(standing, theirs)
        if found is not None:
            raise self._refusal(policy, found, region=order.recognised_region)

    def standings(self, platform_id: int) -> list[Standing]:
        """Every published version as it stands for one of the platforms."""
        if self._standings is None:
            self._standings = standings(self._session, self._platform_ids, locked=self._locked)
        return self._standings[platform_id]

    def _refusal(self, policy: Policy, found: NotRecognised, *, region: str = "") -> Refusal:
        region = region or found.region
        query = select(Region.code, Region.name).where(Region.code.in_({policy.owner_region, region}))
        names: dict[str, str] = dict(self._session.execute(query).all())
        facts = {
            **found.facts(policy.owner_region),
            "certifying_region": region,
            "home_name": names.get(policy.owner_region, policy.owner_region),
            "certifying_name": names.get(region, region),
        }
        return Refusal(Code.NOT_RECOGNISED, **facts)


def covering(policy: Policy, rows: Sequence[Certification], *, service: str, on: date) -> list[Foreign]:
    """The certifications by other regions that cover kind, service and day, whatever their state and authority."""
    kind = policy.kind.value if policy.kind else ""
    return [
        Foreign(row.region_code, CertificationState(row.state))
        for row in rows
        if not within(row.region_code, policy.home_region)
        and kind in row.kinds
        and service in row.services
        and row.from_on <= on
        and (row.to_on is None or on < row.to_on)
    ]


def plain(row: Certification) -> eligibility.Certification:
    """A certification as the rules know it."""
    return eligibility.Certification(
        certifier=Certifier(row.authority),
        kinds=tuple(VoucherKind(kind) for kind in row.kinds),
        services=tuple(row.services),
        valid_from=row.from_on,
        valid_to=row.to_on,
        state=CertificationState(row.state),
    )
