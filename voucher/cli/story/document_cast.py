"""Who plays where the other policy documents run: all invented, under the real documents; places are real divisions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from voucher.cli.story.cast import Company, Lab, Office, Scheme
from voucher.terms import Certifier, HolderClass, PlatformKind, Role, VoucherKind


@dataclass(frozen=True, slots=True)
class Town:
    """A place that runs one document: its schemes, who works and buys there, and the day on which its story begins.

    `begins_on` None: in the told year. Every firm buys one service at `price_fen` at the first platform;
    of a post-subsidy, `origins` are region of origin and cost in fen, firm by firm.
    """

    name: str
    scheme: Scheme
    offices: tuple[Office, ...]
    firms: tuple[Company, ...]
    hosts: tuple[Company, ...]
    labs: tuple[Lab, ...]
    holder_class: HolderClass
    price_fen: int = 0
    face_fen: int = 0
    begins_on: date | None = None
    origins: tuple[tuple[str, int], ...] = ()
    kind: VoucherKind = VoucherKind.INNOVATION
    certifier: Certifier = Certifier.SCIENCE
    centre: Company | None = None
    """The centre that the firms are tenants of, where the document asks for one."""


def titles(town: Town) -> dict[str, str]:
    """Who each login of a town is."""
    known = {office.login: f"{town.name}{office.role.label}" for office in town.offices}
    known |= {firm.login: firm.name for firm in town.firms}
    for host in town.hosts:
        known |= {host.login: f"{host.name}（管理员）", f"{host.login}2": f"{host.name}（收券员）"}
    return known


def offices(prefix: str, names: tuple[str, str, str, str, str]) -> tuple[Office, ...]:
    """The five who carry a programme, with logins of one prefix: two officers, reviewer, maker, checker."""
    parts = (
        ("xiangmu", Role.PROGRAMME_OFFICER),
        ("xiangmu2", Role.PROGRAMME_OFFICER),
        ("shenhe", Role.REVIEWER),
        ("caizheng", Role.FINANCE_MAKER),
        ("fuhe", Role.FINANCE_CHECKER),
    )
    return tuple(
        Office(f"{prefix}{login}", name, role) for (login, role), name in zip(parts, names, strict=True)
    )


_XINING_LAB = Company("xngongcheng", "西宁高原工程技术研究院", "630105", 800501, "祁连生", "12")
XINING = Town(
    name="西宁市",
    scheme=Scheme(
        book="630100",
        authority="西宁市财政局（演示）",
        programme="CN-630100-INNO",
        policy="xining-innovation-2018",
        fill="xining-innovation-2018-demo",
        document="xining-2018",
        line="XN-INNO",
        line_name="年西宁市科技创新券（演示）",
        document_no="宁财（演示）",
        second="xnxiangmu2",
    ),
    offices=offices("xn", ("马晓梅", "马国福", "韩青山", "李海燕", "郭文成")),
    firms=(
        Company("xn01", "西宁湟水锂电材料有限公司", "630105", 800511, "冶成龙"),
        Company("xn02", "西宁昆仑枸杞提取技术有限公司", "630103", 800512, "张雪莲"),
    ),
    hosts=(_XINING_LAB,),
    labs=(Lab("高原环境检测中心", PlatformKind.ETRC, _XINING_LAB, ("testing", "tech_rnd")),),
    holder_class=HolderClass.ENTERPRISE,
    price_fen=60_000_00,
    face_fen=50_000_00,
)

_LHASA_LAB = Company("lsjiance", "拉萨高原检验检测服务有限公司", "540102", 800601, "次仁多吉")
LHASA = Town(
    name="拉萨市",
    scheme=Scheme(
        book="540100",
        authority="拉萨市财政局（演示）",
        programme="CN-540100-INNO",
        policy="lhasa-innovation-2019",
        fill="lhasa-innovation-2019-demo",
        document="lhasa-2019",
        line="LS-INNO",
        line_name="年拉萨市创新券（演示）",
        document_no="拉财（演示）",
        second="lsxiangmu2",
    ),
    offices=offices("ls", ("德吉", "巴桑", "旺堆", "白玛央金", "扎西平措")),
    firms=(
        Company("ls01", "拉萨雪莲藏香文化有限公司", "540102", 800611, "格桑"),
        Company("ls02", "拉萨拉鲁生态农业有限公司", "540102", 800612, "丹增"),
    ),
    hosts=(_LHASA_LAB,),
    labs=(Lab("食品检测室", PlatformKind.TESTING_CENTER, _LHASA_LAB, ("testing_certification",)),),
    centre=Company("lszhongxin", "拉萨城关区双创中心运营有限公司", "540102", 800621, "洛桑"),
    holder_class=HolderClass.STARTUP,
    price_fen=24_000_00,
    face_fen=20_000_00,
    begins_on=date(2020, 9, 7),
)

ZEZHOU_POST = Town(
    name="泽州县后补助",
    scheme=Scheme(
        book="140525",
        authority="泽州县财政局（演示）",
        programme="CN-140525-POSTSUB",
        policy="zezhou-post-2022",
        fill="zezhou-post-2022-demo",
        document="zezhou-2022",
        line="ZZ-POSTSUB",
        line_name="年泽州县科技成果转化后补助（演示）",
        document_no="泽财（演示成果）",
        second="zpxiangmu2",
    ),
    offices=(
        *offices("zp", ("段书琴", "李素芳", "成向东", "靳国强", "樊丽君")),
        Office("zpzhuanjia", "宋明哲", Role.EXPERT),
    ),
    firms=(
        Company("zp01", "泽州川底铸件再制造有限公司", "140525", 800701, "郭永胜"),
        Company("zp02", "泽州金村功能陶瓷有限公司", "140525", 800702, "司秀兰"),
    ),
    hosts=(),
    labs=(),
    holder_class=HolderClass.ENTERPRISE,
    kind=VoucherKind.POST_SUBSIDY,
    origins=(("140525", 2_000_000_00), ("110000", 1_000_000_00)),
)

TOWNS = (LHASA, XINING, ZEZHOU_POST)
