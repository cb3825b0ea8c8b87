"""The post-subsidy of Zezhou county for tests (泽发改发〔2022〕43号, item 6): 30 % at home, 20 % from elsewhere.

Its owner is the province here, so that the people of the Shanxi world decide about it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from tests import factories
from tests.operations.stories import Told, document
from voucher.clock import business_date
from voucher.db import Database
from voucher.models.parties import Holder
from voucher.models.programmes import Programme
from voucher.money import Fen
from voucher.operations.award import AwardRequest, apply_for_award
from voucher.operations.claim import Claimed
from voucher.operations.outcome import Refused, only
from voucher.operations.review import Reviewed, ReviewRequest, review
from voucher.terms import DocumentKind, Verdict, VoucherKind

PROGRAMME = "CN-140525-POSTSUB"
ITEM = 'source = { document_no = "泽发改发〔2022〕43号", item = "6", quote = "“后补助”形式予以资助" }'
ZEZHOU = f"""
[policy]
code = "CN-140525-POSTSUB-2022"
programme = "{PROGRAMME}"
title = "泽州县科技成果转化后补助"
document_no = "泽发改发〔2022〕43号"
document = "zezhou-2022"
owner_region = "140000"
cap_family = "{PROGRAMME}"

[kind]
value = "post_subsidy"
{ITEM}

[effective_from]
value = 2022-05-01
{ITEM}

[holder_classes]
value = ["tech_sme"]
{ITEM}

[[services]]
code = "technology_transfer"
label = "转化科技成果"
{ITEM}

[base]
value = "paid"
{ITEM}

[[rate_lines]]
provider_region = "140525"
rate_bp = 3_000
cap_fen = 50_000_000
{ITEM}

[[rate_lines]]
rate_bp = 2_000
cap_fen = 30_000_000
{ITEM}
"""
FILL = """
[fill]
policy = "CN-140525-POSTSUB-2022"
who = "测试主管部门"
basis = "测试填写，非文件规定"

[year]
value = "calendar"

[rounding]
value = "fen"

[payout_mode]
value = "reimburse_enterprise"

[evidence]
value = ["invoice", "payment_proof"]

[redeem_by_days]
value = 180
"""
CAP = """
[[caps]]
period = "year"
basis = "redeemed"
amount_fen = 55_000_000
"""


class Awarding(Told):
    """The Shanxi world with Zezhou's programme in it, its budget line, and the firm qualified for it."""

    def __init__(self, database: Database, *, fill: str = "", funded_fen: int = 10_000_000_00) -> None:
        super().__init__(database)
        self.line = self.do(lambda session, at: self._zezhou(session, fill, funded_fen, at))
        self.payee = self.account(self.world.firm.organisation_id)

    def _zezhou(self, session: Session, fill: str, funded_fen: int, at: datetime) -> str:
        owner = Programme(
            code=PROGRAMME,
            name="泽州县科技成果转化后补助",
            kind=VoucherKind.POST_SUBSIDY.value,
            region_code="140000",
            book_id=self.world.book_id,
        )
        session.add(owner)
        session.flush()
        factories.policy_version(session, self.world.officer, text=ZEZHOU, fills=(FILL + fill,), at=at)
        line = factories.budget_line(session, owner, maker=self.world.maker, funded_fen=funded_fen, at=at)
        holder = session.get_one(Holder, self.world.firm.holder_id)
        factories.qualification(
            session, holder, by=self.world.reviewer, year=line.year, programme_code=PROGRAMME, at=at
        )
        return line.code

    def wanted(self, cost_fen: int, *, origin: str = "140525", **changes: Any) -> AwardRequest:
        """An application on a cost that was invoiced and paid today."""
        on: date = business_date(self.at)
        given: dict[str, Any] = {
            "programme_code": PROGRAMME,
            "holder_ref": self.world.firm.holder_ref,
            "service": "technology_transfer",
            "description": "受让一项专利并投产",
            "origin_region": origin,
            "invoices": (self.invoice(on=on, net_fen=cost_fen, seller_uscc="91140100MA0KABCD1X"),),
            "payments": (self.payment(amount_fen=cost_fen),),
            "documents": tuple(document(kind) for kind in (DocumentKind.INVOICE, DocumentKind.PAYMENT_PROOF)),
            "payee_account_id": self.payee,
        }
        return AwardRequest(**{**given, **changes})

    def applying(self, request: AwardRequest) -> Callable[[Session, datetime], list[Claimed | Refused]]:
        """The work of applying."""
        return lambda session, at: apply_for_award(session, [request], actor=self.world.firm.actor, at=at)

    def applied(self, cost_fen: int, **changes: Any) -> Claimed:
        """An application that was taken."""
        work = self.applying(self.wanted(cost_fen, **changes))
        return self.do(lambda session, at: only(work(session, at)))

    def decided(
        self, number: str, verdict: Verdict = Verdict.APPROVE, *, fen: int | None = None, line: str = ""
    ) -> Reviewed:
        """The decision on an application, paid from the programme's line."""
        work = self.deciding(number, verdict, fen=fen, line=line)
        return self.do(lambda session, at: only(work(session, at)))

    def deciding(
        self, number: str, verdict: Verdict = Verdict.APPROVE, *, fen: int | None = None, line: str = ""
    ) -> Callable[[Session, datetime], list[Reviewed | Refused]]:
        """The work of a decision."""
        amount = None if fen is None else Fen(fen)
        request = ReviewRequest(
            number,
            verdict,
            amount,
            "按实际核定" if verdict is not Verdict.APPROVE else "",
            budget_line=line or self.line,
        )
        return lambda session, at: review(session, [request], actor=self.world.reviewer, at=at)
