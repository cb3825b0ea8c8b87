"""Numbers that people read, type and scan: document numbers, USCC, the rotating codes of the counter.

Everything is read the same way: NFKC first, so full-width digits of a Chinese input method are digits, then
strict ASCII patterns. Instants are aware UTC.

A session code is key id (2 digits), session number (9) and tag (9), where tag is HMAC-SHA256 of
`VQR1|number|step` under the key of that id, mod 10^9, and step counts 30 seconds of the server's clock. It is
derived anew at every look, so nothing is written when it rotates and the holder's phone needs no right clock.
"""

import hashlib
import hmac
import re
import secrets
import unicodedata
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from stdnum import damm
from stdnum.cn import uscc as _uscc

from voucher.clock import micros

STEP_SECONDS: Final = 30
EXPIRED_STEPS: Final = 3600 // STEP_SECONDS
"""How many steps back a right tag is still recognised, to say "expired" in place of "forged"."""

# The place of a letter is the digit it stands for in the check digit, so at most ten kinds of number:
# voucher, order, claim, batch, application, party (temporary), remittance between books, recovery case, notice, team.
NUMBER_PREFIXES: Final = "VOCBAPGRNT"
_LONGEST_SCAN: Final = 4096
_NUMBER: Final = re.compile(rf"[{NUMBER_PREFIXES}][0-9]{{12}}", re.ASCII)
_USCC: Final = re.compile(r"[0-9]{8}[0-9A-HJ-NPQRTUWXY]{10}", re.ASCII)
_TEMPORARY_PREFIX: Final = "TEMP"
_TEMPORARY: Final = re.compile(r"TEMP[0-9]{12}", re.ASCII)
_RUN: Final = re.compile(r"(?<![0-9])[0-9]{20}(?![0-9])", re.ASCII)
_GROUPS: Final = re.compile(r"(?<![0-9])[0-9]{4}(?:[ -][0-9]{4}){4}(?![ -]?[0-9])", re.ASCII)
_KEY: Final = re.compile(r"([0-9]{2}):((?:[0-9a-f]{2}){32,64})", re.ASCII | re.IGNORECASE)
_SESSION_NUMBER: Final = re.compile(r"[0-9]{9}", re.ASCII)

# 256 plain characters for the check word: in daily use, hard to take one for another, harmless in pairs.
_WORDS: Final = (
    "山水木火土金石田天地日月星云风雨雪雷春夏秋冬东南西北上下左右前后"
    "里外高低大小多少长短远近红蓝绿白青紫一二三四五六七八九十百千万花"
    "草树叶果竹松梅桃李杏柳荷兰菊米麦豆瓜茶马牛羊鸟鱼虎龙兔鹿象熊鹰鹤"
    "燕虫贝江河湖海溪泉岛岸沙桥路门窗屋井城村园车船帆灯笔墨纸书画琴棋"
    "歌鼓笛钟镜伞衣帽布线针刀尺弓箭球玉珠铁铜银早晚晨午夜晴暖凉手足耳"
    "目口心头面友师生学文字句声音光影香甜酸圆方直平安乐喜福和正明新快"
    "慢开关来去走飞坐立看听说写读问用工力作品市谷粮糖盐油饭汤壶杯盘碗"
    "桌椅床柜箱袋绳板砖瓦塔亭楼阁台港湾洲原野峰岩粉橙莲桂梨枣鸽鸭鹅芽"
)


