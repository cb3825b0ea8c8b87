"""R15, 创业券使用表, as a CSV file that spreadsheets open."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

from voucher.money import Fen, format_yuan
from voucher.queries.startup_use import VoucherUse

HEADERS = (
    "孵化基地",
    "认定部门",
    "券号",
    "发放金额（元）",
    "服务企业数",
    "已使用（元）",
    "锁定（元）",
    "剩余（元）",
    "入驻企业",
    "入驻日期",
    "退出日期",
    "状态",
    "分配（元）",
    "使用（元）",
    "服务类别",
)


def as_csv(uses: Sequence[VoucherUse], labels: Mapping[str, str]) -> bytes:
    """One line a tenant, and one for a voucher without any; UTF-8 with a byte order mark. `labels` name the services."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(HEADERS)
    for use in uses:
        head = [
            use.base,
            use.certifier,
            use.voucher_no,
            _yuan(use.grant_fen),
            use.served,
            _yuan(use.spent_fen),
        ]
        head += [_yuan(use.held_fen), _yuan(use.remaining_fen)]
        for tenant in use.tenants:
            services = "；".join(f"{labels.get(code, code)} {_yuan(fen)}" for code, fen in tenant.services)
            left = tenant.left_on.isoformat() if tenant.left_on else ""
            row = [tenant.name, tenant.entered_on.isoformat(), left, tenant.state]
            row += [_yuan(tenant.allotted_fen), _yuan(tenant.spent_fen), services]
            writer.writerow([_plain(each) for each in (*head, *row)])
        if not use.tenants:
            writer.writerow([_plain(each) for each in head])
    return ("\ufeff" + out.getvalue()).encode()


def _yuan(fen: int) -> str:
    return format_yuan(Fen(fen)).replace(",", "")


def _plain(cell: object) -> str:
    """No cell begins like a formula."""
    text = str(cell)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
