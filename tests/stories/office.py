"""The same town for programs: everybody has a machine with a token, and every step is an operation of the API."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from tests.entrance import Machine
from tests.originals.samples import Said, digital_xml
from tests.stories.town import PASSWORD, PDF, UNDERTAKING, Town
from voucher.clock import business_date, wall_now
from voucher.rules.permissions import Actor

KINDS = ("contract", "payment_proof", "result")


def ok(response: Any, status: int = 200) -> Any:
    """The JSON of an answer that must have this status."""
    assert response.status_code == status, (response.status_code, response.get_data(as_text=True))
    return response.get_json()


def refused(response: Any, status: int, code: str) -> dict[str, Any]:
    """The facts of a refusal, which says in words what is wrong."""
    body = ok(response, status)
    assert body["code"] == code and body["message"], body
    return dict(body["facts"])


class Office:
    """Everybody of the bureau and the platform, by program."""

    def __init__(self, town: Town) -> None:
        self.town, world = town, town.world
        self.reviewer, self.officer = self.of(world.reviewer), self.of(world.officer)
        self.maker, self.checker = self.of(world.maker), self.of(world.checker)
        self.manager, self.auditor = self.of(world.platform.manager), self.of(world.auditor)

    def of(self, actor: Actor) -> Machine:
        return Machine(self.town.app, actor)

    def opened(self) -> None:
        """A window of this year, and an undertaking to sign."""
        first = f"{business_date(wall_now()).year}-01-01T00:00:00+08:00"
        window = {
            "line_code": self.town.world.line_code,
            "opens_at": first,
            "document_no": "晋科函〔2026〕8号",
        }
        ok(self.officer.send("/api/v1/application-windows", window), 201)
        words = {"programme_code": self.town.world.programme_code, "text": UNDERTAKING}
        ok(self.officer.send("/api/v1/undertakings", words), 201)

    def listed(self, name: str, uscc: str) -> None:
        """A firm on the roster of the year; looked at first."""
        year = business_date(wall_now()).year
        row = {"name": name, "uscc": uscc, "roster_no": f"{year}140105A0009001", "region": "140105"}
        asked = {"year": year, "file_name": "名单.xlsx", "rows": [row]}
        assert ok(self.reviewer.send("/api/v1/rosters/preview", asked))["errors"] == []
        ok(self.reviewer.send("/api/v1/rosters", asked), 201)

    def letter(self, uscc: str) -> str:
        """The code in the letter to a firm or team that has no account."""
        firms = ok(self.reviewer.get(f"/api/v1/unjoined?text={uscc}"))["holders"]
        (key,) = [each["organisation_id"] for each in firms if each["ref"] == uscc]
        made = ok(self.reviewer.send("/api/v1/letters", {"organisation_ids": [key]}), 201)["letters"]
        return str(made[0]["code"]["digits"])

    def joins(self, uscc: str, code: str, login: str, as_role: str = "approver") -> Machine:
        """Somebody new with a code; a program with their token."""
        body = {"uscc": uscc, "code": code, "name": "王伟", "login": login, "password": PASSWORD}
        answer = self.town.app.test_client().post("/api/v1/join", json={**body, "as_role": as_role})
        machine = self.of(self.town.world.auditor)
        machine.token = ok(answer)["token"]
        return machine

    def granted(self, firm: Machine, holder: str, fen: int) -> str:
        """Applied for, queued, approved: the number of the voucher."""
        programme = self.town.world.programme_code
        standing = ok(firm.get(f"/api/v1/programmes/{programme}/standing?holder_ref={holder}"))
        assert standing["is_eligible"], standing
        wish = {"programme_code": programme, "holder_ref": holder, "wanted_fen": fen, "purpose": "检测新材料"}
        signed = {"undertaking_version": 1, "signed_name": "王伟"}
        number = ok(firm.send("/api/v1/applications", {**wish, **signed}), 201)["number"]
        decisions = {"decisions": [{"number": number, "verdict": "approve"}]}
        return str(
            ok(self.reviewer.send("/api/v1/applications/decisions", decisions))["decisions"][0]["voucher_no"]
        )

    def held(self, firm: Machine, voucher: str, fen: int, contract_no: str, **contract: Any) -> str:
        """Placed, quoted, its contract filed."""
        asked = {"voucher_no": voucher, "platform_id": self.town.world.platform.platform_id}
        order = str(
            ok(firm.send("/api/v1/orders", {**asked, "service": "technical_cooperation"}), 201)["number"]
        )
        ok(self.manager.send(f"/api/v1/orders/{order}/accept", {"quote_fen": fen}))
        deal = {"contract_no": contract_no, "contract_on": self.town.day(), "contract_fen": fen, **contract}
        ok(self.manager.send(f"/api/v1/orders/{order}/contract", deal))
        return order

    def captured(self, firm: Machine, order: str, **confirmed: Any) -> Any:
        """Delivered and confirmed, as a whole or the next instalment."""
        ok(self.manager.send(f"/api/v1/orders/{order}/deliver", {"provider_ref": "WT-9"}))
        return ok(firm.send(f"/api/v1/orders/{order}/confirm", confirmed))

    def sent(self, machine: Machine, name: str, content: bytes) -> dict[str, Any]:
        """A file in the store, as later requests name it."""
        headers = {"Authorization": f"Bearer {machine.token}"}
        file = {"file": (BytesIO(content), name)}
        answer = ok(machine.client.post("/api/v1/files", data=file, headers=headers), 201)
        return {"ticket": answer["ticket"], "file_name": name}

    def papers(self, firm: Machine, *kinds: str) -> list[dict[str, Any]]:
        """A PDF of each kind."""
        named = kinds or KINDS
        return [{"kind": kind, **self.sent(firm, f"{kind}.pdf", PDF + kind.encode())} for kind in named]

    def invoice(self, number: str, fen: int, buyer: str, **more: Any) -> dict[str, Any]:
        """An invoice of the platform as a claim names it."""
        seller = self.town.world.platform.uscc
        line = {"number": number, "issued_on": self.town.day(), "net_fen": fen}
        return {**line, "buyer_uscc": buyer, "seller_uscc": seller, **more}

    def original(self, firm: Machine, invoice: dict[str, Any]) -> dict[str, Any]:
        """The XML original of an invoice, sent."""
        net = f"{invoice['net_fen'] // 100}.{invoice['net_fen'] % 100:02d}"
        said = Said(
            number=invoice["number"], day=invoice["issued_on"], net=net, tax="0.00", total=net,
            buyer=invoice["buyer_uscc"], seller=invoice["seller_uscc"],
        )  # fmt: skip
        return {"kind": "invoice", **self.sent(firm, f"{invoice['number']}.xml", digital_xml(said))}

    def account(self, uscc: str, name: str) -> None:
        """The bureau enters the firm's account; another one puts it in force when the days are over."""
        asked = {"uscc": uscc, "account_name": name, "bank": "晋商银行", "account_no": "6217000000001234"}
        change = ok(self.reviewer.send("/api/v1/payee-changes", asked), 201)["id"]
        agreed = {"agreed": True}
        early = self.officer.send(f"/api/v1/payee-changes/{change}/decision", agreed)
        assert refused(early, 409, "payee_cooling")["cools_until"] == self.town.day(3)
        self.town.account_in_force(change)

    def paid(self, claim: str, fen: int) -> None:
        """A batch by one, approved by another, and the bank's answer."""
        asked = {"programme_code": self.town.world.programme_code, "claim_nos": [claim]}
        path = f"/api/v1/batches/{ok(self.maker.send('/api/v1/batches', asked), 201)['number']}"
        content = ok(self.maker.send(f"{path}/submit", {}))["content_sha256"]
        ok(self.checker.send(f"{path}/approve", {"content_sha256": content}))
        (payment,) = ok(self.maker.send(f"{path}/export", {}))["instructions"]
        assert payment["amount_fen"] == fen
        paid = {"seq": 1, "attempt": 1, "paid": True, "serial": "ZF-1"}
        ok(self.maker.send(f"{path}/reconcile", {"lines": [paid]}))
