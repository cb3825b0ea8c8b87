"""Which ways out an installation has."""

from __future__ import annotations

from config import Config
from voucher.terms import MessageChannel


def open_channels(config: Config) -> list[MessageChannel]:
    """The channels that this installation can send by, beside the inbox."""
    sink = config.message_sink is not None
    ways = [
        (MessageChannel.EMAIL, config.mail is not None or sink),
        (MessageChannel.SMS, config.gateway is not None or sink),
        (MessageChannel.WECHAT, config.gateway is not None or sink),
    ]
    return [channel for channel, is_open in ways if is_open]
