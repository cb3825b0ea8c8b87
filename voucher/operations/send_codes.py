"""One-time codes that go by message to where a roster says its firm can be reached (开户验证码短信、邮件).

Nobody of the bureau sees them: the digits wait in the outbox sealed, and are wiped when they left.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Code
from voucher.models.messages import Message
from voucher.models.parties import Organisation, RosterEntry, near_its_roster_row
from voucher.operations.issue_codes import account_codes, not_to_open
from voucher.operations.join_codes import MESSAGE_LIFE, MadeCode, sealed
from voucher.operations.outcome import Refused
from voucher.rules.permissions import Actor
from voucher.terms import MessageChannel, MessageEvent, MessageState


@dataclass(frozen=True, slots=True)
class CodeSent:
    """A code that is on its way: by which channel, to what end of the address, and until when it can be used."""

    organisation_id: int
    channel: MessageChannel
    ending: str
    expires_at: datetime


def send_codes(
    session: Session,
    organisation_ids: Sequence[int],
    ways: tuple[Collection[MessageChannel], bytes],
    *,
    actor: Actor,
    at: datetime,
) -> list[CodeSent | Refused]:
    """Send a code to each of these firms and teams without an account; good for 7 days. A code of before ends.

    `ways`: the channels that the installation has, and the key of the codes' hashes. By SMS where the latest roster row
    of the firm in its region has a mobile number, else by e-mail. Refused one by one: what a letter is refused for (`not_found`,
    `account_exists`), a firm that its roster gives no such address (`contact_missing`): it gets a letter.
    """
    channels, key = ways
    wanted = list(dict.fromkeys(organisation_ids))
    answers: dict[int, MadeCode | Refused] = {**not_to_open(session, wanted, actor=actor, at=at)}
    reached = _addresses(session, [each for each in wanted if each not in answers], channels)
    made = account_codes(session, list(reached), (key, MESSAGE_LIFE), actor=actor, at=at)
    answers |= zip(reached, made, strict=True)
    names = _names(session, list(reached))
    results: list[CodeSent | Refused] = []
    for organisation_id in organisation_ids:
        answer = answers.get(organisation_id, Refused(Code.CONTACT_MISSING, {}))
        if isinstance(answer, Refused):
            results.append(answer)
            continue
        channel, address = reached[organisation_id]
        if not any(
            isinstance(each, CodeSent) and each.organisation_id == organisation_id for each in results
        ):
            session.add(_message(answer, names[organisation_id], (channel, address), key=key, at=at))
        results.append(CodeSent(organisation_id, channel, address[-4:], answer.expires_at))
    session.flush()
    return results


def _message(
    made: MadeCode, named: tuple[str, str], way: tuple[MessageChannel, str], *, key: bytes, at: datetime
) -> Message:
    channel, address = way
    uscc, name = named
    ref = uuid4().hex
    until = business_date(made.expires_at).isoformat()
    return Message(
        ref=ref,
        event=MessageEvent.JOIN_CODE.value,
        subject=uscc,
        once=str(made.code_id),
        address=address,
        channel=channel.value,
        facts={"organisation": name, "sealed": sealed(key, ref, made.digits), "expires_on": until},
        state=MessageState.WAITING.value,
        told_at=at,
        next_try_at=at,
    )


def _addresses(
    session: Session, organisation_ids: Sequence[int], channels: Collection[MessageChannel]
) -> dict[int, tuple[MessageChannel, str]]:
    """Where the latest roster row with an address says that these can be reached, by the first way that is open."""
    query = (
        select(Organisation.id, RosterEntry.mobile, RosterEntry.email)
        .join(RosterEntry, RosterEntry.uscc == Organisation.uscc)
        .where(Organisation.id.in_(organisation_ids), near_its_roster_row())
        .order_by(RosterEntry.year, RosterEntry.id)
    )
    found: dict[int, tuple[MessageChannel, str]] = {}
    for organisation_id, mobile, email in session.execute(query):
        given = ((MessageChannel.SMS, mobile), (MessageChannel.EMAIL, email))
        ways = [(channel, address) for channel, address in given if channel in channels and address]
        if ways:
            found[organisation_id] = ways[0]
    return found


def _names(session: Session, organisation_ids: Sequence[int]) -> dict[int, tuple[str, str]]:
    query = select(Organisation.id, Organisation.uscc, Organisation.name)
    rows = session.execute(query.where(Organisation.id.in_(organisation_ids)))
    return {row.id: (row.uscc, row.name) for row in rows}
