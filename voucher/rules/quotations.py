"""Whether the words that a file quotes stand in the stored text of its document."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import Protocol

from voucher.rules.policy import Problem, Source


class Quoting(Protocol):
    """A policy or an agreement: its document, and where each parameter stands in it."""

    @property
    def document_no(self) -> str: ...
    @property
    def sources(self) -> tuple[tuple[str, Source], ...]: ...


def quotations(
    version: Quoting, document_text: str | None, *, inherited: AbstractSet[str] = frozenset()
) -> Iterator[Problem]:
    """Every quotation that the document does not bear out; without a stored text (None) none is borne out.

    What was inherited stands in another document, where it was checked.
    """
    if document_text is None:
        yield Problem(None, "document", None, f"没有存储文件 {version.document_no} 的原文，引文无法核对")
        return
    stored = _bare(document_text)
    if _bare(version.document_no) not in stored:
        yield Problem(None, "document_no", None, f"存储的原文中没有文号 {version.document_no}")
    for key, source in version.sources:
        if key in inherited:
            continue
        if _bare(source.document_no) != _bare(version.document_no):
            yield Problem(None, key, source.item, f"引用的是另一份文件 {source.document_no}，没有它的原文")
        elif not _bare(source.quote) or _bare(source.quote) not in stored:
            yield Problem(None, key, source.item, f"原文中找不到这段引文：{source.quote}")


def _bare(text: str) -> str:
    """The text without any white space and with full-width forms folded, as scans differ in both."""
    return "".join(unicodedata.normalize("NFKC", text).split())
