"""Who may do what: roles, mandates of an operator, what is withheld, and which programmes an authority runs."""

from __future__ import annotations

from dataclasses import replace

from voucher.rules.permissions import Actor, carries, covers_region, permitted, person_ref, runs
from voucher.terms import Mandate, Role

CITY = Actor(
    person_id=1,
    ref=person_ref(1),
    name="王",
    roles=frozenset({Role.PROGRAMME_OFFICER}),
    region_codes=frozenset({"540100"}),
)


def test_a_role_permits_what_the_table_says_and_nothing_that_is_withheld() -> None:
    assert CITY.ref == "person:1"
    assert permitted(CITY, "programme:voucher:issue")
    assert not permitted(CITY, "finance:batch:make")
    assert not permitted(
        replace(CITY, withheld=frozenset({"programme:voucher:issue"})), "programme:voucher:issue"
    )


def test_an_operator_may_do_what_its_mandates_name() -> None:
    operator, order = Role.ENTERPRISE_OPERATOR, frozenset({Mandate.ORDER})
    assert carries(operator, order, "enterprise:order:place")
    assert not carries(operator, order, "enterprise:claim:submit")
    assert carries(operator, frozenset(), "enterprise:claim:submit")
    assert carries(operator, order, "enterprise:voucher:read")
    assert not carries(operator, order, "finance:batch:make")


def test_a_city_reads_the_programmes_of_its_counties_and_runs_its_own() -> None:
    assert covers_region(CITY, "/540000/540100/540102/")
    assert not covers_region(CITY, "/540000/540200/")
    assert runs(CITY, "540100")
    assert not runs(CITY, "540102")
