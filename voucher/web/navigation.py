"""What the menu of a signed-in person lists, by their permissions, and who they are in the page's head."""

from __future__ import annotations

from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from flask import Flask, current_app, request

from voucher.queries.messages import unread_count
from voucher.queries.people import Standing
from voucher.rules.permissions import Actor, permitted
from voucher.web.access import current_standing
from voucher.web.entry import reading


class Entry(NamedTuple):
    """A line of the menu: its Chinese label, the endpoint it leads to, the permission that the endpoint names."""

    label: str
    endpoint: str
    permission: str


MENU: Final[tuple[tuple[str, tuple[Entry, ...]], ...]] = (
    (
        "办理",
        (
            Entry("首页", "enterprise.home", "enterprise:voucher:read"),
            Entry("出示券码", "enterprise_sessions.new", "enterprise:session:open"),
            Entry("在线下单", "enterprise_orders.new", "enterprise:order:place"),
            Entry("服务清单", "catalogue.find", "enterprise:order:place"),
            Entry("我的订单", "enterprise_orders.listing", "enterprise:order:read"),
            Entry("我的兑付申请", "enterprise_claims.listing", "enterprise:order:read"),
            Entry("申请后补助", "enterprise_awards.index", "enterprise:claim:submit"),
            Entry("申领", "applying.index", "enterprise:application:read"),
            Entry("基地为我服务", "tenant.index", "tenant:allotment:read"),
        ),
    ),
    (
        "收券",
        (
            Entry("收券台", "provider.home", "provider:session:scan"),
            Entry("服务订单", "provider_orders.listing", "provider:order:read"),
            Entry("服务清单维护", "own_catalogue.listing", "provider:catalogue:write"),
            Entry("兑付申请", "provider_claims.listing", "provider:order:read"),
            Entry("各地互认", "recognition.own_standing", "provider:order:read"),
        ),
    ),
    (
        "审核",
        (
            Entry("兑付申请审核", "reviewer.claim_list", "reviewer:claim:read"),
            Entry("请我评审的申请", "expert.index", "expert:opinion:give"),
            Entry("申领审核", "applications.index", "reviewer:application:read"),
            Entry("申诉", "appeals.index", "reviewer:appeal:read"),
            Entry("订单争议", "disputes.index", "reviewer:dispute:read"),
            Entry("疑点核实", "checks.index", "reviewer:claim:read"),
            Entry("收款账户变更", "payees.waiting", "reviewer:payee:confirm"),
            Entry("回避与代办", "duty.index", "reviewer:duty:write"),
        ),
    ),
    (
        "资金",
        (
            Entry("兑付批次", "batches.index", "finance:batch:read"),
            Entry("补助比例", "factors.index", "finance:factor:read"),
            Entry("发票查验", "invoice_checks.index", "finance:invoice:read"),
            Entry("预算指标", "finance.budget_list", "finance:budget:read"),
            Entry("配套承诺", "pledges.index", "finance:pledge:read"),
            Entry("区域清算", "clearing.index", "finance:clearing:read"),
            Entry("年终结转", "year_ends.index", "finance:year_end:read"),
        ),
    ),
    (
        "订单、券与政策",
        (
            Entry("订单查询", "reviewer_orders.listing", "reviewer:order:read"),
            Entry("券", "vouchers.index", "programme:voucher:read"),
            Entry("发券", "issuing.form_page", "programme:voucher:issue"),
            Entry("申领期和承诺书", "windows.index", "programme:window:publish"),
            Entry("政策版本", "policies.index", "programme:policy:read"),
            Entry("互认协议", "agreements.index", "programme:agreement:read"),
            Entry("公示", "notices.index", "programme:notice:read"),
            Entry("节假日", "holidays.index", "programme:holiday:read"),
        ),
    ),
    (
        "企业与平台",
        (
            Entry("持有人与资格", "holders.index", "reviewer:holder:qualify"),
            Entry("企业名单", "rosters.index", "reviewer:roster:import"),
            Entry("限制名单", "bans.index", "reviewer:ban:write"),
            Entry("服务平台", "platforms.index", "reviewer:platform:certify"),
            Entry("孵化载体", "centres.index", "reviewer:centre:read"),
            Entry("年度评价", "evaluations.index", "reviewer:centre:read"),
            Entry("未开通账户", "joining.index", "reviewer:join:issue"),
            Entry("团队和创业者", "joining.team_list", "reviewer:team:register"),
            Entry("柜面办理", "desk.index", "reviewer:desk:act"),
            Entry("企业授权", "joining.authorisation_list", "reviewer:authority:read"),
        ),
    ),
    (
        "孵化基地",
        (
            Entry("入驻企业", "incubator.index", "incubator:tenant:read"),
            Entry("创业券与分配", "incubator_vouchers.index", "incubator:tenant:read"),
            Entry("入驻企业订单", "incubator_orders.listing", "incubator:order:read"),
        ),
    ),
    (
        "账目与监督",
        (
            Entry("账目", "ledger.index", "ledger:posting:read"),
            Entry("限额使用表", "ledger.cap_list", "ledger:posting:read"),
            Entry("创业券使用表", "startup_use.page", "programme:startup:read"),
            Entry("审核情况", "checks.paces", "reviewer:pace:read"),
            Entry("结账", "finance.periods", "finance:period:close"),
        ),
    ),
    (
        "系统",
        (
            Entry("人员与角色", "admin.person_list", "admin:person:write"),
            Entry("消息发送", "outbox.index", "admin:message:read"),
        ),
    ),
    (
        "本单位",
        (
            Entry("关联关系声明", "relations.index", "own:relation:state"),
            Entry("收款账户", "payees.own", "own:payee:change"),
            Entry("本单位人员", "people.index", "enterprise:authority:read"),
            Entry("平台人员", "staff.index", "provider:staff:write"),
            Entry("柜台设备", "staff.device_list", "provider:device:write"),
            Entry("载体评价和报送", "own_centres.index", "incubator:centre:read"),
            Entry("平台资格和评价", "own_centres.platform", "provider:order:read"),
            Entry("设置我的 PIN", "staff.pin_page", "provider:pin:write"),
        ),
    ),
    (
        "我的",
        (
            Entry("我的消息", "inbox.index", "own:account:read"),
            Entry("我的账户", "account.profile", "own:account:read"),
        ),
    ),
)


