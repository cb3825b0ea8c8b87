"""The review on pages: returns with their notice, cases in hand, duty, experts, signatures, minutes, reports."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from tests.entrance import Browser, Machine
from tests.operations.reviewing import (
    asks,
    cosigner,
    expert,
    mended,
    pays_provider,
    providers_claim,
    reviewer,
)
from tests.operations.stories import Told
from voucher.clock import business_date, wall_now
from voucher.models.claims import Claim
from voucher.models.review import (
    AuditReport,
    CaseTaking,
    ClaimReturn,
    Cosignature,
    ExpertOpinion,
    Recusal,
    Review,
    StandIn,
)

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
THREE = {
    "items": ["contract", "invoices", "result"],
    "text_contract": "合同缺签字页",
    "text_invoices": "发票 2 的抬头不是本单位",
    "text_result": "检测报告没有结论页",
    "contact": "王老师 0351-1234567",
}


@pytest.fixture
def told(app: Flask) -> Told:
    return Told(app.extensions["voucher_database"], at=wall_now())


@pytest.fixture
def desk(app: Flask, told: Told) -> Browser:
    return Browser(app, told.world.reviewer)


def pdf(name: str = "文件.pdf") -> tuple[io.BytesIO, str]:
    return io.BytesIO(PDF), name


def path(number: str, step: str = "") -> str:
    return f"/reviewer/claims/{number}{step}"


def upload(browser: Browser, address: str, form: dict[str, Any]) -> Any:
    return browser.send(address, form, content_type="multipart/form-data")


def test_three_defects_are_checked_sent_at_once_and_printed_for_both_sides(
    app: Flask, told: Told, desk: Browser
) -> None:
    asks(told, defect_days=10)
    number = told.claimed()
    assert "退回补正" in desk.get(path(number)).text
    check = desk.send(path(number, "/return/check"), THREE)
    assert check.status_code == 200
    assert "合同缺签字页" in check.text
    assert told.one(Claim, number=number).state == "submitted"
    done = desk.send(path(number, "/return"), THREE, follow_redirects=True)
    assert f"{number}-1" in done.text
    firm = Browser(app, told.world.firm.actor)
    for notice in (desk.get(path(number, "/notices/1")), firm.get(f"/claims/{number}/notices/1")):
        assert notice.status_code == 200
        for words in ("补正告知书", f"{number}-1", "检测报告没有结论页", "王老师 0351-1234567", "一次告知"):
            assert words in notice.text
    assert firm.get(f"/claims/{number}/notices/2").status_code == 404
    mend = firm.get(f"/enterprise/claims/{number}/mend").text
    assert 'name="contract_amount"' in mend and 'name="file_result"' in mend
    assert 'name="payee_account_id"' not in mend and "付款 1" not in mend


def test_a_return_form_with_a_slip_keeps_everything(told: Told, desk: Browser) -> None:
    number = told.claimed()
    form = {**THREE, "items": ["contract"]}
    answer = desk.send(path(number, "/return/check"), form)
    assert answer.status_code == 422
    for words in ("合同缺签字页", "检测报告没有结论页", "没有勾选这一项", 'value="contract" checked'):
        assert words in answer.text
    back = desk.send(path(number, "/return/check?back=1"), THREE)
    assert (back.status_code, back.text.count(" checked")) == (200, 3)


def test_an_item_that_was_not_told_before_needs_a_reason_on_the_page_too(told: Told, desk: Browser) -> None:
    number = told.claimed()
    desk.send(path(number, "/return"), THREE)
    mended(told, number)
    late = {"items": ["payee"], "text_payee": "账户已销", "contact": "王老师"}
    refused = desk.send(path(number, "/return"), late)
    assert refused.status_code == 422
    assert "一次性告知" in refused.text and "账户已销" in refused.text
    assert desk.send(path(number, "/return"), {**late, "late_reason": "银行今日来函"}).status_code == 303
    assert told.one(ClaimReturn, round=2).late_reason == "银行今日来函"


def test_the_desk_tells_whose_turn_it_is_and_keeps_its_filter_in_the_address(
    told: Told, desk: Browser
) -> None:
    ours, theirs = told.claimed(), told.claimed()
    desk.send(path(theirs, "/return"), THREE, follow_redirects=True)
    us, firm = desk.get("/reviewer/claims").text, desk.get("/reviewer/claims?side=firm").text
    assert ours in us and theirs not in us
    assert theirs in firm and ours not in firm
    mine = desk.get("/reviewer/claims?whose=mine&side=all").text
    assert ours not in mine and 'value="mine" selected' in mine
    assert desk.get("/reviewer/claims/next").location.endswith(ours)
    assert desk.get(f"/reviewer/claims/next?after={ours}").location.endswith("/reviewer/claims")


def test_a_case_is_taken_seen_by_others_handed_over_and_released(
    app: Flask, told: Told, desk: Browser
) -> None:
    number, second = told.claimed(), reviewer(told)
    colleague = Browser(app, second)
    assert desk.send(path(number, "/take")).status_code == 303
    seen = colleague.get(path(number)).text
    assert f"由 {told.world.reviewer.name} 办理" in seen
    assert 'id="decision"' not in seen
    refused = colleague.send(path(number, "/decide"), {"verdict": "approve"})
    assert (refused.status_code, told.world.reviewer.name in refused.text) == (409, True)
    form = {"colleague": str(second.person_id), "note": "只差发票"}
    assert desk.send(path(number, "/hand-over"), form).status_code == 303
    assert "只差发票" in colleague.get(path(number)).text
    assert colleague.send(path(number, "/release")).status_code == 303
    with told.database.read() as session:
        assert session.get(CaseTaking, told.one(Claim, number=number).id) is None


def test_a_recusal_takes_the_case_off_the_desk_and_the_form_off_the_page(told: Told, desk: Browser) -> None:
    number = told.claimed()
    form = {"uscc": told.world.firm.uscc, "reason": "配偶任职"}
    assert "配偶任职" in desk.send("/reviewer/duty/recusals", form, follow_redirects=True).text
    assert number not in desk.get("/reviewer/claims").text
    page = desk.get(path(number)).text
    assert "您应当回避" in page and 'id="decision"' not in page
    assert desk.send(path(number, "/decide"), {"verdict": "approve"}).status_code == 409
    kept = told.one(Recusal)
    assert desk.send(f"/reviewer/duty/recusals/{kept.id}/end").status_code == 409


def test_a_recusal_of_an_unknown_organisation_comes_back(told: Told, desk: Browser) -> None:
    answer = desk.send("/reviewer/duty/recusals", {"uscc": "91140105MA0AAAAAXX", "reason": "持股"})
    assert answer.status_code == 422
    assert "持股" in answer.text


def test_only_an_officer_lists_a_colleague(app: Flask, told: Told, desk: Browser) -> None:
    second = reviewer(told)
    form = {"person": str(second.person_id), "uscc": told.world.firm.uscc, "reason": "持股"}
    assert desk.send("/reviewer/duty/recusals", form).status_code == 403
    assert Browser(app, told.world.officer).send("/reviewer/duty/recusals", form).status_code == 303
    assert told.one(Recusal).person_id == second.person_id


def test_a_stand_in_is_named_sees_the_cases_and_hands_them_back(
    app: Flask, told: Told, desk: Browser
) -> None:
    number, second = told.claimed(), reviewer(told)
    colleague = Browser(app, second)
    desk.send(path(number, "/take"))
    today = business_date(told.at)
    form = {
        "colleague": str(second.person_id),
        "from_on": today.isoformat(),
        "last_on": (today + timedelta(days=3)).isoformat(),
    }
    assert desk.send("/reviewer/duty/stand-ins", form).status_code == 303
    assert "代为办理" in colleague.get(path(number)).text
    assert colleague.send(path(number, "/take")).status_code == 303
    assert f"（代 {told.world.reviewer.name}）" in desk.get("/reviewer/claims").text
    ended = desk.send(f"/reviewer/duty/stand-ins/{told.one(StandIn).id}/end", follow_redirects=True)
    assert ended.status_code == 200
    assert told.one(CaseTaking).person_id == told.world.reviewer.person_id


def test_an_expert_is_asked_sees_one_claim_and_answers_once(app: Flask, told: Told, desk: Browser) -> None:
    number, other, asked = told.claimed(), told.claimed(), expert(told)
    form = {"expert": str(asked.person_id), "due_on": business_date(told.at).isoformat()}
    assert desk.send(path(number, "/experts"), form).status_code == 303
    browser = Browser(app, asked)
    listed = browser.get("/expert/claims").text
    assert number in listed and other not in listed
    assert browser.get(f"/expert/claims/{number}").status_code == 200
    assert browser.get(f"/expert/claims/{other}").status_code == 404
    assert browser.get(path(number)).status_code == 403
    opinion = {"verdict": "support_less", "text": "检测次数偏多"}
    slip = browser.send(f"/expert/claims/{number}", opinion)
    assert (slip.status_code, "检测次数偏多" in slip.text) == (422, True)
    assert browser.send(f"/expert/claims/{number}", {**opinion, "amount": "40000"}).status_code == 303
    assert told.one(ExpertOpinion).amount_fen == 40_000_00
    again = browser.send(f"/expert/claims/{number}", {**opinion, "amount": "1"})
    assert again.status_code == 409
    assert "检测次数偏多" in desk.get(path(number)).text


def test_neither_side_reads_who_was_asked_and_what_was_said_inside(
    app: Flask, told: Told, desk: Browser
) -> None:
    number, asked = told.claimed(), expert(told)
    form = {"expert": str(asked.person_id), "due_on": business_date(told.at).isoformat()}
    assert desk.send(path(number, "/experts"), form).status_code == 303
    opinion = {"verdict": "support_less", "text": "检测次数偏多", "amount": "40000"}
    assert Browser(app, asked).send(f"/expert/claims/{number}", opinion).status_code == 303
    assert "专家答复" in desk.get(path(number)).text
    sides = {"enterprise": told.world.firm.actor, "provider": told.world.platform.manager}
    for side, actor in sides.items():
        page = Browser(app, actor).get(f"/{side}/claims/{number}").text
        assert "提交兑付申请" in page
        assert "邀请专家" not in page and "专家答复" not in page and asked.name not in page


def test_a_report_is_filed_with_its_file_and_read_back(told: Told, desk: Browser) -> None:
    number = told.claimed()
    form = {
        "report_organisation": "某会计师事务所",
        "report_no": "晋审〔2026〕8号",
        "reported_on": business_date(told.at).isoformat(),
        "report_amount": "40000",
    }
    slip = upload(desk, path(number, "/reports"), {**form, "report_no": "", "report": pdf("报告.pdf")})
    assert slip.status_code == 422
    assert "报告.pdf" in slip.text and 'name="kept_report"' in slip.text
    assert upload(desk, path(number, "/reports"), form).status_code == 422
    done = upload(desk, path(number, "/reports"), {**form, "report": pdf("报告.pdf")})
    assert done.status_code == 303
    file = desk.get(path(number, f"/reports/{told.one(AuditReport).id}"))
    assert file.data == PDF
    assert "attachment" in file.headers["Content-Disposition"]


def test_authorities_sign_on_the_page_and_only_then_may_it_be_approved(
    app: Flask, told: Told, desk: Browser
) -> None:
    asks(told, cosigners=["finance"])
    number = told.claimed()
    refused = desk.send(path(number, "/decide"), {"verdict": "approve"})
    assert refused.status_code == 409
    assert "财政部门" in refused.text
    signer = Browser(app, cosigner(told, "finance"))
    assert "本单位意见" in signer.get(path(number)).text
    sign = {"function": "finance", "agreed": "no"}
    assert signer.send(path(number, "/signatures"), sign).status_code == 422
    assert signer.send(path(number, "/signatures"), {**sign, "agreed": "yes"}).status_code == 303
    assert told.one(Cosignature).agreed
    assert signer.send(path(number, "/decide"), {"verdict": "approve"}).status_code == 403
    assert desk.send(path(number, "/decide"), {"verdict": "approve"}).status_code == 303


def test_minutes_go_with_the_decision_and_are_shown_with_its_basis(told: Told, desk: Browser) -> None:
    asks(told, minutes_required=True)
    number = told.claimed()
    day = business_date(told.at).isoformat()
    form = {"verdict": "approve", "minutes_no": "局务会纪要〔2026〕12号", "minutes_on": day}
    assert upload(desk, path(number, "/check"), form).status_code == 422
    check = upload(desk, path(number, "/check"), {**form, "minutes": pdf("纪要.pdf")})
    assert check.status_code == 200
    ticket = check.text.split('name="kept_minutes" value="')[1].split('"')[0]
    done = desk.send(path(number, "/decide"), {**form, "kept_minutes": ticket}, follow_redirects=True)
    for words in ("局务会纪要〔2026〕12号", "纪要.pdf", "作出结论时的依据"):
        assert words in done.text
    assert desk.get(path(number, "/minutes")).data == PDF
    assert told.one(Review).minutes_name == "纪要.pdf"


def test_a_trim_names_its_cause_from_the_list(told: Told, desk: Browser) -> None:
    number = told.claimed()
    form = {"verdict": "trim", "approved": "20000", "cause": "overpriced", "reason": "单价高于目录价"}
    assert "价格明显高于同类服务" in desk.send(path(number, "/check"), form).text
    desk.send(path(number, "/decide"), form)
    assert told.one(Review).cause == "overpriced"
    assert "价格明显高于同类服务" in desk.get(path(number)).text


@pytest.mark.parametrize(
    "step", ["/take", "/release", "/hand-over", "/return", "/experts", "/reports", "/signatures"]
)
def test_another_provinces_case_cannot_be_touched(app: Flask, told: Told, step: str) -> None:
    number = told.claimed()
    browser = Browser(app, reviewer(told, region_code="610000"))
    answer = browser.send(path(number, step), THREE)
    assert answer.status_code in (403, 404)
    assert told.one(Claim, number=number).state == "submitted"


def test_a_claim_whose_rejection_was_appealed_is_decided_again_by_another(
    app: Flask, told: Told, desk: Browser
) -> None:
    number = told.claimed()
    rejection = {"verdict": "reject", "reason": "合同与服务不符"}
    assert desk.send(path(number, "/decide"), rejection).status_code == 303
    firm, officer = Browser(app, told.world.firm.actor), Browser(app, told.world.officer)
    assert f"/enterprise/appeals/new?subject={number}" in firm.get(f"/enterprise/claims/{number}").text
    made = firm.send("/enterprise/appeals/", {"subject": number, "text": "合同附件写明了服务内容"})
    appeal = made.location.rsplit("/", 1)[-1]
    assert "退回的额度重新锁定" in officer.get(f"/reviewer/appeals/{appeal}").text
    above = Browser(app, reviewer(told, region_code="000000")).get(f"/reviewer/appeals/{appeal}").text
    assert "属于其他主管部门的项目" in above and 'name="outcome"' not in above
    said = {"outcome": "upheld", "result": "服务内容与合同附件一致"}
    assert officer.send(f"/reviewer/appeals/{appeal}/decide", said).status_code == 303
    page = desk.get(path(number)).text
    assert "您作出过原决定，由其他审核人重新决定" in page
    assert 'name="verdict"' not in page
    assert desk.send(path(number, "/decide"), rejection).status_code == 409
    other = Browser(app, reviewer(told))
    again = other.get(path(number)).text
    assert "申诉推翻的决定" in again
    assert "合同与服务不符" in again
    assert other.send(path(number, "/decide"), {"verdict": "approve"}).status_code == 303
    assert [row.verdict for row in told.rows(Review)] == ["reject", "approve"]
    assert "申诉成立" in firm.get(f"/enterprise/claims/{number}").text
    assert "申诉成立，重新审核" in firm.get(f"/enterprise/claims/{number}").text


def test_a_provider_appeals_on_its_page_and_by_the_api_and_the_firm_is_not_offered_it(
    app: Flask, told: Told, desk: Browser
) -> None:
    pays_provider(told)
    pages, programs = [providers_claim(told) for _ in range(2)]
    for number in (pages, programs):
        assert desk.send(path(number, "/decide"), {"verdict": "reject", "reason": "不符"}).status_code == 303
    manager, firm = Browser(app, told.world.platform.manager), Browser(app, told.world.firm.actor)
    assert f"/provider/appeals/new?subject={pages}" in manager.get(f"/provider/claims/{pages}").text
    assert "提出申诉" not in firm.get(f"/enterprise/claims/{pages}").text
    assert "提出申诉" not in Browser(app, told.world.platform.scanner).get(f"/provider/claims/{pages}").text
    assert pages in manager.get(f"/provider/appeals/new?subject={pages}").text
    written = {"subject": pages, "text": "合同附件写明了服务内容"}
    assert "另一方提出和办理" in firm.send("/enterprise/appeals/", written).text
    empty = manager.send("/provider/appeals/", {"subject": pages, "text": ""})
    assert (empty.status_code, pages in empty.text) == (422, True)
    made = manager.send("/provider/appeals/", written)
    assert f"/provider/claims/{pages}" in manager.get(made.location).text
    officer = Browser(app, told.world.officer)
    appeal = made.location.rsplit("/", 1)[-1]
    assert told.world.platform.name in officer.get(f"/reviewer/appeals/{appeal}").text
    api = Machine(app, told.world.platform.manager)
    body = {"subject": programs, "text": "合同附件写明了服务内容"}
    refused = Machine(app, told.world.firm.actor).send("/api/v1/appeals", body)
    assert (refused.status_code, refused.get_json()["code"]) == (409, "other_side_claims")
    lodged = api.send("/api/v1/appeals", body)
    assert lodged.status_code == 201
    seen = api.get(f"/api/v1/appeals/{lodged.get_json()['number']}").get_json()
    assert (seen["subject"], seen["appellant"]) == (programs, told.world.platform.name)
