"""Sending what the outbox holds, by whatever ways out the configuration opens."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from config import Config
from voucher.db import Database
from voucher.dispatch.folder import Folder
from voucher.dispatch.gateway import Gateway
from voucher.dispatch.mail import Mail
from voucher.dispatch.parcel import Courier, Parcel, Undelivered
from voucher.operations.join_codes import unsealed
from voucher.operations.outbox import Outgoing, claim_next, note_failed, note_sent, release_stuck
from voucher.schemas.notes import told
from voucher.terms import MessageChannel, MessageEvent

Couriers = Mapping[MessageChannel, Courier]


def couriers_of(config: Config) -> dict[MessageChannel, Courier]:
    """Who carries which channel; a channel without a way out is left out, and its messages wait (a week at most)."""
    carried: dict[MessageChannel, Courier] = {}
    if config.message_sink is not None:
        folder = Folder(config.message_sink)
        carried = dict.fromkeys((MessageChannel.EMAIL, MessageChannel.SMS, MessageChannel.WECHAT), folder)
    if config.mail is not None:
        mail = config.mail
        carried[MessageChannel.EMAIL] = Mail(
            mail.host, mail.port, mail.sender, mail.user, mail.password, mail.encryption
        )
    if config.gateway is not None:
        gateway = Gateway(config.gateway.url, config.gateway.token)
        carried[MessageChannel.SMS] = carried[MessageChannel.WECHAT] = gateway
    return carried


def drain(
    store: Database, couriers: Couriers, *, key: bytes = b"", stop: threading.Event | None = None
) -> tuple[int, int]:
    """Send everything that is due, one message at a time, until nothing is or `stop` is set; gives (sent, failed).

    `key` opens the one-time codes that wait (`join_key`). Several may run: a message is claimed by one. Each is claimed, sent outside any transaction, and marked.
    """
    if not couriers:
        return 0, 0
    repeatable = [channel for channel, courier in couriers.items() if courier.repeatable]
    store.transaction(lambda session, at: release_stuck(session, repeatable=repeatable, at=at))
    sent = failed = 0
    while stop is None or not stop.is_set():
        outgoing = store.transaction(lambda session, at: claim_next(session, channels=couriers.keys(), at=at))
        if outgoing is None:
            break
        if _send(store, couriers[outgoing.channel], outgoing, key):
            sent += 1
        else:
            failed += 1
    return sent, failed


def _send(store: Database, courier: Courier, outgoing: Outgoing, key: bytes) -> bool:
    facts = outgoing.facts
    if outgoing.event is MessageEvent.JOIN_CODE:
        facts = {**facts, "digits": unsealed(key, outgoing.ref, facts["sealed"])}
    said = told(outgoing.event, outgoing.subject, facts)
    parcel = Parcel(outgoing.ref, outgoing.channel, outgoing.address, said.title, said.text)
    try:
        courier.send(parcel)
    except Undelivered as failure:
        reason, final = failure.reason, failure.final
        store.transaction(
            lambda session, at: note_failed(session, outgoing.message_id, reason, final=final, at=at)
        )
        return False
    store.transaction(lambda session, at: note_sent(session, outgoing.message_id, at=at))
    return True
