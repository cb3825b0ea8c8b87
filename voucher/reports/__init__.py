"""Rows into files for people and other systems: spreadsheets, CSV, printable pages."""
