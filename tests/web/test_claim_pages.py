"""Claims on pages: originals fill the form, one invoice for several orders, the other side's word, mending, awards."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from tests.entrance import Browser
from tests.operations.awards import PROGRAMME, Awarding
from tests.operations.claiming import small_orders
from tests.operations.reviewing import asks, sent_back
from tests.operations.stories import Told
from tests.originals.samples import Said, digital_xml
from tests.web.test_enterprise_pages import tickets
from voucher.clock import business_date, wall_now
from voucher.models.claims import Claim, InvoiceUse
from voucher.models.orders import Order
from voucher.terms import ClaimItem, ClaimState, DocumentKind, OrderState

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"


@pytest.fixture
def told(app: Flask) -> Told:
    return Told(app.extensions["voucher_database"], at=wall_now())


@pytest.fixture
def firm(app: Flask, told: Told) -> Browser:
    return Browser(app, told.world.firm.actor)


@pytest.fixture
def manager(app: Flask, told: Told) -> Browser:
    return Browser(app, told.world.platform.manager)


def upload(browser: Browser, path: str, form: dict[str, Any]) -> Any:
    return browser.send(path, form, content_type="multipart/form-data")


def papers(*kinds: str) -> dict[str, Any]:
    return {f"file_{kind}": (io.BytesIO(PDF + kind.encode()), f"{kind}.pdf") for kind in kinds}


def claim_form(told: Told, *, net: str = "20000", **other: Any) -> dict[str, Any]:
    today = business_date(told.at).isoformat()
    account = told.account(told.world.firm.organisation_id)
    return {
        "step": "check",
        "contract_amount": "20000",
        "paid_amount": net,
        "paid_on": today,
        "payer_account": "6222020502001234567",
        "payer_name": told.world.firm.name,
        "channel": "bank_transfer",
        "payee_account_id": str(account),
        "invoice_number_0": "26140000000000000001",
        "invoice_code_0": "",
        "invoice_issued_on_0": today,
        "invoice_net_0": net,
        "invoice_buyer_uscc_0": told.world.firm.uscc,
        "invoice_seller_uscc_0": told.world.platform.uscc,
        **other,
    }


def xml_of(told: Told, **changes: str) -> bytes:
    """An electronic invoice of the world's platform to its firm, as its XML original says it."""
    said = Said(
        day=business_date(told.at).isoformat(), buyer=told.world.firm.uscc, seller=told.world.platform.uscc
    )
    return digital_xml(replace(said, **changes))


def sent(browser: Browser, path: str, form: dict[str, Any], files: dict[str, Any]) -> Any:
    """The form checked with its files, then sent with what the check page keeps."""
    check = upload(browser, path, {**form, **files})
    assert check.status_code == 200, check.text
    return browser.send(path, {**form, **tickets(check.text), "step": "send"})


def test_an_uploaded_original_fills_the_form_before_anything_is_typed(told: Told, firm: Browser) -> None:
    told.account(told.world.firm.organisation_id)
    path = f"/enterprise/orders/{told.captured_order()}/claim"
    blank = firm.get(path).text
    assert f'value="{told.world.firm.name}"' in blank
    assert f'value="{told.world.platform.uscc}"' in blank
    assert 'value="100,000.00"' in blank
    original = {"file_invoice": (io.BytesIO(xml_of(told)), "发票.xml"), "step": "read"}
    page = upload(firm, path, original)
    assert page.status_code == 200
    for name, value in (("number", "26142000000123456789"), ("net", "28301.89")):
        field = re.search(rf'<input[^>]*name="invoice_{name}_0"[^>]*>', page.text)
        assert field is not None and f'value="{value}"' in field[0], field
    assert len(tickets(page.text)["kept_file_invoice"]) == 1


