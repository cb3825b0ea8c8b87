"""The county's registers: vouchers, platforms and bans, what is on offer, counter devices and accounts."""

from __future__ import annotations

from datetime import date, datetime

from voucher.cli.story import county_cast as cast
from voucher.cli.story import stage, steps
from voucher.cli.story.county import ISSUED, Play
from voucher.cli.story.stage import accepted
from voucher.cli.story.teller import Story
from voucher.clock import business_date
from voucher.money import Fen
from voucher.operations.affiliate import PayeeRequest
from voucher.operations.authenticate import hash_password
from voucher.operations.ban import BanRequest, LiftRequest, ban, lift
from voucher.operations.catalogue import EntryRequest, list_entries, withdraw_entries
from voucher.operations.certify import ChangeRequest, revoke
from voucher.operations.change_payee import ask_changes
from voucher.operations.contacts import ContactRequest, set_contact
from voucher.operations.devices import register_device, set_pin
from voucher.operations.expire import TakeBackRequest, give_back
from voucher.operations.expire import revoke as revoke_vouchers
from voucher.operations.outcome import only
from voucher.rules.permissions import Actor
from voucher.terms import (
    BanKind,
    MessageChannel,
    Role,
)


def tell_register(play: Play) -> None:
    """Plan the registers; the vouchers come first of all."""
    play.teller.follow(_vouchers(play))
    for told in (_register, _offers, _device):
        play.follow(told)


def _vouchers(play: Play) -> Story[None]:
    """Vouchers for every firm; one more is revoked, one more given back."""
    at = yield play.on(ISSUED)
    wanted = [(firm, 200_000_00) for firm in play.stage.firms]
    numbers = steps.issue_all(play.stage, wanted, at)
    play.vouchers.update(enumerate(numbers))
    more = steps.issue_all(play.stage, [(play.stage.firms[place], 20_000_00) for place in (5, 6)], at)
    at = yield play.on(48)
    officer, holder = play.stage.offices[Role.PROGRAMME_OFFICER], play.stage.firms[6].actor
    taken, given = TakeBackRequest(more[0], "重复发放"), TakeBackRequest(more[1], "本年度不再使用")
    play.do(lambda s, told: accepted(revoke_vouchers(s, [taken], actor=officer, at=told)), at)
    play.do(lambda s, told: accepted(give_back(s, [given], actor=holder, at=told)), at)


def _register(play: Play) -> Story[None]:
    """A platform is struck off; one firm is banned, of another a ban was lifted."""
    at = yield play.on(52)
    officer = play.stage.offices[Role.PROGRAMME_OFFICER]
    struck = ChangeRequest(play.stage.labs[4].certification_id, "两年未开展服务")
    play.do(lambda s, told: accepted(revoke(s, [struck], actor=officer, at=told)), at)
    today = business_date(at)
    bans = [
        _ban(cast.BANNED.uscc, BanKind.SANCTION, "演示罚决〔1〕号", today),
        _ban(play.stage.firms[7].ref, BanKind.ABNORMAL, "演示异名〔2〕号", today),
    ]
    entered = play.do(
        lambda s, told: [each.id for each in accepted(ban(s, bans, actor=officer, at=told))], at
    )
    at = yield play.on(50)
    over = LiftRequest(entered[1], "已补报年报，移出经营异常名录")
    play.do(lambda s, told: accepted(lift(s, [over], actor=officer, at=told)), at)


def _offers(play: Play) -> Story[None]:
    """What the laboratories offer; one offer was taken off the list."""
    at = yield play.on(54)
    rows = (
        (0, "金属材料成分检测（整批）", "检测报告一式两份", "批", 45_000_00, 5),
        (1, "焊缝超声波探伤（整台）", "探伤报告", "台", 20_000_00, 3),
        (2, "材料联合测试（项目）", "试验报告", "项目", 100_000_00, 10),
        (0, "水质常规项检测（旧版）", "检测报告", "批", 30_000_00, 5),
    )
    for lab, title, delivers, unit, price_fen, days in rows:
        place = play.stage.labs[lab]
        entry = EntryRequest(
            platform_id=place.platform_id,
            service=place.services[0],
            title=title,
            delivers=delivers,
            unit=unit,
            price_fen=Fen(price_fen),
            usual_days=days,
        )
        _list(play, place.actor, entry, at)
    at = yield play.on(40)
    actor = play.stage.labs[0].actor
    old = play.offers[-1]
    play.do(lambda s, told: accepted(withdraw_entries(s, [old], actor=actor, at=told)), at)


def _list(play: Play, actor: Actor, entry: EntryRequest, at: datetime) -> None:
    play.offers.append(
        play.do(lambda s, told: only(list_entries(s, [entry], actor=actor, at=told)).id, at)
    )  # fmt: skip


def _ban(uscc: str, kind: BanKind, decision_no: str, from_on: date) -> BanRequest:
    return BanRequest(
        uscc=uscc, kind=kind, legal_basis="演示依据", decision_no=decision_no, from_on=from_on, source="演示"
    )


def _device(play: Play) -> Story[None]:
    """A counter device, and the PIN of somebody who works at it; an account change that cools."""
    at = yield play.on(10)
    place, scanner = play.stage.labs[0], play.actor(f"{cast.HOSTS[0].login}2", play.on(10))
    pin = stage.new_pin()
    hashed = hash_password(pin, profile=play.setting.profile)
    play.do(
        lambda s, told: register_device(s, place.platform_id, "一楼收样窗口平板", actor=place.actor, at=told),
        at,
    )
    play.do(lambda s, told: set_pin(s, hashed, actor=scanner, at=told), at)
    play.shown.append(f"柜台 PIN（{cast.HOSTS[0].login}2，在“柜台设备”登记本机后使用）：{pin}")
    firm = play.stage.firms[7]
    at = yield play.on(6)
    wanted = PayeeRequest(
        uscc=firm.ref, account_name=firm.name, bank="泽州演示银行", account_no="6228000000009999"
    )
    play.do(lambda s, told: accepted(ask_changes(s, [wanted], actor=firm.actor, at=told)), at)
    for place_of in (3, 4):
        _reachable(play, play.stage.firms[place_of].actor, at)


def _reachable(play: Play, actor: Actor, at: datetime) -> None:
    request = ContactRequest(
        f"person{actor.person_id}@example.com",
        f"139{actor.person_id:08d}",
        frozenset({MessageChannel.EMAIL, MessageChannel.SMS}),
    )
    play.do(lambda s, told: set_contact(s, request, actor=actor, at=told), at)
