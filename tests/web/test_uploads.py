"""Files of forms: kept through every error, joined where they are photos, read where they are invoices."""

from __future__ import annotations

import io
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, render_template_string
from PIL import Image
from pypdf import PdfReader

from config import Config
from tests import factories
from tests.entrance import Browser, application
from tests.originals import samples
from tests.pace import within
from voucher.app import create_app
from voucher.db import Database
from voucher.errors import Code, Refusal
from voucher.models.files import StoredFile
from voucher.operations.keep_files import keep_files
from voucher.store import place_of
from voucher.terms import Role
from voucher.web import uploads
from voucher.web.access import current_actor, permits

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n"
HEIC = (Path(samples.__file__).parent / "photo.heic").read_bytes()
PAGE = """
{% from "components/uploads.html" import upload_field, kept_inputs %}
{% from "components/original.html" import original %}
{{ upload_field("paper", "授权书", form.files.paper, errors=form.errors, required=true) }}
{{ upload_field("papers", "材料", form.files.papers, errors=form.errors, multiple=true, confidential=true) }}
{% for ticket, each in form.files.papers %}{{ original(each.facts) }}{% endfor %}
<section>{{ kept_inputs(form.files) }}</section>
"""


class Form:
    """A page with a field for one file and a field for several, and who fills it in."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.database: Database = app.extensions["voucher_database"]
        self.files: Path = app.extensions["voucher_config"].files_dir
        app.add_url_rule("/try", view_func=permits("own:account:read")(self._view), methods=["POST"])
        self.received: list[uploads.Received] = []
        people = self.database.transaction(
            lambda session, at: (
                factories.person(session, Role.AUDITOR),
                factories.person(session, Role.AUDITOR),
            )
        )
        self.actor = people[0]
        self.mine, self.other = (Browser(app, person) for person in people)

    def _view(self) -> str:
        form = uploads.received({"paper": False, "papers": True})
        self.received.append(form)
        return render_template_string(PAGE, form=form, actor=current_actor())

    def send(self, fields: dict[str, Any], browser: Browser | None = None) -> str:
        sent = (browser or self.mine).send("/try", fields, content_type="multipart/form-data")
        assert sent.status_code == 200, sent.text
        return sent.text

    @property
    def last(self) -> uploads.Received:
        return self.received[-1]

    def names(self, field: str = "papers") -> list[str]:
        return [each.file_name for each in self.last.stored(field)]


@pytest.fixture(scope="module")
def form(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Form]:
    """One installation for the whole module: a form's files do not get as far as the database."""
    folder = tmp_path_factory.mktemp("uploads")
    shutil.copyfile(sqlite_template, folder / "voucher.db")
    app = application(f"sqlite:///{folder / 'voucher.db'}", folder)
    yield Form(app)
    app.extensions["voucher_database"].dispose()


def file(content: bytes, name: str) -> tuple[io.BytesIO, str]:
    return io.BytesIO(content), name


def photo(side: int = 40, *, orientation: int = 1, kind: str = "JPEG") -> bytes:
    """A photo that is twice as high as broad, as the camera held it, with a place in what the camera noted."""
    out, noted = io.BytesIO(), Image.Exif()
    noted[0x0112], noted[0x010F] = orientation, "SECRETCAMERA"
    Image.new("RGB", (side, 2 * side), "red").save(out, kind, exif=noted)
    return out.getvalue()


def tickets(page: str, field: str) -> list[str]:
    """The hidden inputs that carry a field's files on."""
    hidden = page.partition("<section>")[2]
    return re.findall(rf'name="kept_{field}" value="([^"]+)"', hidden)


def test_every_upload_field_says_that_state_secrets_are_forbidden(form: Form) -> None:
    page = form.send({})
    assert page.count("禁止上传涉密资料") == 2
    assert page.count("填写完整报告的 SHA-256 即可") == 1


