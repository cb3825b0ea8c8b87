from __future__ import annotations

import time
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.pace import within
from tests.rules.policies import SHANXI, SHANXI_FILL
from voucher.money import Fen
from voucher.rules import policy_reading
from voucher.rules.policy import Fill, PolicyError, PolicyUnsetError, Problem, Tier
from voucher.rules.policy_lines import line_of, locate
from voucher.rules.policy_reading import placed
from voucher.terms import CapBasis, CapPeriod, PayoutMode, VoucherKind

HEAD = """[policy]
code = "P-1"
programme = "P"
title = "测试券"
document_no = "测发〔2026〕1号"
document = "test"
owner_region = "140000"
cap_family = "P"
"""
SOURCE = 'source = { document_no = "测发〔2026〕1号", item = "3", quote = "原文" }\n'
FILL = '[fill]\npolicy = "P-1"\nwho = "某局"\nbasis = "局长办公会"\n'


def problems(text: str, *fills: str) -> list[Problem]:
    with pytest.raises(PolicyError) as failed:
        policy_reading.read(text, fills)
    return list(failed.value.problems)


def only(text: str, *fills: str) -> Problem:
    (problem,) = problems(text, *fills)
    return problem


def given_value(key: str, value: str) -> str:
    return f"{HEAD}[{key}]\nvalue = {value}\n{SOURCE}"


def test_the_shanxi_document_gives_kind_holders_services_and_the_yearly_cap() -> None:
    shanxi = policy_reading.read(SHANXI)
    assert shanxi.code == "CN-140000-INNO-2022"
    assert shanxi.kind == "innovation_voucher"
    assert shanxi.holder_classes == ("tech_sme",)
    assert [service.code for service in shanxi.services] == [
        "innovation_service_purchase",
        "technical_cooperation",
    ]
    cap = shanxi.cap_for("tech_sme")
    assert cap is not None
    assert (cap.amount_fen, cap.period, cap.basis) == (200_000_00, CapPeriod.YEAR, CapBasis.REDEEMED)
    source = shanxi.source_of("caps[0]")
    assert source is not None and "20 万元" in source.quote and source.item == "18"
    assert shanxi.services[0].source is not None
    assert shanxi.fills == ()


def test_what_a_year_is_stays_open_until_somebody_says_so() -> None:
    cap = policy_reading.read(SHANXI).caps[0]
    with pytest.raises(PolicyUnsetError):
        cap.period_of(date(2026, 1, 1))
    assert policy_reading.read(SHANXI, [SHANXI_FILL]).caps[0].period_of(date(2026, 12, 31)) == 2026


def test_a_fill_in_sets_what_is_open_and_is_remembered_with_who_and_why() -> None:
    shanxi = policy_reading.read(SHANXI, [SHANXI_FILL])
    assert shanxi.payout_mode is PayoutMode.REIMBURSE_ENTERPRISE
    assert shanxi.rate_lines[0].tiers == (Tier(5_000),)
    assert Fill("payout_mode", "演示主管部门", "演示填写，非文件规定") in shanxi.fills
    assert shanxi.fill_of("payout_mode") is not None
    assert shanxi.fill_of("kind") is None
    assert shanxi.source_of("payout_mode") is None


def test_a_fill_in_of_what_the_document_gives_is_refused() -> None:
    found = only(SHANXI, SHANXI_FILL + '\n[kind]\nvalue = "startup_voucher"\n')
    assert found.key == "fills[0].kind"
    assert "不得另行填写" in found.message


def test_two_fill_ins_of_one_parameter_are_refused() -> None:
    extra = '[fill]\npolicy = "CN-140000-INNO-2022"\nwho = "a"\nbasis = "b"\n[notice_days]\nvalue = 5\n'
    assert only(SHANXI, SHANXI_FILL, extra).key == "fills[1].notice_days"


def test_a_fill_in_of_another_policy_is_refused() -> None:
    found = only(given_value("notice_days", "5"), FILL.replace("P-1", "P-2"))
    assert (found.line, found.key) == (2, "fills[0].fill.policy")


def test_a_fill_in_without_author_is_refused() -> None:
    assert {found.key for found in problems(HEAD, '[fill]\npolicy = "P-1"\n')} == {
        "fills[0].fill.who",
        "fills[0].fill.basis",
    }
    assert only(HEAD, "[notice_days]\nvalue = 1\n").key == "fills[0].fill"


def test_a_fill_in_cannot_claim_a_source() -> None:
    assert only(HEAD, f"{FILL}[notice_days]\nvalue = 1\n{SOURCE}").key == "fills[0].notice_days.source"


def test_every_fault_is_reported_at_once_with_line_key_and_clause() -> None:
    text = f"{HEAD}\n[notice_days]\nvalue = true\n{SOURCE}\n[[caps]]\nperiod = 'month'\nbasis = 'used'\n{SOURCE}\n[x]\n"
    found = {(each.line, each.key, each.clause) for each in problems(text)}
    assert found == {
        (11, "notice_days.value", "3"),
        (15, "caps[0].period", "3"),
        (14, "caps[0].amount_fen", "3"),
        (19, "x", None),
    }


