"""Suspending, reinstating and striking off a centre by the authority's own decision, outside the yearly evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from voucher.errors import Code, Fact, Refusal
from voucher.models.centres import Centre
from voucher.operations.centres import Registered, titles_fall
from voucher.operations.evaluated import SubjectKey, lock_evaluated
from voucher.operations.journal import record
from voucher.operations.outcome import Refused, refused
from voucher.rules.lifecycle import Event, next_state
from voucher.rules.permissions import Actor
from voucher.terms import CertificationState, EvaluationSubject

CHANGES: Final = (Event.SUSPEND, Event.RESTORE, Event.REVOKE)


@dataclass(frozen=True, slots=True)
class CentreChange:
    """What happens to a centre (one of CHANGES), and why."""

    centre_id: int
    event: Event
    reason: str


def change_centres(
    session: Session, requests: Sequence[CentreChange], *, actor: Actor, at: datetime
) -> list[Registered | Refused]:
    """Suspend, reinstate or strike off; titles fall with the centre. Nothing new rests on it from then on.

    Refused one by one: `not_found`, without a reason (`reason_missing`), a state that does not allow it
    (`state_changed`). Raises ValueError for another event.
    """
    answers: list[Registered | Refused] = []
    for request in requests:
        if request.event not in CHANGES:
            raise ValueError(f"a centre is not changed by {request.event}")
        try:
            key = SubjectKey(EvaluationSubject.CENTRE, request.centre_id)
            what = lock_evaluated(session, key, actor=actor)
            if not request.reason.strip():
                raise Refusal(Code.REASON_MISSING)
            state = next_state(CertificationState(what.row.state), request.event)
            what.row.state, what.row.state_reason = state.value, request.reason.strip()
            if state is CertificationState.REVOKED and isinstance(what.row, Centre):
                titles_fall(session, what.row, at=at)
            facts: dict[str, Fact] = {"state": state.value, "reason": request.reason.strip()}
            record(session, actor, f"centre.{request.event.value}", [(what.ref, facts)], at=at)
            answers.append(Registered(request.centre_id, state, is_new=False))
        except Refusal as refusal:
            answers.append(refused(refusal))
    session.flush()
    return answers
