"""The pages of the authority's side: reviewers, officers, finance, auditors and administrators."""

from __future__ import annotations

from typing import Final

from flask import Blueprint

from voucher.web import (
    admin,
    appeals,
    auditor,
    expert,
    finance,
    finance_batches,
    finance_payments,
    holidays,
    notices,
    objections,
    outbox,
    payee_changes,
    programme,
    programme_issue,
    programme_windows,
    reviewer,
    reviewer_applications,
    reviewer_bans,
    reviewer_cases,
    reviewer_checks,
    reviewer_duty,
    reviewer_holders,
    reviewer_platforms,
    reviewer_returns,
    reviewer_rosters,
)

BLUEPRINTS: Final[tuple[Blueprint, ...]] = (
    reviewer_checks.blueprint,
    reviewer_bans.blueprint,
    payee_changes.blueprint,
    reviewer.blueprint,
    reviewer_cases.blueprint,
    reviewer_returns.blueprint,
    reviewer_returns.paper,
    reviewer_duty.blueprint,
    expert.blueprint,
    reviewer_holders.blueprint,
    reviewer_rosters.blueprint,
    reviewer_platforms.blueprint,
    programme.policies,
    programme.blueprint,
    programme_issue.blueprint,
    programme_windows.blueprint,
    reviewer_applications.blueprint,
    appeals.blueprint,
    finance.blueprint,
    finance_batches.blueprint,
    finance_payments.blueprint,
    holidays.blueprint,
    notices.blueprint,
    objections.blueprint,
    outbox.blueprint,
    auditor.blueprint,
    admin.blueprint,
)
