"""Imports go downwards through the floors of the house; the contracts stand in pyproject.toml."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

from tests.guards.source import ROOT, modules


def test_imports_go_downwards_only() -> None:
    linter = Path(sys.executable).parent / "lint-imports"
    run = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "3 kept, 0 broken" in run.stdout


def test_the_server_entry_only_makes_the_application() -> None:
    assert {module.path for module in modules() if "/" not in module.path} == {"config.py", "wsgi.py"}
    code = ast.parse((ROOT / "wsgi.py").read_text(encoding="utf-8")).body
    assert [ast.unparse(line) for line in code if isinstance(line, ast.Assign)] == [
        "app = create_app(Config.from_env())"
    ]
    assert not [line for line in code if not isinstance(line, ast.Assign | ast.ImportFrom | ast.Expr)]


def test_configuration_knows_nothing_of_the_product() -> None:
    code = ast.parse((ROOT / "config.py").read_text(encoding="utf-8"))
    imported = [node.module or "" for node in ast.walk(code) if isinstance(node, ast.ImportFrom)]
    imported += [name.name for node in ast.walk(code) if isinstance(node, ast.Import) for name in node.names]
    assert not [name for name in imported if name.split(".")[0] == "voucher"]
