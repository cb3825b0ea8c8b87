"""A base's pages: tenants, allotments, an order for several, attendance, and what the tenants see of it."""

from __future__ import annotations

import io
import re
from datetime import date, timedelta

import pytest
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from tests.entrance import Browser
from tests.operations.startup_world import SERVICE, Base, Tenant
from tests.web.stage import PDF
from voucher.clock import business_date, wall_now
from voucher.codes import scan_code
from voucher.models.tenancies import Tenancy
from voucher.terms import OrderState


@pytest.fixture
def base(app: Flask) -> Base:
    """The base's world, on the application's database."""
    return Base(app.extensions["voucher_database"], at=wall_now())


def text(answer: TestResponse, status: int = 200) -> str:
    assert answer.status_code == status, answer.text
    return answer.text


def test_a_base_registers_allots_orders_and_confirms_for_those_who_attended(app: Flask, base: Base) -> None:
    manager = Browser(app, base.manager)
    first, second = base.tenant(), base.tenant()
    voucher = base.voucher(face_fen=10_000_00)
    assert first.ref in text(manager.get(f"/incubator/tenants/{first.tenancy_id}"))
    path = f"/incubator/vouchers/{voucher}"
    form = {f"amount_{first.tenancy_id}": "6,000", f"amount_{second.tenancy_id}": "4,000.01"}
    assert "超过本券未分配的" in text(manager.send(f"{path}/allot", form), 422)
    form[f"amount_{second.tenancy_id}"] = "4,000"
    assert "核对分配" in text(manager.send(f"{path}/allot", form))
    assert manager.send(f"{path}/allot", {**form, "step": "send"}).status_code == 303
    assert "6,000.00" in text(manager.get(path))
    order = ordered(base, manager, voucher, [first, second])
    base.file(order, 2_000_00)
    base.deliver(order)
    refused = text(manager.send(f"/incubator/orders/{order}/confirm"), 409)
    assert "没有登记是否到场" in refused
    sheet = {"present": str(base.positions(order)[first.tenancy_id]), "file": (io.BytesIO(PDF), "签到表.pdf")}
    scanner = Browser(app, base.platform.scanner)
    assert scanner.send(f"/attendance/{order}/list", sheet).status_code == 303
    assert manager.send(f"/incubator/orders/{order}/confirm").status_code == 303
    row = base.order(order)
    assert (row.state, row.captured_fen) == (OrderState.CAPTURED.value, 500_00)
    page = text(manager.get(f"/incubator/orders/{order}"))
    assert page.count(row.policy_code) == 1 and f'{row.policy_code}">' in page
    seen = text(Browser(app, first.actor).get("/tenant/"))
    assert "已核销" in seen
    assert "500.00" in seen
    assert "没有使用额度" in text(Browser(app, second.actor).get("/tenant/"))
    assert "500.00" in text(manager.get("/startup-vouchers/use"))
    table = Browser(app, base.officer).get("/startup-vouchers/use.csv")
    assert table.data.decode("utf-8-sig").splitlines()[1].split(",")[3:8] == [
        "10000.00",
        "1",
        "500.00",
        "0.00",
        "9500.00",
    ]
    base.sound()


def ordered(base: Base, manager: Browser, voucher: str, tenants: list[Tenant]) -> str:
    """The number of an order made on the pages, accepted by the platform."""
    choice = text(manager.get("/incubator/orders/new"))
    assert (
        base.platform.name in choice
        and "可以使用的额度" in choice
        and f"/incubator/vouchers/{voucher}" in choice
    )
    path = f"/incubator/orders/new/{voucher}/{base.platform.platform_id}/{SERVICE}"
    numbers = [f"{voucher}-{tenant.tenancy_id}" for tenant in tenants]
    assert all(number in text(manager.get(path)) for number in numbers)
    form = {"description": "创业辅导两天", **{f"amount_{number}": "1000" for number in numbers}}
    assert "提交订单" in text(manager.send(path, form))
    placed = manager.send(path, {**form, "step": "send"})
    assert placed.status_code == 303, placed.text
    number = placed.location.rsplit("/", 1)[1]
    base.accept(number, 2_000_00)
    return number


