"""Every refusal has a Chinese sentence, and a row in docs/refusals.md that says the same."""

from __future__ import annotations

import re

from tests.guards.source import ROOT
from voucher.errors import Code, Refusal
from voucher.schemas.messages import DETAILS, SENTENCES, names, sentence

CHINESE = re.compile(r"[\u4e00-\u9fff]")
ROW = re.compile(
    r"^\| *`([a-z0-9_]+)` *\| *([0-9]{3}) *\| *([^|]+?) *\| *([^|]+?) *\| *([^|]+?) *\|$", re.MULTILINE
)
ROWS = ROW.findall((ROOT / "docs/refusals.md").read_text(encoding="utf-8"))


def test_every_code_has_a_chinese_sentence() -> None:
    assert set(SENTENCES) == set(Code)
    dumb = [code for code, text in SENTENCES.items() if not CHINESE.search(text)]
    assert not dumb


def test_a_sentence_needs_no_facts_and_says_more_with_each_that_it_knows() -> None:
    assert not [code for code, text in SENTENCES.items() if names(text)]
    assert set(DETAILS) <= set(Code)
    for code, details in DETAILS.items():
        for detail in details:
            said = sentence(Refusal(code, **dict.fromkeys(names(detail), 0)))
            assert said.startswith(SENTENCES[code])
            assert len(said) > len(SENTENCES[code])
            assert "{" not in said


def test_every_code_has_a_status_of_a_refusal() -> None:
    assert all(400 <= Refusal(code).status < 600 for code in Code)


def test_the_documentation_lists_every_code_once_and_no_other() -> None:
    assert sorted(row[0] for row in ROWS) == sorted(code.value for code in Code)


def test_the_documentation_gives_status_facts_and_sentence_as_the_product_does() -> None:
    for value, status, _, facts, text in ROWS:
        code = Code(value)
        assert int(status) == Refusal(code).status, value
        assert text == SENTENCES[code], value
        assert set(re.findall(r"`(\w+)`", facts)) == set().union(*map(names, DETAILS.get(code, ()))), value
