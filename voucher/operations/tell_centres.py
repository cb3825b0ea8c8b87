"""Notes to the people of a centre or platform about its evaluation."""

from __future__ import annotations

from collections.abc import Mapping

from voucher.errors import Fact
from voucher.models.evaluations import Evaluation, Rectification
from voucher.operations.evaluated import Evaluated
from voucher.operations.tell import Note
from voucher.terms import MessageEvent, Role

CENTRES_PEOPLE = (Role.INCUBATOR_MANAGER, Role.ENTERPRISE_APPROVER)


def evaluated_note(what: Evaluated, row: Evaluation, order: Rectification | None) -> Note:
    """The result of a year, and what is to be put right until when."""
    facts: dict[str, Fact] = {"year": row.year, "grade": row.grade, "total": row.total}
    if order is not None:
        facts |= {"due_on": order.due_on.isoformat(), "demand": order.demand}
    return note_to(what, MessageEvent.EVALUATION_PUBLISHED, facts, once=str(row.id))


def note_to(what: Evaluated, event: MessageEvent, facts: Mapping[str, Fact], *, once: str) -> Note:
    """A note to whoever runs it: a centre's managers and approvers, a platform's people."""
    if what.platform_id is not None:
        return Note(event, what.name, facts, platform_id=what.platform_id, once=once)
    return Note(
        event,
        what.name,
        facts,
        organisation_id=what.organisation_id,
        organisation_roles=CENTRES_PEOPLE,
        once=once,
    )
