"""`voucher load`: a whole file of regions, parties, people, programmes, budgets and vouchers, all or nothing."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import click
from marshmallow import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.cli.context import SOURCE, SYSTEM, database, settings
from voucher.cli.load_sections import LATER, SECTIONS, Loading
from voucher.clock import business_date
from voucher.errors import found
from voucher.models.ledger import Book
from voucher.operations.authenticate import hash_password
from voucher.operations.once import once, request_id
from voucher.operations.regions import COUNTRY, load_divisions
from voucher.queries.people import actor_of_login
from voucher.rules.permissions import Actor
from voucher.schemas.account import password_fault
from voucher.schemas.base import flat
from voucher.schemas.load import LoadFile

_FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("file", type=_FILE)
@click.option("--by", help="经办人的登录名（可在本文件 people 中）；载入政策、预算、认定、名单、券时必填")
@click.option("--second", help="发布政策的另一人的登录名（可在本文件 people 中）；载入政策时必填")
def load(file: Path, *, by: str | None, second: str | None) -> None:
    """载入 JSON 文件：要么全部载入，要么不载入；同一文件再次载入得到同样的编号。编号以 JSON 输出。"""
    content = file.read_bytes()
    parts = _parts(content)
    if by is None and any(parts[name] for name in LATER):
        raise click.UsageError(
            f"本文件含有 {'、'.join(n for n in LATER if parts[n])}，须以 --by 指明经办人。"
        )
    if second is None and parts["programmes"]:
        raise click.UsageError(
            "本文件含有 programmes，政策由一人提请、另一人发布，须以 --second 指明发布人。"
        )
    for person in parts["people"]:
        person["password_hash"] = hash_password(person.pop("password"), profile=settings().argon2_profile)
    key = request_id(SYSTEM.ref, "load", sha256(content).hexdigest(), {"by": by, "second": second})

    def work(session: Session, at: datetime) -> dict[str, Any]:
        everywhere = replace(SYSTEM, region_codes=frozenset({COUNTRY}))
        loading = Loading(session, everywhere, file.parent, at, everywhere)
        return once(session, key, lambda: _load(loading, parts, by=by or "", second=second or ""), at=at)

    click.echo(json.dumps(database().transaction(work), ensure_ascii=False, indent=2, sort_keys=True))


def _parts(content: bytes) -> dict[str, Any]:
    """The file by its schema; ends the command with every error where it has any."""
    try:
        parts: dict[str, Any] = dict(LoadFile().loads(content.decode("utf-8-sig")))
        errors = {
            f"people.{number}.password": [fault]
            for number, person in enumerate(parts["people"])
            if (fault := _fault(person))
        }
    except ValidationError as error:
        errors = flat(error.messages_dict)
    except (ValueError, RecursionError) as error:
        errors = {"file": [f"不是有效的 UTF-8 JSON：{error}"]}
    if errors:
        for name, sentences in errors.items():
            click.echo(f"{name}：{''.join(sentences)}", err=True)
        sys.exit(1)
    return parts


def _fault(person: Mapping[str, Any]) -> str | None:
    return password_fault(person["password"], login=person["login"], profile=settings().password_profile)


def _load(loading: Loading, parts: Mapping[str, Any], *, by: str, second: str) -> dict[str, Any]:
    made: dict[str, Any] = {}
    if parts["divisions"]:
        made["divisions"] = load_divisions(loading.session, **loading.who)
    for name, section in SECTIONS.items():
        if not parts[name]:
            continue
        if name in LATER and loading.actor.person_id == SYSTEM.person_id:
            loading = replace(loading, actor=_everywhere(loading, by))
        if name == "programmes":
            loading = replace(loading, second=_everywhere(loading, second))
        made[name] = section(loading, parts[name])
    return made


def _everywhere(loading: Loading, login: str) -> Actor:
    """The person, acting for every book and region: whoever has the command line has the installation."""
    session = loading.session
    actor = found(actor_of_login(session, login, on=business_date(loading.at), source=SOURCE))
    books = frozenset(session.scalars(select(Book.book_id)))
    return replace(actor, region_codes=frozenset({COUNTRY}), book_ids=books)
