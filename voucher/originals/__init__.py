"""Originals as firms send them: electronic invoices that are read, and photos that become one PDF.

What is read is said by the file, not by the tax administration: it fills forms and is compared with them, and it
decides nothing. Every reader runs in a process of its own with little time and memory.
"""

from voucher.originals.invoice import EInvoice, Line, invoice_facts, invoice_of
from voucher.originals.reading import joined, read_invoice, with_facts

__all__ = ["EInvoice", "Line", "invoice_facts", "invoice_of", "joined", "read_invoice", "with_facts"]
