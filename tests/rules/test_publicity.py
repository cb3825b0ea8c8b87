"""What a public notice shows, until when, and the word that follows an objection."""

from __future__ import annotations

from datetime import date

from tests.rules.policies import policy
from voucher.rules.publicity import is_lookup_word, is_over, lookup_word, shown_name, working_days_asked
from voucher.terms import HolderKind


def test_a_founders_given_name_is_hidden_and_a_firms_name_is_not() -> None:
    assert shown_name("王小明", HolderKind.FOUNDER) == "王**"
    assert shown_name("太原公司", HolderKind.FIRM) == "太原公司"


def test_a_notice_is_over_the_day_after_its_last() -> None:
    last = date(2026, 5, 1)
    assert [is_over(last, day) for day in (last, date(2026, 5, 2))] == [False, True]
    assert [working_days_asked(policy(notice_days=days)) for days in (5, None)] == [5, 0]


def test_the_word_of_an_objection_is_known_however_it_is_typed_and_only_with_the_secret() -> None:
    word = lookup_word("secret", "J1")
    assert is_lookup_word("secret", "J1", f" {word[:4].lower()}-{word[4:]} ")
    assert not is_lookup_word("other", "J1", word)
    assert not is_lookup_word("secret", "J2", word)
