"""Pieces for the tests of applying: a version of the Shanxi policy with parameters, a window, firms, applications."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import factories
from tests.factories import Firm
from tests.operations.stories import Told
from tests.published import rewrite
from voucher.db import Database
from voucher.models.applications import Application
from voucher.models.parties import Qualification
from voucher.models.programmes import Programme
from voucher.money import Fen
from voucher.operations.apply import Applied, ApplyRequest, apply
from voucher.operations.decide_applications import Decided, DecisionRequest, decide
from voucher.operations.outcome import only
from voucher.operations.windows import WindowRequest, publish_windows
from voucher.rules.permissions import Actor
from voucher.rules.policy_reading import read
from voucher.terms import ApplicationState, ApplicationVerdict

PARAMETERS = """
[fill]
policy = "CN-140000-INNO-2022"
who = "测试主管部门"
basis = "测试用"
"""


def parameters(**values: object) -> str:
    """A fill-in with these parameters (true and false as TOML writes them, numbers, texts)."""
    written = {True: "true", False: "false"}
    lines = [
        f"\n[{name}]\nvalue = {written[value] if isinstance(value, bool) else repr(value)}"
        for name, value in values.items()
    ]
    return PARAMETERS + "\n".join(lines).replace("'", '"')


def with_parameters(session: Session, text: str, fills: Sequence[str]) -> None:
    """Let the published version of the world be one with other fill-ins."""
    read(text, tuple(fills))
    rewrite(session, fills, written=text)


class Applying(Told):
    """The Shanxi world with a window that is always open; 10,000,000.00 on its line unless told otherwise."""

    def __init__(
        self,
        database: Database,
        *,
        budget_fen: int | None = None,
        at: datetime = factories.AT,
        **values: Any,
    ) -> None:
        super().__init__(database, at=at)
        if budget_fen is None:
            self.line_code = self.world.line_code
        else:
            self.line_code = self.do(
                lambda session, at: (
                    factories.budget_line(
                        session,
                        Programme(code=self.world.programme_code, book_id=self.world.book_id),
                        maker=self.world.maker,
                        funded_fen=budget_fen,
                        at=at,
                    ).code
                )
            )
        self.again(**values)
        self.window_id = self.window()

    def again(self, *, automatic: bool = False, **values: Any) -> Applying:
        """Let these parameters stand in the world's policy; `automatic`: issued without review."""
        fill = factories.SHANXI_FILL
        if automatic:
            assert 'value = "reviewed"' in fill
            fill = fill.replace('value = "reviewed"', 'value = "automatic"')
        fills = [fill, parameters(**values)] if values else [fill]
        self.do(lambda session, at: with_parameters(session, factories.SHANXI, fills))
        return self

    def window(self, *, opens: timedelta | None = None, closes: timedelta | None = None) -> int:
        """A published window, from the second day of the year on unless told otherwise."""
        begins = self.at + opens if opens is not None else datetime(self.at.year, 1, 2, tzinfo=UTC)
        request = WindowRequest(
            self.line_code, begins, None if closes is None else self.at + closes, "晋科函〔2026〕8号"
        )
        return self.do(
            lambda session, at: only(publish_windows(session, [request], actor=self.world.officer, at=at)).id
        )

    def firm(self, *, qualified: bool = True) -> Firm:
        """One more firm; unqualified it still stands on the roster."""

        def work(session: Session, at: datetime) -> Firm:
            made = factories.firm(session, reviewer=self.world.reviewer, at=at)
            if not qualified:
                query = select(Qualification).where(Qualification.holder_id == made.holder_id)
                session.delete(session.scalars(query).one())
            return made

        return self.do(work)

    def apply(self, firm: Firm | None = None, *, fen: int = 50_000_00, **changes: Any) -> Applied:
        """An application of a firm (the world's) that is accepted."""
        asking = firm or self.world.firm
        made: Applied = self.do(
            lambda session, at: only(self.asking(session, at, asking.actor, fen=fen, **changes))
        )
        return made

    def asking(
        self, session: Session, at: datetime, actor: Actor, *, fen: int = 50_000_00, **changes: Any
    ) -> list[Any]:
        """What the operation answers to an application."""
        request = ApplyRequest(
            programme_code=self.world.programme_code, wanted_fen=Fen(fen), purpose="检测新材料样品", **changes
        )
        return list(apply(session, [request], actor=actor, at=at))

    def decide(
        self,
        number: str,
        verdict: ApplicationVerdict = ApplicationVerdict.APPROVE,
        *,
        fen: int | None = None,
        reason: str = "",
        actor: Actor | None = None,
    ) -> Decided:
        """A decision that is accepted."""
        request = DecisionRequest(number, verdict, None if fen is None else Fen(fen), reason)
        by = actor or self.world.reviewer
        return self.do(lambda session, at: only(decide(session, [request], actor=by, at=at)))

    def rejected(self, firm: Firm | None = None) -> str:
        """The number of an application that was rejected."""
        number = self.apply(firm).number
        self.decide(number, ApplicationVerdict.REJECT, reason="所购服务与研发无关")
        return number

    def application(self, number: str) -> Application:
        return self.one(Application, number=number)

    def states(self) -> list[ApplicationState]:
        """The states of all applications in queue order."""
        with self.database.read() as session:
            query = select(Application.state).order_by(Application.queue_no)
            return [ApplicationState(state) for state in session.scalars(query)]
