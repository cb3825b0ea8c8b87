"""QR codes as SVG that scales with the page."""

from typing import Any, Final

from qrcode.constants import ERROR_CORRECT_H, ERROR_CORRECT_L, ERROR_CORRECT_M, ERROR_CORRECT_Q
from qrcode.main import QRCode

_LEVELS: Final = {"L": ERROR_CORRECT_L, "M": ERROR_CORRECT_M, "Q": ERROR_CORRECT_Q, "H": ERROR_CORRECT_H}
_QUIET_ZONE: Final = 4
_LONGEST: Final = 512


def svg(text: str, *, level: str = "M") -> str:
    """A standalone `<svg>` without width and height, one unit a module, with its white quiet zone of 4 modules.

    Level M for screens, Q for paper. Refuses (ValueError) an empty text, anything but printable ASCII (readers
    disagree on other encodings), more than 512 characters and unknown levels.
    """
    matrix = _code(text, level).get_matrix()
    path = "".join(_row(y, row) for y, row in enumerate(matrix))
    size = len(matrix)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}" shape-rendering="crispEdges">'
        f'<path fill="#fff" d="M0 0h{size}v{size}h-{size}z"/><path fill="#000" d="{path}"/></svg>'
    )


def version_of(text: str, *, level: str = "M") -> int:
    """The QR version (1 to 40, the side is 17 + 4 × version modules) that this text needs at this level."""
    return int(_code(text, level).version)


def _code(text: str, level: str) -> QRCode[Any]:
    if not text or len(text) > _LONGEST or not (text.isascii() and text.isprintable()):
        raise ValueError("a QR payload is 1 to 512 printable ASCII characters")
    if level not in _LEVELS:
        raise ValueError("a QR level is one of L, M, Q, H")
    code: QRCode[Any] = QRCode(error_correction=_LEVELS[level], border=_QUIET_ZONE)
    code.add_data(text)
    code.make(fit=True)
    return code


def _row(y: int, row: list[bool]) -> str:
    """One row of modules as rectangles, a run of dark modules each."""
    rectangles, start = "", 0
    for x in range(len(row) + 1):
        dark = x < len(row) and row[x]
        if dark and (x == 0 or not row[x - 1]):
            start = x
        if not dark and x and row[x - 1]:
            rectangles += f"M{start} {y}h{x - start}v1h-{x - start}z"
    return rectangles
