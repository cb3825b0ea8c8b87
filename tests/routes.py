"""The builder of an address is compiled once per run, not once per test: every test has an application of its own.

Compiling those of 640 routes took nine tenths of making one. In production an application is made once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from werkzeug.routing import Rule

Builder = Callable[..., tuple[str, str]]

_compile = Rule._compile_builder
_compiled: dict[Any, Builder] = {}


def _compile_once(rule: Rule, append_unknown: bool = True) -> Builder:
    """What is compiled depends on these alone; it takes the rule, and with it the converters, as its argument."""
    if rule.defaults:
        return _compile(rule, append_unknown)
    key = rule.rule, tuple(rule._trace), append_unknown
    if key not in _compiled:
        _compiled[key] = _compile(rule, append_unknown)
    return _compiled[key]


def share() -> None:
    """From now on, for every application that this process makes."""
    Rule._compile_builder = _compile_once  # type: ignore[method-assign,assignment]
