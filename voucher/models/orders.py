"""Service orders: one service bought by one holder from one platform (design, section 5)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from voucher.db import Base
from voucher.models.parties import Holder, Platform
from voucher.models.types import BigKey, FenColumn, JSONColumn, UTCDateTime
from voucher.models.vouchers import Voucher


def rule_code(policy_code: str, agreement_version_id: int | None) -> str:
    """What names the rules of an order: its policy version, after @ the agreement version that adds to it."""
    return policy_code if agreement_version_id is None else f"{policy_code}@{agreement_version_id}"


class Order(Base):
    """One service order. Amounts in fen; `policy_code` is the version in force when it was placed.

    `held_fen`, `captured_fen` and `approved_fen` repeat what the ledger says, for lists; `ledger verify`
    compares them. `reductions` says which limit cut the subsidy and by how much. `fiscal_year` is the year
    whose cap is charged. `earlier_fen` is what the holder bought of the same kind at the same host within the policy's
    `split_days` before: tiers count on the sum (domain 4, item 7). `hold_posting` is the open hold while one is open.
    `units` counts what the policy's cap per unit multiplies (persons trained, samples); None: one, or no such cap.
    `contract_fen` is the order's own part of the contract `contract_ref` (its name in the ledger; empty: none on file).
    `instalments` counts its parts, `beneficiaries` the tenants for whom a base placed it, `funders` who shares its
    money (`OrderShare`; 0: the lead book alone). `entry_id` and `listed_fen` say what the catalogue offered when it was placed.
    `agreement_version_id` is the version of the recognition agreement under which it was placed (None: the platform is
    the home region's own), `recognised_region` the region that certified the platform.
    `cancel_asked_by` is the side whose request to call it off waits for the other's.
    A post-subsidy order (channel POST_SUBSIDY) has neither voucher nor platform: there `voucher_id` and `platform_id`
    are None, `holder_class` is the firm's class, and `budget_line_id` names the line that pays once it is awarded.
    """

    __tablename__ = "service_order"
    __table_args__ = (
        CheckConstraint("held_fen >= 0 AND captured_fen >= 0 AND approved_fen >= 0", name="no_negative"),
        CheckConstraint("approved_fen <= captured_fen", name="approved_within_captured"),
        CheckConstraint(
            "channel = 'post_subsidy' OR (voucher_id IS NOT NULL AND platform_id IS NOT NULL)",
            name="voucher_unless_award",
        ),
        Index("ix_service_order_holder", "holder_id", "state"),
        Index("ix_service_order_platform", "platform_id", "state"),
        Index("ix_service_order_voucher", "voucher_id"),
        Index("ix_service_order_overdue", "state", "complete_by"),
        Index("ix_service_order_provider_ref", "platform_id", "provider_ref"),
        Index("ix_service_order_contract", "contract_ref"),
        Index("ix_service_order_confirm", "state", "confirm_by"),
        Index("ix_service_order_price", "programme_code", "service", "contract_fen"),
        Index("ix_service_order_captured", "platform_id", "captured_at"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    number: Mapped[str] = mapped_column(String(24), unique=True)
    book_id: Mapped[int] = mapped_column(ForeignKey("book.book_id", ondelete="RESTRICT"))
    channel: Mapped[str] = mapped_column(String(12))
    state: Mapped[str] = mapped_column(String(12))
    voucher_id: Mapped[int] = mapped_column(ForeignKey("voucher.id", ondelete="RESTRICT"), nullable=True)
    budget_line_id: Mapped[int | None] = mapped_column(ForeignKey("budget_line.id", ondelete="RESTRICT"))
    holder_class: Mapped[str | None] = mapped_column(String(24))
    holder_id: Mapped[int] = mapped_column(ForeignKey("holder.id", ondelete="RESTRICT"))
    platform_id: Mapped[int] = mapped_column(ForeignKey("platform.id", ondelete="RESTRICT"), nullable=True)
    programme_code: Mapped[str] = mapped_column(ForeignKey("programme.code", ondelete="RESTRICT"))
    policy_code: Mapped[str] = mapped_column(ForeignKey("policy_version.code", ondelete="RESTRICT"))
    service: Mapped[str] = mapped_column(String(40))
    description: Mapped[str] = mapped_column(String(200), default="")
    provider_ref: Mapped[str] = mapped_column(String(60), default="")
    quote_fen: Mapped[int | None] = mapped_column(FenColumn)
    contract_no: Mapped[str] = mapped_column(String(60), default="")
    contract_on: Mapped[date | None]
    contract_fen: Mapped[int | None] = mapped_column(FenColumn)
    contract_ref: Mapped[str] = mapped_column(String(120), default="")
    instalments: Mapped[int] = mapped_column(default=0)
    beneficiaries: Mapped[int] = mapped_column(default=0)
    funders: Mapped[int] = mapped_column(default=0)
    entry_id: Mapped[int | None] = mapped_column(BigKey)
    listed_fen: Mapped[int | None] = mapped_column(FenColumn)
    agreement_version_id: Mapped[int | None] = mapped_column(BigKey)
    recognised_region: Mapped[str] = mapped_column(String(20), default="")
    earlier_fen: Mapped[int | None] = mapped_column(FenColumn)
    units: Mapped[int | None]
    fiscal_year: Mapped[int]
    wanted_fen: Mapped[int] = mapped_column(FenColumn, default=0)
    held_fen: Mapped[int] = mapped_column(FenColumn, default=0)
    captured_fen: Mapped[int] = mapped_column(FenColumn, default=0)
    approved_fen: Mapped[int] = mapped_column(FenColumn, default=0)
    reductions: Mapped[list[Any]] = mapped_column(JSONColumn, default=list)
    hold_posting: Mapped[UUID | None]
    capture_posting: Mapped[UUID | None]
    hold_expires_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    complete_by: Mapped[date | None]
    confirm_by: Mapped[date | None]
    cancel_asked_by: Mapped[str] = mapped_column(String(12), default="")
    placed_at: Mapped[datetime] = mapped_column(UTCDateTime)
    accepted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    held_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    delivered_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    captured_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    close_reason: Mapped[str] = mapped_column(String(200), default="")

    @property
    def rule_code(self) -> str:
        """Names its rules to `policies_of`."""
        return rule_code(self.policy_code, self.agreement_version_id)

    voucher: Mapped[Voucher] = relationship(lazy="raise")
    holder: Mapped[Holder] = relationship(lazy="raise")
    platform: Mapped[Platform] = relationship(lazy="raise")
