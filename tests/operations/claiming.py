"""Pieces of claims for tests: several orders of one laboratory, a second programme, requests as work."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy.orm import Session

from tests.operations.stories import Told
from voucher.errors import Code
from voucher.operations.claim import Claimed, ClaimRequest, claim
from voucher.operations.confirm_claim import ClaimAnswer, confirm_claims
from voucher.operations.outcome import Refused, only
from voucher.operations.withdraw_claim import withdraw_claims
from voucher.rules.permissions import Actor
from voucher.terms import ClaimState


def claiming(*requests: ClaimRequest, actor: Actor) -> Callable[[Session, datetime], list[Claimed | Refused]]:
    """The work of claiming."""
    return lambda session, at: claim(session, requests, actor=actor, at=at)


def made(told: Told, request: ClaimRequest) -> str:
    """The number of the claim that the firm makes."""
    return told.do(
        lambda session, at: only(claim(session, [request], actor=told.world.firm.actor, at=at)).number
    )


def refused(told: Told, code: Code, request: ClaimRequest, **facts: object) -> None:
    """The firm's claim is refused with this code and these facts, and leaves no trace."""
    told.refuses(code, claiming(request, actor=told.world.firm.actor), **facts)


def answering(
    number: str, *, actor: Actor, agreed: bool = True, reason: str = ""
) -> Callable[[Session, datetime], list[ClaimState | Refused]]:
    """The work of the other side's answer."""
    said = [ClaimAnswer(number, agreed, reason)]
    return lambda session, at: confirm_claims(session, said, actor=actor, at=at)


def withdrawing(number: str, *, actor: Actor) -> Callable[[Session, datetime], list[ClaimState | Refused]]:
    """The work of withdrawing."""
    return lambda session, at: withdraw_claims(session, [number], actor=actor, at=at)


def small_orders(told: Told, count: int, *, contract_fen: int = 10_000_00) -> list[str]:
    """Captured orders of one laboratory on one voucher."""
    voucher = told.voucher()
    return [told.captured_order(voucher=voucher, contract_fen=contract_fen) for _ in range(count)]
