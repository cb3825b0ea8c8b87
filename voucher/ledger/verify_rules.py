"""`verify`, the rules replayed: each posting about an order against what its stored policy version gives.

A version is read once, from its stored text. What a rule is given stands on the order and its claim; which region a
holder or platform lay in at the time does not, so where a rate depends on it the amount of any of its lines will do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select

from voucher.clock import business_date
from voucher.ledger.verify_ceilings import CeilingRows, Ceilings, Wrong, ceiling_rows
from voucher.ledger.verify_moves import Moved, Moves
from voucher.ledger.verify_replay import Replay, after_cuts, could_open, inputs_of
from voucher.ledger.verify_sql import Fault, Reader
from voucher.models.agreements import AgreementVersion
from voucher.models.claims import Claim
from voucher.models.cofunding import OrderShare
from voucher.models.ledger import Account
from voucher.models.orders import Order, rule_code
from voucher.models.parties import Holder, Platform
from voucher.models.programmes import PolicyVersion
from voucher.models.vouchers import Voucher
from voucher.money import Fen
from voucher.rules.policy import Policy, Share
from voucher.rules.subsidy import clause_of
from voucher.terms import CapBasis, CapScope, ClaimState, OrderState, PostingKind, YearBasis

_DECIDED = {
    state.value
    for state in (
        OrderState.APPROVED,
        OrderState.IN_BATCH,
        OrderState.SETTLED,
        OrderState.PAID,
        OrderState.DISALLOWED,
    )
}
_CLAIMED = {ClaimState.SUBMITTED.value, ClaimState.APPROVED.value}

_POSTING = """
SELECT p.id FROM posting p JOIN transfer t ON t.book_id = p.book_id AND t.posting_id = p.id
WHERE p.book_id = :book AND (t.debit_id = :account OR t.credit_id = :account) AND {which}
ORDER BY p.posted_at, p.id LIMIT 1"""


@dataclass(frozen=True, slots=True)
class Stored:
    """What is read beside the ledger: versions of policies and agreements, orders with their claims, cap accounts and classes of their owners, shares of several funders."""

    versions: list[Row[Any]]
    agreements: list[Row[Any]]
    orders: list[Row[Any]]
    caps: dict[tuple[int, int], str]
    classes: dict[str, set[str]]
    shares: dict[int, tuple[Share, ...]]
    ceilings: CeilingRows


_ORDERS = (
    select(Order.id, Order.book_id, Order.number, Order.state, Order.policy_code, Order.service)
    .add_columns(Order.agreement_version_id)
    .add_columns(Order.contract_fen, Order.earlier_fen, Order.units, Order.wanted_fen, Order.captured_fen)
    .add_columns(Order.approved_fen, Order.reductions, Order.placed_at, Account.id.label("account"))
    .add_columns(Voucher.holder_class, Order.holder_class.label("own_class"))
    .add_columns(Holder.region_code.label("applicant"), Platform.region_code.label("provider"))
    .add_columns(Claim.number.label("claim"), Claim.state.label("claim_state"), Claim.origin_region)
    .add_columns(Claim.contract_fen.label("claim_contract_fen"), Claim.invoice_net_fen, Claim.paid_fen)
    .add_columns(Claim.base_fen, Claim.claimed_fen, Order.contract_ref, Order.programme_code)
    .add_columns(Order.fiscal_year, Holder.id.label("holder"), Holder.organisation_id)
    .add_columns(Holder.ref.label("holder_ref"), Holder.cap_ref)
    .join(
        Account,
        (Account.book_id == Order.book_id) & (Account.code == "order") & (Account.owner_ref == Order.number),
    )
    .join(Holder, Holder.id == Order.holder_id)
    .outerjoin(Voucher, Voucher.id == Order.voucher_id)
    .outerjoin(Platform, Platform.id == Order.platform_id)
    .outerjoin(Claim, (Claim.order_id == Order.id) & (Claim.state != ClaimState.WITHDRAWN.value))
    .order_by(Order.id)
)
_VERSIONS = select(PolicyVersion.code, PolicyVersion.text, PolicyVersion.fills)
_AGREEMENTS = select(AgreementVersion.id, AgreementVersion.text, AgreementVersion.fills)
_SHARES = select(OrderShare.order_id, OrderShare.portions).order_by(OrderShare.order_id, OrderShare.position)
_CAPS = select(Account.book_id, Account.id, Account.owner_ref).where(Account.code == "cap")
_OWNER = Holder.cap_ref, Holder.ref
_CLASSES = (
    select(*_OWNER, Voucher.holder_class).join(Voucher, Voucher.holder_id == Holder.id).distinct(),
    select(*_OWNER, Order.holder_class)
    .join(Order, Order.holder_id == Holder.id)
    .where(Order.holder_class.is_not(None))
    .distinct(),
)


def stored(reader: Reader) -> Stored:
    """Read what the rules are given; to be asked in the thread that speaks to the reader's connection."""
    classes: dict[str, set[str]] = {}
    for cap_ref, ref, holder_class in chain.from_iterable(reader.select(query) for query in _CLASSES):
        classes.setdefault(cap_ref or ref, set()).add(holder_class)
    caps = {(book, account): owner for book, account, owner in reader.select(_CAPS)}
    shares: dict[int, tuple[Share, ...]] = {}
    for order_id, portions in reader.select(_SHARES):
        shares[order_id] = (*shares.get(order_id, ()), *(Share(**portion) for portion in portions))
    texts = reader.select(_VERSIONS), reader.select(_AGREEMENTS)
    return Stored(*texts, reader.select(_ORDERS), caps, classes, shares, ceiling_rows(reader))


