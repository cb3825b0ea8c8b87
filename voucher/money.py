"""Money as whole fen: the only doors between what people write and what the ledger counts."""

import re
import unicodedata
from typing import Final, NewType

Fen = NewType("Fen", int)

MAX_FEN: Final = Fen(10**15)
"""Largest amount anywhere: ten trillion yuan, more than any treasury moves at once.

It lies below 2^53 (exact in a browser and in a spreadsheet), and 9,000 such amounts still add up inside a
BIGINT, so neither a column nor a sum of columns can overflow.
"""

FULL_RATE_BP: Final = 10_000

_LONGEST: Final = 40
_AMOUNT: Final = re.compile(r"(?P<yuan>[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)(?:\.(?P<cents>[0-9]+))?", re.ASCII)
_EXPONENT: Final = re.compile(r"[+-]?[0-9][0-9.,]*[eE][+-]?[0-9]+", re.ASCII)
_DIGITS: Final = "零壹贰叁肆伍陆柒捌玖"


class MoneyError(ValueError):
    """A text or number that is not an amount; `reason` is the Chinese sentence for the person who wrote it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def parse_yuan(text: object, *, minimum: int = 1) -> Fen:
    """Read an amount in yuan as a person writes it (`1,234.5`, `１２３４．５０`) and give it in fen.

    Full-width forms are read as their ASCII twins. Refused with a MoneyError of its own sentence: anything but
    text, digits of other scripts, signs, exponents, words such as NaN or true, misplaced thousands separators,
    more than two decimals, amounts below `minimum` fen (default: one fen) or above MAX_FEN.
    """
    plain = _plain(text)
    found = _AMOUNT.fullmatch(plain)
    if found is None:
        raise MoneyError(_why_not(plain))
    yuan, cents = found["yuan"].replace(",", ""), found["cents"] or ""
    if len(cents) > 2:
        raise MoneyError("金额最多保留两位小数。")
    if len(yuan) > 1 and yuan.startswith("0"):
        raise MoneyError("金额的整数部分不能以多余的 0 开头。")
    fen = int(yuan) * 100 + int(cents.ljust(2, "0"))
    if fen > MAX_FEN:
        raise MoneyError(f"金额不能超过 {format_yuan(MAX_FEN)} 元。")
    if fen < minimum:
        raise MoneyError("金额必须大于 0。" if minimum == 1 else f"金额不能少于 {format_yuan(minimum)} 元。")
    return Fen(fen)


def format_yuan(fen: int) -> str:
    """Write fen as yuan with thousands separators and two decimals: `1,234.56`, `-0.05`."""
    yuan, cents = divmod(abs(fen), 100)
    return f"{'-' if fen < 0 else ''}{yuan:,}.{cents:02d}"


def capital_yuan(fen: int) -> str:
    """Write fen in the characters used on cheques (大写): 100520 is 人民币壹仟零伍元贰角.

    Follows 支付结算办法 annex 1: zeros inside the number are written once, 整 closes an amount without jiao and
    fen, 10^12 yuan is 壹万亿. Where the annex leaves a 零 free, it stands between groups and not before jiao.
    Refuses (MoneyError) negative amounts and amounts above MAX_FEN.
    """
    _check_amount(fen)
    yuan, cents = divmod(fen, 100)
    jiao, rest = divmod(cents, 10)
    words = f"{_number(yuan)}元" if yuan or not cents else ""
    if not cents:
        return f"人民币{words}整"
    if jiao:
        words += f"{_DIGITS[jiao]}角"
    elif yuan:
        words += "零"
    return f"人民币{words}{_DIGITS[rest]}分" if rest else f"人民币{words}"


def share_floor(amount_fen: int, rate_bp: int) -> Fen:
    """The share of an amount at a rate in basis points, rounded down to the fen."""
    _check_share(amount_fen, rate_bp)
    return Fen(amount_fen * rate_bp // FULL_RATE_BP)


def floor_yuan(fen: int) -> Fen:
    """Round an amount down to whole yuan, for policies that pay whole yuan only."""
    _check_amount(fen)
    return Fen(fen - fen % 100)


def _plain(text: object) -> str:
    """ASCII twin of what was written; anything that is neither ASCII nor a full-width form is refused here.

    NFKC alone would read `10²` as 102, so only the full-width block goes through it.
    """
    if not isinstance(text, str):
        raise MoneyError("金额应填写为文字，例如 1234.56。")
    written = text.strip()
    if not written:
        raise MoneyError("请填写金额。")
    if len(written) > _LONGEST:
        raise MoneyError("金额太长。")
    for char in written:
        if not char.isascii() and not "\uff01" <= char <= "\uff5e":
            if char.isnumeric():
                raise MoneyError("金额只能使用阿拉伯数字 0 至 9。")
            raise MoneyError("金额只能由数字、小数点和千位分隔符组成。")
    return unicodedata.normalize("NFKC", written)


def _why_not(plain: str) -> str:
    """The sentence for an ASCII text that does not have the form of an amount."""
    word = plain.lower().lstrip("+-")
    if word in ("nan", "inf", "infinity"):
        return "金额必须是确定的数，不能是 NaN 或无穷大。"
    if word in ("true", "false", "null", "none"):
        return "金额必须是数字，不能是“是”“否”或空值。"
    if _EXPONENT.fullmatch(plain):
        return "金额不能用科学计数法。"
    if plain[0] in "+-":
        return "金额不能带正负号。"
    if set(plain) <= set("0123456789.,"):
        return "千位分隔符的位置不对。" if "," in plain else "小数点的位置不对。"
    return "金额只能由数字、小数点和千位分隔符组成。"


def _check_amount(fen: int) -> None:
    if not 0 <= fen <= MAX_FEN:
        raise MoneyError(f"金额必须在 0 至 {format_yuan(MAX_FEN)} 元之间。")


def _check_share(amount_fen: int, rate_bp: int) -> None:
    _check_amount(amount_fen)
    if not 0 <= rate_bp <= FULL_RATE_BP:
        raise ValueError("a rate is between 0 and 10,000 basis points")


def _number(value: int) -> str:
    """A whole number in 大写 by groups: …亿, …万, …; zero is 零."""
    if value == 0:
        return _DIGITS[0]
    for size, name in ((10**8, "亿"), (10**4, "万")):
        high, low = divmod(value, size)
        if high:
            gap = _DIGITS[0] if low and low * 10 < size else ""
            return f"{_number(high)}{name}{gap}{_number(low) if low else ''}"
    words = ""
    for place, name in ((1000, "仟"), (100, "佰"), (10, "拾"), (1, "")):
        digit, value = divmod(value, place)
        if digit:
            words += _DIGITS[digit] + name
        elif words and value and not words.endswith(_DIGITS[0]):
            words += _DIGITS[0]
    return words
