"""Numbers that people read, type and scan: what is recognised, what is caught, what is refused."""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import uscc as stdnum_uscc

from voucher import codes
from voucher.codes import (
    NUMBER_PREFIXES,
    Code20,
    Keys,
    Verdict,
    check_word,
    is_uscc,
    make_code,
    make_uscc,
    new_session_number,
    normalise_uscc,
    numbered,
    read_number,
    scan_code,
    step_of,
    verify_code,
)

OLD, NEW = "a1" * 32, "b2" * 32
KEYS = Keys.parse(f"08:{NEW},07:{OLD}")
NOON = datetime(2026, 6, 1, 4, 0, 0, tzinfo=UTC)
NUMBER = "004815162"
FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")

numbers = st.builds(
    numbered, st.sampled_from(NUMBER_PREFIXES), st.integers(2000, 2999), st.integers(1, 9_999_999)
)


@given(numbers)
def test_a_number_is_read_back_however_it_was_typed(number: str) -> None:
    grouped = f"{number[0]} {number[1:5]}-{number[5:12]}-{number[12]}"
    typings = (
        number,
        number.lower(),
        number.translate(FULL_WIDTH),
        grouped,
        f"\t{number}\r\n",
        f"HTTPS://HOST.CN/V/{number}",
    )
    for typed in typings:
        assert read_number(typed) == number


@given(numbers)
def test_every_single_wrong_character_and_every_swap_of_neighbours_is_caught(number: str) -> None:
    for place in range(1, 13):
        for digit in "0123456789".replace(number[place], ""):
            assert read_number(number[:place] + digit + number[place + 1 :]) is None
    for prefix in NUMBER_PREFIXES.replace(number[0], ""):
        assert read_number(prefix + number[1:]) is None
    for place in range(1, 12):
        swapped = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
        assert swapped == number or read_number(swapped) is None


@pytest.mark.parametrize(
    "text",
    ["", "V", "V20260000123", "X202600001236", "V２０２６", "V20260000123٣", "202600001236", "V" * 10_000],
)
def test_what_is_not_a_number_is_none(text: str) -> None:
    assert read_number(text) is None


def test_numbers_have_a_fixed_form() -> None:
    assert numbered("V", 2026, 123)[:-1] == "V20260000123"
    assert len({numbered("C", 2026, serial) for serial in range(1, 500)}) == 499


@pytest.mark.parametrize(
    ("prefix", "year", "serial"),
    [
        ("X", 2026, 1),
        ("", 2026, 1),
        ("VO", 2026, 1),
        ("V", 26, 1),
        ("V", 3000, 1),
        ("V", 2026, 0),
        ("V", 2026, 10**7),
    ],
)
def test_a_number_outside_its_form_is_not_made(prefix: str, year: int, serial: int) -> None:
    with pytest.raises(ValueError, match="a number"):
        numbered(prefix, year, serial)


@pytest.mark.parametrize("code", ["91330100799655058B", "9144030071526726XG", "914403001922038216"])
def test_real_credit_codes_are_recognised_in_every_typing(code: str) -> None:
    for typed in (code, code.lower(), f" {code[:8]} {code[8:]}\u3000", code.translate(FULL_WIDTH)):
        assert normalise_uscc(typed) == code
        assert is_uscc(typed)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "91330100799655058C",
        "9133010079965505",
        "91330100799655058BB",
        "9133010079965505IB",
        "A1330100799655058B",
    ],
)
def test_a_wrong_credit_code_is_refused(text: str) -> None:
    assert not is_uscc(text)


@given(st.text(max_size=40))
def test_any_text_can_be_asked_whether_it_is_a_credit_code(text: str) -> None:
    assert is_uscc(text) in (True, False)


@given(
    st.integers(0, 99_999_999), st.sampled_from(["140500", "630100", "540100"]), st.sampled_from(["91", "12"])
)
def test_made_up_credit_codes_are_valid_and_always_the_same(serial: int, region: str, kind: str) -> None:
    code = make_uscc(region, serial, kind=kind)
    assert is_uscc(code)
    assert normalise_uscc(code) == code
    assert stdnum_uscc.validate(code) == code
    assert code.startswith(kind + region)
    assert code == make_uscc(region, serial, kind=kind)


def test_the_organisation_part_of_a_made_up_code_has_the_check_character_of_real_ones() -> None:
    # 91330100 79965505-8 is a real code: the same eight digits give the same check character.
    assert make_uscc("330100", 79_965_505) == "91330100799655058B"
    assert make_uscc("440300", 71_526_726)[8:17] == "71526726X"


@pytest.mark.parametrize(
    ("region", "serial"), [("1405", 1), ("14050a", 1), ("140500", -1), ("140500", 10**8)]
)
def test_a_made_up_code_needs_a_region_and_a_serial(region: str, serial: int) -> None:
    with pytest.raises(ValueError, match="made-up"):
        make_uscc(region, serial)


def test_the_key_named_last_makes_the_codes_and_the_older_still_verifies() -> None:
    assert KEYS.current == "08"
    assert make_code(KEYS, NUMBER, NOON).startswith("08")
    before_rotation = Code20("07", NUMBER, make_code(Keys.parse(f"07:{OLD}"), NUMBER, NOON)[11:])
    assert verify_code(KEYS, before_rotation, NOON) is Verdict.VALID
    assert verify_code(Keys.parse(f"08:{NEW}"), before_rotation, NOON) is Verdict.INVALID


