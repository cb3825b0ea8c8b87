"""Invoices in OFD (GB/T 33190): an attached invoice, tags that point at texts on the pages, or data of the document."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final
from xml.etree.ElementTree import Element

from voucher.media import bounded
from voucher.originals.invoice import EInvoice, Line, made_invoice
from voucher.originals.xml_invoice import Value, chosen, leaves, own_text
from voucher.safe_xml import MOST_BYTES, XmlError, local_name, parsed

_MOST_PAGES: Final = 10
_MOST_FILES: Final = 20
_INVOICE_ROOTS: Final = frozenset({"EInvoice", "eInvoice"})
# Names that 数电票 write into OFD.xml (CustomData), and the elements that say the same.
_CUSTOM: Final = {
    "发票号码": "InvoiceNo",
    "发票代码": "InvoiceCode",
    "开票日期": "IssueDate",
    "合计金额": "TaxExclusiveTotalAmount",
    "合计税额": "TaxTotalAmount",
    "价税合计": "TaxInclusiveTotalAmount",
    "购买方名称": "BuyerName",
    "购买方纳税人识别号": "BuyerTaxID",
    "销售方名称": "SellerName",
    "销售方纳税人识别号": "SellerTaxID",
}


def ofd_invoice(place: Path) -> EInvoice | None:
    """The invoice of an OFD file: what an attachment says comes before tags, and tags before the document's data.

    Raises Grows, BadZipFile and what zipfile raises for a broken one.
    """
    with zipfile.ZipFile(place) as archive:
        bounded(archive.infolist(), packed=place.stat().st_size)
        package = _Package(archive)
        said: dict[str, str] = {}
        lines: tuple[Line, ...] = ()
        for found, items in _sources(package):
            said = {**found, **said}
            lines = lines or items
    return made_invoice(chosen(said), lines, source="ofd")


class _Package:
    """The parts of an OFD file, by the paths that its documents name."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self.archive = archive
        self.names = set(archive.namelist())

    def tree(self, path: str) -> Element | None:
        """The root of a part; None where there is no such part or it is no XML."""
        if path not in self.names or self.archive.getinfo(path).file_size > MOST_BYTES:
            return None
        try:
            return parsed(self.archive.read(path))
        except XmlError:
            return None

    @staticmethod
    def path(base: str, location: str) -> str:
        """A location as a document writes it: from the top, or from the folder of the document."""
        parts: list[str] = [] if location.startswith("/") else list(PurePosixPath(base).parent.parts)
        for part in PurePosixPath(location).parts:
            if part == ".." and parts:
                parts.pop()
            elif part not in ("/", ".", ".."):
                parts.append(part)
        return "/".join(parts)

    def named(self, path: str, holder: str, location: str) -> list[str]:
        """The files that a list (attachments, tags) names: the text of `location` in every `holder` element."""
        root = self.tree(path)
        if root is None:
            return []
        found = [
            self.path(path, text)
            for element in _all(root, holder)
            for part in element
            if local_name(part) == location and (text := own_text(part))
        ]
        return found[:_MOST_FILES]


Source = tuple[dict[str, str], tuple[Line, ...]]


def _sources(package: _Package) -> Iterator[Source]:
    top = package.tree("OFD.xml")
    if top is None:
        return
    for body in _all(top, "DocBody"):
        roots = [package.path("OFD.xml", own_text(part)) for part in body if local_name(part) == "DocRoot"]
        for path in roots[:1]:
            document = package.tree(path)
            if document is not None:
                yield from _attached(package, path, document)
                yield from _tagged(package, path, document)
    yield _custom_data(top), ()


def _attached(package: _Package, path: str, document: Element) -> Iterator[Source]:
    for listing in _all(document, "Attachments"):
        for place in package.named(package.path(path, own_text(listing)), "Attachment", "FileLoc"):
            root = package.tree(place)
            if root is not None and local_name(root) in _INVOICE_ROOTS:
                yield leaves(root, own_text)


def _tagged(package: _Package, path: str, document: Element) -> Iterator[Source]:
    texts: dict[str, str] | None = None
    for listing in _all(document, "CustomTags"):
        for place in package.named(package.path(path, own_text(listing)), "CustomTag", "FileLoc"):
            root = package.tree(place)
            if root is not None:
                texts = texts if texts is not None else _page_texts(package, path, document)
                yield leaves(root, _by_reference(texts))


def _by_reference(texts: dict[str, str]) -> Value:
    def value(element: Element) -> str:
        """The texts of the objects that a tag points at, one after the other."""
        return "".join(texts.get(own_text(part), "") for part in element if local_name(part) == "ObjectRef")

    return value


def _page_texts(package: _Package, path: str, document: Element) -> dict[str, str]:
    """Text objects of the first pages by their id."""
    texts: dict[str, str] = {}
    pages = [page.get("BaseLoc", "") for page in _all(document, "Page") if page.get("BaseLoc")]
    for location in pages[:_MOST_PAGES]:
        content = package.tree(package.path(path, location))
        for item in _all(content, "TextObject") if content is not None else ():
            texts.setdefault(item.get("ID", ""), "".join(own_text(code) for code in _all(item, "TextCode")))
    return texts


def _custom_data(top: Element) -> dict[str, str]:
    said: dict[str, str] = {}
    for item in _all(top, "CustomData"):
        element = _CUSTOM.get(re.sub(r"[\s、，,:：]", "", item.get("Name", "")))
        if element and own_text(item):
            said.setdefault(element, own_text(item))
    return said


def _all(root: Element, name: str) -> list[Element]:
    return [element for element in root.iter() if local_name(element) == name]
