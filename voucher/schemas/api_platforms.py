"""Platforms in JSON as they may be used by vouchers: what each may sell, and by which agreement."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from voucher.queries.platforms import Offer
from voucher.schemas.api_agreements import AdmittedAnswer, admitted_answers
from voucher.schemas.api_fields import PageAnswer, PartyAnswer
from voucher.schemas.base import Body


class OfferAnswer(Body):
    """A platform and what it may sell for a voucher."""

    platform_id = fields.Integer(required=True)
    name = fields.String(required=True)
    host = fields.Nested(PartyAnswer, required=True)
    region_name = fields.String(required=True)
    services = fields.List(fields.String(), required=True)
    agreements = fields.List(fields.Nested(AdmittedAnswer), required=True)


class OffersAnswer(PageAnswer):
    """A page of platforms, by name."""

    platforms = fields.List(fields.Nested(OfferAnswer), required=True)


def offer_answer(offer: Offer) -> dict[str, Any]:
    """What `OfferAnswer` says of a platform."""
    platform = offer.platform
    return {
        "platform_id": platform.id,
        "name": platform.name,
        "region_name": offer.region,
        "host": {"ref": platform.organisation.uscc, "name": platform.organisation.name},
        "services": list(offer.services),
        "agreements": admitted_answers(offer.agreements),
    }
