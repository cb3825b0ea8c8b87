"""Photos as one PDF: turned upright, made smaller where they are large, and without what the camera noted of place and time."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Final

from pi_heif import register_heif_opener
from PIL import Image, ImageOps

from voucher.media import MOST_PIXELS

MOST_PHOTOS: Final = 20
LONGEST_SIDE: Final = 2_400
QUALITY: Final = 85
_A4: Final = (595, 842)
_MARGIN: Final = 20


def photo_pdf(places: Sequence[Path]) -> bytes:
    """One page of A4 for each photo, in order. Raises OSError, ValueError or SyntaxError for one that is broken."""
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    register_heif_opener()
    objects: list[bytes] = [b"<< /Type /Catalog /Pages 2 0 R >>", b""]
    pages: list[int] = []
    for place in places:
        picture, size = _upright(place)
        first = len(objects) + 1
        objects += _page(picture, size, first)
        pages.append(first)
    kids = b" ".join(b"%d 0 R" % page for page in pages)
    objects[1] = b"<< /Type /Pages /Kids [%b] /Count %d >>" % (kids, len(pages))
    return _file(objects)


def _upright(place: Path) -> tuple[bytes, tuple[int, int]]:
    """A photo as a plain JPEG, and its width and height."""
    with Image.open(place) as opened:
        opened.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
        picture = ImageOps.exif_transpose(opened)
        if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
            layered = picture.convert("RGBA")
            picture = Image.new("RGB", layered.size, "white")
            picture.paste(layered, mask=layered.getchannel("A"))
        picture = picture.convert("RGB")
    picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    out = BytesIO()
    Image.frombytes("RGB", picture.size, picture.tobytes()).save(out, "JPEG", quality=QUALITY)
    return out.getvalue(), picture.size


def _page(picture: bytes, size: tuple[int, int], first: int) -> list[bytes]:
    """The page (object `first`), its drawing and its picture; a broad picture lies on a broad page."""
    width, height = size
    broad, tall = _A4 if width <= height else _A4[::-1]
    room_x, room_y = broad - 2 * _MARGIN, tall - 2 * _MARGIN
    if width * room_y > height * room_x:
        drawn_x, drawn_y = room_x, max(1, height * room_x // width)
    else:
        drawn_x, drawn_y = max(1, width * room_y // height), room_y
    left, below = (broad - drawn_x) // 2, (tall - drawn_y) // 2
    drawing = b"q %d 0 0 %d %d %d cm /P Do Q" % (drawn_x, drawn_y, left, below)
    return [
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %d %d] /Contents %d 0 R "
        b"/Resources << /XObject << /P %d 0 R >> >> >>" % (broad, tall, first + 1, first + 2),
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(drawing), drawing),
        b"<< /Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace /DeviceRGB /BitsPerComponent 8 "
        b"/Filter /DCTDecode /Length %d >>\nstream\n%b\nendstream" % (width, height, len(picture), picture),
    ]


def _file(objects: Sequence[bytes]) -> bytes:
    out = bytearray(b"%PDF-1.4\n")
    places = []
    for number, body in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    count = len(objects) + 1
    tail = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (count, len(out))
    return bytes(out + b"xref\n0 %d\n0000000000 65535 f \n%b%b" % (count, table, tail))