def rule_faults(
    moves: list[Moves], rows: Stored, ask: Callable[[str, dict[str, Any]], list[Any]]
) -> list[Fault]:
    """The first posting, or row, of each check that its stored version would not give. `ask` runs a query."""
    replay = Replay(
        {row.code: (row.text, tuple(row.fills)) for row in rows.versions},
        {row.id: (row.text, tuple(row.fills)) for row in rows.agreements},
    )
    orders = {each.book_id: each.orders for each in moves}
    first: dict[str, tuple[Wrong, Row[Any] | None]] = {}
    ceilings = Ceilings(replay, rows.ceilings)
    for order in rows.orders:
        moved = orders.get(order.book_id, {}).get(order.account)
        if moved is None:
            continue
        for wrong in _order(replay, order, moved, rows=rows, ceilings=ceilings):
            first.setdefault(wrong.check, (wrong, order))
    for wrong, order in ceilings.wrong():
        first.setdefault(wrong.check, (wrong, order))
    for wrong in chain.from_iterable(_openings(replay, each, rows) for each in moves):
        first.setdefault(wrong.check, (wrong, None))
    return [
        Fault(wrong.check, _name(wrong, order, ask), str(wrong.found), str(wrong.expected))
        for wrong, order in first.values()
    ]


def _name(wrong: Wrong, order: Row[Any] | None, ask: Callable[[str, dict[str, Any]], list[Any]]) -> str:
    if order is None or not wrong.which:
        return wrong.row
    found = ask(_POSTING.replace("{which}", wrong.which), {"book": order.book_id, "account": order.account})
    return f"posting {order.book_id}/{UUID(str(found[0][0]))}.{wrong.row}" if found else wrong.row


def _of(*kinds: PostingKind) -> str:
    return f"p.kind IN ({', '.join(repr(kind.value) for kind in kinds)})"


def _order(
    replay: Replay, order: Row[Any], moved: Moved, *, rows: Stored, ceilings: Ceilings
) -> Iterator[Wrong]:
    """What the version of an order would not give of what was posted for it; it is counted under its ceilings."""
    if moved.version != order.policy_code:
        other = "p.rule_version <> '{}'".format(order.policy_code.replace("'", "''"))
        yield Wrong("rule_version", "rule_version", "another version", order.policy_code, other)
    policy = replay.policy(rule_code(order.policy_code, order.agreement_version_id))
    if policy is None:
        name = f"policy_version {order.policy_code}.text"
        yield Wrong("rule_readable", name, "a text that cannot be read", "the version as it was published")
        return
    ceilings.add(order, policy, moved)
    holder_class = order.own_class if order.holder_class is None else order.holder_class
    if moved.held_fen:
        yield from _hold(replay, policy, order, moved)
    if moved.captured_fen or moved.awarded_fen:
        yield from _captured(order, moved)
    if moved.held_fen or moved.awarded_fen:
        heir = order.holder in rows.ceilings.heirs
        yield from _charged(
            policy, holder_class, order, moved, caps=None if heir else _caps(policy, holder_class, order)
        )
    if order.claim is not None and order.claim_state in _CLAIMED:
        yield from _claimed(replay, policy, order, rows.shares.get(order.id, ()))
    if order.state in _DECIDED and moved.back_fen != order.captured_fen - order.approved_fen:
        expected = f"{order.captured_fen - order.approved_fen}, for {order.approved_fen} are approved"
        row = f"service_order {order.number}.approved_fen"
        which = _of(PostingKind.TRIM, PostingKind.DISALLOW)
        yield Wrong("rule_back", "legs" if moved.back_fen else row, moved.back_fen, expected, which)


def _hold(replay: Replay, policy: Policy, order: Row[Any], moved: Moved) -> Iterator[Wrong]:
    given = replay.amounts(policy, inputs_of(order, contract_fen=order.contract_fen))
    if order.wanted_fen not in given:
        name = f"service_order {order.number}.wanted_fen"
        yield Wrong("rule_wanted", name, order.wanted_fen, _listed(given))
    cuts = order.reductions or []
    granted = after_cuts(policy, order.holder_class, Fen(order.wanted_fen), cuts)
    if isinstance(granted, str):
        name = f"service_order {order.number}.reductions"
        yield Wrong("rule_reductions", name, granted, "cuts as the limits leave them")
    elif granted != moved.held_fen:
        expected = f"{granted} of {order.wanted_fen} wanted"
        yield Wrong("rule_held", "legs", moved.held_fen, expected, _of(PostingKind.HOLD))


