"""Applying, deciding, appealing and giving back through the pages, without scripts."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.entrance import Browser
from tests.web.stage import Stage, staged
from voucher.clock import SHANGHAI
from voucher.models.applications import Application
from voucher.models.vouchers import Voucher
from voucher.operations.outcome import only
from voucher.operations.windows import (
    UndertakingRequest,
    WindowRequest,
    publish_undertakings,
    publish_windows,
)

APPLY = "/enterprise/applications"
WISH = {"wanted": "50,000", "purpose": "检测新材料样品"}


class Bureau:
    """The stage with an open window and an undertaking, and the browsers of the bureau."""

    def __init__(self, app: Flask) -> None:
        self.stage: Stage = staged(app)
        self.world = self.stage.world
        self.programme = self.world.programme_code
        self.officer = Browser(app, self.world.officer)
        self.reviewer = Browser(app, self.world.reviewer)
        self.firm, self.stranger = self.stage.firm, self.stage.stranger
        self.visitor = Browser(app)
        self.do(self._publish)

    def do(self, work: Any) -> Any:
        return self.stage.database.transaction(work)

    def _publish(self, session: Session, at: datetime) -> None:
        officer, text = self.world.officer, "本单位承诺：材料真实，服务真实发生，与服务机构没有关联。"
        window = WindowRequest(self.world.line_code, at - timedelta(days=1), None, "晋科函〔2026〕8号")
        only(publish_windows(session, [window], actor=officer, at=at))
        only(publish_undertakings(session, [UndertakingRequest(self.programme, text)], actor=officer, at=at))

    def wish(self, **changes: str) -> dict[str, str]:
        return {"programme": self.programme, **WISH, **changes}

    def applied(self, browser: Browser | None = None) -> str:
        """The number of an application that was signed and sent."""
        form = self.wish(undertaking="1", signed_name="王伟")
        answer = (browser or self.firm).send(f"{APPLY}/", form)
        assert answer.status_code == 303, answer.text
        return answer.location.rsplit("/", 1)[-1]

    def decided(self, number: str, **form: str) -> Any:
        return self.reviewer.send("/reviewer/applications/decide", {"numbers": number, **form})

    def row(self, number: str) -> Application:
        with self.stage.database.read() as session:
            return session.scalars(select(Application).where(Application.number == number)).one()


@pytest.fixture
def bureau(app: Flask) -> Bureau:
    return Bureau(app)


def test_a_firm_sees_its_conditions_signs_in_full_and_gets_its_place(bureau: Bureau) -> None:
    page = bureau.firm.get(f"{APPLY}/new?programme={bureau.programme}").text
    assert "✓ 申领期：符合" in page
    assert 'name="wanted"' in page
    check = bureau.firm.send(f"{APPLY}/check", bureau.wish()).text
    assert "本单位承诺：材料真实，服务真实发生" in check
    assert "伍万元整" in check
    unsigned = bureau.firm.send(f"{APPLY}/", bureau.wish(undertaking="1"))
    assert unsigned.status_code == 422
    assert "请阅读并签署现行版本的承诺书" in unsigned.text
    assert "检测新材料样品" in unsigned.text, "nothing is lost"
    page = bureau.firm.get(f"{APPLY}/{bureau.applied()}").text
    assert "排队号 <strong>1</strong>" in page
    assert "前面还有 <strong>0</strong> 件" in page


def test_a_wrong_amount_keeps_the_form_and_who_may_not_apply_fills_in_nothing(bureau: Bureau) -> None:
    answer = bureau.firm.send(f"{APPLY}/check", bureau.wish(wanted="200001"))
    assert answer.status_code == 422
    assert "最高 200,000.00 元" in answer.text
    assert "检测新材料样品" in answer.text
    assert bureau.firm.send(f"{APPLY}/check", bureau.wish(wanted="abc")).status_code == 422
    bureau.applied()
    page = bureau.firm.get(f"{APPLY}/new?programme={bureau.programme}").text
    assert "✕ 没有办理中的申领" in page
    assert 'name="wanted"' not in page


def test_a_strangers_application_does_not_exist(bureau: Bureau) -> None:
    number = bureau.applied()
    assert bureau.stranger.get(f"{APPLY}/{number}").status_code == 404
    assert bureau.stranger.send(f"{APPLY}/{number}/withdraw").status_code == 404
    assert bureau.visitor.get(f"{APPLY}/{number}").status_code == 302


def test_a_reviewer_checks_and_approves_less_and_the_firm_has_its_voucher(bureau: Bureau) -> None:
    number = bureau.applied()
    page = bureau.reviewer.get("/reviewer/applications/").text
    assert number in page
    form = {"numbers": number, "verdict": "approve", "approved": "30000", "single": "yes"}
    check = bureau.reviewer.send("/reviewer/applications/check", form)
    assert "叁万元整" in check.text
    assert bureau.decided(number, verdict="approve", approved="30000").status_code == 303
    row = bureau.row(number)
    assert (row.state, row.approved_fen) == ("issued", 30_000_00)
    assert "已发放券" in bureau.firm.get(f"{APPLY}/{number}").text
    again = bureau.decided(number, verdict="approve")
    assert "当前状态不能办理此项操作" in again.text


def test_several_are_approved_at_once_and_each_result_is_listed(bureau: Bureau) -> None:
    numbers = [bureau.applied(), bureau.applied(bureau.stranger)]
    form = {"numbers": numbers, "verdict": "approve"}
    assert "合计，2 件" in bureau.reviewer.send("/reviewer/applications/check", form).text
    page = bureau.reviewer.send("/reviewer/applications/decide", form).text
    assert page.count("已发券") == 2
    with_amount = bureau.reviewer.send("/reviewer/applications/check", {**form, "approved": "100"})
    assert with_amount.status_code == 422


def test_a_return_names_what_to_mend_and_the_place_is_kept(bureau: Bureau) -> None:
    number = bureau.applied()
    assert bureau.decided(number, verdict="return").status_code == 422
    assert bureau.decided(number, verdict="return", reason="请写明检测项目").status_code == 303
    page = bureau.firm.get(f"{APPLY}/{number}").text
    assert "请写明检测项目" in page
    mended = {"wanted": "40000", "purpose": "钢材抗拉强度检测"}
    assert bureau.firm.send(f"{APPLY}/{number}/mend", mended).status_code == 303
    row = bureau.row(number)
    assert (row.state, row.queue_no, row.wanted_fen) == ("submitted", 1, 40_000_00)


def test_a_rejection_shows_its_reason_and_the_way_to_appeal(bureau: Bureau) -> None:
    number = bureau.applied()
    bureau.decided(number, verdict="reject", reason="所购服务与研发无关")
    page = bureau.firm.get(f"{APPLY}/{number}").text
    assert "所购服务与研发无关" in page
    assert f"/enterprise/appeals/new?subject={number}" in page
    form = {"subject": number, "text": "附研发立项书"}
    assert bureau.stranger.send("/enterprise/appeals/", form).status_code == 404
    made = bureau.firm.send("/enterprise/appeals/", form)
    assert made.status_code == 303
    appeal = made.location.rsplit("/", 1)[-1]
    decision = {"outcome": "upheld", "result": "经核实，属于研发服务"}
    own = bureau.reviewer.send(f"/reviewer/appeals/{appeal}/decide", decision)
    assert "经办与复核不能是同一人" in own.text
    assert "须由其他人处理" in bureau.reviewer.get(f"/reviewer/appeals/{appeal}").text
    assert bureau.officer.send(f"/reviewer/appeals/{appeal}/decide", decision).status_code == 303
    assert "经核实，属于研发服务" in bureau.firm.get(f"/enterprise/appeals/{appeal}").text
    assert bureau.row(number).state == "submitted"
    other = bureau.applied(bureau.stranger)
    bureau.decided(other, verdict="reject", reason="用途不符")
    phoned = {"subject": other, "text": "来电称附有立项书", "channel": "phone"}
    assert bureau.officer.send("/reviewer/appeals/", phoned).status_code == 303
    assert other in bureau.officer.get("/reviewer/appeals/").text


def test_anybody_reads_the_queue_and_no_name_or_code_in_full(bureau: Bureau) -> None:
    number = bureau.applied()
    page = bureau.visitor.get(f"/apply/{bureau.programme}/queue").text
    firm = bureau.world.firm
    assert firm.name[:2] + "****" in page
    assert firm.name not in page
    assert firm.uscc not in page
    assert number not in page
    assert bureau.visitor.get("/apply/NOWHERE/queue").status_code == 404


def test_a_visitor_learns_what_could_be_got_and_what_is_paid_first(bureau: Bureau) -> None:
    assert "单张最高" in bureau.visitor.get("/apply/").text
    page = bureau.visitor.get(f"/apply/{bureau.programme}").text
    assert "需要一份 400,000.00 元的合同" in page
    assert "先付清全部合同款" in page
    assert "50%" in page
    counted = bureau.visitor.get(f"/apply/{bureau.programme}?contract=60000&voucher=50000").text
    amounts = re.findall(r'<td class="money"[^>]*>([0-9,.]+)</td>', counted)
    assert amounts == ["60,000.00", "30,000.00", "30,000.00", "60,000.00", "30,000.00"]
    assert bureau.visitor.get(f"/apply/{bureau.programme}?contract=abc").status_code == 422
    assert "最高 200,000.00 元" in bureau.visitor.get(f"/apply/{bureau.programme}?voucher=900000").text


def test_a_firm_sees_what_is_left_this_year_and_every_condition(bureau: Bureau) -> None:
    bureau.stage.captured(60_000_00)
    page = bureau.firm.get(f"/apply/{bureau.programme}").text
    named = re.search(r'name="holder_ref" value="([^"]+)"', page)
    assert named
    assert (
        bureau.firm.get(f"/apply/{bureau.programme}?holder_ref={named[1]}&contract=60000").status_code == 200
    )
    assert "✓ 资格：符合" in page
    assert "170,000.00" in page, "the cap that is left"
    assert "年度补助上限" in page


def test_an_unused_voucher_is_given_back_with_a_reason_and_a_used_one_is_not(bureau: Bureau) -> None:
    number = bureau.stage.voucher
    address = f"/enterprise/vouchers/{number}/give-back"
    assert "拾万元整" in bureau.firm.get(address).text
    assert bureau.firm.send(address, {"reason": ""}).status_code == 422
    assert bureau.stranger.send(address, {"reason": "x"}).status_code == 404
    bureau.stage.held(20_000_00)
    refused = bureau.firm.send(address, {"reason": "不再需要"})
    assert refused.status_code == 409
    assert "不再需要" in refused.text
    other = bureau.decided(bureau.applied(), verdict="approve")
    assert other.status_code == 303
    with bureau.stage.database.read() as session:
        newest = session.scalars(select(Voucher.number).order_by(Voucher.id.desc())).first()
    back = bureau.firm.send(f"/enterprise/vouchers/{newest}/give-back", {"reason": "不再需要"})
    assert back.status_code == 303
    assert "已退券" in bureau.firm.get(f"/enterprise/vouchers/{newest}").text


def test_an_officer_publishes_a_window_and_an_undertaking(bureau: Bureau) -> None:
    page = bureau.officer.get("/programme/windows/").text
    assert "晋科函〔2026〕8号" in page
    assert "长期" in page
    with bureau.stage.database.read() as session:
        opened = session.scalars(select(Application.id)).all()
    assert opened == []
    ending = datetime.now(SHANGHAI) + timedelta(days=2)
    form = {"closes": ending.strftime("%Y-%m-%dT%H:%M"), "document_no": "晋科函〔2026〕9号"}
    found = re.search(r"/programme/windows/([0-9]+)/close", page)
    assert found is not None
    assert bureau.officer.send(f"/programme/windows/{found[1]}/close", form).status_code == 303
    overlapping = {
        "line_code": bureau.world.line_code,
        "opens": (ending - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M"),
        "document_no": "晋科函〔2026〕10号",
    }
    refused = bureau.officer.send("/programme/windows/", overlapping)
    assert "与已公布的申领期重叠" in refused.text
    words = {"programme": bureau.programme, "text": "第二版承诺书：本单位承诺材料真实，服务真实发生。"}
    assert bureau.officer.send("/programme/windows/undertakings", words).status_code == 303
    stale = bureau.firm.send(f"{APPLY}/", bureau.wish(undertaking="1", signed_name="王伟"))
    assert "现行承诺书是第 2 版" in stale.text
    assert bureau.firm.get("/programme/windows/").status_code == 403