def entries_of(actor: Actor) -> list[Entry]:
    """The lines of the menu that this actor may use, in order; the first is where signing in leads."""
    return [
        entry
        for _, entries in MENU
        for entry in entries
        if entry.endpoint in current_app.view_functions and permitted(actor, entry.permission)
    ]


def register(app: Flask) -> None:
    """Give every template `nav`, `signed_in`, `unread_messages()` and `within_reach(url)`."""
    app.context_processor(_frame)
    app.jinja_env.globals["unread_messages"] = _unread_messages
    app.jinja_env.globals["within_reach"] = within_reach


def within_reach(url: str, method: str = "GET") -> bool:
    """May the visitor open (or send to) an address of this site? What they may not is no link, button or form."""
    endpoint, _ = current_app.url_map.bind("").match(urlsplit(url).path, method=method)
    view = current_app.view_functions[endpoint]
    permission, standing = getattr(view, "permission", None), current_standing()
    return permission is None or (standing is not None and permitted(standing.actor, permission))


def _frame() -> dict[str, Any]:
    standing = current_standing()
    if standing is None:
        return {"nav": [], "signed_in": None}
    group_of = {entry: title for title, entries in MENU for entry in entries}
    nav = [
        {
            "label": entry.label,
            "endpoint": entry.endpoint,
            "active": request.endpoint == entry.endpoint,
            "group": group_of[entry],
        }
        for entry in entries_of(standing.actor)
    ]
    return {"nav": nav, "signed_in": _signed_in(standing)}


def _unread_messages() -> int:
    """How many messages the visitor has not read; asked by the layouts that show the bell."""
    standing = current_standing()
    if standing is None:
        return 0
    with reading() as session:
        return unread_count(session, standing.actor.person_id)


def _signed_in(standing: Standing) -> dict[str, str]:
    """The name, all roles, and the first thing that they are for."""
    roles = list(dict.fromkeys(grant.role.label for grant in standing.grants))
    scopes = [grant.scope for grant in standing.grants if grant.scope]
    return {
        "name": standing.actor.name,
        "role": "、".join(roles),
        "organisation": scopes[0] if scopes else "",
    }
