"""Every event has its words, and a title that leaves the house holds nothing but a number."""

from __future__ import annotations

import re

import pytest

from voucher.operations.unconfirmed import REASON
from voucher.schemas.messages import names
from voucher.schemas.notes import TEMPLATES, told
from voucher.terms import MessageEvent

CHINESE = re.compile(r"[\u4e00-\u9fff]")
PERSONAL = {"name", "person", "phone", "mobile", "email", "account", "objector", "contact", "id_no"}


def test_every_event_has_a_template_and_a_label() -> None:
    assert set(TEMPLATES) == set(MessageEvent)
    assert all(CHINESE.search(event.label) for event in MessageEvent)


@pytest.mark.parametrize("event", MessageEvent)
def test_a_message_is_written_whole_from_its_facts(event: MessageEvent) -> None:
    template = TEMPLATES[event]
    wanted = names(template.sentence).union(*map(names, template.details)) - {"subject"}
    facts = {name: 123_456 if name.endswith("_fen") else "2026-03-09" for name in wanted}
    said = told(event, "X202600000012", facts)
    assert CHINESE.search(said.title) and CHINESE.search(said.text)
    assert "{" not in said.title + said.text and "—" not in said.text
    assert len(said.title) <= 60
    if any(name.endswith("_fen") for name in wanted):
        assert "1,234.56" in said.text


@pytest.mark.parametrize("event", MessageEvent)
def test_a_title_names_the_number_and_nobody(event: MessageEvent) -> None:
    template = TEMPLATES[event]
    proposal = event is MessageEvent.PROPOSAL_WAITING
    assert names(template.title) <= ({"proposal_kind", "title"} if proposal else {"subject"})
    used = names(template.sentence).union(*map(names, template.details))
    assert not used & PERSONAL


def test_a_fact_that_is_missing_breaks_no_inbox() -> None:
    assert "—" in told(MessageEvent.USE_BY_NEAR, "V202600000012", {}).text


def test_a_dispute_that_nobodys_answer_opened_says_so_in_words() -> None:
    said = told(MessageEvent.DISPUTE_OPENED, "O1", {"reason": REASON})
    assert "企业未在期限内答复验收" in said.text
    assert REASON not in said.text