def test_a_check_in_code_is_confirmed_on_a_phone_once_and_closing_marks_the_rest_absent(
    app: Flask, base: Base
) -> None:
    manager = Browser(app, base.manager)
    first, second = base.tenant(), base.tenant()
    voucher = base.voucher()
    numbers = base.allot(voucher, [(first, 1_000_00), (second, 1_000_00)])
    order = base.held(voucher, [(number, 1_000_00) for number in numbers])
    assert manager.send(f"/attendance/{order}/check-in").status_code == 303
    page = text(manager.get(f"/attendance/{order}/check-in"))
    found = re.search(r'value="(\d{20})"', page)
    assert found
    assert scan_code(found[1]) is not None
    phone = Browser(app, first.actor)
    assert "确认到场" in text(phone.get(f"/C/{found[1]}"))
    assert "已登记到场" in text(phone.send(f"/C/{found[1]}"))
    assert "不能重复签到" in text(phone.send(f"/C/{found[1]}"), 409)
    stranger = Browser(app, base.tenant().actor)
    assert "签到码无效" in text(stranger.send(f"/C/{found[1]}"), 409)
    assert Browser(app).get(f"/C/{found[1]}").status_code == 303
    state = manager.get(f"/attendance/{order}/check-in/state")
    assert state.json == {"state": "1", "url": f"/attendance/{order}/check-in"}
    assert "已结束" in text(manager.send(f"/attendance/{order}/check-in/close", follow_redirects=True))
    assert "未到场" in text(manager.get(f"/incubator/orders/{order}"))


def test_a_list_of_tenants_is_looked_at_first_and_registers_firms_that_nobody_knew(
    app: Flask, base: Base
) -> None:
    manager = Browser(app, base.manager)
    table = "名称,统一社会信用代码,入驻日期\n高原创客有限公司,91630105000000001X,2026-01-05\n"
    sent = {"centre": str(base.centre_id), "file": (io.BytesIO(table.encode()), "名单.csv")}
    assert "统一社会信用代码或临时编号不正确" in text(manager.send("/incubator/tenants/preview", sent))
    known = base.tenant()
    table = f"名称,统一社会信用代码,入驻日期\n老企业,{known.ref},2025-06-01\n"
    sent["file"] = (io.BytesIO(table.encode()), "名单.csv")
    assert "尚未登记" in text(manager.send("/incubator/tenants/preview", sent))
    rows = {
        "centre": str(base.centre_id),
        "name": "老企业",
        "ref": known.ref,
        "entered": "2025-06-01",
        "left": "",
    }
    assert manager.send("/incubator/tenants/import", rows).status_code == 303
    gone = {"on": date(2099, 1, 1).isoformat()}
    assert "日期顺序" in text(manager.send(f"/incubator/tenants/{known.tenancy_id}/leave", gone), 422)
    done = {"on": date(2026, 1, 1).isoformat()}
    assert manager.send(f"/incubator/tenants/{known.tenancy_id}/leave", done).status_code == 303


def test_an_announced_exit_is_brought_forward_on_the_tenants_page(app: Flask, base: Base) -> None:
    manager, tenant, today = Browser(app, base.manager), base.tenant(), business_date(base.at)

    def announce(session: Session, _at: object) -> None:
        session.get_one(Tenancy, tenant.tenancy_id).left_on = today + timedelta(days=90)

    base.do(announce)
    (number,) = base.allot(voucher := base.voucher(), [(tenant, 1_000_00)])
    order = base.placed(voucher, [(number, 1_000_00)])
    page = f"/incubator/tenants/{tenant.tenancy_id}"
    assert "原定" in text(manager.get(page))
    refused = text(manager.send(f"{page}/leave", {"on": today.isoformat()}), 422)
    assert order in refused and "最早可以登记的退出日期" in refused
    early = {"on": (today - timedelta(days=1)).isoformat()}
    assert order in text(manager.send(f"{page}/leave", early), 422)
    assert manager.send(f"/enterprise/orders/{order}/cancel", {"reason": "不做了"}).status_code == 303
    assert manager.send(f"{page}/leave", {"on": today.isoformat()}).status_code == 303
    assert f"{page}/leave" not in text(manager.get(page))


def test_a_tenant_objects_and_the_base_answers(app: Flask, base: Base) -> None:
    manager, tenant = Browser(app, base.manager), base.tenant()
    voucher = base.voucher()
    (number,) = base.allot(voucher, [(tenant, 1_000_00)])
    order = base.held(voucher, [(number, 1_000_00)])
    phone = Browser(app, tenant.actor)
    assert phone.send(f"/tenant/orders/{order}/object", {"body": ""}).status_code == 422
    assert phone.send(f"/tenant/orders/{order}/object", {"body": "没有参加"}).status_code == 303
    assert "没有参加" in text(manager.get(f"/incubator/orders/{order}"))
    assert manager.send(f"/incubator/orders/{order}/objections/1", {"body": "已核实"}).status_code == 303
    assert "已核实" in text(phone.get("/tenant/"))
    assert (
        Browser(app, base.tenant().actor).send(f"/tenant/orders/{order}/object", {"body": "x"}).status_code
        == 404
    )


def test_another_bases_pages_do_not_exist_and_a_firm_has_none(app: Flask, base: Base) -> None:
    tenant, voucher = base.tenant(), base.voucher()
    base.allot(voucher, [(tenant, 1_000_00)])
    firm = Browser(app, tenant.actor)
    assert firm.get(f"/incubator/vouchers/{voucher}").status_code == 403
    assert (
        Browser(app, base.platform.manager).get(f"/incubator/tenants/{tenant.tenancy_id}").status_code == 403
    )
