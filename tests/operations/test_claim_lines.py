"""A claim's page tells its amount as `policy explain` tells the case: every cut, with what it rests on."""

from __future__ import annotations

from collections.abc import Sequence

from tests.operations import counter
from tests.operations.cofunding_world import HOME, Shared
from tests.operations.recognition_world import recognised
from tests.operations.stories import Told
from voucher.db import Database
from voucher.money import Fen
from voucher.queries.claims import claim_file
from voucher.queries.policies import policy_of
from voucher.rules.cofunding import ABOVE_CEILINGS
from voucher.rules.explain import Trial, explain
from voucher.rules.subsidy import Case, Step


def lines(told: Told, number: str) -> Sequence[Step]:
    with told.database.read() as session:
        file = claim_file(session, told.world.firm.actor, number)
    assert file is not None
    return file.lines


def test_a_claim_cut_by_the_cap_is_told_line_by_line_as_explain_tells_it(told: Told) -> None:
    counter.redeemed(told, told.voucher(), 360_000_00)
    order = told.captured_order(voucher=told.voucher(), contract_fen=100_000_00)
    number = told.claimed(order=order)
    with told.database.read() as session:
        policy = policy_of(session, told.world.policy_code)
    row = told.order(order)
    paid = Fen(100_000_00)
    case = Case(
        holder_class="tech_sme", service=row.service, contract_fen=paid, invoice_net_fen=paid, paid_fen=paid
    )
    explained = explain(policy, Trial(case=case, counted_fen=Fen(180_000_00)))
    shown = lines(told, number)
    assert shown == explained.steps[: len(shown)]
    assert shown[-1].value == 20_000_00
    assert shown[-1].label == "不超过持有人上限的余额（上限 200,000.00 元，已计 180,000.00 元）"
    assert shown[-1].clause


def test_a_funders_ceiling_and_who_pays_what_stand_on_the_claims_page(database: Database) -> None:
    shared = Shared(database, HOME, ("330100", 1, 3, "ceiling_fen = 1_000_000"))
    order = shared.captured_order(contract_fen=200_000_00)
    shown = lines(shared, shared.claimed(order=order, amount_fen=200_000_00))
    assert [(step.label, step.value) for step in shown[-3:]] == [
        (ABOVE_CEILINGS, 76_666_67),
        ("由 山西省财政厅 承担 2/3", 66_666_67),
        ("由 330100财政局 承担 1/3", 10_000_00),
    ]
    assert all(step.clause for step in shown[-3:])


def test_the_ceiling_of_an_agreement_is_told_with_the_agreements_item(told: Told) -> None:
    recognised(told)
    order = told.captured_order(contract_fen=160_000_00)
    shown = lines(told, told.claimed(order=order, amount_fen=160_000_00))
    (cut,) = [step for step in shown if "互认协议" in step.label]
    assert (cut.clause, cut.value) == ("演晋陕互认〔2026〕1号 第 6 条", 60_000_00)
    assert [(step.clause, step.value) for step in shown[-2:]] == [
        ("演晋陕互认〔2026〕1号 第 5 条", 40_000_00), ("演晋陕互认〔2026〕1号 第 5 条", 20_000_00),
    ]  # fmt: skip
    assert cut.label == "不超过互认协议额度的余额（上限 60,000.00 元，已计 0.00 元）"
