"""Stories 2 and 3 on pages: a firm of one person; a team that becomes a firm in mid-year."""

from __future__ import annotations

import re
from datetime import timedelta

import time_machine
from flask import Flask

from tests import factories
from tests.stories.town import PASSWORD, Town, code_of, paper
from tests.stories.visitor import Visitor
from voucher.codes import make_uscc
from voucher.terms import Role

NAME = "一人科技有限公司"
USCC = make_uscc("140105", 77_002)
FIRM = make_uscc("140105", 77_003)


def test_one_person_does_it_all_and_proves_who_they_are_where_money_moves(
    app: Flask, clock: time_machine.Traveller
) -> None:
    town = Town(app, clock)
    town.opened()
    town.listed(NAME, USCC)
    firm = town.joins(USCC, town.letter(NAME), "wangwei", as_role="both")
    voucher = town.granted(firm, "100000")
    order = town.held(firm, voucher, "100000", "HT-1")
    assert firm.proofs == 0
    clock.shift(timedelta(minutes=31))
    town.captured(firm, order)
    assert firm.proofs == 1, "the password is asked for again before 50,000.00 are taken"
    firm.go("/account/").click("我的订单").click(order).click("申请兑付")
    assert "在 收款账户 中登记" in firm.text
    town.banks(firm, USCC, NAME)
    firm = town.signs_in("wangwei")
    claim = town.claimed(firm, order, "26142000000000000021", "100000")
    town.approved(claim)
    assert "50000.00" in town.paid(claim)
    assert "已兑付" in firm.go("/account/").click(claim).text
    town.sound()


def test_a_team_becomes_a_firm_in_mid_year_and_keeps_what_it_used_of_its_cap(
    app: Flask, clock: time_machine.Traveller
) -> None:
    town = Town(app, clock)
    town.opened()
    ref, team = registered(town)
    order = town.held(team, town.granted(team, "100000"), "160000", "HT-1")
    town.captured(team, order)
    became_firm(town, ref)
    firm = town.signs_in("xinghuo")
    assert "剩余 ¥120,000.00 / 共 ¥200,000.00" in firm.go("/account/").text
    assert "星火科技有限公司" in firm.text
    claim = town.claimed(firm, order, "26142000000000000031", "160000")
    town.approved(claim)
    assert "80000.00" in town.paid(claim)
    town.listed("星火科技有限公司", FIRM)
    voucher = town.granted(firm, "200000")
    second = town.held(firm, voucher, "400000", "HT-2")
    seen = firm.go("/account/").click(second).text
    assert "锁定的额度 ¥ 120,000.00" in seen and "年度上限" in seen, seen
    town.sound()


def registered(town: Town) -> tuple[str, Visitor]:
    """A team with its temporary id, and the one who acts for it."""
    reviewer = town.visitor(town.world.reviewer).go("/account/").click("团队和创业者")
    reviewer.press(
        "登记", {"kind": "team", "name": "星火团队", "region_code": "140105", "members": "甲\n乙\n丙"}
    )
    reviewer.press("打印开户信函")
    found = re.search(r"TEMP[\d ]+\d", reviewer.text)
    assert found is not None, reviewer.text
    ref = found[0].replace(" ", "")
    return ref, town.joins(ref, code_of(reviewer.text), "xinghuo", as_role="both")


def became_firm(town: Town, ref: str) -> None:
    """The licence is seen by two officials at the counter."""
    second = town.do(
        lambda session, at: factories.person(session, Role.REVIEWER, region_code="140000", at=at)
    )
    first = town.visitor(town.world.reviewer).go("/account/").click("柜面办理").click("登记")
    case = {"kind": "convert", "ref": ref, "name": "星火科技有限公司", "papers": paper("营业执照.pdf")}
    licence = {
        "uscc": FIRM,
        "legal_representative": "甲",
        "bank": "晋商银行",
        "account_no": "6217000000001234",
    }
    first.press("登记，交另一人核对", {**case, **licence})
    other = town.visitor(second).go("/account/").click("柜面办理").click("1", exact=True, last=True)
    other.press("决定", {"decision": "approve"})
    assert PASSWORD not in other.text
