"""Invoices in XML: the fully digital invoice (数电票), and the electronic invoice of 2019 that OFD files carry.

The names of elements are those of the published files; tests/originals/SAMPLES.md says where each layout stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final
from xml.etree.ElementTree import Element

from voucher.originals.invoice import EInvoice, Line, amount, made_invoice, name
from voucher.safe_xml import local_name

Value = Callable[[Element], str]

# What is wanted -> the elements that say it, the better ones first; for both layouts.
FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "number": ("InvoiceNumber", "EIid", "InvoiceNo"),
    "code": ("InvoiceCode",),
    "date": ("IssueTime", "IssueDate", "RequestTime"),
    "net": ("TotalAmWithoutTax", "TaxExclusiveTotalAmount"),
    "tax": ("TotalTaxAm", "TaxTotalAmount"),
    "total": ("TotalTax-includedAmount", "TaxInclusiveTotalAmount"),
    "buyer_uscc": ("BuyerIdNum", "BuyerTaxID"),
    "buyer_name": ("BuyerName",),
    "seller_uscc": ("SellerIdNum", "SellerTaxID"),
    "seller_name": ("SellerName",),
}
_WANTED: Final = frozenset(element for elements in FIELDS.values() for element in elements)
_ITEMS: Final = frozenset({"IssuItemInformation", "GoodsInfo"})
_ITEM_NAME: Final = ("ItemName", "Item")
_ITEM_TAX: Final = ("ComTaxAm", "TaxAmount")
_MOST_ELEMENTS: Final = 20_000


def own_text(element: Element) -> str:
    """What stands in an element itself."""
    return (element.text or "").strip()


def xml_invoice(root: Element, *, source: str = "xml", value: Value = own_text) -> EInvoice | None:
    """The invoice of a tree in either layout; `value` gives the text of one of its leaves."""
    said, lines = leaves(root, value)
    return made_invoice(chosen(said), lines, source=source)


def leaves(root: Element, value: Value) -> tuple[dict[str, str], tuple[Line, ...]]:
    """The first text of every wanted element, outside the lines; and the lines."""
    said: dict[str, str] = {}
    lines: list[Line] = []
    for element in _outside_items(root):
        kind = local_name(element)
        if kind in _ITEMS:
            lines.append(_line(element, value))
        elif kind in _WANTED and kind not in said and (text := value(element)):
            said[kind] = text
    return said, tuple(lines)


def chosen(said: Mapping[str, str]) -> dict[str, str]:
    """Field -> the text of the best element that says it."""
    return {
        field: next((said[element] for element in elements if said.get(element)), "")
        for field, elements in FIELDS.items()
    }


def _outside_items(root: Element) -> Iterator[Element]:
    """Every element in order, without looking into lines of the invoice; bounded, and without recursion."""
    waiting = [root]
    for _ in range(_MOST_ELEMENTS):
        if not waiting:
            return
        element = waiting.pop()
        yield element
        if local_name(element) not in _ITEMS:
            waiting.extend(reversed(element))


def _line(item: Element, value: Value) -> Line:
    said = {local_name(part): value(part) for part in item}
    return Line(
        name(next((said[each] for each in _ITEM_NAME if said.get(each)), "")),
        amount(said.get("Amount", "")),
        amount(next((said[each] for each in _ITEM_TAX if said.get(each)), "")),
    )
