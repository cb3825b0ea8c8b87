"""What the commands share: configuration, database, and who acts."""

from __future__ import annotations

from typing import Final

from config import Config
from voucher.clock import business_date, wall_now
from voucher.db import Database
from voucher.errors import Code, Refusal, found
from voucher.queries.people import actor_of_login
from voucher.rules.permissions import Actor, permitted

SOURCE: Final = "cli"
SYSTEM: Final = Actor(person_id=0, ref="system:cli", name="命令行", roles=frozenset(), source=SOURCE)


def settings() -> Config:
    """The configuration of the environment. ConfigError names the variable that is wrong."""
    return Config.from_env()


def database() -> Database:
    """The configured database; beside a serving process on SQLite, writers wait their turn."""
    return Database(settings().database_url)


def acting(database: Database, *, login: str) -> Actor:
    """The person in whose name a command acts. Refused: `not_found` for an unknown or disabled login."""
    with database.read() as session:
        return found(actor_of_login(session, login, on=business_date(wall_now()), source=SOURCE))


def require(actor: Actor, permission: str) -> None:
    """Refuse (`not_permitted`) an actor without the permission: the command line asks for the same ones as pages."""
    if not permitted(actor, permission):
        raise Refusal(Code.NOT_PERMITTED)
