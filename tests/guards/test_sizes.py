"""Sizes that keep a module readable in one sitting (design, section 1)."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.guards.source import Module, at, called_name, modules, nodes

MODULE_LINES = 300
FUNCTION_LINES = 50
ARGUMENTS = 5
POSITIONAL = 4  # docs/adr/0001-four-positional-arguments.md
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "managers", "misc"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions() -> Iterator[tuple[Module, Function]]:
    for module in modules():
        for node in nodes(module):
            if isinstance(node, Function):
                yield module, node


def called_by_a_framework() -> set[int]:
    """Functions whose caller decides how arguments are passed: decorated ones, and methods of a subclass."""
    found: set[int] = set()
    for module in modules():
        for node in nodes(module):
            if isinstance(node, Function) and any(
                not (
                    isinstance(decorator, ast.Name)
                    and decorator.id in ("staticmethod", "classmethod", "cache")
                )
                for decorator in node.decorator_list
            ):
                found.add(id(node))
            if isinstance(node, ast.ClassDef) and node.bases:
                found.update(id(method) for method in node.body if isinstance(method, Function))
    return found


def positional(function: Function) -> list[str]:
    names = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
    return names[1:] if names[:1] in (["self"], ["cls"]) else names


def test_no_module_is_longer_than_300_lines() -> None:
    long = [
        f"{module.path}: {lines}" for module in modules() if (lines := module.text.count("\n")) > MODULE_LINES
    ]
    assert not long, "\n".join(long)


def test_no_function_is_longer_than_50_lines() -> None:
    long = [
        at(module, function, f"{function.name} has {lines} lines")
        for module, function in functions()
        if (lines := (function.end_lineno or 0) - function.lineno + 1) > FUNCTION_LINES
    ]
    assert not long, "\n".join(long)


def test_no_function_takes_more_than_5_arguments() -> None:
    many = [
        at(module, function, f"{function.name} takes {count} arguments")
        for module, function in functions()
        if (count := len(positional(function)) + len(function.args.kwonlyargs)) > ARGUMENTS
    ]
    assert not many, "\n".join(many)


def test_arguments_after_the_first_are_given_by_name() -> None:
    exempt = called_by_a_framework()
    unnamed = [
        at(module, function, f"{function.name}({', '.join(positional(function))})")
        for module, function in functions()
        if len(positional(function)) > POSITIONAL and id(function) not in exempt
    ]
    assert not unnamed, "\n".join(unnamed)


def test_every_module_is_named_after_its_subject() -> None:
    vague = [
        module.path
        for module in modules()
        if FORBIDDEN_NAMES & set(module.path.removesuffix(".py").split("/"))
    ]
    assert not vague, "\n".join(vague)


def test_nothing_is_imported_inside_a_function_but_a_command_when_it_is_asked_for() -> None:
    hidden = [
        at(module, node, f"import inside {function.name}")
        for module, function in functions()
        if module.path != "voucher/cli/group.py"
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
        or (
            isinstance(node, ast.Call)
            and called_name(node) in ("import_module", "resolve_name", "__import__")
        )
    ]
    assert not hidden, "\n".join(hidden)
