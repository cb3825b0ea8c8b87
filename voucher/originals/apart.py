"""A process of its own for what strangers' files may do to a reader: little time, little memory, nothing to write to."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Final, NoReturn

# How a job ends on purpose without an answer: the file is not of its kind.
NOTHING: Final = 3
_CPU: Final = "JOB_CPU_SECONDS"
_MEMORY: Final = "JOB_MEMORY_MIB"


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a job may take: seconds by the wall, seconds of one processor, MiB of memory.

    The processor's are what a hostile file is stopped by; the wall's are longer, so that a sound file is read on a
    busy machine too.
    """

    wall_seconds: float
    cpu_seconds: float
    memory_mib: int


class TookTooLong(Exception):
    """The job was stopped: nothing is known about the file."""


def run_apart(job: str, arguments: Sequence[str], bounds: Bounds) -> bytes | None:
    """What a job (a module that ends in `answer`) wrote; None where it broke or ended without an answer.

    Raises TookTooLong when its time was over.
    """
    command = [sys.executable, "-m", f"voucher.originals.{job}", *arguments]
    limits = {_CPU: str(bounds.cpu_seconds), _MEMORY: str(bounds.memory_mib)}
    surroundings = {"PYTHONPATH": os.pathsep.join(sys.path), "PYTHONUTF8": "1", "LANG": "C.UTF-8", **limits}
    try:
        done = subprocess.run(  # noqa: S603 (our own module; the arguments are paths of the store)
            command,
            env=surroundings,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=bounds.wall_seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise TookTooLong from None
    if done.returncode == -signal.SIGPROF:
        raise TookTooLong
    return done.stdout if done.returncode == 0 and done.stdout else None


def answer(work: Callable[[Sequence[str]], bytes]) -> NoReturn:
    """End this process with what `work` makes of the arguments, within the limits that it was started with."""
    seconds, memory = float(os.environ[_CPU]), int(os.environ[_MEMORY]) * 1024 * 1024
    used = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])  # the start of Python counts too
    signal.setitimer(signal.ITIMER_PROF, max(seconds - used, 0.001))
    resource.setrlimit(resource.RLIMIT_CPU, (ceil(seconds) + 1,) * 2)
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    made = work(sys.argv[1:])
    sys.stdout.buffer.write(made)
    sys.stdout.buffer.flush()
    sys.exit(0 if made else NOTHING)
