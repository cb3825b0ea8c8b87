"""How the parameters of a recognition agreement read: Chinese names, values, and the clause of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from voucher.money import format_yuan
from voucher.rules.agreement import Agreement, Party, SideShare
from voucher.rules.policy import RateLine
from voucher.schemas.words import clause_word
from voucher.terms import Direction, Term
from voucher.web.policy_words import rate_words

_NAMES: Final[dict[str, str]] = {
    "parties": "协议各方",
    "direction": "互认方向",
    "kinds": "券种",
    "services": "服务",
    "effective_from": "生效日期",
    "effective_to": "有效期至",
    "registry": "互认机构",
    "rate_lines": "补助比例",
    "funding_shares": "资金分担",
    "firm_ceiling_fen": "每家企业每年的额度",
    "total_ceiling_fen": "协议每年的总额度",
    "payout_mode": "兑付方式",
    "remit": "两地结算",
}
_UNSET: Final[dict[str, str]] = {
    "effective_to": "没有约定，直到终止",
    "rate_lines": "按企业所在地区的政策",
    "funding_shares": "由企业所在地区的政策确定",
    "firm_ceiling_fen": "不设，只受企业所在地区的年度限额约束",
    "total_ceiling_fen": "不设",
    "payout_mode": "按企业所在地区的政策",
    "remit": "没有约定",
}


@dataclass(frozen=True, slots=True)
class Row:
    """A parameter as a line of the table: its value, and the clause and words that it rests on."""

    name: str
    value: str
    basis: str
    quote: str


def rows_of(agreement: Agreement, *, regions: Mapping[str, str], services: Mapping[str, str]) -> list[Row]:
    """The lines of the table; `regions` and `services` are the Chinese names by code."""
    names = {**regions, **services}
    return [_row(agreement, key, names) for key in _NAMES]


def _row(agreement: Agreement, key: str, names: Mapping[str, str]) -> Row:
    value = getattr(agreement, key)
    if value in (None, ()):
        return Row(_NAMES[key], _UNSET.get(key, "未确定"), "—", "")
    told = "；".join(_told(agreement, key, value, names))
    in_file = "effective_through" if key == "effective_to" else key
    sources = [source for at, source in agreement.sources if at == in_file or at.startswith(f"{in_file}[")]
    if not sources:
        return Row(_NAMES[key], told, agreement.clause(in_file, f"{in_file}[0]") or "—", "")
    basis = "、".join(dict.fromkeys(clause_word(source.item) for source in sources))
    quotes = dict.fromkeys(source.quote for source in sources)
    return Row(_NAMES[key], told, f"{agreement.document_no} {basis}", "；".join(quotes))


def _told(agreement: Agreement, key: str, value: Any, names: Mapping[str, str]) -> Iterator[str]:
    for each in value if isinstance(value, tuple) else (value,):
        if isinstance(each, Party):
            yield _party(agreement, each, names)
        elif isinstance(each, SideShare):
            yield f"{each.funder.label} {each.parts}/{each.of}"
        elif isinstance(each, RateLine):
            yield rate_words(each, names)
        elif isinstance(each, Term):
            yield each.label
        elif key.endswith("_fen"):
            yield f"{format_yuan(each)} 元"
        elif key == "effective_to":
            yield f"{each.isoformat()} 前"
        else:
            yield names.get(str(each), str(each))


def _party(agreement: Agreement, party: Party, names: Mapping[str, str]) -> str:
    binds = "（含所辖地区）" if party.binds_children else ""
    part = f"，{party.part.label}" if agreement.direction is Direction.ONE_WAY else ""
    return f"{names.get(party.region, party.region)}{binds}，账簿 {party.book}{part}"
