from __future__ import annotations

from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voucher.errors import Code, Refusal
from voucher.rules.lifecycle import TABLES, Event, next_state, open_to
from voucher.terms import BatchState, ClaimState, LineState, OrderState, SessionState, VoucherState

STATES: list[StrEnum] = [state for kind in TABLES for state in kind]


def walk(state: StrEnum, *events: Event) -> StrEnum:
    for event in events:
        state = next_state(state, event)
    return state


def refused(state: StrEnum, event: Event) -> Code:
    with pytest.raises(Refusal) as raised:
        next_state(state, event)
    assert raised.value.facts == {"state": state.value, "event": event.value}
    return raised.value.code


def test_a_remote_order_goes_from_placing_to_payment() -> None:
    way = (
        Event.ACCEPT, Event.HOLD, Event.DELIVER, Event.CAPTURE, Event.CLAIM, Event.APPROVE, Event.TAKE_IN,
        Event.SETTLE, Event.PAY,
    )  # fmt: skip
    assert walk(OrderState.PLACED, *way) is OrderState.PAID


def test_a_counter_session_goes_from_code_to_confirmation() -> None:
    assert walk(SessionState.OPEN, Event.SCAN, Event.PROPOSE, Event.CONFIRM) is SessionState.CONFIRMED
    assert walk(OrderState.HELD, Event.CAPTURE) is OrderState.CAPTURED


def test_a_bounced_payment_can_be_paid_again() -> None:
    assert walk(OrderState.PAID, Event.BOUNCE, Event.PAY) is OrderState.PAID
    assert walk(LineState.PENDING, Event.PAY, Event.BOUNCE, Event.EXPORT, Event.PAY) is LineState.PAID
    assert walk(BatchState.RECONCILED, Event.BOUNCE, Event.EXPORT, Event.RECONCILE) is BatchState.RECONCILED
    assert walk(ClaimState.PAID, Event.BOUNCE, Event.PAY) is ClaimState.PAID


@pytest.mark.parametrize("state", [OrderState.CAPTURED, OrderState.CLAIMED, OrderState.APPROVED])
def test_an_order_can_be_reversed_until_it_is_in_a_batch(state: OrderState) -> None:
    assert next_state(state, Event.REVERSE) is OrderState.REVERSED


@pytest.mark.parametrize("state", [OrderState.IN_BATCH, OrderState.SETTLED, OrderState.PAID])
@pytest.mark.parametrize("event", [Event.REVERSE, Event.DISALLOW])
def test_an_order_in_a_batch_is_settled_business(state: OrderState, event: Event) -> None:
    assert refused(state, event) is Code.ALREADY_SETTLED


def test_a_claim_in_a_batch_is_refused_as_a_changed_state() -> None:
    assert refused(ClaimState.IN_BATCH, Event.DISALLOW) is Code.STATE_CHANGED


def test_money_is_never_held_twice_nor_captured_before_it_is_held() -> None:
    assert refused(OrderState.HELD, Event.HOLD) is Code.STATE_CHANGED
    assert refused(OrderState.ACCEPTED, Event.CAPTURE) is Code.STATE_CHANGED
    assert refused(OrderState.CAPTURED, Event.CAPTURE) is Code.STATE_CHANGED


@pytest.mark.parametrize(
    "state", [SessionState.CONFIRMED, SessionState.EXPIRED, SessionState.REJECTED, SessionState.CANCELLED]
)
def test_a_session_that_has_ended_says_so(state: SessionState) -> None:
    assert refused(state, Event.CONFIRM) is Code.SESSION_CLOSED


def test_a_code_is_scanned_once() -> None:
    assert refused(SessionState.SCANNED, Event.SCAN) is Code.STATE_CHANGED


def test_states_of_different_things_with_one_word_are_kept_apart() -> None:
    assert open_to(OrderState.APPROVED) != open_to(ClaimState.APPROVED)
    assert open_to(VoucherState.EXPIRED) == frozenset()


@given(state=st.sampled_from(STATES), event=st.sampled_from(Event))
def test_a_step_stays_within_its_own_list_and_only_open_events_pass(state: StrEnum, event: Event) -> None:
    if event in open_to(state):
        assert type(next_state(state, event)) is type(state)
    else:
        refused(state, event)


@pytest.mark.parametrize("kind", list(TABLES), ids=lambda kind: kind.__name__)
def test_every_state_can_be_reached_from_the_first(kind: type[StrEnum]) -> None:
    first = next(iter(kind))
    reached, frontier = {first}, [first]
    while frontier:
        state = frontier.pop()
        following = {next_state(state, event) for event in open_to(state)} - reached
        reached |= following
        frontier += following
    assert reached == set(kind)


@pytest.mark.parametrize("event", list(Event))
def test_every_event_moves_something(event: Event) -> None:
    assert any(event in open_to(state) for state in STATES)
