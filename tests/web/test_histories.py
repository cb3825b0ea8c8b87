"""How the journal reads on pages: every deed in words, whatever its facts."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from tests.guards.source import modules
from voucher.queries.claims import Deed
from voucher.web.deeds import timeline_of

DEED = re.compile(
    r'"((?:claim|order|dispute|contract|application|appeal|batch|line|voucher|platform)\.[a-z_]+)"'
)
CHINESE = re.compile(r"[\u4e00-\u9fff]")
AT = datetime(2026, 3, 2, tzinfo=UTC)


def test_every_deed_that_a_case_can_have_is_said_in_chinese() -> None:
    done = {
        deed
        for module in modules()
        if module.is_under("voucher/operations/")
        for deed in DEED.findall(module.text)
    }
    assert len(done) > 40
    items = timeline_of(Deed(AT, deed, "系统", {}) for deed in sorted(done))
    assert not [item["title"] for item in items if not CHINESE.search(item["title"])]


def test_a_deed_without_its_amount_is_said_without_one() -> None:
    ended = Deed(AT, "dispute.end", "张三", {"outcome": "resume", "amount_fen": None})
    conflict = Deed(AT, "claim.opinion", "李四", {"opinion": "conflict", "amount_fen": None})
    assert [item["note"] for item in timeline_of([ended, conflict])] == ["", ""]
