"""Shapes of the formula for tests: the world's own version with other parameters, before anything happens under it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from tests.operations.stories import Told
from tests.published import rewrite
from voucher.ledger.verify import verify
from voucher.models.programmes import PolicyVersion

AUDITED = ('value = "least"', 'value = "audited"')
PRORATA = "[prorata]\nvalue = true\n"
PER_UNIT = "[per_unit_cap_fen]\nvalue = 100_000\n"
WINDOW = ('value = "calendar"', 'value = "window"')
WINDOW_START = '[year_start]\nvalue = "07-01"\n'


def sound(told: Told) -> bool:
    """Whether `verify` finds nothing to name, its replay of the rules included."""
    with told.database.read() as session:
        faults = verify(session).faults
    assert not faults, faults
    return True


def shaped(told: Told, *pairs: tuple[str, str], more: str = "") -> None:
    """Replace these texts in the version and its fill-in, and fill in more."""

    def work(session: Session, at: datetime) -> None:
        row = session.get_one(PolicyVersion, told.world.policy_code)
        text, fill = row.text, row.fills[0]
        for old, new in pairs:
            assert old in text + fill, old
            text, fill = text.replace(old, new), fill.replace(old, new)
        rewrite(session, [f"{fill}\n{more}"], written=text, code=row.code)

    told.do(work)