class Verdict(StrEnum):
    """What a scanned session code turned out to be."""

    VALID = "valid"
    EXPIRED = "expired"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class Code20:
    """A session code taken apart: key id (2 digits), session number (9), tag (9); nothing verified yet."""

    kid: str
    number: str
    tag: str


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of the session codes. The one named first makes codes; all of them verify."""

    by_kid: dict[str, bytes] = field(repr=False)
    current: str

    @classmethod
    def parse(cls, text: str) -> "Keys":
        """Read QR_KEYS, `07:hex,08:hex`, newest first; two digits and 32 to 64 bytes each.

        Refuses (ValueError, without showing any key) other forms and a key id that comes twice.
        """
        by_kid: dict[str, bytes] = {}
        for place, part in enumerate(text.split(","), start=1):
            found = _KEY.fullmatch(part.strip())
            if found is None:
                raise ValueError(f"QR_KEYS: key {place} is not 'NN:' and 64 to 128 hexadecimal digits")
            if found[1] in by_kid:
                raise ValueError(f"QR_KEYS: key id {found[1]} comes twice")
            by_kid[found[1]] = bytes.fromhex(found[2])
        return cls(by_kid=by_kid, current=next(iter(by_kid)))

    def of(self, purpose: str) -> "Keys":
        """Keys of their own for another purpose: a code made with them is no code of the counter, nor the other way."""
        made = {
            kid: hmac.new(key, f"VQR1|{purpose}".encode(), hashlib.sha256).digest()
            for kid, key in self.by_kid.items()
        }
        return Keys(by_kid=made, current=self.current)


def numbered(prefix: str, year: int, serial: int) -> str:
    """A document number: prefix letter, year (4), serial (7), check digit, e.g. V202600001234.

    The check digit (Damm) catches every single wrong digit, every swap of neighbours and a wrong prefix. Refuses
    (ValueError) a prefix outside NUMBER_PREFIXES, years outside 2000 to 2999, serials outside 1 to 9,999,999.
    """
    if len(prefix) != 1 or prefix not in NUMBER_PREFIXES:
        raise ValueError(f"a number begins with one of {NUMBER_PREFIXES}")
    if not 2000 <= year <= 2999 or not 1 <= serial <= 9_999_999:
        raise ValueError("a number has a year from 2000 to 2999 and a serial from 1 to 9,999,999")
    body = f"{year:04d}{serial:07d}"
    return f"{prefix}{body}{damm.calc_check_digit(f'{NUMBER_PREFIXES.index(prefix)}{body}')}"


def read_number(text: str) -> str | None:
    """The document number in what was typed or scanned, or None where there is none or its check digit is wrong.

    Full-width and lower-case letters, spaces, hyphens and an address before the last slash are taken off.
    """
    plain = unicodedata.normalize("NFKC", text[-_LONGEST_SCAN:]).upper().rsplit("/", 1)[-1]
    number = re.sub(r"[\s-]", "", plain)
    if _NUMBER.fullmatch(number) is None:
        return None
    return number if damm.is_valid(f"{NUMBER_PREFIXES.index(number[0])}{number[1:]}") else None


def normalise_uscc(text: str) -> str:
    """A 统一社会信用代码 in the form it is stored: NFKC, upper case, no spaces, no hyphens. Says nothing of validity."""
    return re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", text[:_LONGEST_SCAN]).upper())


def is_uscc(text: str) -> bool:
    """Whether the normalised text is a 统一社会信用代码 with a right check character (GB 32100-2015)."""
    code = normalise_uscc(text)
    return _USCC.fullmatch(code) is not None and bool(_uscc.is_valid(code))


def temporary_id(year: int, serial: int) -> str:
    """The id of a team or founder who has no USCC: TEMP, year (4), serial (7), check digit (Damm).

    Refuses (ValueError) years outside 2000 to 2999, serials outside 1 to 9,999,999.
    """
    return _TEMPORARY_PREFIX + numbered("P", year, serial)[1:]


def is_temporary(text: str) -> bool:
    """Whether the normalised text is a temporary id with a right check digit. It is never a USCC."""
    code = normalise_uscc(text)
    return _TEMPORARY.fullmatch(code) is not None and read_number("P" + code[4:]) is not None


def make_uscc(region_code: str, serial: int, *, kind: str = "91") -> str:
    """A valid made-up USCC for demonstrations and simulations, always the same for the same arguments.

    `kind` is registering authority and entity type (91 firm, 12 public institution, 52 private institution);
    the organisation part carries its own check character (GB 11714), as real codes do. Refuses (ValueError) a
    region code of other than six digits and serials outside 0 to 99,999,999.
    """
    if not re.fullmatch(r"[0-9]{6}", region_code) or not 0 <= serial <= 99_999_999:
        raise ValueError("a made-up USCC needs a region code of six digits and a serial of at most eight")
    body = f"{serial:08d}"
    weighted = sum(int(digit) * weight for digit, weight in zip(body, (3, 7, 9, 10, 5, 8, 4, 2), strict=True))
    check = "0123456789X0"[11 - weighted % 11]
    front = f"{kind}{region_code}{body}{check}"
    return front + _uscc.calc_check_digit(front)


def new_session_number() -> str:
    """A random session number of nine digits; the caller makes sure that it is free."""
    return f"{secrets.randbelow(10**9):09d}"


def step_of(at: datetime) -> int:
    """The 30-second step of an instant, counted from 1970-01-01 UTC."""
    return micros(at) // (STEP_SECONDS * 1_000_000)


def make_code(keys: Keys, number: str, at: datetime) -> str:
    """The 20 digits that the holder's screen shows at that instant for a session of that number."""
    if _SESSION_NUMBER.fullmatch(number) is None:
        raise ValueError("a session number has nine digits")
    return f"{keys.current}{number}{_tag(keys.by_kid[keys.current], number, step_of(at))}"


def scan_code(text: str) -> Code20 | None:
    """The session code in what a scanner, camera or person put into the field: the last run of 20 digits.

    Addresses, full-width digits, control characters and several scans in a row are read through; a longer run
    is not cut. Where there is no such run, the last 20 digits typed as they are printed (five groups of four).
    """
    plain = unicodedata.normalize("NFKC", text[-_LONGEST_SCAN:])
    runs = _RUN.findall(plain) or _GROUPS.findall(plain)
    if not runs:
        return None
    digits = re.sub(r"[ -]", "", runs[-1])
    return Code20(kid=digits[:2], number=digits[2:11], tag=digits[11:])


def verify_code(keys: Keys, code: Code20, at: datetime) -> Verdict:
    """Judge a code in constant time: VALID in its own step and the next one, EXPIRED within an hour, else INVALID.

    Codes from the future are INVALID. That the session exists and is open is for the caller to check.
    """
    key = keys.by_kid.get(code.kid)
    if key is None:
        return Verdict.INVALID
    now = step_of(at)
    hits = [
        hmac.compare_digest(_tag(key, code.number, now - back).encode(), code.tag.encode())
        for back in range(EXPIRED_STEPS + 1)
    ]
    if hits[0] or hits[1]:
        return Verdict.VALID
    return Verdict.EXPIRED if any(hits) else Verdict.INVALID


def check_word(secret: bytes, session: str) -> str:
    """Two Chinese characters that both screens of a session show, so that each side sees the other is meant.

    `secret` is a key that does not rotate within a session; whoever lacks it cannot tell the word in advance.
    """
    digest = hmac.digest(secret, f"VQRW1|{session}".encode(), hashlib.sha256)
    return _WORDS[digest[0]] + _WORDS[digest[1]]


def session_word(secret_key: str, session: str) -> str:
    """The check word of a session under the installation's own secret, which every way in shows alike."""
    return check_word(hmac.digest(secret_key.encode(), b"check-word", hashlib.sha256), session)


def _tag(key: bytes, number: str, step: int) -> str:
    digest = hmac.digest(key, f"VQR1|{number}|{step}".encode(), hashlib.sha256)
    return f"{int.from_bytes(digest) % 10**9:09d}"
