"""Who may use vouchers and where: rosters, qualified holders, platforms and their certifications."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from sqlalchemy.orm import Session

from voucher.api.access import current_actor
from voucher.api.endpoint import Endpoints, identified, listed_page, operation, outcome
from voucher.api.entry import change, now, reading
from voucher.clock import business_date
from voucher.errors import Code, found
from voucher.operations import certify
from voucher.operations.import_roster import RosterFile, RosterRow, import_roster, preview
from voucher.operations.outcome import Refused, only
from voucher.operations.policies import policy_in_force
from voucher.operations.qualify import Qualified, QualifyRequest, qualify
from voucher.queries import certifications, holders, platforms
from voucher.schemas import api_parties as schemas
from voucher.schemas import api_platforms as platforms_shown
from voucher.schemas.api_orders import ReasonBody

blueprint = Endpoints("parties_v1", __name__, url_prefix="/api/v1", description="名单、资格、服务平台")

Change = Callable[..., list[certify.Certified | Refused]]

_CERTIFY: Final = "reviewer:platform:certify"
_QUALIFY: Final = "reviewer:holder:qualify"
_MOVED: Final = (Code.NOT_FOUND, Code.STATE_CHANGED)


@blueprint.route("/rosters/preview", methods=["POST"])
@operation("检查名单", "reviewer:roster:import")
@blueprint.arguments(schemas.RosterBody)
@blueprint.response(200, schemas.PreviewAnswer)
def preview_roster(body: dict[str, Any]) -> dict[str, Any]:
    """逐行检查名单并列出每处错误，不写入任何内容，所以不需要 Idempotency-Key。"""
    with reading() as session:
        checked = preview(session, _rows(body), body["year"], actor=current_actor())
    return {
        "new": len(checked.entries),
        "known": checked.known,
        "errors": [schemas.row_error(error) for error in checked.errors],
    }


@blueprint.route("/rosters", methods=["POST"])
@operation(
    "导入名单", "reviewer:roster:import", refuses=(Code.ROSTER_INVALID, Code.STATE_CHANGED), keyed=True
)
@blueprint.arguments(schemas.RosterBody)
@blueprint.response(201, schemas.ImportedAnswer)
def import_(body: dict[str, Any]) -> dict[str, Any]:
    """导入一个年度的科技型中小企业名单，全部导入或全部不导入。"""
    rows = json.dumps(body["rows"], ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    digest = sha256(rows.encode()).hexdigest()
    file = RosterFile(body["file_name"], digest, body["year"], _rows(body))

    def work(session: Session, at: datetime) -> dict[str, Any]:
        imported = import_roster(session, file, actor=current_actor(), at=at)
        return {"import_id": imported.import_id, "rows": imported.rows, "replayed": imported.replayed}

    return change(work, body=body)


@blueprint.route("/holders", methods=["GET"])
@operation("持券单位", _QUALIFY)
@blueprint.arguments(schemas.HoldersQuery, location="query")
@blueprint.response(200, schemas.HoldersAnswer)
def list_holders(query: dict[str, Any]) -> dict[str, Any]:
    """本地区的单位：是否在当年名单上，是否已取得某项目的资格。"""
    wanted = holders.HolderFilter(
        query["programme_code"], query["year"], query.get("text", ""), query["standing"]
    )
    with reading() as session:
        page = holders.holders(session, current_actor(), wanted, page=query["page"], size=query["size"])
        return listed_page(page, "holders", schemas.holder_line)


@blueprint.route("/qualifications", methods=["POST"])
@operation(
    "认定资格",
    _QUALIFY,
    refuses=(Code.NOT_FOUND, Code.POLICY_NOT_PUBLISHED, Code.NOT_QUALIFIED, Code.PARTY_BANNED),
    keyed=True,
)
@blueprint.arguments(schemas.QualifyBody)
@blueprint.response(201, schemas.QualifiedAnswer)
def qualify_(body: dict[str, Any]) -> dict[str, Any]:
    """按现行政策认定本年度资格，一次 1 至 1000 家；多家时逐家答复，只有一家时直接答复原因。"""
    asked = [QualifyRequest(each["holder_ref"], each["holder_class"]) for each in body["holders"]]

    def work(session: Session, at: datetime) -> dict[str, Any]:
        results = qualify(session, body["programme_code"], asked, actor=current_actor(), at=at)
        if len(results) == 1:
            only(results)
        nothing = {"qualification_id": None, "year": None}
        return {
            "holders": [
                {"holder_ref": each.holder_ref, **nothing, **outcome(result, _qualified)}
                for each, result in zip(asked, results, strict=True)
            ]
        }

    return change(work, body=body)


@blueprint.route("/platforms", methods=["GET"])
@operation("可以用券的服务平台", "enterprise:order:place", refuses=(Code.POLICY_NOT_PUBLISHED,))
@blueprint.arguments(schemas.OffersQuery, location="query")
@blueprint.response(200, platforms_shown.OffersAnswer)
def list_offers(query: dict[str, Any]) -> dict[str, Any]:
    """在某项目的现行政策下今天可以收券的平台和服务；能否成交以下单时的核查为准。"""
    at = now()
    with reading() as session:
        policy = policy_in_force(session, query["programme_code"], at)
        on, text, service = business_date(at), query["text"], query["service"]
        offers = platforms.offers(session, policy, on=on, text=text, service=service)
    pages = max(1, -(-len(offers) // query["size"]))
    page = min(query["page"], pages)
    shown = offers[(page - 1) * query["size"] : page * query["size"]]
    return {
        "page": page,
        "pages": pages,
        "total": len(offers),
        "platforms": [platforms_shown.offer_answer(offer) for offer in shown],
    }


@blueprint.route("/certifications", methods=["GET"])
@operation("服务平台资格列表", _CERTIFY)
@blueprint.arguments(schemas.CertifiedQuery, location="query")
@blueprint.response(200, schemas.CertifiedAnswer)
def list_certified(query: dict[str, Any]) -> dict[str, Any]:
    """全部平台和它们的资格，每页 50 项。"""
    with reading() as session:
        page = certifications.certified_platforms(
            session, text=query["text"], state=query.get("state"), page=query["page"]
        )
    return {
        "page": page.page,
        "pages": page.pages,
        "total": page.total,
        "certifications": [
            {
                "platform_id": line.platform_id,
                "name": line.name,
                "host": {"ref": line.host_uscc, "name": line.host_name},
                "region_name": line.region_name,
                "state": line.state.value if line.state else None,
                "document_no": line.document_no,
            }
            for line in page.rows
        ],
    }


@blueprint.route("/platforms/<platform_id>", methods=["GET"])
@operation("查看服务平台", _CERTIFY, refuses=(Code.NOT_FOUND,))
@blueprint.response(200, schemas.PlatformAnswer)
def show_platform(platform_id: str) -> dict[str, Any]:
    """一个平台和它的全部资格。"""
    with reading() as session:
        file = found(certifications.platform_file(session, current_actor(), identified(platform_id)))
        return schemas.platform_answer(file)


@blueprint.route("/certifications", methods=["POST"])
@operation("认定服务平台", _CERTIFY, refuses=(Code.NOT_FOUND, Code.ALREADY_REGISTERED), keyed=True)
@blueprint.arguments(schemas.CertifyBody)
@blueprint.response(201, schemas.ChangedAnswer)
def certify_(body: dict[str, Any]) -> dict[str, Any]:
    """认定一个平台可以就哪些券种、哪些服务收券；同样的认定再次提交，答复相同。"""
    lists = {"kinds": tuple(body["kinds"]), "services": tuple(body["services"])}
    asked = certify.CertifyRequest(**{**body, **lists})

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return _changed(only(certify.certify(session, [asked], actor=current_actor(), at=at)))

    return change(work, body=body)


@blueprint.route("/certifications/<certification_id>/suspend", methods=["POST"])
@operation("暂停资格", _CERTIFY, refuses=_MOVED, keyed=True)
@blueprint.arguments(ReasonBody)
@blueprint.response(200, schemas.ChangedAnswer)
def suspend(body: dict[str, Any], certification_id: str) -> dict[str, Any]:
    """暂停后不能再下单、锁定和核销。"""
    return _change(certify.suspend, body, certification_id)


@blueprint.route("/certifications/<certification_id>/reinstate", methods=["POST"])
@operation("恢复资格", _CERTIFY, refuses=_MOVED, keyed=True)
@blueprint.arguments(ReasonBody)
@blueprint.response(200, schemas.ChangedAnswer)
def reinstate(body: dict[str, Any], certification_id: str) -> dict[str, Any]:
    """结束暂停。"""
    return _change(certify.reinstate, body, certification_id)


@blueprint.route("/certifications/<certification_id>/revoke", methods=["POST"])
@operation("摘牌", _CERTIFY, refuses=_MOVED, keyed=True)
@blueprint.arguments(ReasonBody)
@blueprint.response(200, schemas.ChangedAnswer)
def revoke(body: dict[str, Any], certification_id: str) -> dict[str, Any]:
    """取消资格，不能恢复。"""
    return _change(certify.revoke, body, certification_id)


def _change(operate: Change, body: dict[str, Any], certification_id: str) -> dict[str, Any]:
    asked = certify.ChangeRequest(identified(certification_id), body["reason"])

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return _changed(only(operate(session, [asked], actor=current_actor(), at=at)))

    return change(work, body=body)


def _changed(result: certify.Certified) -> dict[str, Any]:
    return {
        "certification_id": result.certification_id,
        "platform_id": result.platform_id,
        "state": result.state.value,
    }


def _qualified(result: Qualified) -> dict[str, Any]:
    return {"qualification_id": result.qualification_id, "year": result.year}


def _rows(body: dict[str, Any]) -> Sequence[RosterRow]:
    return [RosterRow(line, **row) for line, row in enumerate(body["rows"], start=1)]
