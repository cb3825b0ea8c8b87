"""Names on pages that anybody may read: enough to find oneself, no more (domain, R5)."""

from __future__ import annotations


def masked(name: str) -> str:
    """A name with its middle covered: 测试****有限公司, 张**. Short names keep their first character only."""
    if len(name) <= 4:
        return name[:1] + "*" * max(len(name) - 1, 1)
    tail = 4 if len(name) > 8 else 1
    return f"{name[:2]}****{name[-tail:]}"
