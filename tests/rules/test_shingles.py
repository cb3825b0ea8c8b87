"""How alike two texts are, from sixteen small hashes of each."""

from __future__ import annotations

from voucher.rules.shingles import MINIMA, common, minima, percent_alike, plain

TEXT = "".join(f"第{number}号样品的抗拉强度为{number * 37 % 911}兆帕，符合标准。" for number in range(60))


def test_layout_width_and_case_change_nothing() -> None:
    assert plain("Ａb １ ．2\n") == "ab12"
    assert minima(TEXT) == minima(" ".join(TEXT))


def test_a_short_text_has_no_hashes() -> None:
    assert minima("字" * 79) == ()
    assert len(minima("字" * 80)) == MINIMA


def test_the_same_text_is_a_hundred_percent_alike_half_of_it_less_and_another_hardly() -> None:
    whole = minima(TEXT)
    assert percent_alike(common(whole, whole)) == 100
    half = percent_alike(common(whole, minima(TEXT[: len(TEXT) // 2])))
    other = "".join(f"合同第{number}条约定甲方应于{number}日内付款给乙方。" for number in range(60))
    assert 20 <= half < 100
    assert percent_alike(common(whole, minima(other))) < 10
