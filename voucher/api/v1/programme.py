"""Published policies, with every parameter and where it comes from."""

from __future__ import annotations

from typing import Any

from voucher.api.endpoint import Endpoints, coded, operation
from voucher.api.entry import reading
from voucher.errors import Code, found
from voucher.queries import policies
from voucher.schemas import api_policies as schemas

blueprint = Endpoints("programme_v1", __name__, url_prefix="/api/v1", description="政策")


@blueprint.route("/policies", methods=["GET"])
@operation("政策版本", "programme:policy:read")
@blueprint.response(200, schemas.PoliciesAnswer)
def list_policies() -> dict[str, Any]:
    """已发布的全部政策版本。"""
    with reading() as session:
        return {"policies": [schemas.policy_line(line) for line in policies.versions(session)]}


@blueprint.route("/policies/<code>", methods=["GET"])
@operation("查看政策版本", "programme:policy:read", refuses=(Code.NOT_FOUND,))
@blueprint.response(200, schemas.PolicyAnswer)
def show(code: str) -> dict[str, Any]:
    """一个版本的全部参数：出自文件何处，或由谁确定。"""
    with reading() as session:
        return schemas.policy_answer(found(policies.policy_file(session, coded(code))))
