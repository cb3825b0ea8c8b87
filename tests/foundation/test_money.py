"""Money: what is read, what is refused with which sentence, and that nothing is lost when it is divided."""

import re

import cn2an
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voucher.money import (
    MAX_FEN,
    MoneyError,
    capital_yuan,
    floor_yuan,
    format_yuan,
    parse_yuan,
    share_floor,
)

amounts = st.integers(min_value=0, max_value=MAX_FEN)
rates = st.integers(min_value=0, max_value=10_000)


def reason(text: object) -> str:
    with pytest.raises(MoneyError) as caught:
        parse_yuan(text)
    return caught.value.reason


@pytest.mark.parametrize(
    ("text", "fen"),
    [
        ("0.01", 1),
        ("1", 1_00),
        ("1234.5", 1_234_50),
        ("1,234.56", 1_234_56),
        ("10,000,000", 10_000_000_00),
        ("  50000 ", 50_000_00),
        ("１２３４．５０", 1_234_50),
        ("１２，３４５．６", 12_345_60),
        ("\u3000８８\u3000", 88_00),
        ("10000000000000.00", MAX_FEN),
    ],
)
def test_an_amount_is_read_as_people_write_it(text: str, fen: int) -> None:
    assert parse_yuan(text) == fen


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "请填写金额"),
        ("   ", "请填写金额"),
        ("NaN", "NaN 或无穷大"),
        ("-Infinity", "NaN 或无穷大"),
        ("true", "空值"),
        ("None", "空值"),
        ("1e400", "科学计数法"),
        ("1E3", "科学计数法"),
        ("９ｅ９", "科学计数法"),
        ("9223372036854775808", "不能超过"),
        ("10000000000000.01", "不能超过"),
        ("1.105", "最多保留两位小数"),
        ("1.000", "最多保留两位小数"),
        ("-5", "正负号"),
        ("+5", "正负号"),
        ("0", "必须大于 0"),
        ("0.00", "必须大于 0"),
        ("1,23", "千位分隔符"),
        ("12,34,567", "千位分隔符"),
        (",123", "千位分隔符"),
        ("1234,567", "千位分隔符"),
        ("1.2.3", "小数点的位置"),
        (".5", "小数点的位置"),
        ("5.", "小数点的位置"),
        ("007", "多余的 0"),
        ("1" * 41, "太长"),
        ("٣٤٥", "阿拉伯数字 0 至 9"),
        ("༣༤", "阿拉伯数字 0 至 9"),
        ("10²", "阿拉伯数字 0 至 9"),
        ("五百", "阿拉伯数字 0 至 9"),
        ("𝟏𝟐", "阿拉伯数字 0 至 9"),
        ("￥100", "只能由数字"),
        ("100元", "只能由数字"),
        ("0x10", "只能由数字"),
        ("1_000", "只能由数字"),
        ("1 000", "只能由数字"),
        ("1\n2", "只能由数字"),
        ("\ud8005", "只能由数字"),
    ],
)
def test_what_is_not_an_amount_is_refused_with_its_own_sentence(text: str, sentence: str) -> None:
    assert sentence in reason(text)


@pytest.mark.parametrize("value", [True, 5, 1.5, float("nan"), None, ["5"]])
def test_a_value_that_is_not_text_is_refused(value: object) -> None:
    assert "文字" in reason(value)


def test_the_smallest_amount_is_the_callers_to_say() -> None:
    assert parse_yuan("0", minimum=0) == 0
    with pytest.raises(MoneyError, match=re.escape("金额不能少于 100.00 元。")):
        parse_yuan("99.99", minimum=100_00)


@given(st.text(max_size=60))
def test_any_text_is_an_amount_or_a_money_error(text: str) -> None:
    try:
        fen = parse_yuan(text)
    except MoneyError:
        return
    assert 0 < fen <= MAX_FEN


@given(amounts)
def test_an_amount_written_is_read_back_unchanged(fen: int) -> None:
    assert parse_yuan(format_yuan(fen), minimum=0) == fen
    assert parse_yuan(format_yuan(fen).replace(",", ""), minimum=0) == fen


