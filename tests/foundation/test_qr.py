"""QR codes as SVG: what is drawn decodes to what was put in, and stays small enough for a poor camera."""

import re
from xml.etree import ElementTree as ET

import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from voucher.qr import svg, version_of

ADDRESS = "HTTPS://HOST.EXAMPLE.CN/S/08004815162342000001"
SVG = "{http://www.w3.org/2000/svg}"


def drawn(picture: str, *, scale: int = 6) -> Image.Image:
    """The SVG as pixels: its rectangles `Mx yhWv1h-Wz` and nothing else."""
    root = ET.fromstring(picture)
    side = int(root.attrib["viewBox"].split()[2])
    image = Image.new("L", (side * scale, side * scale), 255)
    pen = ImageDraw.Draw(image)
    path = root.findall(f"{SVG}path")[1].attrib["d"]
    rectangles = re.findall(r"M(\d+) (\d+)h(\d+)v1h-(\d+)z", path)
    assert "".join(f"M{x} {y}h{w}v1h-{back}z" for x, y, w, back in rectangles) == path
    for x, y, width, back in rectangles:
        assert width == back
        left, top = int(x) * scale, int(y) * scale
        pen.rectangle((left, top, left + int(width) * scale - 1, top + scale - 1), fill=0)
    return image


def decoded(picture: str) -> list[str]:
    return [found.text for found in zxingcpp.read_barcodes(drawn(picture))]


@pytest.mark.parametrize("level", ["L", "M", "Q", "H"])
def test_a_code_decodes_to_its_text_at_every_level(level: str) -> None:
    assert decoded(svg(ADDRESS, level=level)) == [ADDRESS]


@settings(max_examples=25)
@given(st.text(alphabet=[chr(n) for n in range(33, 127)], min_size=1, max_size=60))
def test_any_printable_ascii_decodes_to_itself(text: str) -> None:
    assert decoded(svg(text)) == [text]


def test_the_session_address_fits_version_4_at_level_m() -> None:
    assert version_of(ADDRESS) <= 4
    assert version_of("HTTPS://VOUCHERS.KJT.SHANXI.GOV.CN/S/" + "9" * 20) <= 4


def test_the_drawing_scales_and_has_its_white_quiet_zone_of_four_modules() -> None:
    picture = svg(ADDRESS)
    root = ET.fromstring(picture)
    side = 17 + 4 * version_of(ADDRESS) + 2 * 4
    assert root.attrib["viewBox"] == f"0 0 {side} {side}"
    assert not {"width", "height", "style"} & set(root.attrib)
    dark = drawn(picture, scale=1).point(lambda shade: 255 - shade).getbbox()
    assert dark == (4, 4, side - 4, side - 4)
    assert root.findall(f"{SVG}path")[0].attrib["fill"] == "#fff"


def test_the_drawing_is_compact_enough_to_be_sent_every_thirty_seconds() -> None:
    assert len(svg(ADDRESS)) < 8_000


@pytest.mark.parametrize("text", ["", "创新券", "ＡＢＣ", "A\nB", "\x00", "9" * 513])
def test_a_payload_other_than_printable_ascii_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="payload"):
        svg(text)
    with pytest.raises(ValueError, match="payload"):
        version_of(text)


def test_an_unknown_level_is_refused() -> None:
    with pytest.raises(ValueError, match="level"):
        svg(ADDRESS, level="X")
