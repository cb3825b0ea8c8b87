"""An agreement file and its fill-in files, read into one `Agreement`, by the reader of policy files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from voucher.rules import policy_shapes as shapes
from voucher.rules import policy_values as plain
from voucher.rules.agreement import Agreement, Party, SideShare
from voucher.rules.policy import WHOLE_BP, Fill, PolicyError, Problem
from voucher.rules.policy_reading import Layout, TomlFile
from voucher.terms import Direction, PartyRole, PayoutMode, RegistryMode, Remit, ShareSide, VoucherKind


class AgreementError(PolicyError):
    """An agreement text cannot be read; `partial` is what could be read of it, None without an identity."""

    def __init__(self, problems: tuple[Problem, ...], partial: Agreement | None = None) -> None:
        super().__init__(problems)
        self.partial = partial


def _side_share(fields: Mapping[str, Any]) -> SideShare:
    """A share from its fields: `bp`, or `parts` of `of` (2 of 3)."""
    if ("bp" in fields) == ("parts" in fields and "of" in fields) or ("parts" in fields) != ("of" in fields):
        raise ValueError("分担写 bp（万分之几），或者写 parts 与 of（例如 parts = 2、of = 3）")
    parts, of = (fields["bp"], WHOLE_BP) if "bp" in fields else (fields["parts"], fields["of"])
    if parts > of:
        raise ValueError("parts 不能大于 of")
    return SideShare(fields["funder"], parts, of)


_IDENTITY: Final[dict[str, plain.Shape]] = {
    "code": plain.code,
    "agreement": plain.code,
    "title": plain.text,
    "document_no": plain.text,
    "document": plain.code,
    "weak_source": plain.text,
}
_VALUES: Final[dict[str, tuple[str, plain.Shape]]] = {
    "effective_from": ("effective_from", plain.day),
    "effective_through": ("effective_to", plain.day_after),
    "direction": ("direction", plain.choice(Direction)),
    "kinds": ("kinds", plain.choices(VoucherKind)),
    "services": ("services", plain.several(plain.code)),
    "registry": ("registry", plain.choice(RegistryMode)),
    "firm_ceiling_fen": ("firm_ceiling_fen", plain.fen),
    "total_ceiling_fen": ("total_ceiling_fen", plain.fen),
    "payout_mode": ("payout_mode", plain.choice(PayoutMode)),
    "remit": ("remit", plain.choice(Remit)),
}
_LISTS: Final[dict[str, shapes.ListShape]] = {
    "parties": (
        shapes.build(Party),
        {
            "region": plain.code,
            "book": plain.code,
            "binds_children": plain.yes_or_no,
            "part": plain.choice(PartyRole),
        },
        frozenset({"region", "book"}),
    ),
    "rate_lines": shapes.LISTS["rate_lines"],
    "funding_shares": (
        _side_share,
        {
            "funder": plain.choice(ShareSide),
            "bp": plain.whole(1, WHOLE_BP),
            "parts": plain.whole(1, WHOLE_BP),
            "of": plain.whole(1, WHOLE_BP),
        },
        frozenset({"funder"}),
    ),
}
LAYOUT: Final = Layout("agreement", _IDENTITY, frozenset({"weak_source"}), _VALUES, _LISTS)


def read(text: str, fills: Sequence[str] = ()) -> Agreement:
    """The agreement of this TOML text, completed by fill-in texts.

    Raises AgreementError with every problem found (a TOML fault hides what comes after it): unknown or missing keys,
    wrong values, a parameter without source, a fill-in of something already given or of another agreement.
    """
    try:
        files = [TomlFile(text, "", LAYOUT)]
        files += [TomlFile(fill, f"fills[{number}].", LAYOUT) for number, fill in enumerate(fills)]
    except PolicyError as unreadable:
        raise AgreementError(unreadable.problems) from unreadable
    given, *extras = files
    identity, values = given.identity(), given.parameters()
    problems, filled = given.problems, list[Fill]()
    for extra in extras:
        author = extra.author(identity.get("code"))
        for name, value in extra.parameters().items():
            if name in values:
                extra.wrong(extra.keys[name], "该参数已经规定，不得另行填写")
            else:
                values[name] = value
                filled.append(Fill(extra.keys[name], **author))
        problems += extra.problems
    if not _IDENTITY.keys() - LAYOUT.optional <= identity.keys():
        raise AgreementError(tuple(problems))
    found = Agreement(**identity, **values, sources=tuple(given.sources.items()), fills=tuple(filled))
    if problems:
        raise AgreementError(tuple(problems), found)
    return found
