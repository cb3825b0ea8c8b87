"""The groups of the command: what a refusal looks like, and subjects that are read in when they are asked for."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pkgutil import resolve_name
from typing import Any, Final

import click

from config import ConfigError
from voucher.errors import Refusal
from voucher.schemas.messages import sentence

REFUSED: Final = 2


class RefusingGroup(click.Group):
    """A group whose commands show a refusal as its sentence and a bad setting by its name, and end with status 2."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except Refusal as refusal:
            click.echo(f"{sentence(refusal)}（{refusal.code.value}）", err=True)
        except ConfigError as error:
            click.echo(f"配置有误：{error}", err=True)
        sys.exit(REFUSED)


class LazyGroup(RefusingGroup):
    """A group that imports the module of a command only when that command is asked for, or all are listed.

    `places` says for each command `module:name`; help lists them in this order.
    """

    def __init__(self, *, places: Mapping[str, str], **attributes: Any) -> None:
        super().__init__(**attributes)
        self.places = places

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*self.places, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.places:
            return super().get_command(ctx, cmd_name)
        command: click.Command = resolve_name(self.places[cmd_name])
        return command
