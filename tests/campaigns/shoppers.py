"""Clients that redeem over HTTP and never give up: a call is retried with its key until it is answered."""

from __future__ import annotations

import secrets
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx

PATIENCE_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Counterparties:
    """Who buys from whom: bearer tokens of both sides, the voucher, the platform and service."""

    holder_token: str
    manager_token: str
    voucher_number: str
    platform_id: int
    service: str
    today: str


@dataclass(slots=True)
class Acknowledged:
    """What the server said yes to, and how often a call had to be sent again."""

    placed: list[str] = field(default_factory=list)
    captured: dict[str, int] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)
    retries: int = 0


class Shopper:
    """Redeems one order after another, from placing to capture, until told to stop."""

    def __init__(
        self,
        address: str,
        parties: Counterparties,
        stop: threading.Event,
        *,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self._address = address
        self._patience = patience
        self._parties = parties
        self._stop_asked = stop
        self._client = httpx.Client(timeout=20)
        self.seen = Acknowledged()

    def run(self) -> None:
        """Shop on; raises AssertionError for an answer that no honest server gives."""
        while not self._stop_asked.is_set():
            self._redeem()

    def _redeem(self) -> None:
        parties = self._parties
        wanted = {
            "voucher_no": parties.voucher_number,
            "platform_id": parties.platform_id,
            "service": parties.service,
        }
        order = self.call("/orders", parties.holder_token, wanted)["number"]
        self.seen.placed.append(order)
        self.call(f"/orders/{order}/accept", parties.manager_token, {"quote_fen": 200_00})
        contract = {"contract_no": order, "contract_on": parties.today, "contract_fen": 200_00}
        self.call(f"/orders/{order}/contract", parties.manager_token, contract)
        self.call(f"/orders/{order}/deliver", parties.manager_token, {})
        done = self.call(f"/orders/{order}/confirm", parties.holder_token, {})
        self.seen.captured[order] = done["captured_fen"]

    def call(self, path: str, token: str, body: dict[str, Any]) -> dict[str, Any]:
        """POST with a key of its own until the server answers below 500; the answer of a success."""
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": secrets.token_hex(16)}
        deadline = time.monotonic() + self._patience
        while time.monotonic() < deadline:
            try:
                answer = self._client.post(f"{self._address}/api/v1{path}", json=body, headers=headers)
            except httpx.HTTPError:
                self.seen.retries += 1
                time.sleep(0.05)
                continue
            if answer.status_code >= 500 or answer.json().get("code") == "key_in_flight":
                self.seen.retries += 1
                time.sleep(0.05)
                continue
            if answer.status_code >= 400:
                raise AssertionError(f"{path}: {answer.status_code} {answer.text}")
            found: dict[str, Any] = answer.json()
            return found
        raise AssertionError(f"{path}: no answer in {self._patience} s")
