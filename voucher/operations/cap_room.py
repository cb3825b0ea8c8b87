"""What caps leave as they stand now, for pages and answers; what decides is computed under lock when money moves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Refusal
from voucher.ledger.accounts import Ref
from voucher.ledger.balances import Standing, standings
from voucher.models.orders import Order
from voucher.models.parties import Holder
from voucher.models.vouchers import Voucher
from voucher.money import Fen
from voucher.operations.award_money import award_caps, is_award
from voucher.operations.charges import Allowance, Limited, allowance_of, opened_with
from voucher.operations.group_caps import GroupCap, caps_of
from voucher.operations.policies import policy_in_force, policy_of
from voucher.rules.carrying import room_in
from voucher.rules.clamp import Limit
from voucher.rules.policy import Policy


@dataclass(frozen=True, slots=True)
class GroupRoom:
    """What firms of one controller may use together: amount, used, held, left, in fen."""

    amount_fen: int
    used_fen: int
    held_fen: int
    left_fen: int


@dataclass(frozen=True, slots=True)
class CapRoom:
    """A holder's cap of one period (0: the whole programme) in fen.

    `amount_fen` holds what is carried from earlier years (`carried_fen`). `own_left_fen` is what the holder's own cap
    leaves; `left_fen` is what its group's leaves too.
    """

    year: int
    amount_fen: int
    carried_fen: int
    used_fen: int
    held_fen: int
    own_left_fen: int
    group: GroupRoom | None = None

    @property
    def left_fen(self) -> int:
        """What may still be used: the smaller of what the two caps leave."""
        return self.own_left_fen if self.group is None else min(self.own_left_fen, self.group.left_fen)

    @property
    def limits(self) -> tuple[Limit, ...]:
        """As limits for `clamp`, in the order in which an order meets them."""
        own = Limit("cap", Fen(self.own_left_fen), Fen(self.amount_fen), Fen(self.used_fen + self.held_fen))
        if self.group is None:
            return (own,)
        used = Fen(self.group.used_fen + self.group.held_fen)
        return own, Limit("group", Fen(self.group.left_fen), Fen(self.group.amount_fen), used)


@dataclass(frozen=True, slots=True)
class CapOf:
    """Whose cap: the book and the programme, the holder, and the class that decides its amount."""

    book_id: int
    programme_code: str
    holder: Holder
    holder_class: str


def cap_of_voucher(session: Session, voucher: Voucher, at: datetime) -> CapRoom | None:
    """What an order placed now would find under the version in force; None without a cap, or between two versions."""
    try:
        policy = policy_in_force(session, voucher.programme_code, at)
    except Refusal:
        return None
    return cap_room(session, policy, _whose(voucher), on=business_date(at))


def cap_of_order(session: Session, order: Order, voucher: Voucher | None) -> CapRoom | None:
    """What stands of the cap that an order, or a post-subsidy, is charged to: that of its own day and version."""
    if is_award(order) or voucher is None:
        return _room(session, order.book_id, award_caps(session, order, None))
    policy = policy_of(session, order.policy_code)
    return cap_room(session, policy, _whose(voucher), on=business_date(order.placed_at))


def cap_room(session: Session, policy: Policy, whose: CapOf, *, on: date) -> CapRoom | None:
    """The cap that a charge on this day falls under, brought to the policy's amount; None without a cap."""
    holder = whose.holder
    allowance = allowance_of(policy, holder_ref=holder.cap_owner, holder_class=whose.holder_class, on=on)
    return _room(session, whose.book_id, caps_of(session, allowance, holder, whose.programme_code))


def _whose(voucher: Voucher) -> CapOf:
    return CapOf(voucher.book_id, voucher.programme_code, voucher.holder, voucher.holder_class)


def _room(session: Session, book_id: int, caps: Sequence[Limited]) -> CapRoom | None:
    own = next((each for each in caps if isinstance(each, Allowance)), None)
    if own is None:
        return None
    years = [own.of_year(year) for year, _ in own.carry.entitled] if own.carry else []
    limited = [*caps, *years]
    opened = opened_with(session, book_id, limited)
    now = standings(session, book_id, [each.account for each in limited])
    group = next((each for each in caps if isinstance(each, GroupCap)), None)
    shared = None
    if group is not None:
        used, held = _used(opened, now, group.account)
        shared = GroupRoom(group.amount_fen, used, held, max(group.amount_fen - used - held, 0))
    used, held = _used(opened, now, own.account)
    if own.carry is None:
        left, carried = max(own.amount_fen - used - held, 0), 0
    else:
        taken = {each.period: sum(_used(opened, now, each.account)) for each in years}
        entitled, most = dict(own.carry.entitled), own.carry.years
        left = room_in(entitled, taken, years=most, year=own.period)
        before = {**taken, own.period: 0}
        carried = max(room_in(entitled, before, years=most, year=own.period) - own.amount_fen, 0)
    return CapRoom(own.period, left + used + held, carried, used, held, left, shared)


def _used(opened: dict[Ref, int], now: dict[Ref, Standing], ref: Ref) -> tuple[int, int]:
    """What of an account is used, and what is held."""
    return opened[ref] - now[ref].posted_fen, now[ref].reserved_fen