def _captured(order: Row[Any], moved: Moved) -> Iterator[Wrong]:
    posted = moved.captured_fen + moved.awarded_fen
    which = _of(PostingKind.CAPTURE, PostingKind.AWARD)
    if posted != order.captured_fen:
        yield Wrong("rule_captured", "legs", posted, order.captured_fen, which)
    if moved.captured_fen > moved.held_fen:
        yield Wrong("rule_captured", "legs", moved.captured_fen, f"at most the {moved.held_fen} held", which)
    if moved.awarded_fen:
        cut = sum(each["by_fen"] for each in order.reductions or [])
        if order.claimed_fen is None or posted + cut > order.claimed_fen:
            expected = f"at most the {order.claimed_fen} claimed, less {cut} cut off"
            yield Wrong("rule_awarded", "legs", posted, expected, which)


def _caps(policy: Policy, holder_class: str, order: Row[Any]) -> int:
    """How many caps an order charges: with that of its firm's group two, where the version has one."""
    cap = policy.cap_for(holder_class)
    grouped = cap is not None and cap.scope is CapScope.CONTROL_GROUP and order.organisation_id is not None
    return 2 if grouped else 1


def _charged(
    policy: Policy, holder_class: str, order: Row[Any], moved: Moved, *, caps: int | None
) -> Iterator[Wrong]:
    """A cap of the version is charged with the whole amount, in the period of the day on which the order was placed.

    `caps`: how many there must be, the holder's own and its group's; None: a team's order that is a firm's by now.
    """
    cap = policy.cap_for(holder_class)
    if cap is None or (cap.basis is CapBasis.CLAIMED and moved.held_fen):
        return
    amount, period = moved.held_fen or moved.awarded_fen, cap.period_of(business_date(order.placed_at))
    if moved.awarded_fen and policy.year is YearBasis.INVOICE_WINDOW:
        period = moved.period
    due = caps or max(moved.caps, 1)
    if moved.caps != due or moved.charged_fen != due * amount or moved.period != period:
        found = f"{moved.charged_fen} of {moved.caps} caps of {moved.period}"
        which = _of(PostingKind.HOLD, PostingKind.AWARD)
        whose = f"{amount} of the cap of {period}" + (", and of its group's" if due > 1 else "")
        yield Wrong("rule_charged", "legs", found, f"{whose}, by {clause_of(policy, 'caps')}", which)


def _claimed(replay: Replay, policy: Policy, order: Row[Any], shares: tuple[Share, ...]) -> Iterator[Wrong]:
    """What is asked for is what the version gives on the claim's papers, and of a voucher no more than was captured."""
    contracts = [each for each in (order.contract_fen, order.claim_contract_fen) if each is not None]
    papers = inputs_of(
        order,
        contract_fen=min(contracts, default=None),
        invoice_net_fen=order.invoice_net_fen,
        paid_fen=order.paid_fen,
    )
    given = replay.amounts(policy, papers, shares or policy.funding_shares)
    if order.holder_class is not None:
        given = frozenset(min(amount, order.captured_fen) for amount in given)
    if order.claimed_fen not in given:
        yield Wrong("rule_claimed", f"claim {order.claim}.claimed_fen", order.claimed_fen, _listed(given))


def _openings(replay: Replay, moves: Moves, rows: Stored) -> Iterator[Wrong]:
    """A cap is opened to what the version says for a class of its owner; lowered, it may stop at what is used.

    A version that is not stored cannot be asked: that it was another one is seen by the posting's hash.
    """
    for each in moves.openings:
        if not replay.knows(each.version):
            continue
        policy = replay.policy(each.version)
        name = f"posting {moves.book_id}/{each.posting}"
        owner = rows.caps.get((moves.book_id, each.account), "|").split("|", 1)[1]
        classes = rows.classes.get(owner) or {
            value.value for value in (policy.holder_classes if policy else ())
        }
        caps = [policy.cap_for(holder_class) for holder_class in classes] if policy else []
        amounts = frozenset(cap.amount_fen for cap in caps if cap is not None)
        fits = any(could_open(cap, fen) for cap in caps if cap is not None for fen in each.opened_fen)
        if policy and owner.startswith("group:"):
            amounts = frozenset({policy.group_cap_fen})
            fits = bool(amounts & each.opened_fen)
        if not fits and each.change_fen < 0:
            fits = any(fen > amount for amount in amounts for fen in each.opened_fen)
        if not fits:
            found = f"opened to {_listed(each.opened_fen)}"
            yield Wrong("rule_cap", f"{name}.legs", found, _listed(amounts))


def _listed(amounts: frozenset[int]) -> str:
    return " or ".join(map(str, sorted(amounts))) or "nothing"
