"""Which step may follow which: one transition table for each kind of thing that has a state."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar, cast

from voucher.errors import Code, Refusal
from voucher.rules.events import Event
from voucher.terms import (
    AppealState,
    ApplicationState,
    BatchState,
    CertificationState,
    ClaimState,
    EvaluationState,
    LineState,
    NoticeState,
    ObjectionState,
    OrderState,
    PolicyState,
    RectificationState,
    SessionState,
    VoucherState,
)

__all__ = ["TABLES", "Event", "State", "next_state", "open_to"]

# A counter order begins at HELD (proposing places, accepts and holds it in one step), a post-subsidy at CLAIMED.
_ORDER: dict[OrderState, dict[Event, OrderState]] = {
    OrderState.PLACED: {
        Event.ACCEPT: OrderState.ACCEPTED,
        Event.DECLINE: OrderState.DECLINED,
        Event.CANCEL: OrderState.CANCELLED,
        Event.EXPIRE: OrderState.EXPIRED,
    },
    OrderState.ACCEPTED: {
        Event.HOLD: OrderState.HELD,
        Event.CANCEL: OrderState.CANCELLED,
        Event.EXPIRE: OrderState.EXPIRED,
    },
    OrderState.HELD: {
        Event.DELIVER: OrderState.DELIVERED,
        Event.CAPTURE: OrderState.CAPTURED,
        Event.RELEASE: OrderState.RELEASED,
        Event.EXPIRE: OrderState.EXPIRED,
        Event.DISPUTE: OrderState.DISPUTED,
    },
    OrderState.DELIVERED: {
        Event.SEND_BACK: OrderState.HELD,
        Event.CAPTURE_PART: OrderState.HELD,
        Event.CAPTURE: OrderState.CAPTURED,
        Event.RELEASE: OrderState.RELEASED,
        Event.EXPIRE: OrderState.EXPIRED,
        Event.DISPUTE: OrderState.DISPUTED,
    },
    OrderState.DISPUTED: {
        Event.RESUME: OrderState.HELD,
        Event.CAPTURE: OrderState.CAPTURED,
        Event.RELEASE: OrderState.RELEASED,
    },
    OrderState.CAPTURED: {
        Event.CLAIM: OrderState.CLAIMED,
        Event.REVERSE: OrderState.REVERSED,
        Event.DISALLOW: OrderState.DISALLOWED,
    },
    OrderState.CLAIMED: {
        Event.APPROVE: OrderState.APPROVED,
        Event.REVERSE: OrderState.REVERSED,
        Event.DISALLOW: OrderState.DISALLOWED,
        Event.WITHDRAW: OrderState.CAPTURED,
        Event.DROP: OrderState.CANCELLED,
    },
    OrderState.APPROVED: {
        Event.TAKE_IN: OrderState.IN_BATCH,
        Event.REVERSE: OrderState.REVERSED,
        Event.DISALLOW: OrderState.DISALLOWED,
    },
    OrderState.DISALLOWED: {Event.RESUME: OrderState.CLAIMED},
    OrderState.IN_BATCH: {Event.SETTLE: OrderState.SETTLED, Event.TAKE_OUT: OrderState.APPROVED},
    OrderState.SETTLED: {Event.PAY: OrderState.PAID},
    OrderState.PAID: {Event.BOUNCE: OrderState.SETTLED},
}
_SESSION: dict[SessionState, dict[Event, SessionState]] = {
    SessionState.OPEN: {
        Event.SCAN: SessionState.SCANNED,
        Event.CANCEL: SessionState.CANCELLED,
        Event.EXPIRE: SessionState.EXPIRED,
    },
    SessionState.SCANNED: {
        Event.PROPOSE: SessionState.PROPOSED,
        Event.REJECT: SessionState.REJECTED,
        Event.CANCEL: SessionState.CANCELLED,
        Event.EXPIRE: SessionState.EXPIRED,
    },
    SessionState.PROPOSED: {
        Event.CONFIRM: SessionState.CONFIRMED,
        Event.REJECT: SessionState.REJECTED,
        Event.CANCEL: SessionState.CANCELLED,
        Event.EXPIRE: SessionState.EXPIRED,
    },
}
# What a review rejected, and nothing else, begins again where an appeal against it is upheld.
_CLAIM: dict[ClaimState, dict[Event, ClaimState]] = {
    ClaimState.AWAITING: {
        Event.CONFIRM: ClaimState.SUBMITTED,
        Event.RETURN: ClaimState.RETURNED,
        Event.WITHDRAW: ClaimState.WITHDRAWN,
    },
    ClaimState.SUBMITTED: {
        Event.APPROVE: ClaimState.APPROVED,
        Event.REJECT: ClaimState.REJECTED,
        Event.RETURN: ClaimState.RETURNED,
        Event.WITHDRAW: ClaimState.WITHDRAWN,
    },
    ClaimState.RETURNED: {
        Event.RESUBMIT: ClaimState.SUBMITTED,
        Event.ASK: ClaimState.AWAITING,
        Event.REJECT: ClaimState.REJECTED,
        Event.WITHDRAW: ClaimState.WITHDRAWN,
    },
    ClaimState.APPROVED: {
        Event.TAKE_IN: ClaimState.IN_BATCH,
        Event.REJECT: ClaimState.REJECTED,
        Event.OPEN_NOTICE: ClaimState.IN_NOTICE,
    },
    ClaimState.IN_NOTICE: {Event.OBJECT: ClaimState.OBJECTED, Event.CLEAR: ClaimState.CLEARED},
    ClaimState.OBJECTED: {
        Event.RESUME: ClaimState.IN_NOTICE,
        Event.CLEAR: ClaimState.CLEARED,
        Event.REJECT: ClaimState.REJECTED,
    },
    ClaimState.CLEARED: {Event.TAKE_IN: ClaimState.IN_BATCH, Event.REJECT: ClaimState.REJECTED},
    ClaimState.IN_BATCH: {
        Event.PAY: ClaimState.PAID,
        Event.TAKE_OUT: ClaimState.APPROVED,
    },
    ClaimState.PAID: {Event.BOUNCE: ClaimState.IN_BATCH},
    ClaimState.REJECTED: {Event.RESUME: ClaimState.SUBMITTED},
}
_BATCH: dict[BatchState, dict[Event, BatchState]] = {
    BatchState.COLLECTING: {Event.SUBMIT: BatchState.SUBMITTED},
    BatchState.SUBMITTED: {Event.APPROVE: BatchState.APPROVED, Event.SEND_BACK: BatchState.COLLECTING},
    BatchState.APPROVED: {Event.EXPORT: BatchState.EXPORTED},
    BatchState.EXPORTED: {
        Event.EXPORT: BatchState.EXPORTED,
        Event.BOUNCE: BatchState.EXPORTED,
        Event.RECONCILE: BatchState.RECONCILED,
    },
    BatchState.RECONCILED: {Event.BOUNCE: BatchState.EXPORTED},
}
_LINE: dict[LineState, dict[Event, LineState]] = {
    LineState.PENDING: {Event.PAY: LineState.PAID, Event.BOUNCE: LineState.BOUNCED},
    LineState.PAID: {Event.BOUNCE: LineState.BOUNCED},
    LineState.BOUNCED: {Event.EXPORT: LineState.PENDING},
}
_VOUCHER: dict[VoucherState, dict[Event, VoucherState]] = {
    VoucherState.LIVE: {
        Event.EXPIRE: VoucherState.EXPIRED,
        Event.REVOKE: VoucherState.REVOKED,
        Event.GIVE_BACK: VoucherState.RETURNED,
    },
}
_CERTIFICATION: dict[CertificationState, dict[Event, CertificationState]] = {
    CertificationState.CERTIFIED: {
        Event.ORDER_RECTIFICATION: CertificationState.RECTIFYING,
        Event.SUSPEND: CertificationState.SUSPENDED,
        Event.REVOKE: CertificationState.REVOKED,
    },
    CertificationState.RECTIFYING: {
        Event.RECTIFY: CertificationState.CERTIFIED,
        Event.SUSPEND: CertificationState.SUSPENDED,
        Event.REVOKE: CertificationState.REVOKED,
    },
    CertificationState.SUSPENDED: {
        Event.RESTORE: CertificationState.CERTIFIED,
        Event.REVOKE: CertificationState.REVOKED,
    },
}
_EVALUATION: dict[EvaluationState, dict[Event, EvaluationState]] = {
    EvaluationState.SCORED: {
        Event.PUBLISH: EvaluationState.PUBLISHED,
        Event.RETURN: EvaluationState.RETURNED,
    },
    EvaluationState.RETURNED: {Event.SCORE: EvaluationState.SCORED},
}
_RECTIFICATION: dict[RectificationState, dict[Event, RectificationState]] = {
    RectificationState.ORDERED: {
        Event.ANSWER: RectificationState.ANSWERED,
        Event.RECTIFY: RectificationState.PASSED,
        Event.FAIL: RectificationState.FAILED,
    },
    RectificationState.ANSWERED: {
        Event.RETURN: RectificationState.ORDERED,
        Event.RECTIFY: RectificationState.PASSED,
        Event.FAIL: RectificationState.FAILED,
    },
}
_POLICY: dict[PolicyState, dict[Event, PolicyState]] = {
    PolicyState.DRAFT: {Event.PROPOSE: PolicyState.PROPOSED, Event.WITHDRAW: PolicyState.WITHDRAWN},
    PolicyState.PROPOSED: {Event.PUBLISH: PolicyState.PUBLISHED, Event.WITHDRAW: PolicyState.WITHDRAWN},
}
# Approved is waiting: with money on the line the voucher follows in the same transaction. What another rule then
# refuses goes back to a person; a rejection that an appeal overturns goes back to its old place.
_APPLICATION: dict[ApplicationState, dict[Event, ApplicationState]] = {
    ApplicationState.SUBMITTED: {
        Event.APPROVE: ApplicationState.WAITING,
        Event.RETURN: ApplicationState.RETURNED,
        Event.REJECT: ApplicationState.REJECTED,
        Event.WITHDRAW: ApplicationState.WITHDRAWN,
        Event.EXPIRE: ApplicationState.LAPSED,
    },
    ApplicationState.RETURNED: {
        Event.RESUBMIT: ApplicationState.SUBMITTED,
        Event.WITHDRAW: ApplicationState.WITHDRAWN,
        Event.EXPIRE: ApplicationState.LAPSED,
    },
    ApplicationState.WAITING: {
        Event.ISSUE: ApplicationState.ISSUED,
        Event.SEND_BACK: ApplicationState.SUBMITTED,
        Event.WITHDRAW: ApplicationState.WITHDRAWN,
        Event.EXPIRE: ApplicationState.LAPSED,
    },
    ApplicationState.REJECTED: {Event.RESUME: ApplicationState.SUBMITTED},
}
_APPEAL: dict[AppealState, dict[Event, AppealState]] = {
    AppealState.LODGED: {Event.APPROVE: AppealState.UPHELD, Event.REJECT: AppealState.DISMISSED},
}
_NOTICE: dict[NoticeState, dict[Event, NoticeState]] = {NoticeState.OPEN: {Event.CLEAR: NoticeState.CLOSED}}
_OBJECTION: dict[ObjectionState, dict[Event, ObjectionState]] = {
    ObjectionState.LODGED: {Event.APPROVE: ObjectionState.UPHELD, Event.REJECT: ObjectionState.DISMISSED},
}

# By class: members of different lists with the same value ("expired") are equal as strings.
TABLES: Mapping[type[StrEnum], Mapping[StrEnum, Mapping[Event, StrEnum]]] = {
    OrderState: cast("Mapping[StrEnum, Mapping[Event, StrEnum]]", _ORDER),
    SessionState: cast("Mapping[StrEnum, Mapping[Event, StrEnum]]", _SESSION),
    ClaimState: cast("Mapping[StrEnum, Mapping[Event, StrEnum]]", _CLAIM),
    BatchState: cast("Mapping[StrEnum, Mapping[Event, StrEnum]]", _BATCH),
    LineState: cast("Mapping[StrEnum, Mapping[Event, StrEnum]]", _LINE),
    VoucherState: cast("Mapping[StrEnum, Mapping[Event, StrEnum]]", _VOUCHER),
    CertificationState: cast("Mapping[StrEnum, Mapping[Event, StrEnum]]", _CERTIFICATION),
    EvaluationState: cast("Mapping[StrEnum, Mapping[Event, StrEnum]]", _EVALUATION),
    RectificationState: cast("Mapping[StrEnum, Mapping[Event, StrEnum]]", _RECTIFICATION),
    PolicyState: cast("Mapping[StrEnum, Mapping[Event, StrEnum]]", _POLICY),
    ApplicationState: cast("Mapping[StrEnum, Mapping[Event, StrEnum]]", _APPLICATION),
    AppealState: cast("Mapping[StrEnum, Mapping[Event, StrEnum]]", _APPEAL),
    NoticeState: cast("Mapping[StrEnum, Mapping[Event, StrEnum]]", _NOTICE),
    ObjectionState: cast("Mapping[StrEnum, Mapping[Event, StrEnum]]", _OBJECTION),
}
_IN_THE_MONEY = frozenset({OrderState.IN_BATCH, OrderState.SETTLED, OrderState.PAID})

State = TypeVar("State", bound=StrEnum)


def next_state(state: State, event: Event) -> State:
    """The state after this event.

    Refuses `already_settled` for taking back an order that is in a batch or beyond, `session_closed` for a
    counter session that has ended, else `state_changed`; facts `state` and `event`.
    """
    following = TABLES[type(state)].get(state, {}).get(event)
    if following is None:
        raise Refusal(_code(state, event), state=state.value, event=event.value)
    return cast("State", following)


def open_to(state: StrEnum) -> frozenset[Event]:
    """Every event that this state allows; empty for an end state."""
    return frozenset(TABLES[type(state)].get(state, {}))


def _code(state: StrEnum, event: Event) -> Code:
    if state in _IN_THE_MONEY and isinstance(state, OrderState) and event in (Event.REVERSE, Event.DISALLOW):
        return Code.ALREADY_SETTLED
    if isinstance(state, SessionState) and not open_to(state):
        return Code.SESSION_CLOSED
    return Code.STATE_CHANGED
