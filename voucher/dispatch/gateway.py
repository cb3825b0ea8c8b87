"""SMS and WeChat by an HTTP message gateway. The message id goes along, so that the gateway refuses a second one."""

from __future__ import annotations

import http.client
import json
import ssl
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from voucher.dispatch.parcel import TIMEOUT_SECONDS, Parcel, Undelivered

_TAKEN_BEFORE = 409
_PASSING = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True)
class Gateway:
    """A gateway that takes `POST {id, channel, to, title, text}` with a bearer token and an Idempotency-Key."""

    url: str
    token: str = field(repr=False)

    @property
    def repeatable(self) -> bool:
        return True

    def send(self, parcel: Parcel) -> None:
        """Hand one message over. 2xx, and 409 for an id that it has, are success; redirects are not followed.

        Raises Undelivered: passing for 408, 425, 429, 5xx and a connection that fails, else final.
        """
        try:
            status = self._post(parcel)
        except (OSError, http.client.HTTPException) as failure:
            raise Undelivered("gateway_unreachable", final=False) from failure
        if 200 <= status < 300 or status == _TAKEN_BEFORE:
            return
        raise Undelivered(f"gateway_{status}", final=status < 500 and status not in _PASSING)

    def _post(self, parcel: Parcel) -> int:
        parts = urlsplit(self.url)
        host = parts.hostname or ""
        if parts.scheme == "https":
            secure = ssl.create_default_context()
            connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                host, parts.port, timeout=TIMEOUT_SECONDS, context=secure
            )
        else:
            connection = http.client.HTTPConnection(host, parts.port, timeout=TIMEOUT_SECONDS)
        said = {
            "id": parcel.ref,
            "channel": parcel.channel.value,
            "to": parcel.address,
            "title": parcel.title,
            "text": parcel.text,
        }
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Authorization": f"Bearer {self.token}",
            "Idempotency-Key": parcel.ref,
        }
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        try:
            connection.request("POST", target, json.dumps(said, ensure_ascii=False).encode(), headers)
            return connection.getresponse().status
        finally:
            connection.close()
