"""`verify`, what several orders together may get: of one contract, and under one agreement in a year.

Both are limited accounts too, which the postings are held against; here the orders themselves are added up and set
against what the stored versions give, so that a ceiling that nobody charged, or that was opened too high, is named.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import aliased

from voucher.ledger.verify_moves import Moved
from voucher.ledger.verify_replay import Replay, inputs_of
from voucher.ledger.verify_sql import Reader
from voucher.models.contracts import Contract, Supplement
from voucher.models.parties import Holder
from voucher.rules.policy import Policy
from voucher.rules.subsidy import clause_of
from voucher.terms import OrderState, PostingKind

HELD = f"p.kind = '{PostingKind.HOLD.value}'"
_Key = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Wrong:
    """Something that a rule does not give. `which` finds the posting of the order that is to be named, as SQL."""

    check: str
    row: str
    found: object
    expected: object
    which: str = ""


@dataclass(frozen=True, slots=True)
class CeilingRows:
    """The most that each contract was ever for, by its name, and the holders that a team's allowances were carried to."""

    contracts: dict[str, int]
    heirs: frozenset[int]


@dataclass(slots=True)
class _Together:
    """Orders under one ceiling, in their order, with what stands of each, in fen; the most that any of them allows."""

    most_fen: int = 0
    clause: str = ""
    orders: list[tuple[Row[Any], int]] = field(default_factory=list)


def ceiling_rows(reader: Reader) -> CeilingRows:
    """Read them; to be asked in the thread that speaks to the reader's connection."""
    contracts = {row.ref: row.amount_fen for row in reader.select(select(Contract.ref, Contract.amount_fen))}
    before = select(Contract.ref, Supplement.was_fen).join(Contract, Contract.id == Supplement.contract_id)
    for ref, was_fen in reader.select(before):
        contracts[ref] = max(contracts[ref], was_fen)
    heir, old = aliased(Holder), aliased(Holder)
    heirs = reader.select(select(heir.id).join(old, old.converted_into == heir.id).distinct())
    return CeilingRows(contracts, frozenset(row.id for row in heirs))


class Ceilings:
    """What stands of every order, gathered while the orders are gone through, and what is too much of it at the end."""

    def __init__(self, replay: Replay, rows: CeilingRows) -> None:
        self._replay, self._rows = replay, rows
        self._contracts: dict[_Key, list[tuple[Row[Any], Policy, int]]] = {}
        self._quotas: dict[_Key, _Together] = {}

    def add(self, order: Row[Any], policy: Policy, moved: Moved) -> None:
        """Count an order that a voucher paid and that was not reversed. Of an heir of a team nothing is counted.

        What the team had used came to the heir's accounts on top of their ceilings.
        """
        if not moved.held_fen or order.state == OrderState.REVERSED.value or order.holder in self._rows.heirs:
            return
        standing = moved.open_fen + moved.captured_fen - moved.back_fen
        if order.contract_ref:
            self._contracts.setdefault((order.contract_ref,), []).append((order, policy, standing))
        if order.agreement_version_id is not None:
            self._count(order, standing)

    def _count(self, order: Row[Any], standing_fen: int) -> None:
        agreement = self._replay.agreement(order.agreement_version_id)
        firm = order.cap_ref or order.holder_ref
        for name, whose, most in (
            ("firm_ceiling_fen", firm, agreement.firm_ceiling_fen),
            ("total_ceiling_fen", "", agreement.total_ceiling_fen),
        ):
            if most is not None:
                key = (order.book_id, agreement.agreement, order.fiscal_year, whose)
                together = self._quotas.setdefault(key, _Together())
                if most > together.most_fen:
                    together.most_fen, together.clause = most, agreement.clause(name)
                together.orders.append((order, standing_fen))

    def wrong(self) -> Iterator[tuple[Wrong, Row[Any]]]:
        """The first order of each ceiling with which there is too much."""
        for held in self._contracts.values():
            for together in self._of_contract(held):
                yield from _above("rule_contract", together)
        for together in self._quotas.values():
            yield from _above("rule_quota", together)

    def _of_contract(self, held: list[tuple[Row[Any], Policy, int]]) -> Iterator[_Together]:
        """A contract's orders by programme, and all of them together where several programmes pay.

        Of an only order for the whole contract the hold itself was compared with what its version gives.
        """
        amount = self._rows.contracts.get(held[0][0].contract_ref)
        if amount is None or (len(held) == 1 and held[0][0].contract_fen == amount):
            return
        programmes: dict[str, _Together] = {}
        whole = _Together()
        for order, policy, standing in held:
            inputs = inputs_of(order, contract_fen=amount)._replace(earlier_fen=0, units=None)
            most = max(self._replay.amounts(policy, inputs), default=0)
            for together in (programmes.setdefault(order.programme_code, _Together()), whole):
                if most > together.most_fen:
                    together.most_fen = most
                    together.clause = clause_of(policy, "rate_lines[0]", "rate_lines") or ""
                together.orders.append((order, standing))
        yield from programmes.values()
        if len(programmes) > 1:
            yield whole


def _above(check: str, together: _Together) -> Iterator[tuple[Wrong, Row[Any]]]:
    total = 0
    for order, standing in together.orders:
        total += standing
        if total > together.most_fen:
            expected = f"at most {together.most_fen}, by {together.clause or 'its version'}"
            yield Wrong(check, "legs", f"{total} with {order.number}", expected, HELD), order
            return
