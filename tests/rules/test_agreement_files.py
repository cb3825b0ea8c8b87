"""Agreement files: what is wrong is told at once, with line and clause; the shipped ones say what they claim to."""

from __future__ import annotations

import pytest

from tests.rules.agreements import DOCUMENT, TEXT, agreement, changed
from tests.rules.policies import FOLDER, policy
from voucher.money import Fen
from voucher.rules.agreement import ruling, state_of
from voucher.rules.agreement_check import problems_of
from voucher.rules.agreement_reading import AgreementError, read
from voucher.rules.subsidy import Case, compute
from voucher.terms import AgreementState, AgreementStepKind, HolderClass, PayoutMode, ShareSide

SOURCE = 'source = { document_no = "演晋陕互认〔2026〕1号", item = "3", quote = "互认的服务为购买创新服务" }'


def told(text: str, *fills: str, document: str | None = DOCUMENT) -> list[tuple[int | None, str, str | None]]:
    return [(each.line, each.key, each.clause) for each in problems_of(text, fills, document_text=document)]


def test_the_demos_agreement_is_fit_to_publish_and_says_who_pays_what() -> None:
    assert told(TEXT) == []
    found = agreement()
    assert [(each.funder, each.parts, each.of) for each in found.funding_shares] == [
        (ShareSide.HOME, 2, 3),
        (ShareSide.PROVIDER, 1, 3),
    ]
    assert (found.clause("firm_ceiling_fen"), found.clause("payout_mode")) == ("6", "")


def test_the_agreement_of_four_places_is_data_for_trying_and_not_for_publishing() -> None:
    text = (FOLDER / "agreements" / "shuangchuang.toml").read_text("utf-8")
    assert {key for _, key, _ in told(text, document=None)} == {"agreement.weak_source", "document"}
    found = read(text)
    assert [party.region for party in found.parties] == ["310110", "320412", "330402", "340104-GX"]
    assert all(source.quote.startswith("转述：") for _, source in found.sources)


def test_every_problem_is_told_at_once_with_line_and_clause() -> None:
    text = changed(
        ("parts = 1\nof = 3", "parts = 2\nof = 3"),
        ("value = 6_000_000", "value = 600_000_000"),
        ('value = "clearing"', 'value = "direct"'),
        ("2027-12-31", "2025-12-31"),
        ("互认的券种为科技创新券", "互认的券种为任何券"),
        ('["innovation_voucher"]', '["post_subsidy"]'),
    )
    lines = {key: line for line, key, _ in told(text)}
    assert lines.keys() == {
        "funding_shares",
        "firm_ceiling_fen",
        "remit",
        "effective_through",
        "kinds",
    }
    assert all(lines.values())
    clauses = {key: clause for _, key, clause in told(text)}
    assert (clauses["remit"], clauses["firm_ceiling_fen"]) == ("5", "6")


def test_a_malformed_parameter_is_told_beside_what_is_wrong_with_the_rest() -> None:
    text = changed(('value = "listed"', 'value = "somehow"'), ("2027-12-31", "2025-12-31"))
    assert [key for _, key, _ in told(text)] == ["registry.value", "effective_through"]


def test_what_the_parties_left_open_is_named_and_may_be_filled_in() -> None:
    start = TEXT.index("[registry]")
    text = TEXT[:start] + TEXT[TEXT.index("[[funding_shares]]") :]
    assert [key for _, key, _ in told(text)] == ["registry"]
    fill = '[fill]\nagreement = "JINSHAN-2026"\nwho = "两省科技厅"\nbasis = "商定"\n[registry]\nvalue = "listed"\n'
    assert told(text, fill) == []
    assert read(text, [fill]).clause("registry") == "两省科技厅：商定"
    other = fill.replace("JINSHAN-2026", "JINSHAN-2025")
    assert [key for _, key, _ in told(text, other)] == ["fills[0].fill.agreement"]
    assert [key for _, key, _ in told(TEXT, fill)] == ["fills[0].registry"]


@pytest.mark.parametrize(
    ("pairs", "key"),
    [
        ((('region = "610000"', 'region = "140000"'),), "parties[1]"),
        ((('region = "610000"', 'region = "140100"'),), "parties[1]"),
        ((('region = "140000"', 'region = "610100"'),), "parties[1]"),
        ((('value = "both"', 'value = "one_way"'),), "direction"),
        ((('book = "140000"', 'book = "140000"\npart = "home"'),), "direction"),
        (
            (
                ('value = "both"', 'value = "one_way"'),
                ('book = "140000"', 'book = "140000"\npart = "home"'),
                ('book = "610000"', 'book = "610000"\npart = "home"'),
            ),
            "direction",
        ),
        ((('funder = "provider"', 'funder = "home"'),), "funding_shares"),
        ((("parts = 1\nof = 3", "parts = 4\nof = 3"),), "funding_shares[1]"),
        ((("parts = 1\nof = 3", "parts = 1"),), "funding_shares[1]"),
        ((("parts = 1\nof = 3", "bp = 3_333"),), "funding_shares"),
        ((('code = "JINSHAN-2026"\n', ""),), "agreement.code"),
    ],
)
def test_each_contradiction_is_found_at_its_place(pairs: tuple[tuple[str, str], ...], key: str) -> None:
    assert key in [each for _, each, _ in told(changed(*pairs))]


