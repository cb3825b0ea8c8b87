"""What every endpoint says of itself: its permission, its refusals, its key; and how strictly it reads JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any, Final, ParamSpec, TypeVar

from flask import Request, Response, abort, request
from flask_smorest import Blueprint
from marshmallow import RAISE
from webargs.core import missing
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import HTTPException, UnprocessableEntity

from voucher.api.access import permits, prove, public
from voucher.api.entry import KEY_PARAMETER
from voucher.codes import read_number
from voucher.errors import Code, Refusal
from voucher.operations.outcome import Refused
from voucher.queries.paging import Page
from voucher.rules.permissions import PERMISSIONS, PROVED
from voucher.schemas.base import MAX_ID
from voucher.schemas.messages import SENTENCES, sentence
from voucher.terms import Role

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

_ERROR: Final = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorAnswer"}}}
_SIGNED_IN: Final = (Code.NOT_SIGNED_IN, Code.NOT_PERMITTED)
_KEYED: Final = (Code.KEY_MISSING, Code.KEY_REUSED, Code.KEY_IN_FLIGHT, Code.BUSY)
_NUMBER: Final = re.compile(r"[VOCBAG][0-9]{12}", re.ASCII)
_DIGITS: Final = re.compile(r"[0-9]{1,19}", re.ASCII)
_PLAIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}", re.ASCII)


class StrictParser(FlaskParser):
    """JSON that is not JSON is 400, whatever is wrong with it; unknown query parameters are refused too."""

    DEFAULT_UNKNOWN_BY_LOCATION = {**FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION, "query": RAISE}  # noqa: RUF012

    def _raw_load_json(self, req: Request) -> Any:
        """The body; deep nesting, endless numbers and half surrogates count as no JSON."""
        raw = req.get_data(cache=True)
        if not raw:
            return missing
        if not req.is_json:
            abort(415)
        try:
            value = json.loads(raw)
            if b"\\u" in raw:
                json.dumps(value, ensure_ascii=False).encode()
        except (ValueError, RecursionError):
            abort(400)
        return value


class Endpoints(Blueprint):  # type: ignore[misc]
    """The endpoints of one subject."""

    ARGUMENTS_PARSER = StrictParser()


def operation(
    summary: str, *permissions: str, refuses: Sequence[Code] = (), keyed: bool = False
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Name an endpoint, let it be used by whoever has one of the permissions, and list what it refuses.

    `keyed`: it changes something, and asks for an Idempotency-Key; where a permission is one of `PROVED`, for a fresh
    token too. KeyError at import for an unknown permission.
    """
    roles = frozenset[Role]().union(*(PERMISSIONS[permission] for permission in permissions))
    asks_proof = keyed and bool(PROVED.intersection(permissions))
    proof = (Code.STEP_UP_REQUIRED,) if asks_proof else ()
    codes = (*_SIGNED_IN, *(_KEYED if keyed else ()), *proof, *refuses)

    def document(view: Callable[P, R]) -> Callable[P, R]:
        documented: Callable[P, R] = Blueprint.doc(
            summary=summary,
            description=f"{view.__doc__}\n\n可用者：{'、'.join(role.label for role in Role if role in roles)}。",
            operationId=f"{view.__module__.rpartition('.')[2]}.{view.__name__.rstrip('_')}",
            responses=_responses(codes),
            parameters=[KEY_PARAMETER] if keyed else [],
            **{"x-permissions": list(permissions)},
        )(permits(*permissions)(_proving(view) if asks_proof else view))
        return documented

    return document


def _proving(view: Callable[P, R]) -> Callable[P, R]:
    @wraps(view)
    def proved(*args: P.args, **kwargs: P.kwargs) -> R:
        prove()
        return view(*args, **kwargs)

    return proved


def open_operation(
    summary: str, *, refuses: Sequence[Code] = ()
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Name an endpoint that anybody may read without a token, and list what it refuses."""

    def document(view: Callable[P, R]) -> Callable[P, R]:
        documented: Callable[P, R] = Blueprint.doc(
            summary=summary,
            description=f"{view.__doc__}\n\n可用者：任何人，不需要登录。",
            operationId=f"{view.__module__.rpartition('.')[2]}.{view.__name__.rstrip('_')}",
            responses=_responses(refuses),
            security=[],
            **{"x-permissions": []},
        )(public(view))
        return documented

    return document


def conditional(view: Callable[P, Response]) -> Callable[P, Response]:
    """Give the answer an ETag; asked for with the same one (If-None-Match), answer 304 and no body."""

    @wraps(view)
    def asked(*args: P.args, **kwargs: P.kwargs) -> Response:
        response = view(*args, **kwargs)
        response.headers["Cache-Control"] = "private, no-cache"
        response.add_etag()
        response.make_conditional(request)
        return response

    documented: Callable[P, Response] = Blueprint.doc(
        responses={304: {"description": "没有变化"}},
        parameters=[{"in": "header", "name": "If-None-Match", "schema": {"type": "string"}}],
    )(asked)
    return documented


def numbered(text: str) -> str:
    """A document number out of an address. What cannot be one does not exist: refused as `not_found`."""
    if not _NUMBER.fullmatch(text) or read_number(text) != text:
        raise Refusal(Code.NOT_FOUND)
    return text


def coded(text: str) -> str:
    """A code out of an address (of a budget line, a session); refused as `not_found` if it cannot be one."""
    if not _PLAIN.fullmatch(text):
        raise Refusal(Code.NOT_FOUND)
    return text


def identified(text: str) -> int:
    """The id of a row out of an address; refused as `not_found` if it cannot be one."""
    if not _DIGITS.fullmatch(text) or not 1 <= int(text) <= MAX_ID:
        raise Refusal(Code.NOT_FOUND)
    return int(text)


def invalid(field: str, said: str) -> HTTPException:
    """The error of one field that no schema reads: 422 with the sentence at the field."""
    error = UnprocessableEntity()
    error.data = {"messages": {field: [said]}}  # type: ignore[attr-defined]
    return error


def outcome(result: object, answer: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
    """One result of a sequence: what `answer` says of it, or why it was refused (`refused`)."""
    if isinstance(result, Refused):
        told = {"code": result.code.value, "message": sentence(result), "facts": dict(result.facts)}
        return {"refused": told}
    return {**answer(result), "refused": None}


def listed_page(page: Page[T], name: str, line: Callable[[T], Mapping[str, Any]]) -> dict[str, Any]:
    """A page of a list: which one, of how many, of how many rows, and its rows under `name`, each said by `line`."""
    rows = [line(each) for each in page.rows]
    return {"page": page.page, "pages": page.pages, "total": page.total, name: rows}


def _responses(codes: Sequence[Code]) -> dict[int, dict[str, Any]]:
    """The refusals by status, each code with its sentence."""
    by_status: dict[int, list[Code]] = {}
    for code in dict.fromkeys(codes):
        by_status.setdefault(Refusal(code).status, []).append(code)
    by_status.setdefault(422, [])
    return {
        status: {
            "description": "\n".join(
                [
                    *(["`invalid`：字段有误，见 errors。"] if status == 422 else []),
                    *(f"- `{code.value}`：{SENTENCES[code]}" for code in found),
                ]
            ),
            "content": _ERROR,
        }
        for status, found in sorted(by_status.items())
    }
