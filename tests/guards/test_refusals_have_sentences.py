"""Every refusal has a Chinese sentence, and a row in docs/refusals.md."""

from __future__ import annotations

import ast
import re
from string import Formatter

from tests.guards.source import ROOT, at, called_name, modules, nodes
from voucher.errors import Code, Refusal

CHINESE = re.compile(r"[\u4e00-\u9fff]")
ROW = re.compile(r"^\| *`([a-z0-9_]+)` *\|", re.MULTILINE)


def test_every_code_has_a_chinese_sentence() -> None:
    from voucher.web.messages import SENTENCES

    assert set(SENTENCES) == set(Code)
    dumb = [code for code, sentence in SENTENCES.items() if not CHINESE.search(sentence)]
    assert not dumb


def test_wherever_a_refusal_is_raised_it_brings_the_facts_of_its_sentence() -> None:
    from voucher.web.messages import SENTENCES

    lacking = []
    for module in modules():
        for call in nodes(module):
            if not (isinstance(call, ast.Call) and called_name(call) == "Refusal" and call.args):
                continue
            code = getattr(Code, getattr(call.args[0], "attr", ""), None)
            given = {keyword.arg for keyword in call.keywords}
            if code is None or None in given:  # computed, or facts handed on as a mapping
                continue
            used = {
                re.split(r"[.\[]", name)[0] for _, name, _, _ in Formatter().parse(SENTENCES[code]) if name
            }
            if not used <= given:
                lacking.append(at(module, call, f"{code} lacks {sorted(used - given)}"))
    assert not lacking, "\n".join(lacking)


def test_every_code_has_a_status_of_a_refusal() -> None:
    assert all(400 <= Refusal(code).status < 600 for code in Code)


def test_the_documentation_lists_every_code_once_and_no_other() -> None:
    rows = ROW.findall((ROOT / "docs/refusals.md").read_text(encoding="utf-8"))
    assert sorted(rows) == sorted(code.value for code in Code)