def test_a_form_keeps_its_files_through_errors(form: Form) -> None:
    page = form.send({"paper": file(PDF, "授权书.pdf"), "papers": [file(PDF, "a.pdf"), file(b"MZ", "b.pdf")]})
    assert "文件类型不受支持" in page and "b.pdf" in page
    again = form.send({"kept_paper": tickets(page, "paper"), "kept_papers": tickets(page, "papers")})
    assert form.names("paper") == ["授权书.pdf"]
    assert form.names() == ["a.pdf"]
    assert form.last.errors == {}
    assert "已上传（取消勾选即移除）" in again


def test_a_new_file_takes_the_place_of_the_one_in_a_field_for_one(form: Form) -> None:
    page = form.send({"paper": file(PDF, "old.pdf")})
    form.send({"kept_paper": tickets(page, "paper"), "paper": file(PDF + b"2", "new.pdf")})
    assert form.names("paper") == ["new.pdf"]
    form.send({"kept_papers": [], "paper": [file(PDF, "a.pdf"), file(PDF + b"2", "b.pdf")]})
    assert form.names("paper") == ["a.pdf"]
    assert form.last.errors["paper"] == ["这里只能上传一个文件。"]


def test_a_ticket_is_for_its_person_and_its_field(form: Form) -> None:
    page = form.send({"paper": file(PDF, "a.pdf")})
    kept = tickets(page, "paper")
    form.send({"kept_paper": kept}, form.other)
    assert form.names("paper") == []
    form.send({"kept_papers": kept})
    assert form.names() == []
    form.send({"kept_paper": [kept[0][:-2] + "xx", "forged.ticket"]})
    assert form.names("paper") == []


def test_a_file_that_was_swept_is_asked_for_again(form: Form) -> None:
    page = form.send({"paper": file(PDF, "a.pdf")})
    place_of(form.files, form.last.stored("paper")[0].sha256).unlink()
    assert "已经不在，请重新上传" in form.send({"kept_paper": tickets(page, "paper")})
    assert form.names("paper") == []


def test_several_photos_become_one_upright_pdf_without_what_the_camera_noted(form: Form) -> None:
    form.send(
        {
            "papers": [
                file(photo(), "1.jpg"),
                file(photo(orientation=6), "2.jpg"),
                file(PDF, "x.pdf"),
                file(HEIC, "3.HEIC"),
            ]
        }
    )
    other, joined = form.last.stored("papers")
    assert (other.file_name, joined.file_name) == ("x.pdf", "1等3张照片.pdf")
    assert joined.media_type == "application/pdf"
    content = place_of(form.files, joined.sha256).read_bytes()
    assert b"SECRET" not in content and b"Exif" not in content
    sizes = [page.images[0].image.size for page in PdfReader(io.BytesIO(content)).pages]  # type: ignore[union-attr]
    assert sizes == [(40, 80), (80, 40), (160, 90)]
    assert [part.file_name for part in joined.parts] == ["1.jpg", "2.jpg", "3.HEIC"]
    assert b"SECRET" in place_of(form.files, joined.parts[0].sha256).read_bytes(), "the original is kept"


def test_joined_photos_stay_joined_through_errors_and_are_kept_with_their_parts(form: Form) -> None:
    page = form.send({"papers": [file(photo(), "1.jpg"), file(photo(50), "2.jpg")]})
    form.send({"kept_papers": tickets(page, "papers")})
    (joined,) = form.last.stored("papers")
    form.database.transaction(lambda session, at: keep_files(session, [joined], actor=form.actor, at=at))
    with form.database.read() as session:
        row = session.get(StoredFile, joined.sha256)
        assert row is not None and len(row.made_of) == 2
        assert all(session.get(StoredFile, part) for part in row.made_of)


def test_one_photo_stays_as_it_is_unless_browsers_cannot_show_it(form: Form) -> None:
    form.send({"papers": file(photo(), "1.jpg")})
    assert [each.media_type for each in form.last.stored("papers")] == ["image/jpeg"]
    form.send({"papers": file(HEIC, "IMG_1.heic")})
    (whole,) = form.last.stored("papers")
    assert (whole.file_name, whole.media_type) == ("IMG_1.pdf", "application/pdf")
    assert [part.media_type for part in whole.parts] == ["image/heic"]