def test_an_agreement_of_one_region_is_none() -> None:
    first = TEXT.index("[[parties]]", TEXT.index("[[parties]]") + 1)
    text = TEXT[:first] + TEXT[TEXT.index("[kinds]") :]
    assert [key for _, key, _ in told(text)] == ["parties"]
    one_way = text.replace('value = "both"', 'value = "one_way"')
    assert [key for _, key, _ in told(one_way)] == ["parties"]


def test_own_rates_are_for_services_of_the_agreement_and_leave_no_gap() -> None:
    stray = f'\n[[rate_lines]]\nrate_bp = 3_000\nservice = "tax"\n{SOURCE}\n'
    assert [key for _, key, _ in told(TEXT + stray)] == ["rate_lines[0]", "rate_lines", "rate_lines"]
    flat = f"\n[[rate_lines]]\nrate_bp = 3_000\n{SOURCE}\n"
    assert told(TEXT + flat) == []
    near = f'\n[[rate_lines]]\nrate_bp = 3_000\nprovider_region = "610100"\n{SOURCE}\n'
    assert [key for _, key, _ in told(TEXT + near)] == ["rate_lines", "rate_lines"]


def test_a_text_that_is_no_toml_or_names_no_version_is_told_and_nothing_else() -> None:
    assert [key for _, key, _ in told("= 1")] == [""]
    assert [key for _, key, _ in told(TEXT, "= 1")] == ["fills[0]"]
    nameless = TEXT.replace("[agreement]", "[agreements]")
    with pytest.raises(AgreementError) as caught:
        read(nameless)
    assert caught.value.partial is None


def test_the_agreements_rates_rule_an_order_and_the_home_programmes_caps_stay() -> None:
    home = policy()
    flat = f'\n[[rate_lines]]\nrate_bp = 3_000\n{SOURCE}\n[payout_mode]\nvalue = "pay_provider"\n{SOURCE}\n'
    ruled = ruling(home, read(TEXT + flat))
    case = Case(
        holder_class=home.holder_classes[0],
        service=home.services[0].code,
        contract_fen=Fen(10_000_00),
    )
    found = compute(ruled, case)
    assert found.amount_fen == 3_000_00
    assert {step.clause for step in found.steps} >= {"演晋陕互认〔2026〕1号 3"}
    assert (ruled.caps, ruled.code, ruled.payout_mode) == (home.caps, home.code, PayoutMode.PAY_PROVIDER)
    assert ruling(home, agreement()) is home
    assert HolderClass(home.holder_classes[0]) in ruled.holder_classes
    start = TEXT.index("[registry]")
    fill = (
        '[fill]\nagreement = "JINSHAN-2026"\nwho = "两省"\nbasis = "商定"\n[[rate_lines]]\nrate_bp = 2_000\n'
    )
    filled = ruling(home, read(TEXT[:start] + TEXT[start:], [fill]))
    assert {step.clause for step in compute(filled, case).steps} >= {"两省：商定"}


def test_the_last_of_a_versions_steps_makes_its_state() -> None:
    steps = AgreementStepKind
    assert state_of([]) is AgreementState.PROPOSED
    assert state_of([steps.WITHDRAW]) is AgreementState.WITHDRAWN
    assert state_of([steps.PUBLISH]) is AgreementState.PUBLISHED
    assert state_of([steps.END, steps.PUBLISH]) is AgreementState.ENDED
    assert state_of([steps.PUBLISH, steps.REVOKE, steps.END]) is AgreementState.REVOKED


def test_one_way_with_a_side_that_buys_and_one_that_sells_is_fit() -> None:
    one_way = changed(
        ('value = "both"', 'value = "one_way"'),
        ('book = "140000"', 'book = "140000"\npart = "home"'),
        ('book = "610000"', 'book = "610000"\npart = "provider"'),
    )
    assert [key for _, key, _ in told(one_way)] == []


def test_an_agreement_without_shares_of_its_own_is_fit_and_leaves_them_to_the_policy() -> None:
    first = TEXT.index("[[funding_shares]]")
    text = TEXT[:first] + TEXT[TEXT.index("[firm_ceiling_fen]") :]
    assert told(text) == []
    assert read(text).funding_shares == ()
