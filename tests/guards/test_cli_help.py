"""Every command of `voucher` says what it does."""

from __future__ import annotations

from collections.abc import Iterator

import click


def commands(group: click.Group, path: str) -> Iterator[tuple[str, click.Command]]:
    """Every command below a group, with its full name."""
    context = click.Context(group, info_name=path)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield f"{path} {name}", command
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")


def test_every_command_has_help() -> None:
    from voucher.cli import main

    assert isinstance(main, click.Group)
    found = dict(commands(main, "voucher"))
    assert len(found) > 10, "the commands were not found"
    silent = [name for name, command in found.items() if command.get_short_help_str(limit=80) in ("", "...")]
    assert not silent, "\n".join(silent)
