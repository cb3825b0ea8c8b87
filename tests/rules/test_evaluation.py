"""Yearly evaluation: the file, points and grades, failed years in a row, days on which reports are due."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from tests.factories import FOLDER
from voucher.errors import Code, Refusal
from voucher.rules.evaluation import (
    EvaluationRules,
    Result,
    failed_in_row,
    quarter_begins,
    rectify_by,
    report_due,
    result_of,
    years_later,
)
from voucher.rules.evaluation_reading import read
from voucher.rules.policy import PolicyError
from voucher.rules.working_days import Calendar
from voucher.terms import UnevaluatedYear

TEXT = (FOLDER / "evaluation" / "lhasa-2019.toml").read_text("utf-8")
DOCUMENT = (FOLDER / "documents" / "lhasa-2019.txt").read_text("utf-8")
FULL = {"filing": 20, "services": 25, "reports": 15, "tenants": 25, "activities": 15}
WEEK = Calendar()


@pytest.fixture(scope="module")
def lhasa() -> EvaluationRules:
    """The rules of Lhasa 2019, 二（三）, with the demo's numbers where the document has none."""
    return read(TEXT, DOCUMENT)


def problems(text: str) -> dict[str, tuple[int | None, str]]:
    """What is wrong with a text: key -> line and message."""
    with pytest.raises(PolicyError) as fault:
        read(text, DOCUMENT)
    return {each.key: (each.line, each.message) for each in fault.value.problems}


def test_the_five_groups_the_two_years_and_the_three_are_those_of_the_document(
    lhasa: EvaluationRules,
) -> None:
    assert [each.label for each in lhasa.indicators] == [
        "孵化企业备案情况",
        "孵化服务及成效",
        "季度数据报送情况",
        "在孵企业、毕业企业和退出企业情况",
        "投融资和其他创新创业活动",
    ]
    assert (lhasa.fails_in_row, lhasa.lock_years, lhasa.to_on) == (2, 3, date(2021, 1, 1))
    assert lhasa.clause("lock_years").endswith("实施意见 二（三）")
    assert lhasa.clause("pass_points") == "演示填写，非文件规定"
    assert (
        read(TEXT.replace("through = 2020-12-31\n", "").replace('document = "lhasa-2019"\n', "")).to_on
        is None
    )


def test_points_add_up_to_a_grade_and_what_is_below_the_pass_fails(lhasa: EvaluationRules) -> None:
    assert result_of(lhasa, FULL) == Result(100, passed=True, grade="优秀")
    assert result_of(lhasa, {**FULL, "filing": 0, "tenants": 20}) == Result(75, passed=True, grade="良好")
    assert result_of(lhasa, {**FULL, "filing": 0, "services": 5}) == Result(60, passed=True, grade="合格")
    assert result_of(lhasa, {**FULL, "filing": 0, "services": 4}) == Result(59, passed=False, grade="不合格")


@pytest.mark.parametrize(
    ("change", "indicator"),
    [
        ({"filing": 21}, "孵化企业备案情况"),
        ({"tenants": -1}, "在孵企业、毕业企业和退出企业情况"),
        ({"other": 1}, "other"),
    ],
)
def test_points_beyond_an_indicator_are_refused_by_name(
    lhasa: EvaluationRules, change: dict[str, int], indicator: str
) -> None:
    with pytest.raises(Refusal) as refused:
        result_of(lhasa, {**FULL, **change})
    assert refused.value.code is Code.POINTS_INVALID
    assert refused.value.facts["indicator"] == indicator
    with pytest.raises(Refusal):
        result_of(lhasa, {"filing": 20})


def test_failed_years_count_together_only_where_nothing_lies_between(lhasa: EvaluationRules) -> None:
    skipping = replace(lhasa, unevaluated_year=UnevaluatedYear.SKIPPED)
    fail, ok = False, True
    assert failed_in_row(lhasa, {2019: fail}, 2019) == 1
    assert failed_in_row(lhasa, {2019: fail, 2020: fail}, 2020) == 2
    assert failed_in_row(lhasa, {2019: fail, 2020: fail}, 2019) == 2
    assert failed_in_row(lhasa, {2018: fail, 2019: ok, 2020: fail}, 2020) == 1
    assert failed_in_row(lhasa, {2018: ok, 2019: fail}, 2018) == 0
    assert failed_in_row(lhasa, {2018: fail, 2020: fail}, 2020) == 1
    assert failed_in_row(skipping, {2018: fail, 2020: fail}, 2020) == 2
    assert failed_in_row(skipping, {2017: fail, 2018: ok, 2020: fail}, 2020) == 1
    assert failed_in_row(lhasa, {2017: fail, 2018: fail, 2019: fail}, 2018) == 3


