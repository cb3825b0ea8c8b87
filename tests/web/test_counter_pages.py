"""The counter on two screens: a firm shows a code, a platform scans and proposes, the firm confirms."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask

from tests.entrance import Browser
from tests.web.stage import SERVICE, Stage, opened, proposed, scanned, shown_code, staged
from voucher.clock import wall_now
from voucher.codes import make_code
from voucher.operations.open_paper_session import MOST_LOOKS
from voucher.qr import version_of
from voucher.web.counter_code import keys


@pytest.fixture
def stage(app: Flask) -> Stage:
    return staged(app)


def test_both_screens_see_the_same_amount_and_word_and_the_firm_confirms(stage: Stage) -> None:
    number = proposed(stage, "10000", provider_ref="WT-2026-1")
    firm = stage.firm.get(f"/enterprise/sessions/{number}/proposal").text
    platform = stage.scanner.get(f"/provider/sessions/{number}").text
    word = platform.split('class="check-word">')[1][:2]
    for page in (firm, platform):
        assert "5,000.00" in page
        assert "伍仟元整" in page
        assert word in page
    assert "95,000.00" in firm
    answer = stage.firm.send(f"/enterprise/sessions/{number}/confirm", follow_redirects=True)
    assert "核销完成" in answer.text
    verdict = stage.scanner.get(f"/provider/sessions/{number}").text
    assert "核销完成" in verdict
    assert 'data-sound="ok"' in verdict
    found = stage.manager.get("/provider/orders/?text=WT-2026-1").text
    assert "WT-2026-1" in found


def test_confirming_from_two_devices_at_once_succeeds_on_both(stage: Stage) -> None:
    number = proposed(stage)
    path = f"/enterprise/sessions/{number}/confirm"
    assert [stage.firm.send(path).status_code for _ in range(2)] == [303, 303]
    order = stage.session(number).order_id
    assert order is not None
    assert "95,000.00" in stage.firm.get(f"/enterprise/vouchers/{stage.voucher}").text


def test_the_waiting_page_asks_for_the_state_and_gets_304_while_nothing_changes(stage: Stage) -> None:
    number = opened(stage)
    path = f"/enterprise/sessions/{number}/state"
    first = stage.firm.get(path)
    assert first.json == {"state": "open", "url": f"/enterprise/sessions/{number}"}
    again = stage.firm.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    stage.scanner.send("/provider/scan", {"code": shown_code(stage, number)})
    moved = stage.firm.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert moved.json is not None
    assert moved.json["state"] == "scanned"


def test_the_code_is_json_while_the_session_is_open_and_refused_after(stage: Stage) -> None:
    number = opened(stage)
    code = stage.firm.get(f"/enterprise/sessions/{number}/code").json
    assert code is not None
    assert len(code["digits"]) == 20
    assert 0 < code["next_in_ms"] <= 30_001
    assert code["svg"].startswith("<svg")
    stage.scanner.send("/provider/scan", {"code": code["digits"]})
    assert stage.firm.get(f"/enterprise/sessions/{number}/code").status_code == 409


def test_the_picture_stays_within_version_4_at_level_m_for_a_host_of_usual_length() -> None:
    assert version_of("HTTPS://XXQ.KJT.SHANXI.GOV.CN/S/" + "0" * 20, level="M") <= 4


@pytest.mark.parametrize("form", ["http://localhost/S/{}", "HTTPS://X/s/{}", "  {}\n", "扫:{}"])
def test_a_scan_is_read_whatever_stands_around_its_digits(stage: Stage, form: str) -> None:
    number = opened(stage)
    answer = stage.scanner.send("/provider/scan", {"code": form.format(shown_code(stage, number))})
    assert answer.status_code == 303


def test_full_width_digits_of_a_chinese_keyboard_are_a_scan(stage: Stage) -> None:
    digits = shown_code(stage, opened(stage))
    wide = "".join(chr(ord(digit) + 0xFEE0) for digit in digits)
    assert stage.scanner.send("/provider/scan", {"code": wide}).status_code == 303


def test_nothing_to_read_shows_the_counter_again_with_a_sentence(stage: Stage) -> None:
    answer = stage.scanner.send("/provider/scan", {"code": "12345"})
    assert answer.status_code == 422
    assert "没有读到券码" in answer.text
    assert "<title>错误：" in answer.text


def test_a_wrong_tag_is_refused_and_counted_and_the_fifth_ends_the_session(stage: Stage) -> None:
    number = opened(stage)
    code = shown_code(stage, number)
    forged = code[:-1] + str((int(code[-1]) + 1) % 10)
    for tries in range(1, 6):
        answer = stage.scanner.send("/provider/scan", {"code": forged})
        assert answer.status_code == 409
        assert "券码无效" in answer.text
        assert 'data-sound="refused"' in answer.text
        assert stage.session(number).wrong_tags == tries
    assert stage.session(number).state == "cancelled"


def test_a_used_code_says_so_and_leads_back_to_the_session_of_this_platform(stage: Stage) -> None:
    number = opened(stage)
    code = shown_code(stage, number)
    stage.scanner.send("/provider/scan", {"code": code})
    again = stage.scanner.send("/provider/scan", {"code": code})
    assert again.status_code == 409
    assert "券码已使用" in again.text
    assert f"/provider/sessions/{number}" in again.text
    elsewhere = stage.other_scanner.send("/provider/scan", {"code": code})
    assert f"/provider/sessions/{number}" not in elsewhere.text


def test_a_proposal_that_is_cut_says_by_how_much_and_why_on_both_screens(app: Flask) -> None:
    stage = staged(app, face_fen=3_000_00)
    number = proposed(stage, "10000")
    for page in (
        stage.firm.get(f"/enterprise/sessions/{number}/proposal").text,
        stage.scanner.get(f"/provider/sessions/{number}").text,
    ):
        assert "3,000.00" in page
        assert "2,000.00" in page
        assert "受券面余额限制" in page


@pytest.mark.parametrize("gross", ["", "abc", "0", "-5", "1.234", "1e400", "9" * 30])
def test_a_hostile_amount_is_a_sentence_at_the_field_and_the_input_is_kept(stage: Stage, gross: str) -> None:
    number = scanned(stage)
    form = {"service": SERVICE, "gross": gross, "provider_ref": "保留我"}
    answer = stage.scanner.send(f"/provider/sessions/{number}/propose", form)
    assert answer.status_code == 422
    assert "e-gross" in answer.text
    assert "保留我" in answer.text
    assert stage.session(number).state == "scanned"


def test_a_refused_proposal_names_the_rule_and_what_is_left(app: Flask) -> None:
    stage = staged(app, face_fen=1_000_00)
    stage.firm.send(f"/enterprise/sessions/{proposed(stage, '2000')}/confirm")
    number = scanned(stage)
    form = {"service": SERVICE, "gross": "2000", "contract_no": "HT-9"}
    answer = stage.scanner.send(f"/provider/sessions/{number}/propose", form)
    assert answer.status_code == 409
    assert "券余额不足" in answer.text
    assert "0.00 元" in answer.text
    assert "HT-9" in answer.text


def test_the_firm_rejects_and_the_hold_comes_back(stage: Stage) -> None:
    number = proposed(stage)
    stage.firm.send(f"/enterprise/sessions/{number}/reject", {"reason": "金额不对"})
    assert stage.session(number).state == "rejected"
    assert "金额不对" in stage.scanner.get(f"/provider/sessions/{number}").text
    assert "100,000.00" in stage.firm.get(f"/enterprise/vouchers/{stage.voucher}").text


def test_the_platform_calls_a_proposal_off(stage: Stage) -> None:
    number = proposed(stage)
    stage.scanner.send(f"/provider/sessions/{number}/cancel")
    assert stage.session(number).state == "cancelled"
    assert "已取消" in stage.firm.get(f"/enterprise/sessions/{number}").text


def test_a_large_amount_asks_the_firm_for_the_password_again(stage: Stage) -> None:
    number = proposed(stage, "100000")
    with stage.firm.client.session_transaction() as cookie:
        cookie["proved_at"] = 0
    page = stage.firm.get(f"/enterprise/sessions/{number}/proposal")
    assert page.status_code == 303
    assert "/account/prove" in page.location
    assert stage.firm.send(f"/enterprise/sessions/{number}/confirm").status_code == 303
    assert stage.session(number).state == "proposed"


def test_another_sides_session_does_not_exist(stage: Stage) -> None:
    number = proposed(stage)
    for path in ("", "/state", "/code", "/proposal"):
        assert stage.stranger.get(f"/enterprise/sessions/{number}{path}").status_code == 404
    assert stage.stranger.send(f"/enterprise/sessions/{number}/confirm").status_code == 404
    assert stage.stranger.send(f"/enterprise/sessions/{number}/reject").status_code == 404
    for path in ("", "/state"):
        assert stage.other_scanner.get(f"/provider/sessions/{number}{path}").status_code == 404
    assert stage.other_scanner.send(f"/provider/sessions/{number}/cancel").status_code == 404
    form = {"service": SERVICE, "gross": "1"}
    assert stage.other_scanner.send(f"/provider/sessions/{number}/propose", form).status_code == 404
    assert stage.session(number).state == "proposed"


def test_each_side_is_kept_out_of_the_others_pages(stage: Stage) -> None:
    assert stage.firm.get("/provider/").status_code == 403
    assert stage.firm.send("/provider/scan", {"code": "1"}).status_code == 403
    assert stage.scanner.get("/enterprise/").status_code == 403
    assert stage.scanner.get("/enterprise/sessions/new").status_code == 403


def test_a_stock_camera_opens_the_code_and_the_ticket_outlives_signing_in(stage: Stage) -> None:
    number = opened(stage)
    digits = shown_code(stage, number)
    phone = Browser(stage.app)
    answer = phone.get(f"/S/{digits}")
    assert answer.status_code == 303
    assert "/account/sign-in" in answer.location
    assert phone.client.get_cookie("scan_ticket") is not None
    stage.scanner.client.set_cookie("scan_ticket", phone.client.get_cookie("scan_ticket").value)  # type: ignore[union-attr]
    page = stage.scanner.get(f"/s/{digits}")
    assert "核对并收券" in page.text
    assert stage.session(number).state == "open", "looking must not use the code up"
    assert stage.scanner.send("/provider/scan", {"code": digits}).status_code == 303


def test_a_code_that_is_old_on_arrival_is_refused_as_expired_in_spite_of_its_ticket(stage: Stage) -> None:
    number = opened(stage)
    with stage.app.app_context():
        old = make_code(keys(), number, wall_now() - timedelta(minutes=5))
    stage.scanner.get(f"/S/{old}")
    assert stage.scanner.client.get_cookie("scan_ticket") is not None
    assert "券码已过期" in stage.scanner.send("/provider/scan", {"code": old}).text


def test_a_firm_that_opens_its_own_code_is_told_who_scans(stage: Stage) -> None:
    digits = shown_code(stage, opened(stage))
    assert "没有收券权限" in stage.firm.get(f"/S/{digits}").text


def test_a_paper_voucher_starts_a_session_that_only_the_firm_can_confirm(stage: Stage) -> None:
    page = stage.scanner.send("/provider/scan", {"code": f"HTTPS://X/V/{stage.voucher}"})
    assert page.location == f"/V/{stage.voucher}"
    shown = stage.scanner.get(page.location).text
    assert stage.world.firm.uscc[-4:] in shown
    assert stage.world.firm.name not in shown and stage.world.firm.uscc not in shown
    unseen = stage.scanner.send(page.location)
    assert unseen.status_code == 422
    assert "请先核对经办人证件" in unseen.text
    started = stage.scanner.send(page.location, {"papers_seen": "yes"})
    number = started.location.rsplit("/", 1)[-1]
    stage.scanner.send(f"/provider/sessions/{number}/propose", {"service": SERVICE, "gross": "1000"})
    assert "确认现场核销" in stage.firm.get("/enterprise/").text
    stage.firm.send(f"/enterprise/sessions/{number}/confirm")
    assert stage.session(number).state == "confirmed"


def test_a_paper_voucher_that_does_not_exist_is_not_found(stage: Stage) -> None:
    assert stage.scanner.get("/V/V202600000000").status_code == 404
    assert stage.firm.get(f"/V/{stage.voucher}").status_code == 403


def test_a_counter_that_looks_up_one_paper_voucher_after_another_is_stopped(stage: Stage) -> None:
    for _ in range(MOST_LOOKS):
        assert stage.scanner.get(f"/V/{stage.voucher}").status_code == 200
    stopped = stage.scanner.get(f"/V/{stage.voucher}")
    assert stopped.status_code == 429 and "扫码过于频繁" in stopped.text
    assert stage.other_scanner.get(f"/V/{stage.voucher}").status_code == 200


def test_practising_leaves_nothing_behind(stage: Stage) -> None:
    page = stage.scanner.get("/provider/practice/").text
    assert "练习" in page
    digits = "99000000001000000001"
    assert stage.scanner.send("/provider/practice/scan", {"code": "1"}).status_code == 422
    assert "第二步" in stage.scanner.send("/provider/practice/scan", {"code": digits}).text
    assert stage.scanner.send("/provider/practice/amount", {"gross": "x"}).status_code == 422
    done = stage.scanner.send("/provider/practice/amount", {"gross": "10000"}).text
    assert "5,000.00" in done
    assert "券码无效" in stage.scanner.send("/provider/scan", {"code": digits}).text


def test_somebody_of_several_platforms_says_for_which_the_counter_scans(stage: Stage) -> None:
    wrong = stage.scanner.send("/provider/platform", {"platform_id": stage.other_provider.platform_id})
    assert wrong.status_code == 422
    right = stage.scanner.send("/provider/platform", {"platform_id": stage.world.platform.platform_id})
    assert right.status_code == 303
