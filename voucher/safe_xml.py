"""XML that people send, read without entities, document types, or room to grow."""

from __future__ import annotations

import re
from typing import Final
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

MOST_BYTES: Final = 2 * 1024 * 1024
MOST_TAGS: Final = 100_000

_DECLARED: Final = re.compile(rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,20})["']""")
_DECLARATION: Final = re.compile(r"^\s*<\?xml[^>]{0,400}\?>")
_CHINESE: Final = frozenset({"gb2312", "gbk", "gb18030", "cp936"})


class XmlError(ValueError):
    """The text is no XML, or none that is read here."""


def parsed(content: bytes) -> Element:
    """The root of an XML text in UTF-8, UTF-16 or one of the Chinese encodings.

    Raises XmlError for anything else, a document type, an entity, more than 2 MiB or 100,000 tags.
    """
    if len(content) > MOST_BYTES or content.count(b"<") > MOST_TAGS:
        raise XmlError("too large")
    try:
        root: Element = fromstring(_readable(content), forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as failure:
        raise XmlError(type(failure).__name__) from None
    return root


def _readable(content: bytes) -> bytes | str:
    """What the parser takes: it knows UTF-8 and UTF-16 by itself, the Chinese encodings are decoded for it."""
    declared = _DECLARED.match(content)
    if declared and declared[1].decode("ascii").lower() in _CHINESE:
        return _DECLARATION.sub("", content.decode("gb18030"), count=1)
    return content


def local_name(element: Element) -> str:
    """The name of an element without its namespace; empty for comments and instructions."""
    return str(element.tag).rpartition("}")[2] if not callable(element.tag) else ""
