"""`voucher clearing`: pledges, statements of pairs of books, and money between them."""

from __future__ import annotations

import click

from voucher.cli.context import acting, database, require
from voucher.cli.fund import Yuan
from voucher.errors import found
from voucher.models.cofunding import Remittance
from voucher.money import Fen, format_yuan
from voucher.operations import remit
from voucher.operations.outcome import only
from voucher.operations.pledge import PledgeRequest, pledge
from voucher.operations.remit import NoteRequest, RemitRequest
from voucher.queries.clearing import own_book, statement
from voucher.terms import RemittanceState

_BY = click.option("--by", required=True, help="财政人员的登录名")


@click.group()
def clearing() -> None:
    """配套承诺与区域清算：承诺、对账单、汇款、收款。"""


@clearing.command("pledge")
@click.argument("book")
@click.argument("programme")
@click.argument("year", type=click.IntRange(2000, 2199))
@click.argument("amount", type=Yuan())
@click.option("--document", required=True, help="文号")
@click.option("--agreement", default="", help="只为某份互认协议承诺时，协议编号")
@_BY
def pledge_command(book: str, programme: str, year: int, amount: Fen, **rest: str) -> None:
    """账簿 BOOK 为其他财政牵头的项目承诺一个年度的配套资金（元）。"""
    store = database()
    actor = acting(store, login=rest["by"])
    require(actor, "finance:pledge:add")
    with store.read() as session:
        own = found(own_book(session, actor, book))
    asked = PledgeRequest(own.book_id, programme, year, amount, rest["document"], rest["agreement"])
    done = store.transaction(lambda session, at: only(pledge(session, [asked], actor=actor, at=at)))
    click.echo(f"{done.owner}（{done.year} 年）：{'此前已登记' if done.replayed else '已登记'}。")


@clearing.command("statement")
@click.argument("own")
@click.argument("other")
@_BY
def statement_command(own: str, other: str, *, by: str) -> None:
    """账簿 OWN 与 OTHER 的对账单。"""
    store = database()
    actor = acting(store, login=by)
    require(actor, "finance:clearing:read")
    with store.read() as session:
        told = found(statement(session, actor, own, other))
    for way in told.directions:
        figures = (way.payer_fen, way.sent_fen, way.received_fen, way.in_transit_fen, way.owed_fen)
        names = ("应付", "已汇出", "对方已收", "在途", "未付")
        said = "，".join(
            f"{name} {format_yuan(Fen(amount))} 元" for name, amount in zip(names, figures, strict=True)
        )
        click.echo(f"{way.payer.authority} → {way.taker.authority}：{said}。")
    click.echo("两本账簿一致。" if told.mirrors else "两本账簿不一致，须查明。")


@clearing.command("remit")
@click.argument("own")
@click.argument("other")
@click.argument("amount", type=Yuan())
@click.option("--document", required=True, help="付款文号")
@_BY
def remit_command(own: str, other: str, amount: Fen, *, document: str, by: str) -> None:
    """制作汇款单：账簿 OWN 付给 OTHER（元）。"""
    store = database()
    actor = acting(store, login=by)
    require(actor, "finance:clearing:prepare")
    asked = RemitRequest(own, other, amount, document)
    _show(store.transaction(lambda session, at: only(remit.prepare(session, [asked], actor=actor, at=at))))


@clearing.command("send")
@click.argument("number")
@_BY
def send_command(number: str, *, by: str) -> None:
    """由另一人复核汇出。"""
    store = database()
    actor = acting(store, login=by)
    require(actor, "finance:clearing:approve")
    _show(store.transaction(lambda session, at: only(remit.send(session, [number], actor=actor, at=at))))


@clearing.command("note")
@click.argument("number")
@click.option("--receipt", required=True, help="银行回单号")
@_BY
def note_command(number: str, *, receipt: str, by: str) -> None:
    """收方登记收款。"""
    store = database()
    actor = acting(store, login=by)
    require(actor, "finance:clearing:prepare")
    asked = NoteRequest(number, receipt)
    _show(store.transaction(lambda session, at: only(remit.note(session, [asked], actor=actor, at=at))))


@clearing.command("receive")
@click.argument("number")
@_BY
def receive_command(number: str, *, by: str) -> None:
    """收方由另一人确认收款。"""
    store = database()
    actor = acting(store, login=by)
    require(actor, "finance:clearing:approve")
    _show(store.transaction(lambda session, at: only(remit.receive(session, [number], actor=actor, at=at))))


def _show(row: Remittance) -> None:
    label = RemittanceState(row.state).label
    click.echo(f"汇款单 {row.number}：{format_yuan(Fen(row.amount_fen))} 元，{label}。")
