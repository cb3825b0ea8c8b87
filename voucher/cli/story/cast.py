"""Who plays in the demo. The people, firms and platforms are invented; the places are real divisions."""

from __future__ import annotations

from dataclasses import dataclass

from voucher.codes import make_uscc
from voucher.terms import Certifier, PlatformKind, Role, VoucherKind


@dataclass(frozen=True, slots=True)
class Scheme:
    """A programme as it is told: whose book pays, the files under policies/, and its first budget line.

    `second` is the login of the person who publishes what the programme officer proposed.
    """

    book: str
    authority: str
    programme: str
    policy: str
    fill: str
    document: str
    line: str
    line_name: str
    document_no: str
    second: str
    owner: str = ""

    @property
    def region(self) -> str:
        """The region whose authority runs it: that of the book, unless it carries out another's programme."""
        return self.owner or self.book

    def line_of(self, year: int) -> str:
        """The code of a year's budget line."""
        return f"{self.line}-{year}"


SHANXI = Scheme(
    book="140000",
    authority="山西省财政厅",
    programme="CN-140000-INNO",
    policy="shanxi-2022",
    fill="shanxi-2022-demo",
    document="shanxi-2022",
    line="SX-INNO",
    line_name="年省级科技创新券专项",
    document_no="晋财教（演示）",
    second="xiangmu2",
)
PROGRAMME = SHANXI.programme


@dataclass(frozen=True, slots=True)
class Office:
    """Somebody of an authority: login, name and role; a cosigner's also the authority that they sign for."""

    login: str
    name: str
    role: Role
    function: str | None = None


@dataclass(frozen=True, slots=True)
class Company:
    """A firm or a host of platforms, by its serial (which makes its USCC), seat and name."""

    login: str
    name: str
    region: str
    serial: int
    person: str
    kind: str = "91"

    @property
    def uscc(self) -> str:
        """A valid code that no real organisation has: 9 digits of an invented serial."""
        return make_uscc(self.region[:6], self.serial, kind=self.kind)


@dataclass(frozen=True, slots=True)
class Lab:
    """A platform under its host, certified by an authority for one kind of voucher."""

    name: str
    kind: PlatformKind
    host: Company
    services: tuple[str, ...]
    certifier: Certifier = Certifier.SCIENCE
    takes: VoucherKind = VoucherKind.INNOVATION


OFFICES = (
    Office("xiangmu", "孟晓岚", Role.PROGRAMME_OFFICER),
    Office("xiangmu2", "史文达", Role.PROGRAMME_OFFICER),
    Office("shenhe", "田建业", Role.REVIEWER),
    Office("caizheng", "武文静", Role.FINANCE_MAKER),
    Office("fuhe", "贺立新", Role.FINANCE_CHECKER),
    Office("shenji", "郝国栋", Role.AUDITOR),
    Office("anquan", "梁玉珍", Role.SECURITY_ADMIN),
)

FIRMS = (
    Company("qiye01", "太原晋衡微感科技有限公司", "140105", 800101, "赵启明"),
    Company("qiye02", "太原汾东碳纤维材料有限公司", "140105", 800102, "钱思远"),
    Company("qiye03", "太原迎泽云测软件有限公司", "140106", 800103, "孙静怡"),
    Company("qiye04", "山西杏花岭生物酶工程有限公司", "140107", 800104, "李牧之"),
    Company("qiye05", "太原万柏林重载机器人有限公司", "140109", 800105, "周海涛"),
    Company("qiye06", "吕梁离石煤层气装备有限公司", "141102", 800106, "吴晋生"),
    Company("qiye07", "吕梁交城铝镁合金科技有限公司", "141122", 800107, "郑红梅"),
    Company("qiye08", "吕梁汾阳酿造过程控制有限公司", "141182", 800108, "王怀仁"),
    Company("qiye09", "吕梁孝义固废利用科技有限公司", "141181", 800109, "冯丽华"),
    Company("qiye10", "泽州丹川精密铸造有限公司", "140525", 800110, "陈志强"),
    Company("qiye11", "泽州巴公新能源材料有限公司", "140525", 800111, "褚云飞"),
    Company("qiye12", "泽州金村智能农机有限公司", "140525", 800112, "卫东方"),
)

_UNIVERSITY = Company("gaoxiao", "山西汾河工业大学", "140105", 800201, "蒋博文", "12")
_TESTING = Company("jiance", "吕梁山检验检测技术有限公司", "141102", 800202, "沈秋实")
_CASTING = Company("zhongshi", "泽州精铸技术研究院", "140525", 800203, "韩雪松", "12")
_SOFTWARE = Company("pingce", "太原晋阳软件评测有限公司", "140109", 800204, "杨若兰")
HOSTS = (_UNIVERSITY, _TESTING, _CASTING, _SOFTWARE)

_BOTH = ("innovation_service_purchase", "technical_cooperation")
LABS = (
    Lab("先进材料分析测试中心", PlatformKind.TESTING_CENTER, _UNIVERSITY, _BOTH),
    Lab("煤基清洁利用重点实验室", PlatformKind.KEY_LAB, _UNIVERSITY, ("technical_cooperation",)),
    Lab("吕梁山检验检测中心", PlatformKind.TESTING_CENTER, _TESTING, ("innovation_service_purchase",)),
    Lab("精密铸造中试基地", PlatformKind.PILOT_BASE, _CASTING, _BOTH),
    Lab("软件质量评测平台", PlatformKind.TESTING_CENTER, _SOFTWARE, ("innovation_service_purchase",)),
)
