"""What automatic checks rest on and what they found (domain, section 4): bans, marks, registers, findings, facts."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from voucher.db import Base
from voucher.models.types import BigKey, FenColumn, JSONColumn, UTCDateTime


class PartyBan(Base):
    """A decision against a party (domain 4, rows 16, 29, 32): in force from `from_on` until before `to_on`.

    `measure` says what it does; suspending and banning shut it out. A lock against new certifications counts for
    `region_code` and below. `notified_on` is the day of the notice before it, `objection_until` the last day to object.

    Nothing is deleted by it: what is under way stops. A lifted one stays, with who lifted it and why.
    """

    __tablename__ = "party_ban"
    __table_args__ = (UniqueConstraint("uscc", "kind", "decision_no", "measure"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    uscc: Mapped[str] = mapped_column(String(18))
    kind: Mapped[str] = mapped_column(String(24))
    measure: Mapped[str] = mapped_column(String(16))
    region_code: Mapped[str | None] = mapped_column(ForeignKey("region.code", ondelete="RESTRICT"))
    notified_on: Mapped[date | None]
    objection_until: Mapped[date | None]
    legal_basis: Mapped[str] = mapped_column(String(200))
    decision_no: Mapped[str] = mapped_column(String(80))
    from_on: Mapped[date]
    to_on: Mapped[date | None]
    source: Mapped[str] = mapped_column(String(120))
    entered_by: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    entered_at: Mapped[datetime] = mapped_column(UTCDateTime)
    lifted_by: Mapped[int | None] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    lifted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    lift_reason: Mapped[str] = mapped_column(String(200), default="")


class PartyMark(Base):
    """Something by which an organisation can be recognised: a telephone, an address, a mail domain, a contact.

    What belongs to a person is kept as a keyed hash; equal values are all that is ever looked for.
    """

    __tablename__ = "party_mark"
    __table_args__ = (
        UniqueConstraint("organisation_id", "kind", "value"),
        Index("ix_party_mark_value", "kind", "value"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id", ondelete="RESTRICT"))
    kind: Mapped[str] = mapped_column(String(16))
    value: Mapped[str] = mapped_column(String(120))
    source: Mapped[str] = mapped_column(String(120))
    noted_at: Mapped[datetime] = mapped_column(UTCDateTime)


class PartyDirector(Base):
    """A director of an organisation, as the business register last had the board: a keyed hash, never a number."""

    __tablename__ = "party_director"
    __table_args__ = (Index("ix_party_director_person", "person_key"),)

    organisation_id: Mapped[int] = mapped_column(
        ForeignKey("organisation.id", ondelete="RESTRICT"), primary_key=True
    )
    person_key: Mapped[str] = mapped_column(String(64), primary_key=True)
    source: Mapped[str] = mapped_column(String(120))
    noted_at: Mapped[datetime] = mapped_column(UTCDateTime)


class ClaimMark(Base):
    """Something by which a claim resembles others: where it was sent from, hashes of its files, of their text."""

    __tablename__ = "claim_mark"
    __table_args__ = (
        UniqueConstraint("claim_id", "kind", "value"),
        Index("ix_claim_mark_value", "kind", "value", "noted_at"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    claim_id: Mapped[int] = mapped_column(ForeignKey("claim.id", ondelete="RESTRICT"))
    holder_id: Mapped[int] = mapped_column(ForeignKey("holder.id", ondelete="RESTRICT"))
    kind: Mapped[str] = mapped_column(String(16))
    value: Mapped[str] = mapped_column(String(64))
    noted_at: Mapped[datetime] = mapped_column(UTCDateTime)


class PaidElsewhere(Base):
    """A service that another public programme has paid for already (domain 4, row 6). Amount in fen, where known.

    `contract_key` is the contract's number without blanks and marks; empty where the other programme names none.
    """

    __tablename__ = "paid_elsewhere"
    __table_args__ = (UniqueConstraint("uscc", "programme", "contract_key", "service"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    uscc: Mapped[str] = mapped_column(String(18))
    programme: Mapped[str] = mapped_column(String(120))
    contract_no: Mapped[str] = mapped_column(String(60))
    contract_key: Mapped[str] = mapped_column(String(60))
    service: Mapped[str] = mapped_column(String(120))
    amount_fen: Mapped[int | None] = mapped_column(FenColumn)
    paid_on: Mapped[date | None]
    source: Mapped[str] = mapped_column(String(120))
    imported_by: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    imported_at: Mapped[datetime] = mapped_column(UTCDateTime)


class ExchangeFile(Base):
    """Hashes of used invoices that another region sent; `salt` is the one that both agreed on for the year."""

    __tablename__ = "exchange_file"
    __table_args__ = (UniqueConstraint("source", "sha256"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    source: Mapped[str] = mapped_column(String(20))
    salt: Mapped[str] = mapped_column(String(64))
    sha256: Mapped[str] = mapped_column(String(64))
    rows: Mapped[int]
    imported_by: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    imported_at: Mapped[datetime] = mapped_column(UTCDateTime)


class ForeignUse(Base):
    """The salted hash of one invoice that another region has used (domain 4, row 5)."""

    __tablename__ = "foreign_use"
    __table_args__ = (UniqueConstraint("digest", "source"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    source: Mapped[str] = mapped_column(String(20))
    file_id: Mapped[int] = mapped_column(ForeignKey("exchange_file.id", ondelete="RESTRICT"))


class CheckFinding(Base):
    """One thing that the checks of a claim found, in one round, and how a reviewer settled it."""

    __tablename__ = "check_finding"
    __table_args__ = (
        UniqueConstraint("claim_id", "round", "seq"),
        CheckConstraint("(settled_at IS NULL) = (settled_by IS NULL)", name="settled_by_somebody"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    claim_id: Mapped[int] = mapped_column(ForeignKey("claim.id", ondelete="RESTRICT"))
    round: Mapped[int]
    seq: Mapped[int]
    row_no: Mapped[int]
    kind: Mapped[str] = mapped_column(String(32))
    weight: Mapped[int]
    facts: Mapped[dict[str, Any]] = mapped_column(JSONColumn)
    found_at: Mapped[datetime] = mapped_column(UTCDateTime)
    settled_by: Mapped[int | None] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    settled_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    settlement: Mapped[str] = mapped_column(String(500), default="")


class FactSnapshot(Base):
    """Every fact that a decision rested on, as it stood, with its source: evidence (domain 4, last paragraph)."""

    __tablename__ = "fact_snapshot"
    __table_args__ = (Index("ix_fact_snapshot_subject", "subject"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    subject: Mapped[str] = mapped_column(String(80))
    step: Mapped[str] = mapped_column(String(16))
    facts: Mapped[dict[str, Any]] = mapped_column(JSONColumn)
    rule_version: Mapped[str] = mapped_column(String(80))
    taken_at: Mapped[datetime] = mapped_column(UTCDateTime)


class PayeeChange(Base):
    """A new bank account that waits (domain 4, row 26): asked for by one, confirmed by another after the cooling."""

    __tablename__ = "payee_change"
    __table_args__ = (
        CheckConstraint("decided_by IS NULL OR decided_by <> asked_by", name="two_persons"),
        Index("ix_payee_change_organisation", "organisation_id", "state"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id", ondelete="RESTRICT"))
    account_name: Mapped[str] = mapped_column(String(120))
    bank: Mapped[str] = mapped_column(String(120))
    account_no: Mapped[str] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(12))
    asked_by: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    asked_at: Mapped[datetime] = mapped_column(UTCDateTime)
    cools_until: Mapped[date]
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    decided_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    reason: Mapped[str] = mapped_column(String(200), default="")


class RelationStatement(Base):
    """What one side of an order said about its relation to the other, and who said so (domain 4, row 2)."""

    __tablename__ = "relation_statement"
    __table_args__ = (UniqueConstraint("order_id", "side"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("service_order.id", ondelete="RESTRICT"))
    side: Mapped[str] = mapped_column(String(12))
    related: Mapped[bool]
    text_version: Mapped[str] = mapped_column(String(20))
    stated_by: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    stated_at: Mapped[datetime] = mapped_column(UTCDateTime)
