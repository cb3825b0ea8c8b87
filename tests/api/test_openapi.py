"""The description is valid OpenAPI 3.1 and complete, and what the API answers is what it describes."""

from __future__ import annotations

import inspect
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.api.conftest import Api, ok
from tests.entrance import Machine, application
from voucher.errors import Code
from voucher.rules.permissions import PERMISSIONS
from voucher.terms import Role

CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
)
METHODS = {"get", "post", "put", "patch", "delete"}
HAN = range(0x4E00, 0x9FFF)


@pytest.fixture(scope="module")
def api(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """One installation for the whole module, in which a little has happened."""
    folder = tmp_path_factory.mktemp("openapi")
    shutil.copyfile(sqlite_template, folder / "voucher.db")
    app = application(f"sqlite:///{folder / 'voucher.db'}", folder)
    yield Api(app)
    app.extensions["voucher_database"].dispose()


def operations(api: Api) -> list[tuple[str, str, dict[str, Any]]]:
    document = ok(api.app.test_client().get("/api/openapi.json"))
    return [
        (method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if method in METHODS
    ]


def is_chinese(text: str) -> bool:
    return any(ord(char) in HAN for char in text)


def test_the_document_is_valid_openapi_3_1(api: Api) -> None:
    schema = schemathesis.openapi.from_wsgi("/api/openapi.json", api.app)
    assert schema.specification.version.startswith("3.1")
    schema.validate()


def test_every_operation_has_an_id_of_its_own_a_chinese_summary_and_a_description(api: Api) -> None:
    found = operations(api)
    assert len(found) >= 60
    ids = [operation["operationId"] for _, _, operation in found]
    assert len(set(ids)) == len(ids)
    silent = [
        path
        for _, path, operation in found
        if not is_chinese(operation["summary"]) or not is_chinese(operation["description"])
    ]
    assert not silent, silent


def test_every_operation_names_its_permission_and_who_has_it(api: Api) -> None:
    for _, path, operation in operations(api):
        if operation.get("security") == []:
            assert path == "/api/v1/login" or "任何人" in operation["description"], path
            continue
        roles = frozenset[Role]().union(*(PERMISSIONS[each] for each in operation["x-permissions"]))
        assert roles and all(role.label in operation["description"] for role in roles), path


def test_every_operation_lists_what_it_refuses(api: Api) -> None:
    known = {code.value for code in Code}
    for method, path, operation in operations(api):
        if operation.get("security") == []:
            continue
        told = " ".join(response.get("description", "") for response in operation["responses"].values())
        assert {"not_signed_in", "not_permitted"} <= {code for code in known if f"`{code}`" in told}, path
        keyed = any(each.get("name") == "Idempotency-Key" for each in operation.get("parameters", []))
        assert keyed == ("`key_reused`" in told), path
        if method == "post" and path != "/api/v1/files":  # a file is kept under its own SHA-256: once anyway
            assert keyed or _only_reads(api, path), path


def _only_reads(api: Api, path: str) -> bool:
    """A preview that is posted: its view only ever has a session that cannot write."""
    rules = [rule for rule in api.app.url_map.iter_rules() if str(rule) == path]
    source = inspect.getsource(inspect.unwrap(api.app.view_functions[rules[0].endpoint]))
    return "with reading() as session:" in source and not re.search(
        r"\b(change|database|transaction)\(", source
    )


def test_every_amount_is_an_integer_of_fen(api: Api) -> None:
    document = ok(api.app.test_client().get("/api/openapi.json"))
    seen = 0
    for name, schema in document["components"]["schemas"].items():
        for field, described in schema.get("properties", {}).items():
            if field.endswith("_fen"):
                seen += 1
                assert described["type"] in ("integer", ["integer", "null"]), (name, field)
    assert seen > 50


def test_the_page_of_the_description_asks_nobody_else(api: Api) -> None:
    page = api.app.test_client().get("/api/docs")
    assert page.status_code == 200
    text = page.get_data(as_text=True)
    assert "http://" not in text and "https://" not in text
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "http" not in policy
    for source in (
        "vendor/swagger-ui/swagger-ui.css",
        "vendor/swagger-ui/swagger-ui-bundle.js",
        "js/api-docs.js",
    ):
        assert f"/static/{source}" in text
        assert api.app.test_client().get(f"/static/{source}").status_code == 200


@pytest.mark.timeout(900)
def test_nothing_breaks_the_api_and_every_answer_is_as_described(api: Api) -> None:
    known = {
        "/vouchers": {"number": api.voucher()},
        "/orders": {"number": api.captured()},
        "/sessions": {"number": api.proposed()},
        "/budgets": {"code": api.world.line_code},
        "/policies": {"code": api.world.policy_code},
        "/platforms": {"platform_id": str(api.world.platform.platform_id)},
    }
    described = schemathesis.openapi.from_wsgi("/api/openapi.json", api.app)
    tried, statuses = 0, Counter[int]()
    for result in described.get_all_operations():
        assert isinstance(result, Ok)
        operation = result.ok()
        if operation.path == "/api/v1/login":
            continue
        real = next((each for start, each in known.items() if start in operation.path), None)
        machine = _machine(api, operation.definition.raw.get("x-permissions", ["own:account:read"]))
        asked = (operation.path_parameters, operation.query, operation.headers, operation.body)
        for mode in GenerationMode:
            is_open = not operation.definition.raw.get("x-permissions", ["own:account:read"])
            if mode is GenerationMode.NEGATIVE and not any(asked[1:] if is_open else asked):
                continue  # an address that takes nothing, not even a token, can be given nothing wrong
            statuses.update(_try(operation, machine, real, mode=mode))
        tried += 1
    assert tried >= 60
    assert {200, 404, 409, 422} <= statuses.keys(), statuses


def _machine(api: Api, permissions: list[str]) -> Machine:
    """A machine of somebody who has one of the permissions."""
    actors = {
        "firm": api.world.firm.actor,
        "manager": api.world.platform.manager,
        "reviewer": api.world.reviewer,
        "officer": api.world.officer,
        "maker": api.world.maker,
        "checker": api.world.checker,
        "auditor": api.world.auditor,
        "security": api.security_actor,
    }
    allowed = frozenset[Role]().union(*(PERMISSIONS[permission] for permission in permissions))
    if not permissions:
        return api.firm
    known = [name for name, actor in actors.items() if actor.roles & allowed]
    machine: Machine = getattr(api, known[0]) if known else api.holding(min(allowed))
    return machine


def _try(
    operation: Any, machine: Machine, real: dict[str, str] | None, *, mode: GenerationMode
) -> Counter[int]:
    """Send a few examples of what the description allows, or (negative) does not; gives the statuses."""
    statuses = Counter[int]()
    headers = {"Authorization": f"Bearer {machine.token}"}

    @seed(20260301)
    @settings(
        max_examples=4,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), is_real=st.booleans())
    def send(case: Any, is_real: bool) -> None:
        if real and is_real and set(real) == set(case.path_parameters or {}):
            case.path_parameters = dict(real)
        response = case.call(headers=headers)
        statuses[response.status_code] += 1
        case.validate_response(response, checks=CHECKS)

    send()
    return statuses
