"""`voucher messages`: sending what waits in the outbox, and what could not be sent."""

from __future__ import annotations

import sys

import click

from voucher.cli.context import acting, database, require, settings
from voucher.cli.couriers import couriers_of, drain
from voucher.operations.join_codes import join_key
from voucher.operations.outbox import send_again
from voucher.queries.messages import OutboxFilter, outbox, outbox_counts
from voucher.terms import MessageState

_NOTHING_SENDS = 1


@click.group()
def messages() -> None:
    """消息：发送待发消息、查看和重发未能送达的消息。"""


@messages.command()
def send() -> None:
    """把到时间的待发消息全部发出（服务器上的 worker 会自动做）。"""
    couriers = couriers_of(settings())
    if not couriers:
        click.echo(
            "没有配置任何发送渠道：请设置 SMTP_URL、MESSAGE_GATEWAY_URL（演示环境可用 MESSAGE_SINK_DIR）。",
            err=True,
        )
        sys.exit(_NOTHING_SENDS)
    sent, failed = drain(database(), couriers, key=join_key(settings().secret_key))
    click.echo(f"已发送 {sent} 条，失败 {failed} 条。")


@messages.command("list")
def list_() -> None:
    """列出未能送达的消息，并统计各状态的条数（不显示收件地址）。"""
    store = database()
    with store.read() as session:
        for state, count in outbox_counts(session):
            click.echo(f"{state.label}：{count} 条")
        for line in outbox(session, OutboxFilter(state=MessageState.DEAD), page=1).rows:
            click.echo(
                f"{line.message_id}\t{line.event.label}\t{line.subject}\t{line.channel.label}\t{line.error}"
            )


@messages.command()
@click.argument("message_ids", nargs=-1, type=click.IntRange(1), required=True)
@click.option("--as", "login", required=True, help="以哪位安全管理员的名义办理（用户名）。")
def again(*, message_ids: tuple[int, ...], login: str) -> None:
    """把未能送达的消息重新放回待发（请先核实确实没有送达）。"""
    store = database()
    actor = acting(store, login=login)
    require(actor, "admin:message:send")
    count = store.transaction(lambda session, at: send_again(session, message_ids, actor=actor, at=at))
    click.echo(f"已放回待发 {count} 条。")