def test_the_form_says_what_it_read_of_each_original_and_what_it_could_not(told: Told, firm: Browser) -> None:
    told.account(told.world.firm.organisation_id)
    path = f"/enterprise/orders/{told.captured_order()}/claim"
    for content, name, words in (
        (xml_of(told), "发票.xml", "从原件读出：发票 26142000000123456789"),
        (xml_of(told, total="30001.00"), "错.xml", "错.xml 中没有读出不含税金额，请在下面按发票填写。"),
        (PDF, "扫描.pdf", "扫描.pdf 中没有读出发票内容，请在下面按发票填写。"),
    ):
        page = upload(firm, path, {"file_invoice": (io.BytesIO(content), name), "step": "read"})
        assert page.status_code == 200
        assert words in page.text, name


def test_what_differs_from_the_original_is_shown_before_sending_and_to_the_reviewer(
    app: Flask, told: Told, firm: Browser
) -> None:
    order = told.captured_order()
    path = f"/enterprise/orders/{order}/claim"
    form = claim_form(told, net="30000", invoice_number_0="26142000000123456789")
    files = {**papers("contract", "payment_proof", "result")}
    files["file_invoice"] = (io.BytesIO(xml_of(told)), "发票.xml")
    check = upload(firm, path, {**form, **files})
    assert "与发票原件不一致" in check.text
    assert "填写 30,000.00，原件 28,301.89" in check.text
    done = firm.send(path, {**form, **tickets(check.text), "step": "send"})
    assert done.status_code == 303, done.text
    number = done.location.rsplit("/", 1)[1]
    page = Browser(app, told.world.reviewer).get(f"/reviewer/claims/{number}").text
    assert "填写内容与发票原件一致" in page
    assert "不一致：26142000000123456789" in page


def test_the_check_page_says_what_is_asked_and_why_less(told: Told, firm: Browser) -> None:
    voucher = told.voucher(face_fen=5_000_00)
    path = f"/enterprise/orders/{told.captured_order(voucher=voucher, contract_fen=20_000_00)}/claim"
    check = upload(firm, path, {**claim_form(told), **papers(*(kind.value for kind in DocumentKind))})
    assert check.status_code == 200
    for words in ("补助怎样计算", "按比例计算的补助额", "10,000.00", "5,000.00", "补助额不超过已核销"):
        assert words in check.text, words
    assert told.rows(Claim) == []


def test_one_monthly_invoice_over_five_orders_is_claimed_in_one_form(told: Told, firm: Browser) -> None:
    first, *others = small_orders(told, 5, contract_fen=4_000_00)
    path = f"/enterprise/orders/{first}/claim"
    told.account(told.world.firm.organisation_id)
    assert all(each in firm.get(path).text for each in others)
    form = claim_form(told, also=others)
    form |= {"contract_amount": "4000", **{f"contract_amount_{place}": "4000" for place in range(1, 5)}}
    answer = sent(firm, path, form, papers(*(kind.value for kind in DocumentKind)))
    assert answer.status_code == 303, answer.text
    assert {claim.base_fen for claim in told.rows(Claim)} == {4_000_00}
    assert sorted(use.allocated_fen for use in told.rows(InvoiceUse)) == [4_000_00] * 5


def test_shares_that_do_not_fit_the_invoice_are_refused_at_the_field(told: Told, firm: Browser) -> None:
    first, second = small_orders(told, 2)
    form = claim_form(told, also=[second], contract_amount_1="10000")
    form |= {"invoice_share_0_0": "15000", "invoice_share_0_1": "5000.01"}
    page = upload(firm, f"/enterprise/orders/{first}/claim", {**form, **papers("invoice")})
    assert page.status_code == 422
    assert "合计不能超过这张发票的不含税金额" in page.text
    assert 'value="15000"' in page.text


def test_cash_and_an_account_in_another_name_are_refused_on_the_check_page(told: Told, firm: Browser) -> None:
    path = f"/enterprise/orders/{told.captured_order()}/claim"
    files = papers(*(kind.value for kind in DocumentKind))
    page = upload(firm, path, {**claim_form(told, payer_name="王小明"), **files})
    assert page.status_code == 409
    assert "付款账户的户名不是申请企业" in page.text


