"""When two contract numbers are one, and what parts an order may be delivered in."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from voucher.errors import Code, Fact, Refusal
from voucher.money import Fen
from voucher.rules.policy import Policy
from voucher.terms import Rounding

LONGEST_KEY = 60
_DASHES = frozenset("-_\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u30fc\ufe58\ufe63\uff0d\uff3f·")
_LOOKALIKES = str.maketrans(
    "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0423\u0425\u0406\u0408\u0405"
    "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7",
    "ABEKMHOPCTYXIJSABEZHIKMNOPTYX",
)
"""Cyrillic and Greek capitals that nobody tells from Latin ones."""
_BRACKETS = str.maketrans("〔【［[{｛〕】］]}｝", "(((((())))))")


@dataclass(frozen=True, slots=True)
class Part:
    """One instalment as it is proposed: what is delivered, its part of the contract amount in fen, and its last day."""

    title: str
    amount_fen: Fen
    due_on: date


def contract_key(number: str) -> str:
    """A contract number without what people write now so, now otherwise: widths, case, blanks, hyphens, brackets.

    Letters of other scripts that look like Latin ones count as these.

    Refused: `contract_no_invalid` where nothing or more than 60 characters are left.
    """
    folded = unicodedata.normalize("NFKD", number).upper().translate(_BRACKETS).translate(_LOOKALIKES)
    key = "".join(char for char in folded if char not in _DASHES and not _unseen(char)).replace("|", "/")
    if not 1 <= len(key) <= LONGEST_KEY:
        raise Refusal(Code.CONTRACT_NO_INVALID)
    return key


def contract_ref(firm_ref: str, host_ref: str, number: str) -> str:
    """The name of a contract in the ledger: whose it is, with whom, and its number."""
    return f"{firm_ref}|{host_ref}|{contract_key(number)}"


def check_parts(policy: Policy, parts: Sequence[Part], *, contract_fen: Fen, last_on: date) -> None:
    """Refuses (`instalments_invalid`, with its reason) parts that the policy does not offer, more than it allows,
    of another sum than the order's amount, or not in order of their days up to `last_on`."""
    if not parts:
        return
    most, total = policy.instalments_max, sum(part.amount_fen for part in parts)
    if most is None:
        raise _wrong("not_offered")
    if len(parts) > most:
        raise _wrong("too_many", most=most)
    if total != contract_fen:
        raise _wrong("sum", total_fen=total, contract_fen=contract_fen)
    days = [part.due_on for part in parts]
    if any(later < earlier for earlier, later in pairwise(days)) or days[-1] > last_on:
        raise _wrong("due_order")


def split(policy: Policy, held_fen: Fen, parts: Sequence[Part]) -> list[Fen]:
    """What was held, over the parts by their amounts; in whole yuan where the policy rounds to them.

    Each part ends where its share of all parts so far ends, rounded down, so that they add up to what was held.
    """
    unit = 100 if policy.rounding is Rounding.YUAN else 1
    total, ends, upto = sum(part.amount_fen for part in parts), [0], 0
    for part in parts:
        upto += part.amount_fen
        ends.append(held_fen if upto == total else held_fen * upto // total // unit * unit)
    return [Fen(end - begin) for begin, end in pairwise(ends)]


def _unseen(char: str) -> bool:
    return char.isspace() or unicodedata.category(char) in ("Pd", "Cf", "Cc", "Mn", "Me")


def _wrong(reason: str, **facts: Fact) -> Refusal:
    return Refusal(Code.INSTALMENTS_INVALID, reason=reason, **facts)
