"""Telling a town by what its document is: vouchers of firms, a base's vouchers for its tenants, or a post-subsidy."""

from __future__ import annotations

from dataclasses import replace

from voucher.cli.context import SYSTEM
from voucher.cli.story.document_awards import tell_awards
from voucher.cli.story.document_bases import tell_base
from voucher.cli.story.documents import begun, tell_document
from voucher.cli.story.stage import Setting, Stage, accepted
from voucher.cli.story.town import Town
from voucher.operations.regions import COUNTRY, ZoneRequest, add_zones


def tell_town(setting: Setting, town: Town, passwords: dict[str, str]) -> Stage:
    """Tell a town's document from publishing to payment; new passwords go into `passwords`."""
    own = begun(setting, town)
    if town.zone is not None:
        _found(own, *town.zone)
    if town.origins:
        return tell_awards(own, town, passwords)
    if town.tenants:
        return tell_base(own, town, passwords)
    return tell_document(own, town, passwords)


def _found(setting: Setting, parent: str, suffix: str, name: str) -> None:
    """The park on the tree of regions."""
    everywhere = replace(SYSTEM, region_codes=frozenset({COUNTRY}))
    asked = [ZoneRequest(parent, suffix, name)]
    setting.database.transaction(
        lambda session, at: accepted(add_zones(session, asked, actor=everywhere, at=at)), at=setting.begins
    )
