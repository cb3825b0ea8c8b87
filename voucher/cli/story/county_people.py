"""Who joins the county's schemes and who stands aside: letters, a team, authorisations, interests, stand-ins."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from voucher.cli.story import county_cast as cast
from voucher.cli.story import stage
from voucher.cli.story.county import Play
from voucher.cli.story.county_orders import captured
from voucher.cli.story.stage import Party, accepted
from voucher.cli.story.steps import Deal
from voucher.cli.story.teller import Story
from voucher.clock import business_date
from voucher.codes import make_uscc
from voucher.errors import Refusal
from voucher.money import Fen
from voucher.operations.authenticate import hash_password
from voucher.operations.authorise import AuthorisationRequest, authorise
from voucher.operations.desk import DeskDecision, DeskRequest, decide, take_in
from voucher.operations.issue import IssueRequest, issue
from voucher.operations.issue_codes import issue_letters
from voucher.operations.join import Joined, Joiner, Newcomer, join
from voucher.operations.join_codes import Presentation
from voucher.operations.outcome import Refused, only
from voucher.operations.prepare_papers import PrepareRequest, prepare_papers
from voucher.operations.qualify import QualifyRequest, qualify
from voucher.operations.recuse import RecusalRequest, recuse
from voucher.operations.register import organisation_ids
from voucher.operations.stand_in import StandInRequest, name_stand_ins
from voucher.operations.teams import TeamRequest, register_teams
from voucher.terms import (
    DeskKind,
    HolderClass,
    HolderKind,
    Mandate,
    Role,
)

_ADDRESS = "192.0.2.60"


def tell_people(play: Play) -> None:
    """Plan who joins, and who stands aside."""
    for told in (_team, _operator, _bookkeeper, _on_duty, _last_day):
        play.follow(told)


def _joins(play: Play, code: tuple[str, str], joiner: Joiner, at: datetime) -> Joined:
    """Somebody uses the one-time code of an organisation."""
    given = Presentation(*code, _ADDRESS)
    answer = play.do(lambda s, told: join(s, given, joiner, key=play.key, at=told), at)
    if isinstance(answer, Refused):
        raise Refusal(answer.code, **answer.facts)
    return answer


def _newcomer(play: Play, login: str, name: str) -> Newcomer:
    play.passwords[login] = password = stage.new_password()
    hashed = hash_password(password, profile=play.setting.profile)
    return Newcomer(login=login, name=name, password_hash=hashed)


def _team(play: Play) -> Story[None]:
    """Two teams of an incubator; one uses its voucher and becomes a firm, with what it used."""
    at = yield play.on(51)
    keeper, reviewer = play.people["fuhuaqi"], play.stage.offices[Role.REVIEWER]
    wanted = [
        TeamRequest(
            kind=HolderKind.TEAM,
            name=name,
            region_code=cast.REGION,
            members=(f"{name[:1]}一", "曹阳", "邓琳"),
        )
        for name in ("拓陶创新团队（演示）", "云瞳视觉团队（演示）")
    ]
    made = play.do(lambda s, told: accepted(register_teams(s, wanted, actor=keeper, at=told)), at)
    asked = [QualifyRequest(each.ref, HolderClass.TEAM) for each in made]
    play.do(lambda s, told: accepted(qualify(s, cast.VOUCHERS.programme, asked, actor=reviewer, at=told)), at)
    ids = [each.id for each in made]
    codes = play.do(
        lambda s, told: accepted(issue_letters(s, ids, key=play.key, actor=reviewer, at=told)), at
    )
    both = (Role.ENTERPRISE_APPROVER, Role.ENTERPRISE_OPERATOR)
    at = yield play.on(50)
    for team, code, login, name in zip(made, codes, ("tuandui", "tuandui2"), ("拓一", "云一"), strict=True):
        _joins(play, (team.ref, code.digits), Joiner(_newcomer(play, login, name), both), at)
    at = yield play.on(49)
    request, officer = IssueRequest(made[0].ref, Fen(60_000_00)), play.stage.offices[Role.PROGRAMME_OFFICER]
    line = play.stage.line_code
    voucher = play.do(
        lambda s, told: only(issue(s, line, [request], actor=officer, at=told)).number, at
    )  # fmt: skip
    leader = play.actor("tuandui", at)
    party = Party(made[0].ref, 0, made[0].id, 0, leader, wanted[0].name)
    deal = Deal(
        party, play.stage.labs[2], voucher, "testing", Fen(24_000_00), "ZZ-TD-1", "", "氧化铝坯体烧结试验"
    )
    yield from captured(play, deal, 40)
    yield from _becomes_a_firm(play, made[0].ref)


def _becomes_a_firm(play: Play, ref: str) -> Story[None]:
    """At the counter: one person takes the licence in, another one decides."""
    at = yield play.on(11)
    facts = {
        "uscc": make_uscc(cast.REGION, 800_311),
        "name": "泽州拓陶新材料有限公司（演示）",
        "legal_representative": "拓一",
        "bank": "晋商演示银行",
        "account_no": "6217800311000000",
    }
    paper = play.paper(f"licence {facts['uscc']}", "营业执照.pdf")
    request = DeskRequest(kind=DeskKind.CONVERT, ref=ref, papers=(paper,), facts=facts)
    one, other = play.people["zzshenhe"], play.people["zzshenhe2"]
    case = play.do(lambda s, told: only(take_in(s, [request], actor=one, at=told)), at)
    at = yield play.on(11, 20)
    yes = DeskDecision(case, True)
    play.do(lambda s, told: only(decide(s, [yes], key=play.key, actor=other, at=told)), at)


def _authorised(play: Play, firm: Party, wanted: tuple[str, Role, frozenset[Mandate]], at: datetime) -> str:
    """The code of somebody whom a firm authorised for half a year."""
    name, role, mandates = wanted
    today = business_date(at)
    request = AuthorisationRequest(
        organisation_id=firm.organisation_id,
        name=name,
        role=role,
        mandates=mandates,
        from_on=today,
        to_on=today + timedelta(days=180),
        letter=play.paper(f"stamped letter {firm.ref} {role.value}", f"{name}-授权委托书.pdf"),
    )
    given = play.do(
        lambda s, told: only(authorise(s, [request], key=play.key, actor=firm.actor, at=told)), at
    )
    return given.code.digits


def _operator(play: Play) -> Story[None]:
    """An operator who may place orders and prepare papers, and nothing else."""
    firm = play.stage.firms[0]
    at = yield play.on(30)
    narrow = frozenset({Mandate.ORDER, Mandate.UPLOAD})
    code = _authorised(play, firm, ("原小雨", Role.ENTERPRISE_OPERATOR, narrow), at)
    at = yield play.on(29)
    _joins(play, (firm.ref, code), Joiner(_newcomer(play, "zz01jingban", "原小雨")), at)


def _bookkeeper(play: Play) -> Story[None]:
    """A bookkeeper of two firms prepared papers for one of them."""
    one, other = play.stage.firms[1], play.stage.firms[2]
    keeper_of = ("程会计", Role.BOOKKEEPER, frozenset({Mandate.UPLOAD}))
    order = yield from captured(play, play.deal(2, 1, 9_000, "发酵罐探伤"), 26)
    at = yield play.on(12)
    code = _authorised(play, one, keeper_of, at)
    _joins(play, (one.ref, code), Joiner(_newcomer(play, "daizhang", "程会计")), at)
    code = _authorised(play, other, keeper_of, at)
    at = yield play.on(11)
    _joins(play, (other.ref, code), Joiner(play.actor("daizhang", at)), at)
    at = yield play.on(4)
    keeper = play.actor("daizhang", at)
    request = PrepareRequest(order, play.teller.papers(order)[:2])
    play.do(lambda s, told: accepted(prepare_papers(s, [request], actor=keeper, at=told)), at)


def _on_duty(play: Play) -> Story[None]:
    """A reviewer stands aside for one firm, and stands in for a colleague."""
    one, other = play.people["zzshenhe"], play.people["zzshenhe2"]
    at = yield play.on(28)
    tie = RecusalRequest(other.person_id, play.stage.firms[3].ref, "亲属在该企业任职")
    play.do(lambda s, told: accepted(recuse(s, [tie], actor=other, at=told)), at)
    at = yield play.on(3, 30)
    today = business_date(at)
    leave = StandInRequest(one.person_id, other.person_id, today, today + timedelta(days=10))
    play.do(lambda s, told: accepted(name_stand_ins(s, [leave], actor=one, at=told)), at)


def _last_day(play: Play) -> Story[None]:
    """Today's letter to a firm that has not joined yet; a lost password that waits for the second person."""
    at = yield play.on(0)
    reviewer = play.stage.offices[Role.REVIEWER]

    def work(session: Session, told: datetime) -> str:
        owner = organisation_ids(session, [cast.INVITED.uscc])[cast.INVITED.uscc]
        return only(issue_letters(session, [owner], key=play.key, actor=reviewer, at=told)).digits

    code = play.do(work, at)
    paper = play.paper("lost password", "身份证明.pdf")
    lost = DeskRequest(
        kind=DeskKind.RESET, ref=play.stage.firms[5].ref, papers=(paper,), login="zz06", facts={}
    )
    play.do(lambda s, told: only(take_in(s, [lost], actor=reviewer, at=told)), at)
    play.shown.append(f"开户码（/join，{cast.INVITED.name}，{cast.INVITED.uscc}）：{code}")
