"""What a version takes over from the version that it carries out, and what it may not loosen.

A child names its parent (`[policy] parent`) and inherits every parameter that it does not give, with the place where
the parent has it from. Its first day is its own. Without a cap family of its own it carries out the parent's programme:
then both share the family (a firm has one cap) and the book that pays.

What binds a child (docs/policies.md): kind, region and days of the parent; no cap and no highest amount above the
parent's; the year and the basis of a shared cap; and every parameter that the parent lists in `binding`, where lists may
only be narrowed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace

from voucher.money import Fen, format_yuan
from voucher.rules.policy import Cap, Policy
from voucher.rules.policy_lines import root_of
from voucher.rules.subsidy import within
from voucher.terms import CapPeriod, YearBasis

_CALENDAR_START = (1, 1)
_OWN = frozenset(
    {
        "code", "programme", "title", "document_no", "document", "owner_region", "cap_family", "weak_source", "parent",
        "pinned", "supersedes", "effective_from", "sources", "fills", "inherited",
    }
)  # fmt: skip
_HIGHEST = ("per_order_cap_fen", "per_unit_cap_fen", "face_max_fen", "held_most_fen", "applications_most")
_TOGETHER = {"year_start": "year"}
_KEYS = {"effective_to": "effective_through"}

Findings = Iterator[tuple[str, str]]


def key_of(name: str) -> str:
    """How a parameter is called in a file."""
    return _KEYS.get(name, name)


def inherit(child: Policy, parent: Policy) -> Policy:
    """The child with every parameter that it does not give taken from the parent, with where the parent has it from."""
    names = [field.name for field in fields(Policy) if field.name not in _OWN]
    unset = {name for name in names if getattr(child, name) in (None, ())}
    taken = [
        name
        for name in names
        if name in unset and getattr(parent, name) not in (None, ()) and _TOGETHER.get(name, name) in unset
    ]
    keys = {key_of(name) for name in taken}
    from_above = dict(parent.inherited)
    return replace(
        child,
        **{name: getattr(parent, name) for name in taken},
        pinned=parent,
        sources=(*child.sources, *(each for each in parent.sources if root_of(each[0]) in keys)),
        fills=(*child.fills, *(each for each in parent.fills if root_of(each.key) in keys)),
        inherited=tuple((key, from_above.get(key, parent.code)) for key in sorted(keys)),
    )


def documented(parent: Policy, name: str) -> bool:
    """Whether a parent's document gives what a child would inherit: a child's authority cannot fill that in."""
    return name not in _OWN and any(root_of(place) == key_of(name) for place, _ in parent.sources)


def with_years(policy: Policy) -> Policy:
    """The policy with its family on every cap that names none (or the parent's), and the first day of each cap's year."""
    return replace(policy, caps=tuple(_completed(policy, cap) for cap in policy.caps))


def _completed(policy: Policy, cap: Cap) -> Cap:
    foreign = policy.pinned is not None and cap.family == policy.pinned.cap_family
    family = policy.cap_family if foreign or not cap.family else cap.family
    if cap.period is CapPeriod.PROGRAMME:
        return replace(cap, family=family)
    start = _CALENDAR_START if policy.year is YearBasis.CALENDAR else policy.year_start
    return replace(cap, family=family, year_start=start)


def same_kind_and_place(policy: Policy) -> Findings:
    """A child is of its parent's kind, and its region lies in the parent's."""
    parent = policy.pinned
    if parent is None:
        return
    if policy.kind is not None and policy.kind is not parent.kind:
        yield "kind", f"券种与上级政策 {_named(parent)} 不同"
    if not within(policy.owner_region, parent.owner_region):
        yield "policy.owner_region", f"地区不在上级政策 {_named(parent)} 的地区之内"
    if parent.weak_source is not None:
        yield "policy.parent", f"上级政策 {_named(parent)} 出处较弱，不能据以发布"


def within_days(policy: Policy) -> Findings:
    """A child is in force only while its parent is."""
    parent = policy.pinned
    if parent is None:
        return
    first, end = parent.effective_from, parent.effective_to
    if first is not None and policy.effective_from is not None and policy.effective_from < first:
        yield "effective_from", f"施行日期早于上级政策 {_named(parent)} 的施行日期 {first.isoformat()}"
    if end is not None and policy.effective_to is not None and policy.effective_to > end:
        yield "effective_through", f"失效日期晚于上级政策 {_named(parent)}"
    if end is not None and policy.effective_from is not None and policy.effective_from >= end:
        yield "effective_from", f"施行时上级政策 {_named(parent)} 已经失效"


def within_caps(policy: Policy) -> Findings:
    """No class of holders may receive more than the parent allows; a shared cap counts the same way."""
    parent = policy.pinned
    if parent is None:
        return
    for holder_class in policy.holder_classes:
        most, own = parent.cap_for(holder_class), policy.cap_for(holder_class)
        if most is None or own == most:
            continue
        if own is None:
            yield "caps", f"{holder_class.label}没有限额，上级政策 {_named(parent)} 有"
            continue
        at = f"caps[{policy.caps.index(own)}]"
        if own.period is not most.period:
            yield at, f"限额的期间与上级政策 {_named(parent)} 不同，无法比较高低"
        elif own.amount_fen > most.amount_fen:
            yield at, f"限额 {format_yuan(own.amount_fen)} 元高于{_above(parent, 'caps', most.amount_fen)}"
        if own.family == most.family and (own.basis, own.year_start) != (most.basis, most.year_start):
            yield at, f"与上级政策 {_named(parent)} 共用限额，计法和年度必须相同"


def within_amounts(policy: Policy) -> Findings:
    """No highest amount above the parent's."""
    parent = policy.pinned
    if parent is None:
        return
    for name in _HIGHEST:
        own, most = getattr(policy, name), getattr(parent, name)
        if own is not None and most is not None and own > most:
            yield name, f"高于{_above(parent, name, most)}"


def as_bound(policy: Policy) -> Findings:
    """What the parent lists as binding is not given differently; a list may be narrowed."""
    parent = policy.pinned
    if parent is None:
        return
    names = {key_of(field.name): field.name for field in fields(Policy)}
    for key in parent.binding:
        own, theirs = getattr(policy, names[key]), getattr(parent, names[key])
        narrowed = isinstance(own, tuple) and key != "year_start" and set(own) <= set(theirs)
        if own != theirs and not narrowed:
            yield key, f"上级政策 {_named(parent)} 规定这一项不得另作规定"


def _above(parent: Policy, key: str, amount: int) -> str:
    told = f"{amount}" if key == "applications_most" else f"{format_yuan(Fen(amount))} 元"
    return f"上级政策 {_named(parent)} 的 {told}"


def _named(parent: Policy) -> str:
    return f"{parent.code}（{parent.document_no}）"