def test_a_toml_fault_is_reported_with_its_line() -> None:
    assert only(HEAD + "[kind\n").line == 9
    assert only("x = [").line == 1
    assert only("x = " + "[" * 10_000).line == 1
    assert only(HEAD, "a b").key == "fills[0]"


def test_a_byte_order_mark_is_no_fault() -> None:
    assert policy_reading.read("\ufeff" + HEAD).code == "P-1"


def test_a_file_without_identity_is_refused() -> None:
    assert only("").key == "policy"
    assert only(HEAD.replace('title = "测试券"\n', "")).key == "policy.title"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("kind", '"gift_card"'),
        ("kind", "7"),
        ("effective_from", '"2022-03-11"'),
        ("effective_from", "2022-03-11T00:00:00"),
        ("effective_through", "9999-12-31"),
        ("holder_classes", "[]"),
        ("holder_classes", '["tech_sme", "tech_sme"]'),
        ("holder_classes", '"tech_sme"'),
        ("holder_classes", str(["tech_sme"] * 501)),
        ("notice_days", "-1"),
        ("notice_days", "1.5"),
        ("use_by_days", "0"),
        ("face_min_fen", "0"),
        ("face_min_fen", "nan"),
        ("face_max_fen", "1_000_000_000_000_001"),
        ("year_start", '"02-29"'),
        ("year_start", '"7-1"'),
        ("year_start", "701"),
        ("affiliation_share_bp", "10_001"),
        ("prorata", "1"),
    ],
)
def test_a_value_of_the_wrong_shape_is_refused_at_its_line(key: str, value: str) -> None:
    found = only(given_value(key, value))
    assert (found.line, found.key, found.clause) == (10, f"{key}.value", "3")


@pytest.mark.parametrize("name", ["", "  ", "有空格", "a" * 65])
def test_an_identifier_is_plain_ascii(name: str) -> None:
    assert only(HEAD.replace('"P-1"', f'"{name}"')).key == "policy.code"


@pytest.mark.parametrize("title", ["", "长" * 501])
def test_words_are_neither_empty_nor_endless(title: str) -> None:
    assert only(HEAD.replace("测试券", title)).key == "policy.title"


def test_a_parameter_without_source_is_refused() -> None:
    assert "出处" in only(f"{HEAD}[notice_days]\nvalue = 5\n").message
    half = f'{HEAD}[notice_days]\nvalue = 5\nsource = {{ item = "3" }}\n'
    assert only(half).key == "notice_days.source"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("kind = 'innovation_voucher'\n" + HEAD, "kind"),
        ("caps = 5\n" + HEAD, "caps"),
        ("caps = [5]\n" + HEAD, "caps"),
        (given_value("notice_days", "5\nunit = 'day'"), "notice_days.unit"),
    ],
)
def test_a_parameter_written_in_another_way_is_refused(text: str, key: str) -> None:
    assert only(text).key == key


@pytest.mark.parametrize(
    "line",
    [
        "service = 'testing'",
        "rate_bp = 5_000\ntiers = [{ rate_bp = 1 }]",
        "rate_bp = 10_001",
        "tiers = []",
        "tiers = 'x'",
        "tiers = [{ up_to_fen = 5 }]",
        "tiers = [{ rate_bp = 5, up_to_fen = 5 }]",
        "tiers = [{ rate_bp = 5 }, { rate_bp = 6 }]",
        "tiers = [{ rate_bp = 5, up_to_fen = 9 }, { rate_bp = 5, up_to_fen = 8 }, { rate_bp = 6 }]",
        "tiers = [{ rate_bp = 5, colour = 'red' }]",
    ],
)
def test_a_rate_line_is_one_rate_or_rising_tiers(line: str) -> None:
    assert only(f"{HEAD}[[rate_lines]]\n{line}\n{SOURCE}").key.startswith("rate_lines[0]")


def test_tiers_are_read_in_order() -> None:
    tiers = (
        "tiers = [\n  { up_to_fen = 1_000_000, rate_bp = 10_000 }, # 一万元以内\n  { rate_bp = 5_000 },\n]"
    )
    read = policy_reading.read(f"{HEAD}[[rate_lines]]\n{tiers}\n{SOURCE}")
    assert read.rate_lines[0].tiers == (Tier(10_000, Fen(1_000_000)), Tier(5_000))


def test_a_last_day_becomes_the_first_day_out_of_force() -> None:
    text = given_value("effective_through", "2020-12-31") + f"[effective_from]\nvalue = 2019-01-01\n{SOURCE}"
    lhasa = policy_reading.read(text)
    assert (lhasa.effective_from, lhasa.effective_to) == (date(2019, 1, 1), date(2021, 1, 1))


