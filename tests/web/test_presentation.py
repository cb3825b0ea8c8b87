"""What every page shares: how values are written, and the headers that every answer carries."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from enum import StrEnum

import pytest
from flask import Flask, render_template_string
from flask.testing import FlaskClient

from voucher.web import filters, headers


class Colour(StrEnum):
    RED = "red"

    @property
    def label(self) -> str:
        return "红"


@pytest.fixture
def pages() -> Iterator[FlaskClient]:
    app = Flask(__name__)
    filters.register(app)
    headers.register(app)

    @app.get("/plain")
    def plain() -> str:
        return render_template_string("{{ fen|yuan }} {{ 'x<'|fours }}", fen=1_234_56)

    @app.get("/scan")
    def scan() -> str:
        headers.allow_camera()
        return ""

    with app.test_client() as client:
        yield client


def test_nothing_is_written_as_a_dash() -> None:
    assert filters.yuan(None) == filters.capital(None) == filters.day(None) == "—"
    assert filters.moment(None) == filters.label(None) == filters.fours(None) == "—"


def test_an_instant_before_midnight_in_utc_is_the_next_day_in_shanghai() -> None:
    at = datetime(2026, 12, 31, 16, 0, 5, tzinfo=UTC)
    assert filters.day(at) == "2027-01-01"
    assert filters.moment(at) == "2027-01-01 00:00"
    assert filters.moment(at, seconds=True) == "2027-01-01 00:00:05"
    assert filters.day(date(2026, 12, 31)) == "2026-12-31"


def test_a_member_of_a_closed_list_is_shown_by_its_chinese_label() -> None:
    assert filters.label(Colour.RED) == "红"
    assert filters.label("已核销") == "已核销"


def test_a_long_number_is_grouped_for_the_eye_and_whole_for_a_program() -> None:
    shown = filters.fours("01123456789987654321")
    assert 'value="01123456789987654321"' in shown
    assert shown.count("<span>") == 5
    assert "<span>4321</span>" in shown


def test_a_grouped_number_cannot_carry_markup_into_a_page(pages: FlaskClient) -> None:
    text = pages.get("/plain").text
    assert "1,234.56" in text
    assert "x&lt;" in text


def test_an_ordinary_page_may_use_neither_camera_nor_webassembly(pages: FlaskClient) -> None:
    answer = pages.get("/plain")
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "unsafe" not in policy
    assert answer.headers["Permissions-Policy"].startswith("camera=(),")
    assert answer.headers["Cache-Control"] == "private, no-store"


def test_a_page_that_scans_may_use_the_camera_and_webassembly(pages: FlaskClient) -> None:
    answer = pages.get("/scan")
    assert "script-src 'self' 'wasm-unsafe-eval';" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Permissions-Policy"].startswith("camera=(self),")
    assert "unsafe" not in pages.get("/plain").headers["Content-Security-Policy"]


def test_an_error_carries_the_headers_too(pages: FlaskClient) -> None:
    answer = pages.get("/nowhere")
    assert answer.status_code == 404
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_only_an_encrypted_answer_asks_for_encryption_for_good(pages: FlaskClient) -> None:
    assert "Strict-Transport-Security" not in pages.get("/plain").headers
    assert "Strict-Transport-Security" in pages.get("/plain", base_url="https://localhost").headers