def test_a_lock_ends_on_the_same_day_years_later() -> None:
    assert years_later(date(2020, 5, 6), 3) == date(2023, 5, 6)
    assert years_later(date(2020, 2, 29), 3) == date(2023, 3, 1)
    assert years_later(date(2020, 2, 29), 4) == date(2024, 2, 29)


def test_a_report_due_on_a_holiday_is_due_on_the_next_working_day(lhasa: EvaluationRules) -> None:
    assert report_due(lhasa, WEEK, 2019, 1) == date(2019, 4, 15)
    assert report_due(lhasa, WEEK, 2019, 4) == date(2020, 1, 15)
    holiday = Calendar(rest=frozenset({date(2019, 4, 15), date(2019, 4, 16)}))
    assert report_due(lhasa, holiday, 2019, 1) == date(2019, 4, 17)
    assert report_due(replace(lhasa, report_days=13), WEEK, 2019, 1) == date(2019, 4, 15)
    worked = Calendar(work=frozenset({date(2019, 4, 13)}))
    assert report_due(replace(lhasa, report_days=13), worked, 2019, 1) == date(2019, 4, 13)
    with pytest.raises(ValueError, match="four quarters"):
        quarter_begins(2019, 5)


def test_an_order_to_put_right_counts_working_days(lhasa: EvaluationRules) -> None:
    assert rectify_by(replace(lhasa, rectify_working_days=5), WEEK, date(2020, 1, 3)) == date(2020, 1, 10)


def test_every_fault_of_a_file_is_named_with_its_line() -> None:
    found = problems(
        TEXT.replace("value = 2\n", "value = 0\n")
        .replace('quote = "3年内', 'quote = "5年内')
        .replace("filing = 20, ", "")
        .replace("services = 25", "services = 0")
        .replace("value = 60\nbasis", "value = 600\nbasis", 1)
        .replace('"合格" = 60', '"不合格" = 60')
        .replace('value = "breaks"\nbasis = "演示填写，非文件规定"', 'value = "often"')
        .replace("through = 2020-12-31", "through = 2018-12-31\nextra = 1")
        + "\n[unknown]\nvalue = 1\n"
    )
    assert found["fails_in_row.value"][1] == "应为 1 至 10 的整数"
    assert found["fails_in_row.value"][0] == TEXT[: TEXT.index("value = 2\n")].count("\n") + 2
    assert "原文中没有“5年内" in found["lock_years"][1]
    assert found["points"][1] in ("各项分值应与评价内容一一对应", "分值应为正整数")
    assert "总分" in found["pass_points"][1]
    assert found["grades"][1]
    assert "依据" in found["unevaluated_year"][1]
    assert found["unevaluated_year.value"][1] == "应为 breaks、skipped 之一"
    assert found["rules.through"][1] == "早于起始日期"
    assert found["rules.extra"][1] == "没有这个参数"
    assert found["unknown"][1] == "没有这个参数"


@pytest.mark.parametrize(
    ("before", "after", "key"),
    [
        ("[rules]", "[rule]", "rules"),
        ('region = "540100"', "region = 540100", "rules.region"),
        ("from_on = 2019-01-01", "from_on = 2019-01-01T00:00:00", "rules.from_on"),
        ('title = "拉萨市双创中心年度评价"', 'title = " "', "rules.title"),
        ('code = "CN-540100-CENTRES-2019"\n', "", "rules.code"),
        ('key = "filing"', 'key = "Filing"', "indicators[0].key"),
        ("[[indicators]]", "[[indicator]]", "indicators"),
        ("[points]", "[point]", "points"),
        ("[grades]", "[grade]", "grades"),
        (
            "value = { filing = 20, services = 25, reports = 15, tenants = 25, activities = 15 }",
            "value = 5",
            "points.value",
        ),
        ('"优秀" = 90', '"" = 90', "grades"),
        ("value = 15\n", "value = true\n", "report_days.value"),
        ('basis = "演示填写，非文件规定"\n\n[grades]', 'basis = ""\n\n[grades]', "pass_points"),
    ],
)
def test_each_fault_is_found_at_its_key(before: str, after: str, key: str) -> None:
    assert before in TEXT
    assert key in problems(TEXT.replace(before, after))


def test_a_text_that_is_no_toml_is_one_fault_with_its_line() -> None:
    assert [line for line, _ in problems("[rules]\ncode = \n").values()] == [2]
    assert [line for line, _ in problems("[" * 3000).values()] == [1]
