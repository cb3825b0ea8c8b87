"""What a told town is made of: the schemes, who works and buys there, and when its story begins."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from voucher.cli.story.cast import Company, Lab, Office, Scheme
from voucher.terms import HolderClass, Role


@dataclass(frozen=True, slots=True)
class Town:
    """A place that runs one document: its schemes, who works and buys there, and the day on which its story begins.

    `begins_on` None: in the told year. Every firm buys one service at `price_fen` at the first platform;
    of a post-subsidy, `origins` are region of origin and cost in fen, firm by firm; of a startup voucher, the firms
    are bases and `tenants` are whom they buy for. `roster` is the series of the firms' numbers where they are sci-tech
    SMEs of the year's roster.
    """

    name: str
    scheme: Scheme
    offices: tuple[Office, ...]
    firms: tuple[Company, ...]
    hosts: tuple[Company, ...]
    labs: tuple[Lab, ...]
    holder_class: HolderClass
    price_fen: int = 0
    face_fen: int = 0
    begins_on: date | None = None
    origins: tuple[tuple[str, int], ...] = ()
    tenants: tuple[Company, ...] = ()
    roster: str = ""
    factor_bp: int = 0
    """The factor that is fixed when the year is over, where the version asks for one."""
    centre: Company | None = None
    """The centre that the firms are tenants of, where the document asks for one; it may stand in another county."""
    zone: tuple[str, str, str] | None = None
    """The park that runs it, where it is no division: parent's code, suffix, name."""


def titles(town: Town) -> dict[str, str]:
    """Who each login of a town is."""
    known = {office.login: f"{town.name}{office.role.label}" for office in town.offices}
    known |= {firm.login: firm.name for firm in (*town.firms, *town.tenants)}
    for host in town.hosts:
        known |= {host.login: f"{host.name}（管理员）", f"{host.login}2": f"{host.name}（收券员）"}
    return known


def offices(prefix: str, names: tuple[str, str, str, str, str]) -> tuple[Office, ...]:
    """The five who carry a programme, with logins of one prefix: two officers, reviewer, maker, checker."""
    parts = (
        ("xiangmu", Role.PROGRAMME_OFFICER),
        ("xiangmu2", Role.PROGRAMME_OFFICER),
        ("shenhe", Role.REVIEWER),
        ("caizheng", Role.FINANCE_MAKER),
        ("fuhe", Role.FINANCE_CHECKER),
    )
    return tuple(
        Office(f"{prefix}{login}", name, role) for (login, role), name in zip(parts, names, strict=True)
    )
