from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.rules.policies import policy
from voucher.rules import validity
from voucher.rules.policy import PolicyUnsetError


def test_the_day_on_which_a_period_begins_is_not_counted() -> None:
    assert validity.use_by(policy(use_by_days=1), date(2026, 3, 1)) == date(2026, 3, 2)
    assert validity.use_by(policy(), date(2026, 3, 1)) == date(2027, 3, 1)


def test_each_period_has_its_own_length() -> None:
    day = date(2026, 1, 1)
    assert validity.complete_by(policy(complete_by_days=31), day) == date(2026, 2, 1)
    assert validity.redeem_by(policy(redeem_by_days=59), day) == date(2026, 3, 1)


def test_a_period_that_nobody_set_is_never_guessed() -> None:
    with pytest.raises(PolicyUnsetError, match="use_by_days"):
        validity.use_by(policy(use_by_days=None), date(2026, 1, 1))


@given(st.dates(date(2015, 1, 1), date(2100, 1, 1)), st.integers(1, 3_660))
def test_a_later_start_never_ends_earlier(day: date, days: int) -> None:
    assert (validity.use_by(policy(use_by_days=days), day) - day).days == days