def test_the_platform_confirms_or_denies_and_both_see_it(told: Told, firm: Browser, manager: Browser) -> None:
    asks(told, claim_confirm_days=5)
    number = told.claimed()
    page = manager.get(f"/provider/claims/{number}").text
    assert "请您确认" in page
    assert "请您确认" not in firm.get(f"/enterprise/claims/{number}").text
    assert number in manager.get("/provider/claims?state=awaiting").text
    silent = manager.send(f"/provider/claims/{number}/answer", {"answer": "deny", "reason": ""})
    assert silent.status_code == 422
    done = manager.send(f"/provider/claims/{number}/answer", {"answer": "deny", "reason": "金额不符"})
    assert done.status_code == 303
    assert "金额不符" in firm.get(f"/enterprise/claims/{number}").text
    assert firm.send(f"/enterprise/claims/{number}/answer", {"answer": "agree"}).status_code == 403


def test_only_the_items_of_the_notice_are_on_the_form_that_mends(told: Told, firm: Browser) -> None:
    number = told.claimed()
    assert firm.get(f"/enterprise/claims/{number}/mend").status_code == 409
    sent_back(told, number, ClaimItem.CONTRACT, ClaimItem.INVOICES, ClaimItem.RESULT)
    page = firm.get(f"/enterprise/claims/{number}/mend").text
    for name in ("contract_amount", "invoice_number_0", "file_result", "file_contract", "file_invoice"):
        assert f'name="{name}"' in page, name
    for name in ("paid_amount", "payee_account_id", "file_payment_proof"):
        assert f'name="{name}"' not in page, name
    invoice = dict(re.findall(r'name="(invoice_[a-z_]+_0)"[^>]*value="([^"]*)"', page))
    more = upload(
        firm, f"/enterprise/claims/{number}/mend", {**invoice, "contract_amount": "9", "step": "add"}
    )
    assert "invoice_number_1" in more.text
    form = {**dict.fromkeys(invoice, ""), **read_fields(page), "contract_amount": "90000"}
    checked = upload(firm, f"/enterprise/claims/{number}/mend", {**form, **papers("result")})
    assert checked.status_code == 200 and "肆万伍仟元整" in checked.text
    changed = re.search(r"修改的内容</dt><dd>([^<]*)<", checked.text)
    assert changed is not None and changed[1].startswith("合同") and "发票" not in changed[1]
    assert told.one(Claim, number=number).state == ClaimState.RETURNED.value
    back = upload(firm, f"/enterprise/claims/{number}/mend", {**form, "step": "edit"})
    assert 'value="90000"' in back.text
    done = upload(firm, f"/enterprise/claims/{number}/mend", {**form, **papers("result"), "step": "send"})
    assert done.status_code == 303, done.text
    claim = told.one(Claim, number=number)
    assert (claim.state, claim.base_fen) == (ClaimState.SUBMITTED.value, 90_000_00)


def test_an_item_beside_the_notice_is_refused_and_not_dropped(told: Told, firm: Browser) -> None:
    number = told.claimed()
    sent_back(told, number, ClaimItem.CONTRACT)
    account = told.account(told.world.firm.organisation_id, account_no="6217000180001234567")
    for more, named in (
        ({"payee_account_id": str(account)}, "收款"),
        ({"invoice_number_0": "26142000000000000011", "invoice_net_0": "1"}, "发票"),
        ({"paid_amount": "1"}, "付款"),
        (papers("result"), "成果"),
    ):
        form = {"contract_amount": "90000", **more, "step": "send"}
        answer = upload(firm, f"/enterprise/claims/{number}/mend", form)
        assert answer.status_code == 409
        assert "该项不在补正范围内" in answer.text and named in answer.text
    assert told.one(Claim, number=number).state == ClaimState.RETURNED.value


def test_the_side_that_mends_reads_why_the_other_did_not_confirm(
    told: Told, firm: Browser, manager: Browser
) -> None:
    asks(told, claim_confirm_days=5)
    number = told.claimed()
    manager.send(f"/provider/claims/{number}/answer", {"answer": "deny", "reason": "合同金额不符"})
    assert "对方的说明：合同金额不符" in firm.get(f"/enterprise/claims/{number}/mend").text


