"""Sentences about centres, their certification and evaluation; put together with the others in `messages`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from voucher.errors import Code

SENTENCES: Final[Mapping[Code, str]] = {
    Code.CENTRE_NOT_CERTIFIED: "该单位不是政策要求的部门认定的孵化载体，不能办理。",
}

DETAILS: Final[Mapping[Code, tuple[str, ...]]] = {
    Code.CENTRE_NOT_CERTIFIED: (
        "载体：{centre}。",
        "原因：{reason}。",
        "应由{authority}认定。",
        "现由{certifier}认定。",
        "当前状态：{state}。",
    ),
}
