"""A platform's name as lists show it: with its host (依托单位), for several hosts have a 检测中心."""

from __future__ import annotations

from sqlalchemy import ColumnElement, case, select

from voucher.models.parties import Organisation, Platform


def housed() -> ColumnElement[str]:
    """The column of a query over platforms, of their table; None where the outer join found none."""
    name, host_id = Platform.__table__.c.name, Platform.__table__.c.organisation_id
    host = select(Organisation.name).where(Organisation.id == host_id).scalar_subquery()
    return case((name == host, name), else_=name + "（" + host + "）")
