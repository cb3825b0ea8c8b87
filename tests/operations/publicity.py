"""A story in which the policy asks for a public notice: claims approved, published, objected to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from tests import factories
from tests.operations.stories import Told
from tests.published import rewrite
from voucher.db import Database
from voucher.ledger.verify import verify
from voucher.models.claims import Claim
from voucher.models.notices import NoticeLine
from voucher.operations.close_notices import close_notices
from voucher.operations.decide_objection import Answered, AnswerRequest, decide_objection
from voucher.operations.object_to import ObjectionRequest, object_publicly
from voucher.operations.outcome import only
from voucher.operations.publicise import NoticeRequest, publicise
from voucher.operations.sweep import SYSTEM
from voucher.terms import ClaimState

FILL = factories.SHANXI_FILL.replace("[notice_days]\nvalue = 0", "[notice_days]\nvalue = 5")
assert FILL != factories.SHANXI_FILL


class Public(Told):
    """The Shanxi world under a version that asks for five working days of notice."""

    def __init__(self, database: Database, *, at: datetime = factories.AT) -> None:
        super().__init__(database, at=at)
        self.do(lambda session, _: rewrite(session, [FILL]))

    def request(self, claims: Sequence[str]) -> NoticeRequest:
        """A notice of these claims."""
        return NoticeRequest(
            self.world.programme_code,
            tuple(claims),
            "2026 年第一批科技创新券拟兑付名单公示",
            "山西省科学技术厅",
            "0351-0000000 创新券受理处",
        )

    def published(self, *claims: str) -> str:
        """The number of a notice of these claims (of one new approved claim if none)."""
        asked = [self.request(claims or [self.approved()])]
        officer = self.world.officer
        return self.do(lambda session, at: only(publicise(session, asked, actor=officer, at=at)).number)

    def objected(self, notice: str, claim: str = "", *, source: str = "203.0.113.7") -> str:
        """The number of an objection to a line of the notice, the first one if no claim is named."""
        asked = ObjectionRequest(
            notice, claim or self.subjects(notice)[0], "李某", "0351-1234567", "该服务并未实际发生，请核实。"
        )
        return self.do(lambda session, at: object_publicly(session, asked, source=source, at=at).number)

    def answered(self, objection: str, *, upheld: bool) -> Answered:
        """The bureau's answer."""
        asked = [AnswerRequest(objection, upheld, "经核实检测报告和现场记录。")]
        officer = self.world.officer
        return self.do(lambda session, at: only(decide_objection(session, asked, actor=officer, at=at)))

    def closed(self) -> int:
        """How many claims were cleared when the worker came by."""
        return self.do(lambda session, at: close_notices(session, actor=SYSTEM, at=at))

    def subjects(self, notice: str) -> list[str]:
        """The claims of a notice, in order."""
        with self.database.read() as session:
            query = select(NoticeLine.subject).order_by(NoticeLine.id)
            return list(session.scalars(query))

    def state(self, claim: str) -> ClaimState:
        """The claim's state."""
        return ClaimState(self.one(Claim, number=claim).state)

    def sound(self) -> bool:
        """Whether the books and the columns that repeat them agree."""
        with self.database.read() as session:
            return not verify(session).faults
