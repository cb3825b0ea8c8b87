"""What comes in is read strictly: hostile amounts, ids and texts are refused at their field, never guessed."""

from __future__ import annotations

from typing import Any

import pytest
from marshmallow import ValidationError, fields
from werkzeug.datastructures import MultiDict

from voucher.errors import Code, Refusal
from voucher.schemas.base import (
    Body,
    ChoiceField,
    CodeField,
    DayField,
    FenField,
    Form,
    IdField,
    TextField,
    UsccField,
    YuanField,
    flat,
    load_form,
)
from voucher.schemas.messages import sentence
from voucher.terms import Role


class Everything(Form):
    amount = YuanField()
    amount_fen = FenField()
    id = IdField()
    ids = fields.List(IdField())
    day = DayField()
    uscc = UsccField()
    role = ChoiceField(Role)
    code = CodeField(maximum=10)
    text = TextField(maximum=10)
    note = TextField(maximum=10, multiline=True)


@pytest.mark.parametrize(
    "amount",
    [
        float("nan"),
        float("inf"),
        10**400,
        True,
        "100",
        "１００",
        1.0,
        1e3,
        2**63,
        -1,
        0,
        [1],
        {},
        None,
        "٣",
    ],
)
def test_an_amount_in_json_is_a_whole_number_of_fen_and_nothing_else(amount: Any) -> None:
    with pytest.raises(ValidationError) as refused:
        Everything().load({"amount_fen": amount})
    assert set(refused.value.messages_dict) == {"amount_fen"}


@pytest.mark.parametrize(
    "amount", ["NaN", "1e400", "true", "٣", "༣", "1.234", "-1", "0", "92233720368547758.08"]
)
def test_a_hostile_amount_in_a_form_is_refused_at_its_field(amount: str) -> None:
    assert set(load_form(Everything, {"amount": amount})[1]) == {"amount"}


def test_the_full_width_digits_of_a_chinese_keyboard_are_understood_in_forms() -> None:
    data, errors = load_form(Everything, {"amount": "１，２３４．５０", "day": "２０２６－０３－０１"})
    assert not errors
    assert (data["amount"], data["day"].isoformat()) == (1_234_50, "2026-03-01")


@pytest.mark.parametrize("value", [0, -1, 2**63, True, "٣", "1.0", "9" * 20, 1.5, None])
def test_an_id_is_bounded(value: Any) -> None:
    with pytest.raises(ValidationError):
        Everything().load({"id": value})
    assert Everything().load({"id": 2**63 - 1}) == {"id": 2**63 - 1}


@pytest.mark.parametrize(
    "day", ["2026-02-30", "0001-01-01", "9999-12-31", "2026/03/01", "٢٠٢٦-03-01", 20260301]
)
def test_a_day_is_one_of_the_calendar(day: Any) -> None:
    with pytest.raises(ValidationError):
        Everything().load({"day": day})


@pytest.mark.parametrize("text", ["", "   ", "x" * 11, "a\x00b", "a\u202eb", "a\nb", 1, None])
def test_a_text_is_bounded_and_holds_nothing_unseen(text: Any) -> None:
    with pytest.raises(ValidationError):
        Everything().load({"text": text})


def test_lines_are_kept_only_where_they_are_meant() -> None:
    assert Everything().load({"note": " a\r\nb "}) == {"note": "a\nb"}


def test_a_code_a_uscc_and_a_choice_are_what_they_say() -> None:
    given = {"code": "ａ-1", "uscc": " 91350100m000100y43", "role": "auditor"}
    data, errors = load_form(Everything, given)
    assert (errors, data) == ({}, {"code": "a-1", "uscc": "91350100M000100Y43", "role": Role.AUDITOR})
    wrong = {"code": "a b", "uscc": "91350100M000100Y44", "role": "king"}
    assert set(load_form(Everything, wrong)[1]) == set(wrong)


def test_a_form_leaves_out_token_and_key_and_counts_an_empty_field_as_not_filled_in() -> None:
    form = MultiDict([("csrf_token", "t"), ("key", "k"), ("text", ""), ("ids", "1"), ("ids", "2")])
    assert load_form(Everything, form) == ({"ids": [1, 2]}, {})
    assert set(load_form(Everything, {"stranger": "1"})[1]) == {"stranger"}


def test_every_sentence_of_an_error_is_chinese() -> None:
    class Required(Body):
        ids = fields.List(IdField(), required=True)
        flag = fields.Boolean(required=True)

    for wrong in ({}, {"ids": "x", "flag": "perhaps", "z": 1}, {"ids": ["x"], "flag": None}):
        with pytest.raises(ValidationError) as refused:
            Required().load(wrong)
        assert set(refused.value.messages_dict) >= {"ids", "flag"}
        assert all(
            not word.isascii() for words in flat(refused.value.messages_dict).values() for word in words
        )


def test_a_refusal_by_a_cap_says_which_how_much_is_used_and_what_is_left() -> None:
    refusal = Refusal(
        Code.CAP_EXCEEDED, cap_fen=200_000_00, used_fen=199_000_00, left_fen=1_000_00, year=2026
    )
    assert sentence(refusal) == (
        "补助限额不足，不能办理。所属年度：2026 年。限额 200,000.00 元，已用（含锁定）199,000.00 元。还剩 1,000.00 元。"
    )


def test_a_refusal_with_other_facts_says_what_it_knows() -> None:
    assert sentence(Refusal(Code.CAP_EXCEEDED)) == "补助限额不足，不能办理。"
    assert sentence(Refusal(Code.QR_USED, scanned_at="2026-03-02T10:00:05.000000+08:00")).endswith(
        "扫码时间：2026-03-02 10:00:05。"
    )
    suspended = sentence(Refusal(Code.PROVIDER_SUSPENDED, state="suspended"))
    assert suspended.endswith("平台状态：暂停。")
