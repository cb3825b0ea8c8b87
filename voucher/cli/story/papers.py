"""Papers for told claims: small real PDF files, each with its own text, kept in the store like any upload."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from voucher.operations.documents import GivenDocument, given_as
from voucher.store import Stored, save
from voucher.terms import DocumentKind

_MOST_BYTES = 1_000_000


def one_page_pdf(text: str) -> bytes:
    """A valid one-page PDF with one line of ASCII text. Raises UnicodeEncodeError for other text."""
    stream = f"BT /F1 14 Tf 60 760 Td ({text}) Tj ET".encode("ascii")
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        (
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
            b"/Resources << /Font << /F1 5 0 R >> >> >>"
        ),
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )
    out = bytearray(b"%PDF-1.4\n")
    places = []
    for number, body in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"xref\n0 %d\n0000000000 65535 f \n%strailer\n" % (len(objects) + 1, table)
    return bytes(out + b"<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(out)))


def paper(folder: Path, text: str, file_name: str) -> Stored:
    """A stored one-page PDF with this line of ASCII text."""
    content = BytesIO(one_page_pdf(f"{text} / told by the demo, not a real paper"))
    return save(content, folder, file_name=file_name, max_bytes=_MOST_BYTES)


def claim_papers(
    folder: Path, kinds: tuple[DocumentKind, ...], *, about: str, named: str = ""
) -> tuple[GivenDocument, ...]:
    """One stored paper of each kind, naming what it is about (an order number) in ASCII; `named` begins its file's name."""
    return tuple(
        given_as(kind, paper(folder, f"{about} / {kind.value}", f"{named}{about}-{kind.label}.pdf"))
        for kind in kinds
    )