CAP = f"[[caps]]\nperiod = 'year'\nbasis = 'claimed'\namount_fen = 5_000_000\n{SOURCE}"


def test_a_window_year_is_named_after_the_year_in_which_it_ends() -> None:
    years = f"[year]\nvalue = 'window'\n{SOURCE}[year_start]\nvalue = '11-01'\n{SOURCE}"
    cap = policy_reading.read(HEAD + CAP + years).caps[0]
    assert [cap.period_of(date(2020, 10, 31)), cap.period_of(date(2020, 11, 1))] == [2020, 2021]
    assert cap.period_of(date(2021, 8, 31)) == 2021


def test_a_calendar_year_changes_with_the_first_of_january() -> None:
    cap = policy_reading.read(f"{HEAD}{CAP}[year]\nvalue = 'calendar'\n{SOURCE}").caps[0]
    assert [cap.period_of(date(2026, 12, 31)), cap.period_of(date(2027, 1, 1))] == [2026, 2027]


def test_a_cap_of_the_programme_knows_one_period_and_may_have_its_own_family() -> None:
    text = HEAD + CAP.replace("'year'", "'programme'") + CAP.replace("basis", "family = 'OTHER'\nbasis")
    whole, yearly = policy_reading.read(text).caps
    assert (whole.period_of(date(2026, 1, 1)), whole.family, yearly.family) == (0, "P", "OTHER")


def test_the_cap_of_the_class_comes_before_the_cap_for_everybody() -> None:
    own = CAP.replace("basis", "holder_class = 'team'\nbasis").replace("5_000_000", "7")
    read = policy_reading.read(HEAD + CAP + own)
    amounts = [cap.amount_fen for cap in (read.cap_for("team"), read.cap_for("tech_sme")) if cap]
    assert amounts == [7, 50_000_00]
    assert policy_reading.read(HEAD).cap_for("team") is None


def test_a_service_is_found_by_its_code() -> None:
    shanxi = policy_reading.read(SHANXI)
    found = shanxi.service("technical_cooperation")
    assert found is not None and found.label == "开展技术合作"
    assert shanxi.service("exhibition") is None


def test_an_empty_list_leaves_the_parameter_open() -> None:
    assert policy_reading.read("services = []\n" + HEAD).services == ()


def test_lines_are_found_behind_values_that_take_several_lines() -> None:
    written = [
        "a = [ # [ not a bracket",
        '  "]",',
        "]",
        '["b c"]',
        'd = """',
        "[not.a.table]",
        '"""',
        "e = '''x''' # '''",
        "# f = 1 '''",
        "g = { h = 1 } # { ",
        'i = 1 # """',
        "[[j]]",
        "k = 1",
        "[[j]]",
        "just words",
        "k = 2",
    ]
    lines = locate("\n".join(written))
    assert lines["a"] == 1
    assert [lines[key] for key in ("b c", "b c.d", "b c.e", "b c.g", "b c.i")] == [4, 5, 8, 10, 11]
    assert [lines[key] for key in ("j", "j[0]", "j[0].k", "j[1]", "j[1].k")] == [12, 12, 13, 14, 16]
    assert "not.a.table" not in lines
    assert [line_of(lines, "j[1].z"), line_of(lines, "j[7]"), line_of(lines, "zz")] == [14, 12, None]


@given(st.text(max_size=200))
def test_no_text_breaks_the_reading(text: str) -> None:
    locate(text)
    with pytest.raises(PolicyError):
        policy_reading.read(text)


@given(cut=st.integers(0, len(SHANXI)))
def test_a_file_cut_off_anywhere_is_read_or_refused_with_reasons(cut: int) -> None:
    try:
        kind = policy_reading.read(SHANXI[:cut]).kind
    except PolicyError:
        assert problems(SHANXI[:cut])
    else:
        assert kind in (None, VoucherKind.INNOVATION)


def test_five_megabytes_are_refused_before_they_are_read() -> None:
    with within(2, time.process_time):
        assert only("#" * 5_000_000).message.startswith("文件过大")
        assert [
            problem.line for problem in placed([Problem(None, "x", None, "x")], "x = 1\n" * 1_000_000)
        ] == [1]
        (problem,) = problems(HEAD, "#" * 5_000_000)
        assert problem.key == "fills[0]"


@pytest.mark.parametrize(
    "text",
    [
        "a = " + "[" * 100_000,
        "a = " + "{a=" * 50_000,
        f"a = {'9' * 150_000}",
        "a\x00 = 1",
        "[policy]\na = \x00",
        "a = 0x" + "f" * 100_000,
        "\x00",
    ],
    ids=["brackets", "braces", "digits", "nul in a key", "nul in a value", "hexadecimal", "nul"],
)
def test_hostile_texts_are_a_problem_and_no_crash(text: str) -> None:
    assert problems(text)


def test_an_escaped_nul_is_no_text() -> None:
    broken = HEAD.replace('title = "测试券"', 'title = "测试\\u0000券"')
    assert only(broken).message == "文字中有控制字符"
