"""Refusals: what the product says no to, as a code and facts.

Three families of error exist (design, section 3). Shape errors are marshmallow's. A `Refusal` is a rule that
said no: it carries a code and the numbers behind it, never a sentence (the sentences live in `schemas/messages.py`).
Everything else is a bug, crashes, and rolls back.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

T = TypeVar("T")
Fact = int | str | bool | None


class Code(StrEnum):
    """Every reason for which the product refuses, in one list (docs/refusals.md explains each)."""

    NOT_FOUND = "not_found"
    NOT_PERMITTED = "not_permitted"
    NOT_SIGNED_IN = "not_signed_in"
    SIGN_IN_FAILED = "sign_in_failed"
    LOCKED_OUT = "locked_out"
    LOGIN_TAKEN = "login_taken"
    DUTIES_SEPARATED = "duties_separated"
    ROLE_SCOPE_MISSING = "role_scope_missing"
    STEP_UP_REQUIRED = "step_up_required"
    JOIN_CODE_WRONG = "join_code_wrong"
    ACCOUNT_EXISTS = "account_exists"
    NAME_DIFFERS = "name_differs"
    AUTHORISATION_PERIOD = "authorisation_period"
    LAST_IN_CHARGE = "last_in_charge"
    SUCCESSOR_MISSING = "successor_missing"
    OTHER_DUTIES = "other_duties"
    MEMBERS_MISSING = "members_missing"
    CONVERSION_BLOCKED = "conversion_blocked"
    PIN_WRONG = "pin_wrong"
    PIN_ENDED = "pin_ended"
    PIN_WEAK = "pin_weak"
    KEY_REUSED = "key_reused"
    KEY_IN_FLIGHT = "key_in_flight"
    KEY_MISSING = "key_missing"
    BUSY = "busy"
    PERIOD_CLOSED = "period_closed"
    PERIOD_NOT_OVER = "period_not_over"
    ALREADY_REGISTERED = "already_registered"
    STATE_CHANGED = "state_changed"

    BUDGET_EXCEEDED = "budget_exceeded"
    CAP_EXCEEDED = "cap_exceeded"
    VOUCHER_EXHAUSTED = "voucher_exhausted"
    QUOTA_EXCEEDED = "quota_exceeded"
    CONTRACT_EXCEEDED = "contract_exceeded"
    COUNT_EXCEEDED = "count_exceeded"
    PLEDGE_EXCEEDED = "pledge_exceeded"
    FUNDER_MISSING = "funder_missing"
    CLEARING_EXCEEDED = "clearing_exceeded"
    ALLOTMENT_EXHAUSTED = "allotment_exhausted"
    ALREADY_SETTLED = "already_settled"
    PAYABLE_EXCEEDED = "payable_exceeded"
    BALANCE_EXCEEDED = "balance_exceeded"
    ALREADY_RESOLVED = "already_resolved"
    CAPTURE_ABOVE_HOLD = "capture_above_hold"

    VOUCHER_EXPIRED = "voucher_expired"
    VOUCHER_REVOKED = "voucher_revoked"
    VOUCHER_NOT_USABLE = "voucher_not_usable"
    FACE_OUT_OF_RANGE = "face_out_of_range"
    NOT_QUALIFIED = "not_qualified"
    NOT_RECOGNISED = "not_recognised"
    PROVIDER_SUSPENDED = "provider_suspended"
    SERVICE_NOT_CERTIFIED = "service_not_certified"
    AFFILIATED = "affiliated"
    PARTY_BANNED = "party_banned"
    BAN_PERIOD = "ban_period"
    CENTRE_NOT_CERTIFIED = "centre_not_certified"
    TENANCY_INVALID = "tenancy_invalid"
    TENANT_NEEDED = "tenant_needed"
    TENANT_NEEDLESS = "tenant_needless"
    ATTENDANCE_MISSING = "attendance_missing"
    CHECK_IN_INVALID = "check_in_invalid"
    CHECK_IN_OVER = "check_in_over"
    CHECK_IN_DONE = "check_in_done"
    REAPPLY_LOCKED = "reapply_locked"
    NOT_EVALUABLE = "not_evaluable"
    ALREADY_EVALUATED = "already_evaluated"
    POINTS_INVALID = "points_invalid"
    REPORT_NOT_OPEN = "report_not_open"
    RULES_INVALID = "rules_invalid"
    ALREADY_FUNDED = "already_funded"
    BRANCH_TOO_LATE = "branch_too_late"
    PAYEE_COOLING = "payee_cooling"
    CONTRACT_DATE_INVALID = "contract_date_invalid"
    SUBSIDY_ZERO = "subsidy_zero"
    CONTRACT_NO_INVALID = "contract_no_invalid"
    CONTRACT_DIFFERS = "contract_differs"
    CONTRACT_ELSEWHERE = "contract_elsewhere"
    INSTALMENTS_INVALID = "instalments_invalid"
    COMPLETE_BY_INVALID = "complete_by_invalid"
    ENTRY_WITHDRAWN = "entry_withdrawn"

    INVOICE_USED = "invoice_used"
    INVOICE_MISMATCH = "invoice_mismatch"
    INVOICE_EXCEEDED = "invoice_exceeded"
    INVOICE_VOID = "invoice_void"
    INVOICE_UNCHECKED = "invoice_unchecked"
    PAYER_MISMATCH = "payer_mismatch"
    CHANNEL_NOT_ACCEPTED = "channel_not_accepted"
    OTHER_SIDE_CLAIMS = "other_side_claims"
    ITEM_NOT_OPEN = "item_not_open"
    EVIDENCE_MISSING = "evidence_missing"
    FILE_REFUSED = "file_refused"
    PAYEE_MISSING = "payee_missing"
    CLAIM_LATE = "claim_late"
    REASON_MISSING = "reason_missing"

    QR_INVALID = "qr_invalid"
    QR_EXPIRED = "qr_expired"
    QR_USED = "qr_used"
    SESSION_CLOSED = "session_closed"
    SCAN_RATE_LIMITED = "scan_rate_limited"

    SELF_APPROVAL = "self_approval"
    BATCH_CHANGED = "batch_changed"
    BATCH_EMPTY = "batch_empty"
    APPROVED_ABOVE_CLAIM = "approved_above_claim"
    APPROVED_ABOVE_AUDIT = "approved_above_audit"
    AUDIT_MISSING = "audit_missing"
    RECUSED = "recused"
    CASE_TAKEN = "case_taken"
    TOLD_LATE = "told_late"
    OPINION_MISSING = "opinion_missing"
    OPINION_GIVEN = "opinion_given"
    COSIGN_MISSING = "cosign_missing"
    MINUTES_MISSING = "minutes_missing"
    COLLEAGUE_UNFIT = "colleague_unfit"
    NOT_OWN_PROGRAMME = "not_own_programme"

    APPLICATION_CLOSED = "application_closed"
    APPLICATION_OPEN = "application_open"
    WINDOW_OVERLAPS = "window_overlaps"
    UNDERTAKING_UNSIGNED = "undertaking_unsigned"
    HOLDING_EXCEEDED = "holding_exceeded"
    VOUCHER_IDLE = "voucher_idle"
    APPEAL_LATE = "appeal_late"
    APPEAL_MADE = "appeal_made"

    CONTACT_MISSING = "contact_missing"
    HOLIDAY_NEEDLESS = "holiday_needless"
    NOTICE_REQUIRED = "notice_required"
    FACTOR_REQUIRED = "factor_required"
    FACTOR_EARLY = "factor_early"
    FACTOR_TOO_HIGH = "factor_too_high"
    NOTICE_OVER = "notice_over"
    OBJECTION_LIMITED = "objection_limited"
    POLICY_NOT_PUBLISHED = "policy_not_published"
    POLICY_EXPIRED = "policy_expired"
    POLICY_INCOMPLETE = "policy_incomplete"
    POLICY_INVALID = "policy_invalid"
    POLICY_EXISTS = "policy_exists"
    POLICY_OVERLAPS = "policy_overlaps"
    AGREEMENT_INVALID = "agreement_invalid"
    AGREEMENT_EXISTS = "agreement_exists"
    PARTNER_MISSING = "partner_missing"
    AGREEMENT_OVERLAPS = "agreement_overlaps"
    POLICY_PROPOSED = "policy_proposed"
    POLICY_CHANGED = "policy_changed"
    ROSTER_INVALID = "roster_invalid"
    USCC_INVALID = "uscc_invalid"


_STATUS = {
    Code.NOT_FOUND: 404,
    Code.TENANCY_INVALID: 422,
    Code.TENANT_NEEDED: 422,
    Code.NOT_PERMITTED: 403,
    Code.NOT_OWN_PROGRAMME: 403,
    Code.NOT_SIGNED_IN: 401,
    Code.SIGN_IN_FAILED: 401,
    Code.LOCKED_OUT: 429,
    Code.JOIN_CODE_WRONG: 422,
    Code.NAME_DIFFERS: 422,
    Code.AUTHORISATION_PERIOD: 422,
    Code.SUCCESSOR_MISSING: 422,
    Code.MEMBERS_MISSING: 422,
    Code.PIN_WRONG: 401,
    Code.PIN_WEAK: 422,
    Code.SCAN_RATE_LIMITED: 429,
    Code.STEP_UP_REQUIRED: 403,
    Code.KEY_REUSED: 422,
    Code.KEY_MISSING: 422,
    Code.BUSY: 503,
    Code.POLICY_INCOMPLETE: 422,
    Code.POLICY_INVALID: 422,
    Code.AGREEMENT_INVALID: 422,
    Code.ROSTER_INVALID: 422,
    Code.USCC_INVALID: 422,
    Code.ROLE_SCOPE_MISSING: 422,
    Code.FILE_REFUSED: 422,
    Code.EVIDENCE_MISSING: 422,
    Code.REASON_MISSING: 422,
    Code.CONTACT_MISSING: 422,
    Code.HOLIDAY_NEEDLESS: 422,
    Code.OBJECTION_LIMITED: 429,
    Code.TOLD_LATE: 422,
    Code.MINUTES_MISSING: 422,
    Code.BAN_PERIOD: 422,
    Code.POINTS_INVALID: 422,
    Code.RULES_INVALID: 422,
    Code.FACE_OUT_OF_RANGE: 422,
    Code.CONTRACT_DATE_INVALID: 422,
    Code.CONTRACT_NO_INVALID: 422,
    Code.INSTALMENTS_INVALID: 422,
    Code.COMPLETE_BY_INVALID: 422,
    Code.UNDERTAKING_UNSIGNED: 422,
}


class Refusal(Exception):
    """A rule said no. Nothing is changed: the transaction that raised it is rolled back.

    `facts` are numbers and identifiers (amounts in fen under names that end in `_fen`), never sentences.
    """

    def __init__(self, code: Code, **facts: Fact) -> None:
        super().__init__(code.value)
        self.code = code
        self.facts: Mapping[str, Fact] = facts

    @property
    def status(self) -> int:
        """HTTP status of this refusal; a conflict with the state of things (409) unless listed."""
        return _STATUS.get(self.code, 409)

    def __str__(self) -> str:
        facts = ", ".join(f"{name}={value}" for name, value in self.facts.items())
        return f"{self.code.value}({facts})"


def found(value: T | None) -> T:
    """The value itself; nothing, or another's, is refused as `not_found`: both look the same to whoever asks."""
    if value is None:
        raise Refusal(Code.NOT_FOUND)
    return value
