"""Vendored browser files are the pinned, unaltered copies that static/vendor/VENDORED.md lists."""

import hashlib
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LIST = ROOT / "static/vendor/VENDORED.md"
ROW = re.compile(r"^\| (\S+/\S+) \| (\S+) \| (\d\S*) \| ([^|]+) \| ([0-9a-f]{64}) \|$", re.MULTILINE)


def listed() -> dict[str, str]:
    """Path from the root of the repository -> sha256, as the list has it."""
    return {row[1]: row[5] for row in ROW.finditer(LIST.read_text(encoding="utf-8"))}


def present() -> list[Path]:
    folders = (ROOT / "static/vendor", ROOT / "tests/vendor")
    return [
        path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file() and path != LIST
    ]


def test_every_vendored_file_has_the_checksum_of_the_list() -> None:
    found = {
        path.relative_to(ROOT).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in present()
    }
    assert found == listed()


def test_every_vendored_package_keeps_its_licence() -> None:
    folders = {path.parent for path in present()}
    assert all((folder / "LICENSE").is_file() for folder in folders)


def test_no_source_maps_are_shipped() -> None:
    assert not [path for path in present() if path.suffix == ".map"]


def test_the_wasm_reader_is_the_one_the_barcode_detector_was_built_with() -> None:
    checksum = listed()["static/vendor/zxing-wasm/zxing_reader.wasm"]
    ponyfill = (ROOT / "static/vendor/barcode-detector/ponyfill.js").read_text(encoding="utf-8")
    assert checksum in ponyfill
