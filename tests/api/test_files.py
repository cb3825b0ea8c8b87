"""Files through the API: kept, read, joined, and named by what they are attached to."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.api.conftest import Api, ok, refused
from tests.entrance import Machine, application
from tests.originals import samples
from voucher.api.files import named_file
from voucher.errors import Code, Refusal
from voucher.store import Stored, place_of

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n"


@pytest.fixture(scope="module")
def installation(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """One installation for the whole module: files do not get as far as the database."""
    folder = tmp_path_factory.mktemp("files")
    shutil.copyfile(sqlite_template, folder / "voucher.db")
    app = application(f"sqlite:///{folder / 'voucher.db'}", folder)
    yield Api(app)
    app.extensions["voucher_database"].dispose()


def sent(machine: Machine, *files: tuple[bytes, str]) -> Any:
    return machine.client.post(
        "/api/v1/files",
        data={"file": [(io.BytesIO(content), name) for content, name in files]},
        headers={"Authorization": f"Bearer {machine.token}"},
    )


def attached(installation: Api, machine: Machine, ticket: str, name: str) -> Stored:
    """The file that this machine may attach with a ticket."""
    with installation.app.test_request_context(headers={"Authorization": f"Bearer {machine.token}"}):
        return named_file({"ticket": ticket, "file_name": name})


def photo(side: int) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (side, side), "red").save(out, "JPEG")
    return out.getvalue()


def test_an_original_invoice_is_read_when_it_is_sent(installation: Api) -> None:
    answer = ok(sent(installation.firm, (samples.digital_xml(), "发票.xml")), 201)
    assert answer["media_type"] == "application/xml"
    assert answer["invoice"]["number"] == samples.DIGITAL
    assert (answer["invoice"]["net_fen"], answer["invoice"]["issued_on"]) == (28301_89, "2026-05-08")
    assert ok(sent(installation.firm, (PDF, "a.pdf")), 201)["invoice"] is None


def test_platforms_and_reviewers_send_files_and_auditors_do_not(installation: Api) -> None:
    for machine in (installation.manager, installation.reviewer):
        assert ok(sent(machine, (PDF, "a.pdf")), 201)["size_bytes"] == len(PDF)
    refused(sent(installation.maker, (PDF, "a.pdf")), 403, "not_permitted")


def test_several_photos_are_one_pdf_that_names_its_photos(installation: Api) -> None:
    answer = ok(sent(installation.firm, (photo(40), "1.jpg"), (photo(50), "2.jpg")), 201)
    assert (answer["media_type"], answer["file_name"]) == ("application/pdf", "1等2张照片.pdf")
    assert [part["file_name"] for part in answer["made_of"]] == ["1.jpg", "2.jpg"]
    stored = attached(installation, installation.firm, answer["ticket"], answer["file_name"])
    assert [part.sha256 for part in stored.parts] == [part["sha256"] for part in answer["made_of"]]


def test_several_files_of_other_kinds_are_sent_one_by_one(installation: Api) -> None:
    body = refused(sent(installation.firm, (PDF, "1.pdf"), (PDF + b"2", "2.pdf")), 422, "file_refused")
    assert "一次只能上传一个文件，或者几张照片" in body["message"]


def test_a_hostile_file_is_refused_with_the_reason(installation: Api) -> None:
    body = refused(sent(installation.firm, (b"<svg onload='x'/>", "a.svg")), 422, "file_refused")
    assert "文件里含有网页代码、脚本或程序" in body["message"] and "a.svg" in body["message"]


def test_a_named_file_must_be_there_and_says_what_was_read(installation: Api) -> None:
    answer = ok(sent(installation.firm, (samples.digital_xml(), "发票.xml")), 201)
    stored = attached(installation, installation.firm, answer["ticket"], "原件.xml")
    assert stored.facts["invoice"]["seller_uscc"] == samples.SELLER
    folder = installation.app.extensions["voucher_config"].files_dir
    place_of(folder, answer["sha256"]).unlink()
    with pytest.raises(Refusal) as missing:
        attached(installation, installation.firm, answer["ticket"], "原件.xml")
    assert (missing.value.code, missing.value.facts["reason"]) == (Code.FILE_REFUSED, "missing")


def test_whoever_knows_the_hash_of_anothers_file_cannot_attach_it(installation: Api) -> None:
    answer = ok(sent(installation.firm, (PDF + b"secret", "合同.pdf")), 201)
    for ticket in (answer["ticket"], answer["sha256"]):
        with pytest.raises(Refusal) as stolen:
            attached(installation, installation.manager, ticket, "合同.pdf")
        assert (stolen.value.code, stolen.value.facts["reason"]) == (Code.FILE_REFUSED, "ticket")
    named = {"kind": "result", "sha256": answer["sha256"], "file_name": "合同.pdf"}
    body = refused(
        installation.manager.send("/api/v1/orders/V000000000000/deliver", {"files": [named]}), 422, "invalid"
    )
    assert "ticket" in str(body["errors"])
