"""A real SMTP server and a real HTTP gateway, small, in threads of the test; they remember what they took."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast


@dataclass
class Postbox:
    """What an SMTP server took: (recipient, text) of every message. `refuse` is what it answers to RCPT."""

    port: int = 0
    mails: list[tuple[str, str]] = field(default_factory=list)
    refuse: str = ""
    hang_up: bool = False


class _Smtp(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        box = cast(Any, self.server).box
        self._say("220 test ESMTP")
        recipient = ""
        for raw in self.rfile:
            command = raw.decode().strip()
            word = command[:4].upper()
            if word == "EHLO":
                self._say("250 test")
            elif word == "RCPT":
                recipient = command.partition(":")[2].strip(" <>").split(">")[0]
                self._say(box.refuse or "250 ok")
            elif word == "DATA":
                self._say("354 go on")
                text = self._text()
                box.mails.append((recipient, text))
                if box.hang_up:
                    return
                self._say("250 taken")
            elif word == "QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 ok")

    def _text(self) -> str:
        lines = []
        for raw in self.rfile:
            if raw == b".\r\n":
                break
            lines.append(raw.decode())
        return "".join(lines)

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


class _Smtpd(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    box: Postbox


@contextmanager
def smtp_server() -> Iterator[Postbox]:
    """A mail server on this machine."""
    with _Smtpd(("127.0.0.1", 0), _Smtp) as server:
        server.box = Postbox(port=server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        yield server.box
        server.shutdown()


@dataclass
class Inbox:
    """What a gateway took, by message id, and every request that it saw. It refuses an id that it has (409)."""

    url: str = ""
    taken: dict[str, dict[str, Any]] = field(default_factory=dict)
    requests: list[tuple[str, str]] = field(default_factory=list)
    answer: int = 0


class _Gateway(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        box: Inbox = cast(Any, self.server).box
        said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        ref = str(self.headers["Idempotency-Key"])
        box.requests.append((ref, str(self.headers["Authorization"])))
        status = box.answer or (409 if ref in box.taken else 201)
        if status == 201:
            box.taken[ref] = said
        self.send_response(status)
        if 300 <= status < 400:
            self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class _Httpd(ThreadingHTTPServer):
    box: Inbox


@contextmanager
def gateway_server() -> Iterator[Inbox]:
    """A message gateway on this machine."""
    with _Httpd(("127.0.0.1", 0), _Gateway) as server:
        server.box = Inbox(url=f"http://127.0.0.1:{server.server_address[1]}/send")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        yield server.box
        server.shutdown()
