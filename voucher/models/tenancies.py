"""Tenants of centres, what a base allots to them from a startup voucher, and the lines of an order for them."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from voucher.db import Base
from voucher.models.centres import Centre
from voucher.models.orders import Order
from voucher.models.parties import Holder
from voucher.models.types import BigKey, FenColumn, UTCDateTime
from voucher.models.vouchers import Voucher


class Tenancy(Base):
    """A startup or founder inside a centre from `entered_on` until before `left_on` (half-open).

    `graduated_on` is the day from which it counts as graduated; whoever graduated may stay on until it leaves.
    """

    __tablename__ = "tenancy"
    __table_args__ = (
        CheckConstraint("left_on IS NULL OR left_on > entered_on", name="leaves_after_it_enters"),
        CheckConstraint("graduated_on IS NULL OR graduated_on >= entered_on", name="graduates_inside"),
        UniqueConstraint("centre_id", "holder_id", "entered_on"),
        Index("ix_tenancy_holder", "holder_id"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    centre_id: Mapped[int] = mapped_column(ForeignKey("centre.id", ondelete="RESTRICT"))
    holder_id: Mapped[int] = mapped_column(ForeignKey("holder.id", ondelete="RESTRICT"))
    entered_on: Mapped[date]
    graduated_on: Mapped[date | None]
    left_on: Mapped[date | None]
    registered_by: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    registered_at: Mapped[datetime] = mapped_column(UTCDateTime)

    centre: Mapped[Centre] = relationship(lazy="joined", innerjoin=True)
    holder: Mapped[Holder] = relationship(lazy="joined", innerjoin=True)


class Allotment(Base):
    """What a base set aside of its voucher for one tenant; one row for a voucher and a tenancy, whatever is added.

    `allotted_fen` is what went to the allot account less what came back; `tenant_ref` names the account and never
    changes; `moves` counts the postings. ENDED: the tenant left, nothing new is spent from it, and what an open hold
    gives back goes on to the voucher.
    """

    __tablename__ = "allotment"
    __table_args__ = (
        CheckConstraint("allotted_fen >= 0", name="not_negative"),
        UniqueConstraint("voucher_id", "tenancy_id"),
        Index("ix_allotment_tenancy", "tenancy_id"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    number: Mapped[str] = mapped_column(String(40), unique=True)
    voucher_id: Mapped[int] = mapped_column(ForeignKey("voucher.id", ondelete="RESTRICT"))
    tenancy_id: Mapped[int] = mapped_column(ForeignKey("tenancy.id", ondelete="RESTRICT"))
    tenant_ref: Mapped[str] = mapped_column(String(60))
    allotted_fen: Mapped[int] = mapped_column(FenColumn, default=0)
    moves: Mapped[int] = mapped_column(default=0)
    state: Mapped[str] = mapped_column(String(12))
    allotted_by: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    allotted_at: Mapped[datetime] = mapped_column(UTCDateTime)

    voucher: Mapped[Voucher] = relationship(lazy="joined", innerjoin=True)
    tenancy: Mapped[Tenancy] = relationship(lazy="joined", innerjoin=True)


class OrderBeneficiary(Base):
    """One line of an order that a base places: for which tenant, and its part of the price.

    `attended` is unknown until it is shown; `shown_by` says how (`AttendanceProof`), `shown_person_id` by whom. What
    was held and captured of a line is in the ledger (allot → order).
    """

    __tablename__ = "order_beneficiary"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="something"),
        UniqueConstraint("order_id", "allotment_id"),
        Index("ix_order_beneficiary_allotment", "allotment_id"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("service_order.id", ondelete="RESTRICT"))
    allotment_id: Mapped[int] = mapped_column(ForeignKey("allotment.id", ondelete="RESTRICT"))
    position: Mapped[int]
    amount_fen: Mapped[int] = mapped_column(FenColumn)
    attended: Mapped[bool | None]
    shown_by: Mapped[str] = mapped_column(String(12), default="")
    shown_person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    shown_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    order: Mapped[Order] = relationship(lazy="raise")
    allotment: Mapped[Allotment] = relationship(lazy="joined", innerjoin=True)


class CheckIn(Base):
    """One opening of the check-in of a group order. `number` is nine digits; the rotating tag is never stored."""

    __tablename__ = "check_in"
    __table_args__ = (Index("ix_check_in_order", "order_id"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    number: Mapped[str] = mapped_column(String(9), unique=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("service_order.id", ondelete="RESTRICT"))
    opened_by: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    opened_at: Mapped[datetime] = mapped_column(UTCDateTime)
    closes_at: Mapped[datetime] = mapped_column(UTCDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    order: Mapped[Order] = relationship(lazy="raise")


class TenantObjection(Base):
    """What a tenant says against something that was spent for it; the base answers, and the reviewer reads both."""

    __tablename__ = "tenant_objection"
    __table_args__ = (UniqueConstraint("line_id"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    line_id: Mapped[int] = mapped_column(ForeignKey("order_beneficiary.id", ondelete="RESTRICT"))
    body: Mapped[str] = mapped_column(String(500))
    made_by: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
    answer: Mapped[str] = mapped_column(String(500), default="")
    answered_by: Mapped[int | None] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    answered_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    line: Mapped[OrderBeneficiary] = relationship(lazy="joined", innerjoin=True)
