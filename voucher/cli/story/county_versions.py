"""The county's next policy versions: one waits for the second person, one was taken back, one is still a draft."""

from __future__ import annotations

from pathlib import Path

from voucher.cli.story import county_cast
from voucher.cli.story.cast import Scheme
from voucher.cli.story.county import Play
from voucher.cli.story.stage import POLICIES
from voucher.cli.story.teller import Story
from voucher.operations.fit_version import PublishRequest
from voucher.operations.publish import propose_version, save_draft, withdraw_proposal


def tell_versions(play: Play) -> None:
    """Plan what the county proposes for the next year."""
    play.follow(_proposed)


def _proposed(play: Play) -> Story[None]:
    at = yield play.on(26)
    officer, second = play.people["zzxiangmu"], play.people["zzxiangmu2"]
    first = play.do(
        lambda s, told: propose_version(s, _next(play, county_cast.VOUCHERS), actor=officer, at=told), at
    )
    reason = "公示期仍按旧版填写，请改后重新提交"
    at = yield play.on(24)
    play.do(lambda s, told: withdraw_proposal(s, first.proposal_id, reason=reason, actor=second, at=told), at)
    at = yield play.on(14)
    play.do(lambda s, told: propose_version(s, _next(play, county_cast.VOUCHERS), actor=officer, at=told), at)
    play.do(lambda s, told: save_draft(s, _next(play, county_cast.AWARDS), actor=officer, at=told), at)


def _next(play: Play, scheme: Scheme) -> PublishRequest:
    """The scheme's version of the year after the told one: it supersedes the first."""
    first = f"{scheme.programme}-1"
    text = _read(POLICIES / f"{scheme.policy}.toml").replace(f'"{first}"', f'"{scheme.programme}-2"')
    head, programme, rest = text.partition("programme = ")
    fill = _read(POLICIES / "fills" / f"{scheme.fill}.toml")
    since = "[effective_from]\nvalue = 2022-01-01"
    fill = fill.replace(f'"{first}"', f'"{scheme.programme}-2"')
    fill = fill.replace(since, since.replace("2022", str(play.stage.year + 1)))
    return PublishRequest(
        text=f'{head}supersedes = "{first}"\n{programme}{rest}',
        fills=(fill,),
        document_text=_read(POLICIES / "documents" / f"{scheme.document}.txt"),
        book_code=scheme.book,
    )


def _read(path: Path) -> str:
    return path.read_text("utf-8")
