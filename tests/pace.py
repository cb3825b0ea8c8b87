"""How long the code may take. A number that is wanted of a quiet machine is held four times wider beside other work.

`make test` shares its machine and finds what has become several times slower; `make campaign` holds the numbers.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

SHARED: Final = 1 if os.environ.get("CAMPAIGN") == "full" else 4


@contextmanager
def within(seconds: float, clock: Callable[[], float] = time.monotonic) -> Iterator[None]:
    """Fail unless the block takes at most that long, by the wall or by another clock (`time.process_time`)."""
    begun = clock()
    yield
    spent = clock() - begun
    assert spent <= seconds * SHARED, (
        f"{spent:.3f} s, of {seconds} s ({SHARED} times as many beside other work)"
    )
