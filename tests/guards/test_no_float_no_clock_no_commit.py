"""Money is integers, time is an argument, and an entry point commits once."""

from __future__ import annotations

import ast

from tests.guards.source import Module, at, called_name, modules, nodes

MONEY = ("voucher/rules/", "voucher/ledger/", "voucher/operations/", "voucher/money.py")
ENTRY = ("voucher/web/", "voucher/api/", "voucher/cli/")
CLOCKS = ("voucher/clock.py", "voucher/db.py", "voucher/app.py", *ENTRY)
CLOCK_CALLS = {"now", "utcnow", "today", "wall_now", "database_now", "localtime", "time_ns"}


def inexact(node: ast.AST) -> str | None:
    """Why this piece of code may lose a fen, or None."""
    if isinstance(node, ast.Constant) and isinstance(node.value, float | complex):
        return f"the float {node.value}"
    if isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div):
        return "a true division"
    if isinstance(node, ast.Call) and called_name(node) in ("round", "float", "truediv", "fsum", "Decimal"):
        return f"a call of {called_name(node)}"
    if isinstance(node, ast.ImportFrom) and node.module in ("decimal", "fractions"):
        return f"an import of {node.module}"
    if isinstance(node, ast.Import) and any(name.name in ("decimal", "fractions") for name in node.names):
        return "an import of inexact numbers"
    return None


def reads_a_clock(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    is_time_time = ast.unparse(node.func) == "time.time"
    return is_time_time or called_name(node) in CLOCK_CALLS


def findings(module: Module, *called: str) -> list[str]:
    return [
        at(module, node, f"{called_name(node)}(")
        for node in nodes(module)
        if isinstance(node, ast.Call) and called_name(node) in called
    ]


def test_no_float_is_anywhere_near_money() -> None:
    found = [
        at(module, node, why)
        for module in modules()
        if module.is_under(*MONEY)
        for node in nodes(module)
        if (why := inexact(node))
    ]
    assert not found, "\n".join(found)


def test_the_money_floors_were_looked_at() -> None:
    for place in MONEY:
        assert any(module.is_under(place) for module in modules()), f"{place} holds no module"


def test_only_entry_points_and_the_database_read_a_clock() -> None:
    found = [
        at(module, node, ast.unparse(node))
        for module in modules()
        if not module.is_under(*CLOCKS)
        for node in nodes(module)
        if reads_a_clock(node)
    ]
    assert not found, "\n".join(found)


def test_only_the_database_module_commits() -> None:
    found = [
        line for module in modules() if module.path != "voucher/db.py" for line in findings(module, "commit")
    ]
    assert not found, "\n".join(found)


def test_only_entry_points_open_a_transaction() -> None:
    found = [
        line
        for module in modules()
        if not module.is_under(*ENTRY)
        for line in findings(module, "transaction")
    ]
    assert not found, "\n".join(found)