def test_a_broken_photo_is_refused_and_what_else_was_sent_is_kept(form: Form) -> None:
    out = io.BytesIO()
    Image.effect_noise((200, 200), 80).save(out, "JPEG")
    broken = out.getvalue()[:5000]
    page = form.send({"papers": [file(photo(), "1.jpg"), file(broken, "2.jpg"), file(PDF, "x.pdf")]})
    assert form.names() == ["x.pdf"]
    assert "文件无法读取" in page


def test_photos_that_would_fill_the_memory_are_refused_within_two_seconds(form: Form) -> None:
    out = io.BytesIO()
    Image.new("1", (7_100, 7_100)).save(out, "PNG")
    with within(2):
        page = form.send({"papers": [file(out.getvalue(), "1.png"), file(photo(), "2.jpg")]})
    assert "图片像素太多" in page
    assert form.names() == ["2.jpg"]


def test_an_original_invoice_is_read_when_it_is_sent(form: Form) -> None:
    page = form.send({"papers": file(samples.digital_xml(), "发票.xml")})
    (stored,) = form.last.stored("papers")
    assert stored.facts["invoice"]["net_fen"] == 28301_89
    assert f"从原件读出：发票 {samples.DIGITAL}" in page
    assert "28,301.89" in page and samples.SELLER_NAME in page
    form.send({"kept_papers": tickets(page, "papers")})
    assert form.last.stored("papers") == [stored], "what was read goes along with the ticket"


def test_names_lose_paths_and_what_cannot_be_seen(form: Form) -> None:
    form.send({"papers": [file(PDF, "../../etc/\u202efdp.合同.pdf"), file(PDF + b"2", "y\x07.pdf")]})
    assert form.names() == ["fdp.合同.pdf", "y.pdf"]


def test_more_files_than_a_field_takes_are_named_and_none_is_lost(form: Form) -> None:
    page = form.send({"papers": file(PDF, "a.pdf")})
    many = [file(PDF + str(n).encode(), f"{n}.pdf") for n in range(20)]
    page = form.send({"kept_papers": tickets(page, "papers"), "papers": many})
    assert "最多上传 20 个文件，已有 1 个，这次选了 20 个。" in page
    assert form.names() == ["a.pdf"]


def test_a_download_is_never_run_by_a_browser(form: Form) -> None:
    form.send({"papers": file(samples.digital_xml(), "发票.xml")})
    (stored,) = form.last.stored("papers")
    with form.app.test_request_context():
        answer = uploads.attachment(stored.sha256, file_name=stored.file_name, media_type=stored.media_type)
        assert answer.headers["Content-Disposition"].startswith("attachment")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert answer.mimetype == "application/xml"
        answer.close()
        with pytest.raises(Refusal) as gone:
            uploads.attachment("0" * 64, file_name="x.pdf", media_type="application/pdf")
    assert gone.value.code is Code.NOT_FOUND


def test_a_file_above_the_limit_is_refused_alone_and_the_form_keeps_the_rest(
    new_sqlite_url: Callable[[], str], tmp_path: Path
) -> None:
    settings = {
        "VOUCHER_ENV": "test",
        "DATABASE_URL": new_sqlite_url(),
        "FILES_DIR": str(tmp_path / "files"),
        "MAX_UPLOAD": "1500000",
    }
    app = create_app(Config.from_env(settings), serving=False)
    form = Form(app)
    large = PDF + b" " * 3_000_000
    page = form.send({"papers": [file(large, "large.pdf"), file(PDF, "small.pdf")]})
    assert "文件太大" in page and "large.pdf" in page
    assert form.names() == ["small.pdf"]
    plain = form.mine.send("/try", {"typed": "x" * 3_000_000})
    assert plain.status_code == 413
    far = form.mine.send("/try", {"papers": file(PDF + b" " * 9_000_000, "far.pdf")})
    assert far.status_code == 413
    assert "上传的文件超过大小限制" in far.text
    app.extensions["voucher_database"].dispose()
