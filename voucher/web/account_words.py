"""How accounts of the ledger are called on pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from voucher.queries.ledger_reading import AccountName

_CODES: Final[Mapping[str, str]] = {
    "source": "财政来源",
    "budget": "预算指标",
    "voucher": "券",
    "allot": "分配",
    "order": "订单",
    "payable": "应付",
    "escrow": "代管",
    "paid": "已支付",
    "lapsed": "收回财政",
    "recovered": "追回",
    "receivable": "应收",
    "clearing": "往来",
    "pledge": "配套承诺",
    "share": "配套份额",
    "overbook_source": "超额来源",
    "cap": "限额",
    "cap_source": "限额来源",
    "cap_used": "已用限额",
    "quota": "协议额度",
    "quota_source": "协议额度来源",
    "quota_used": "已用协议额度",
    "contract": "合同上限",
    "contract_source": "合同上限来源",
    "contract_used": "已用合同上限",
    "funded": "到位资金",
    "funded_source": "到位资金来源",
    "funded_used": "已用到位资金",
    "count": "次数",
    "count_source": "次数来源",
    "count_used": "已用次数",
    "holding": "持有数",
    "holding_source": "持有数来源",
    "holding_used": "已用持有数",
}


def account_title(name: AccountName) -> str:
    """An account by its Chinese name, owner and period: 限额 CN-140000-INNO|9114… 2026 年."""
    period = f"{name.period} 年" if name.period else ""
    return " ".join(part for part in (_CODES.get(name.code, name.code), name.owner, period) if part)