def read_fields(page: str) -> dict[str, str]:
    """Every input of a page with a value, by name."""
    found = {}
    for tag in re.findall(r"<input[^>]*>", page):
        name, value = re.search(r'name="([^"]+)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and value and name[1].startswith("invoice_"):
            found[name[1]] = value[1]
    return found


def test_a_claim_is_withdrawn_on_its_page(told: Told, firm: Browser, manager: Browser) -> None:
    number = told.claimed()
    assert "撤回申请" in firm.get(f"/enterprise/claims/{number}").text
    assert "撤回申请" not in manager.get(f"/provider/claims/{number}").text
    assert manager.send(f"/provider/claims/{number}/withdraw").status_code == 409
    assert firm.send(f"/enterprise/claims/{number}/withdraw").status_code == 303
    page = firm.get(f"/enterprise/claims/{number}").text
    assert "已撤回" in page
    assert told.one(Order).state == OrderState.CAPTURED.value


def test_the_list_for_the_tax_bureau_goes_out_and_its_verdicts_come_in(app: Flask, told: Told) -> None:
    maker = Browser(app, told.world.maker)
    invoice = told.invoice()
    number = told.approved(invoices=(invoice,))
    assert invoice.number in maker.get("/invoices/list.csv").data.decode("utf-8-sig")
    assert maker.get("/invoices/list.xlsx?days=7").data.startswith(b"PK")
    wrong = f"发票号码,查验结果\n{invoice.number},已红冲\n123,正常\n".encode()
    page = upload(maker, "/invoices/", {"file": (io.BytesIO(wrong), "结果.csv")})
    assert page.status_code == 422
    assert "第 3 行" in page.text
    assert "没有查验过" in page.text
    good = f"发票号码,查验结果\n{invoice.number},已红冲\n".encode()
    done = upload(maker, "/invoices/", {"file": (io.BytesIO(good), "结果.csv")})
    assert done.status_code == 303, done.text
    form = {"programme": told.world.programme_code, "claims": [number]}
    refused = maker.send("/finance/batches/", form)
    assert refused.status_code == 409
    assert "已红冲" in refused.text
    assert Browser(app, told.world.firm.actor).get("/invoices/").status_code == 403


def test_a_post_subsidy_is_applied_for_checked_decided_and_followed_on_pages(app: Flask) -> None:
    told = Awarding(app.extensions["voucher_database"])
    told.at = wall_now()
    firm, reviewer = Browser(app, told.world.firm.actor), Browser(app, told.world.reviewer)
    assert PROGRAMME in firm.get("/enterprise/awards/").text
    path = f"/enterprise/awards/{PROGRAMME}"
    assert firm.get(path).status_code == 200
    form = claim_form(told, net="1000000", payee_account_id=str(told.payee))
    form |= {"contract_amount": ""}
    form |= {"service": "technology_transfer", "description": "受让专利", "origin_region": "140525"}
    wrong = upload(firm, path, {**form, "origin_region": "999999", **papers("invoice", "payment_proof")})
    assert wrong.status_code == 404
    answer = sent(firm, path, form, papers("invoice", "payment_proof"))
    assert answer.status_code == 303, answer.text
    page = firm.get(answer.location).text
    assert "300,000.00" in page
    number = answer.location.rsplit("/", 1)[1]
    assert reviewer.get("/reviewer/claims").status_code == 200
    assert told.line in reviewer.get(f"/reviewer/claims/{number}").text
    decision = {"verdict": "approve", "budget_line": told.line}
    assert reviewer.send(f"/reviewer/claims/{number}/decide", decision).status_code == 303
    claim = told.one(Claim, number=number)
    assert (claim.state, claim.approved_fen) == (ClaimState.APPROVED.value, 300_000_00)
    assert firm.get("/enterprise/orders/").status_code == 200
    assert firm.get("/enterprise/").status_code == 200
