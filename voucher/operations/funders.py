"""Who pays an order: the lead book and its co-funders, as the policy or an agreement says.

A share is called by its book. Where two words of a policy mean one book, a part with a ceiling of its own stays a share
beside the others (`BOOK+1`): each part is cut by its own ceiling, and the book pays what is left of all of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import lcm

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.errors import Code, Refusal
from voucher.ledger import accounts
from voucher.ledger.accounts import Ref
from voucher.models.ledger import Book
from voucher.models.orders import Order
from voucher.models.regions import Region
from voucher.money import Fen
from voucher.rules.policy import WHOLE_BP, Policy, Share
from voucher.terms import FunderWord, RegionLevel


@dataclass(frozen=True, slots=True)
class Funder:
    """A co-funder: its book, the pledge that pays, and its part, `parts` of `of`; the lead book pays the rest.

    The ceiling is the most that it gives for one order, in fen or in basis points of the base; what lies above lowers
    the subsidy, unless `spill_to` is the book that takes it over.
    """

    book_id: int
    pledge: Ref
    parts: int
    of: int = WHOLE_BP
    ceiling_fen: Fen | None = None
    ceiling_bp: int | None = None
    spill_to: int | None = None


@dataclass(frozen=True, slots=True)
class Funding:
    """All funders of one order by book, the lead book among them, and the pledges of the others."""

    lead: int
    shares: tuple[Share, ...]
    pledges: Mapping[int, Ref]
    base_fen: Fen


def funding_of_agreement(order: Order, funders: Sequence[Funder], base_fen: Fen) -> Funding:
    """The payers of an order whose co-funders an agreement names. Raises ValueError where they pay more than all."""
    whole = lcm(*(each.of for each in funders))
    rest = whole - sum(each.parts * (whole // each.of) for each in funders)
    if rest < 0:
        raise ValueError("co-funders pay more than the whole")
    lead = Share(str(order.book_id), rest, whole)
    others = [
        Share(
            str(each.book_id),
            each.parts,
            each.of,
            each.ceiling_fen,
            each.ceiling_bp,
            None if each.spill_to is None else str(each.spill_to),
        )
        for each in funders
    ]
    return Funding(order.book_id, (lead, *others), {each.book_id: each.pledge for each in funders}, base_fen)


@dataclass(frozen=True, slots=True)
class Basis:
    """What funders are found by: the regions of holder and platform, and the base of ceilings in basis points."""

    holder_region: str
    platform_region: str
    base_fen: Fen


def funding_of_policy(session: Session, policy: Policy, order: Order, basis: Basis) -> Funding | None:
    """The payers that the policy's funding shares name; None where the lead book pays all without a ceiling.

    A funder is the code of its book; `city` is the book of the holder's city, `provider` that of the platform's
    region or of the nearest region above it. A single funder is the programme's own. Refused: `funder_missing`.
    """
    shares = policy.funding_shares
    if not any(has_ceiling(share) for share in shares) and len(shares) < 2:
        return None
    books = {share.funder: order.book_id for share in shares}
    if len(shares) > 1:
        books = {share.funder: _book(session, share.funder, basis) for share in shares}
    named = _named(shares, books)
    if order.book_id not in {book_of(share.funder) for share in named}:
        named = (Share(str(order.book_id), 0, 1), *named)
    if len(named) == 1 and not has_ceiling(named[0]):
        return None
    pledge = accounts.pledge(policy.programme, order.fiscal_year)
    pledges = {book_id: pledge for book_id in books.values() if book_id != order.book_id}
    return Funding(order.book_id, named, pledges, basis.base_fen)


def book_of(funder: str) -> int:
    """The book that pays a share of this name."""
    return int(funder.partition("+")[0])


def by_book(shares: Sequence[Share], parts: Sequence[int]) -> dict[int, int]:
    """What each book pays of all its shares."""
    found: dict[int, int] = {}
    for share, part in zip(shares, parts, strict=True):
        book_id = book_of(share.funder)
        found[book_id] = found.get(book_id, 0) + part
    return found


def joined(shares: Sequence[Share]) -> Share:
    """What several shares of one book come to, their ceilings left aside; of one share, itself."""
    if len(shares) == 1:
        return shares[0]
    whole = lcm(*(share.of for share in shares))
    return Share(shares[0].funder, sum(share.parts * (whole // share.of) for share in shares), whole)


def has_ceiling(share: Share) -> bool:
    """Whether a funder gives no more than so much of one service."""
    return share.ceiling_fen is not None or share.ceiling_bp is not None


def _named(shares: Sequence[Share], books: Mapping[str, int]) -> tuple[Share, ...]:
    """The shares of a policy, called by their books; those of one book that have no ceiling are one."""
    groups: dict[tuple[int, str], list[Share]] = {}
    for share in shares:
        alone = share.funder if has_ceiling(share) else ""
        groups.setdefault((books[share.funder], alone), []).append(share)
    counted, names = Counter[int](), dict[str, str]()
    for (book_id, _), same in groups.items():
        name = f"{book_id}+{counted[book_id]}" if counted[book_id] else str(book_id)
        counted[book_id] += 1
        names |= {share.funder: name for share in same}
    return tuple(
        replace(
            joined(same),
            funder=names[same[0].funder],
            spill_to=None if same[0].spill_to is None else names[same[0].spill_to],
        )
        for same in groups.values()
    )


def _book(session: Session, funder: str, basis: Basis) -> int:
    """The book of a funder as a policy names it; refused `funder_missing`."""
    if funder == FunderWord.CITY:
        codes = _regions(session, basis.holder_region, RegionLevel.PREFECTURE)
    elif funder == FunderWord.PROVIDER:
        codes = _regions(session, basis.platform_region)
    else:
        codes = [funder]
    rows = session.scalars(select(Book).where(Book.code.in_(codes)))
    known = {row.code: row.book_id for row in rows}
    for code in codes:
        if code in known:
            return known[code]
    raise Refusal(Code.FUNDER_MISSING, funder=codes[0] if codes else funder)


def _regions(session: Session, code: str, level: RegionLevel | None = None) -> list[str]:
    """A region and those above it, the nearest first; of one level only where it is given."""
    path = session.scalars(select(Region.path).where(Region.code == code)).one_or_none() or ""
    above = path.strip("/").split("/")
    rows = session.scalars(select(Region).where(Region.code.in_(above)))
    levels = {row.code: row.level for row in rows}
    return [each for each in reversed(above) if level is None or levels.get(each) == level.value]
