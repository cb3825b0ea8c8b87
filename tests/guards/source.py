"""What the guards read: the product's own Python, parsed once."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Module:
    """One source file: its path from the top of the repository, its text, its tree."""

    path: str
    text: str
    tree: ast.Module

    def is_under(self, *places: str) -> bool:
        """Whether it is one of these files, or stands in one of these folders (named with a closing slash)."""
        return any(
            self.path == place or (place.endswith("/") and self.path.startswith(place)) for place in places
        )


@cache
def modules() -> tuple[Module, ...]:
    """Every module of the product: voucher/, and config.py and wsgi.py beside it."""
    files = [*sorted(ROOT.glob("*.py")), *sorted((ROOT / "voucher").rglob("*.py"))]
    assert len(files) > 20, "the product was not found"
    return tuple(_parsed(file) for file in files)


def nodes(module: Module) -> Iterator[ast.AST]:
    """Every node of a module's tree."""
    return ast.walk(module.tree)


def called_name(call: ast.Call) -> str:
    """The last part of what is called: `commit` in `session.commit()`, `round` in `round(x)`."""
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else ""


def at(module: Module, node: ast.AST, what: str) -> str:
    """A finding, in the form that editors jump to."""
    return f"{module.path}:{getattr(node, 'lineno', 1)}: {what}"


def tracked_files() -> list[Path]:
    """The files that a commit would carry: tracked, or new and not ignored."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


def _parsed(file: Path) -> Module:
    text = file.read_text(encoding="utf-8")
    return Module(str(file.relative_to(ROOT)), text, ast.parse(text, filename=str(file)))