def test_keys_do_not_show_when_printed() -> None:
    assert OLD not in repr(KEYS)
    assert repr(bytes.fromhex(OLD)) not in repr(KEYS)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "07",
        "7:" + OLD,
        "07:" + "ab" * 31,
        "07:" + "zz" * 32,
        f"07:{OLD},",
        f"07:{OLD},07:{NEW}",
        f"٠٧:{OLD}",
    ],
)
def test_bad_keys_are_refused_without_showing_them(text: str) -> None:
    with pytest.raises(ValueError, match="QR_KEYS") as caught:
        Keys.parse(text)
    assert "a1a1" not in str(caught.value)


def test_a_code_is_key_number_and_tag_as_documented() -> None:
    step = int(NOON.timestamp()) // 30
    digest = hmac.new(bytes.fromhex(NEW), f"VQR1|{NUMBER}|{step}".encode(), hashlib.sha256).hexdigest()
    assert make_code(KEYS, NUMBER, NOON) == f"08{NUMBER}{int(digest, 16) % 10**9:09d}"
    assert step_of(NOON) == step


@pytest.mark.parametrize("number", ["", "12345678", "1234567890", "12345678a", "１２３４５６７８９"])
def test_a_session_number_has_nine_digits(number: str) -> None:
    with pytest.raises(ValueError, match="nine digits"):
        make_code(KEYS, number, NOON)


def test_new_session_numbers_are_nine_digits_and_differ() -> None:
    made = {new_session_number() for _ in range(200)}
    assert all(len(number) == 9 and number.isdecimal() for number in made)
    assert len(made) > 195


@pytest.mark.parametrize(
    ("seconds", "verdict"),
    [
        (0, Verdict.VALID),
        (29.999, Verdict.VALID),
        (30, Verdict.VALID),
        (59.999, Verdict.VALID),
        (60, Verdict.EXPIRED),
        (3600, Verdict.EXPIRED),
        (3629.999, Verdict.EXPIRED),
        (3630, Verdict.INVALID),
        (-0.001, Verdict.INVALID),
        (-30, Verdict.INVALID),
    ],
)
def test_a_code_lives_for_its_step_and_the_next_one(seconds: float, verdict: Verdict) -> None:
    code = scan_code(make_code(KEYS, NUMBER, NOON))
    assert code is not None
    assert verify_code(KEYS, code, NOON + timedelta(seconds=seconds)) is verdict


def test_a_changed_digit_anywhere_makes_a_code_invalid() -> None:
    code = make_code(KEYS, NUMBER, NOON)
    for place, digit in enumerate(code):
        changed = scan_code(code[:place] + str((int(digit) + 1) % 10) + code[place + 1 :])
        assert changed is not None
        assert verify_code(KEYS, changed, NOON) is Verdict.INVALID


CODE = make_code(KEYS, NUMBER, NOON)
OTHER = make_code(KEYS, "999999999", NOON)


@pytest.mark.parametrize(
    "text",
    [
        CODE,
        f"HTTPS://HOST.EXAMPLE.CN/S/{CODE}",
        f"https://host.example.cn/s/{CODE}\r\n",
        CODE.translate(FULL_WIDTH),
        f"ｈｔｔｐｓ：／／ｈｏｓｔ／ｓ／{CODE.translate(FULL_WIDTH)}",
        f"\x02{CODE}\x03",
        f"\x1b\x00]Q1{'HTTPS://H/S/'}{CODE}\x1d",
        f"HTTPS://H/S/{OTHER}HTTPS://H/S/{CODE}",
        f"{OTHER}\r{CODE}",
        f"\x02{OTHER}\x03\x02{CODE}\x03",
        f"123456789 {CODE} 42",
        " ".join(CODE[i : i + 4] for i in range(0, 20, 4)),
        "-".join(CODE[i : i + 4] for i in range(0, 20, 4)),
        "https://h:8443/s/" + CODE + "?x=1",
    ],
)
def test_a_scan_is_read_whatever_the_scanner_adds(text: str) -> None:
    assert scan_code(text) == Code20(kid=CODE[:2], number=NUMBER, tag=CODE[11:])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        CODE[:-1],
        CODE + "1",
        OTHER + CODE,
        "٠" * 20,
        "༠" * 20,
        "1" * 40,
        f"{CODE[:10]} {CODE[10:]}",
    ],
)
def test_a_text_without_a_run_of_twenty_digits_is_no_code(text: str) -> None:
    assert scan_code(text) is None


@given(st.text())
def test_any_text_can_be_scanned(text: str) -> None:
    found = scan_code(text)
    assert found is None or len(found.kid + found.number + found.tag) == 20


def test_a_very_long_scan_is_read_from_its_end() -> None:
    assert scan_code("x" * 1_000_000 + CODE) is not None


def test_the_check_word_is_two_characters_that_depend_on_secret_and_session() -> None:
    word = check_word(b"secret", NUMBER)
    assert len(word) == 2
    assert word == check_word(b"secret", NUMBER)
    words = {check_word(b"secret", f"{n:09d}") for n in range(300)}
    assert len(words) > 290
    assert check_word(b"another", NUMBER) != word


def test_the_check_words_come_from_256_different_plain_characters() -> None:
    assert len(codes._WORDS) == len(set(codes._WORDS)) == 256
    # Level 1 of GB 2312: the 3,755 characters in most frequent use.
    assert all(0xB0 <= char.encode("gb2312")[0] <= 0xD7 for char in codes._WORDS)
