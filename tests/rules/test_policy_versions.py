"""Stored versions: parsed once for what they say and when they end, and how they stand on a day."""

from __future__ import annotations

from datetime import date

import pytest

from tests.rules.policies import SHANXI, SHANXI_FILL
from voucher.rules.policy import Policy
from voucher.rules.policy_versions import Stored, digest, parsed, standing
from voucher.terms import VersionStanding

FROM, TO = date(2022, 3, 11), date(2024, 5, 1)


@pytest.mark.parametrize(
    ("on", "effective_to", "superseded_by", "expected"),
    [
        (date(2022, 3, 10), TO, None, VersionStanding.UPCOMING),
        (date(2022, 3, 11), TO, None, VersionStanding.ACTIVE),
        (date(2024, 4, 30), TO, "NEXT", VersionStanding.ACTIVE),
        (date(2024, 5, 1), TO, "NEXT", VersionStanding.SUPERSEDED),
        (date(2024, 5, 1), TO, None, VersionStanding.EXPIRED),
        (date(2099, 1, 1), None, None, VersionStanding.ACTIVE),
    ],
)
def test_a_version_stands_by_its_days(
    on: date, effective_to: date | None, superseded_by: str | None, expected: VersionStanding
) -> None:
    assert standing(FROM, effective_to, superseded_by, on=on) is expected


def test_a_version_is_parsed_once_and_ends_when_it_is_stored_to_end() -> None:
    asked = []

    def fetch() -> tuple[Stored, Policy | None]:
        asked.append(1)
        return Stored(SHANXI, (SHANXI_FILL,), None), None

    sha256 = digest(SHANXI, (SHANXI_FILL, "# only here"), None)
    assert parsed((sha256, None), fetch).effective_to is None
    assert parsed((sha256, TO), fetch).effective_to == TO
    assert parsed((sha256, TO), fetch) is parsed((sha256, TO), fetch)
    assert len(asked) == 2


def test_the_digest_covers_what_is_inherited() -> None:
    assert len({digest("a", (), None), digest("a", (), "p"), digest("a", ("p",), None)}) == 3
