"""Real serving processes for the campaigns: granian on a port, to be called over HTTP and killed."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import psutil

ROOT = Path(__file__).resolve().parents[2]
READY_SECONDS = 60


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Server:
    """One granian with its workers, on a database. `application` names the WSGI module."""

    def __init__(self, url: str, folder: Path, *, workers: int = 1, application: str = "wsgi:app") -> None:
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self._log = folder / f"server-{self.port}.log"
        self._workers = workers
        self._application = application
        self._environment = {
            **os.environ,
            "VOUCHER_ENV": "test",
            "DATABASE_URL": url,
            "FILES_DIR": str(folder / "files"),
            "ANCHOR_DIR": str(folder / "anchors"),
            "PYTHONPATH": str(ROOT),
        }
        self.start()

    def start(self) -> None:
        """Start on the same port, and wait until it answers."""
        command = [
            sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1",
            "--port", str(self.port), "--no-ws", "--workers", str(self._workers), "--blocking-threads", "8",
            "--respawn-failed-workers", "--respawn-interval", "0.1", "--log-level", "warning", self._application,
        ]  # fmt: skip
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=ROOT, env=self._environment, stdout=log, stderr=log, start_new_session=True
            )
        self.wait_ready()

    def wait_ready(self) -> None:
        """Wait until a worker answers."""
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(f"{self.address}/healthz", timeout=2).status_code == 200:
                    return
            time.sleep(0.05)
        raise RuntimeError(f"the server does not answer:\n{self._log.read_text()[-3000:]}")

    def workers(self) -> list[psutil.Process]:
        """The worker processes that live now."""
        with contextlib.suppress(psutil.NoSuchProcess):
            return [
                child
                for child in psutil.Process(self._process.pid).children(recursive=True)
                if "resource_tracker" not in " ".join(child.cmdline())
            ]
        return []

    def kill_worker(self) -> bool:
        """SIGKILL to one worker; granian starts another. False where none was there to kill."""
        for worker in self.workers():
            with contextlib.suppress(psutil.NoSuchProcess):
                worker.kill()
                return True
        return False

    def kill(self) -> None:
        """SIGKILL to the application, server and workers, at once."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(timeout=30)
        time.sleep(0.05)

    def stop(self) -> None:
        """End it in good order, or else at once."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGTERM)
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.kill()