def test_amounts_are_written_with_separators_and_two_decimals() -> None:
    assert format_yuan(0) == "0.00"
    assert format_yuan(5) == "0.05"
    assert format_yuan(1_234_567_89) == "1,234,567.89"
    assert format_yuan(-1_000_05) == "-1,000.05"


@pytest.mark.parametrize(
    ("fen", "words"),
    [
        (0, "人民币零元整"),
        (5, "人民币伍分"),
        (50, "人民币伍角"),
        (1_00, "人民币壹元整"),
        (10_00, "人民币壹拾元整"),
        (1_409_50, "人民币壹仟肆佰零玖元伍角"),
        (6_007_14, "人民币陆仟零柒元壹角肆分"),
        (1_680_32, "人民币壹仟陆佰捌拾元叁角贰分"),
        (107_000_53, "人民币壹拾万柒仟元伍角叁分"),
        (16_409_02, "人民币壹万陆仟肆佰零玖元零贰分"),
        (325_04, "人民币叁佰贰拾伍元零肆分"),
        (1_0005_0000_00, "人民币壹亿零伍万元整"),
        (1_0000_0005_00, "人民币壹亿零伍元整"),
        (6_0000_1308_00, "人民币陆亿零壹仟叁佰零捌元整"),
        (1_0000_0000_0000_00, "人民币壹万亿元整"),
        (1_0001_0000_0000_05, "人民币壹万零壹亿元零伍分"),
        (9_9999_9999_9999_99, "人民币玖万玖仟玖佰玖拾玖亿玖仟玖佰玖拾玖万玖仟玖佰玖拾玖元玖角玖分"),
        (MAX_FEN, "人民币壹拾万亿元整"),
    ],
)
def test_an_amount_in_capital_characters_follows_the_payment_rules(fen: int, words: str) -> None:
    assert capital_yuan(fen) == words


@given(st.integers(min_value=0, max_value=10**13 - 1))
def test_capital_characters_agree_with_an_independent_library(fen: int) -> None:
    yuan = fen // 100
    theirs = cn2an.an2cn(f"{yuan}.{fen % 100:02d}", "rmb")
    if yuan > 10**8 and yuan // 10**4 % 10**4 == 0 and yuan // 1000 % 10:
        # An empty group of ten thousands: cn2an leaves the zero out, 支付结算办法 annex 1 has it.
        theirs = theirs.replace("亿", "亿零")
    assert capital_yuan(fen) == f"人民币{theirs}"


@given(amounts)
def test_capital_characters_never_repeat_a_zero(fen: int) -> None:
    words = capital_yuan(fen)
    assert "零零" not in words
    assert ("零元" in words) == (fen == 0)


@pytest.mark.parametrize("fen", [-1, MAX_FEN + 1])
def test_capital_characters_are_refused_outside_the_range(fen: int) -> None:
    with pytest.raises(MoneyError):
        capital_yuan(fen)


@given(amounts, rates)
def test_a_share_is_less_than_a_fen_below_the_exact_one(fen: int, rate: int) -> None:
    exact = fen * rate
    assert exact - 10_000 < share_floor(fen, rate) * 10_000 <= exact


def test_a_third_of_a_hundred_thousand_rounds_down() -> None:
    assert share_floor(100_000_00, 3_333) == 33_330_00
    assert share_floor(1, 9_999) == 0


@pytest.mark.parametrize(("fen", "rate"), [(-1, 5_000), (MAX_FEN + 1, 1), (1_00, -1), (1_00, 10_001)])
def test_a_share_of_nothing_sensible_is_refused(fen: int, rate: int) -> None:
    with pytest.raises(ValueError, match=r".+"):
        share_floor(fen, rate)


def test_whole_yuan_are_rounded_down() -> None:
    assert floor_yuan(1_999_99) == 1_999_00
    assert floor_yuan(99) == 0
    with pytest.raises(MoneyError):
        floor_yuan(-1)
