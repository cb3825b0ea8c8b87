"""What the answers about applying say of the things that were read."""

from __future__ import annotations

from typing import Any

from voucher.clock import iso
from voucher.operations.applicant import Applicant
from voucher.operations.offers import Offer
from voucher.queries.appeals import AppealFile, AppealLine, WindowLine
from voucher.queries.applications import ApplicationFile, ApplicationLine, PublicLine
from voucher.schemas.conditions import said


def line_answer(line: ApplicationLine) -> dict[str, Any]:
    """`ApplicationLineAnswer`."""
    return {
        "number": line.number,
        "queue_no": line.queue_no,
        "year": line.year,
        "state": line.state.value,
        "submitted_at": iso(line.submitted_at),
        "programme_code": line.programme_code,
        "holder": {"ref": line.holder_ref, "name": line.holder_name},
        "wanted_fen": line.wanted_fen,
        "approved_fen": line.approved_fen,
    }


def file_answer(file: ApplicationFile) -> dict[str, Any]:
    """`ApplicationAnswer`."""
    row = file.application
    return {
        "number": row.number,
        "queue_no": row.queue_no,
        "year": row.year,
        "state": file.state.value,
        "submitted_at": iso(row.submitted_at),
        "programme_code": row.programme_code,
        "holder": {"ref": row.holder.ref, "name": row.holder.name},
        "wanted_fen": row.wanted_fen,
        "approved_fen": row.approved_fen,
        "ahead": file.ahead,
        "purpose": row.purpose,
        "holder_class": file.holder_class.value,
        "reason": row.reason,
        "undertaking_version": file.undertaking.version if file.undertaking else None,
        "signed_name": row.signed_name,
        "signed_at": iso(row.signed_at) if row.signed_at else None,
        "voucher_no": file.voucher_number or None,
        "appeals": [appeal.number for appeal, _ in file.appeals],
    }


def queue_answer(line: PublicLine) -> dict[str, Any]:
    """`QueueLineAnswer`."""
    return {
        "queue_no": line.queue_no,
        "name": line.name,
        "region_name": line.region_name,
        "state": line.state.value,
        "submitted_at": iso(line.submitted_at),
    }


def offer_answer(offer: Offer) -> dict[str, Any]:
    """`BenefitAnswer`."""
    policy, bill = offer.policy, offer.bill
    return {
        "programme_code": offer.programme.code,
        "policy_code": policy.code,
        "document_no": policy.document_no,
        "is_open": offer.is_open,
        "windows": [
            {
                "opens_at": iso(each.opens_at),
                "closes_at": iso(each.closes_at) if each.closes_at else None,
                "document_no": each.document_no,
            }
            for each in offer.windows
        ],
        "holder_class": offer.holder_class.value,
        "service": offer.service,
        "voucher_fen": offer.voucher_fen,
        "contract_for_voucher_fen": offer.reach.contract_fen,
        "order_most_fen": offer.reach.most_fen,
        "orders_at_least": offer.reach.orders,
        "contract_fen": bill.contract_fen,
        "subsidy_fen": bill.granted_fen,
        "own_fen": bill.own_fen,
        "pay_first_fen": bill.pay_first_fen,
        "back_fen": bill.back_fen,
        "payout_mode": policy.payout_mode.value if policy.payout_mode else "",
        "evidence": [each.value for each in policy.evidence],
        "usual_seconds": offer.usual_seconds,
    }


def standing_answer(asking: Applicant, cap_left_fen: int | None) -> dict[str, Any]:
    """`StandingAnswer`."""
    conditions = [said(each) for each in asking.conditions]
    signed = asking.undertaking
    return {
        "holder": {"ref": asking.holder.ref, "name": asking.holder.name},
        "holder_class": asking.holder_class.value,
        "is_eligible": asking.is_eligible,
        "conditions": [
            {name: getattr(each, name) for name in ("name", "title", "is_met", "missing", "remedy")}
            for each in conditions
        ],
        "undertaking": {"version": signed.version, "text": signed.text, "sha256": signed.sha256}
        if signed
        else None,
        "cap_left_fen": cap_left_fen,
    }


def window_answer(line: WindowLine) -> dict[str, Any]:
    """`WindowLineAnswer`."""
    return {
        "id": line.id,
        "programme_code": line.programme_code,
        "year": line.year,
        "line_code": line.line_code,
        "opens_at": iso(line.opens_at),
        "closes_at": iso(line.closes_at) if line.closes_at else None,
        "document_no": line.document_no,
    }


def appeal_answer(line: AppealLine) -> dict[str, Any]:
    """`AppealAnswer`."""
    return {
        "number": line.number,
        "subject": line.subject,
        "state": line.state.value,
        "channel": line.channel.value,
        "holder_name": line.holder_name,
        "lodged_at": iso(line.lodged_at),
    }


def appeal_file_answer(file: AppealFile) -> dict[str, Any]:
    """`AppealDetailAnswer`."""
    appeal = file.appeal
    return {
        "number": appeal.number,
        "subject": appeal.subject,
        "state": file.state.value,
        "channel": file.channel.value,
        "holder_name": appeal.holder.name,
        "appellant": file.appellant,
        "lodged_at": iso(appeal.lodged_at),
        "text": appeal.text,
        "appeal_by": appeal.appeal_by.isoformat() if appeal.appeal_by else None,
        "result": appeal.result,
        "decided_at": iso(appeal.decided_at) if appeal.decided_at else None,
    }
