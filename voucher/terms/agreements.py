"""What a recognition agreement of regions may say, and what becomes of it."""

from __future__ import annotations

from voucher.terms.term import Term


class Direction(Term):
    BOTH = "both", "双向互认"
    ONE_WAY = "one_way", "单向认可"


class PartyRole(Term):
    BOTH = "both", "可用券、可收券"
    HOME = "home", "只是用券一方"
    PROVIDER = "provider", "只是收券一方"


class RegistryMode(Term):
    LISTED = "listed", "列入互认机构名录"
    CERTIFIED = "certified", "对方地区认定的机构都予认可"


class Remit(Term):
    CLEARING = "clearing", "按期清算"
    DIRECT = "direct", "各自直接支付"


class ShareSide(Term):
    HOME = "home", "企业所在地区"
    PROVIDER = "provider", "服务机构所在地区"


class RegistryDeed(Term):
    LIST = "list", "列入名录"
    TAKE_OFF = "take_off", "移出名录"
    SUSPEND = "suspend", "暂停"
    READMIT = "readmit", "恢复"


class AgreementStepKind(Term):
    PUBLISH = "publish", "发布"
    WITHDRAW = "withdraw", "撤回"
    END = "end", "终止"
    REVOKE = "revoke", "撤销"


class AgreementState(Term):
    PROPOSED = "proposed", "待发布"
    PUBLISHED = "published", "已发布"
    ENDED = "ended", "已终止"
    REVOKED = "revoked", "已撤销"
    WITHDRAWN = "withdrawn", "已撤回"


class RecognitionReason(Term):
    NO_AGREEMENT = "no_agreement", "两地之间没有互认协议"
    AGREEMENT_EXPIRED = "agreement_expired", "互认协议当日不在有效期内，或已被撤销"
    DIRECTION = "direction", "协议没有约定这一方向的互认"
    KIND = "kind", "协议不包括这种券"
    SERVICE = "service", "协议不包括此项服务"
    REGISTRY = "registry", "该服务平台不在互认机构名录内"
    PROVIDER_STATUS = "provider_status", "该服务平台已被一方地区暂停或摘牌"
    CEILING = "ceiling", "协议约定的年度额度已用完"
