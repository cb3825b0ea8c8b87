"""Who plays where the other policy documents run: all invented, under the real documents; places are real divisions."""

from __future__ import annotations

from voucher.cli.story import lhasa_cast
from voucher.cli.story.cast import Company, Lab, Office, Scheme
from voucher.cli.story.town import Town, offices
from voucher.terms import Certifier, HolderClass, PlatformKind, Role, VoucherKind

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
    origins=(("140525", 2_000_000_00), ("110000", 1_000_000_00)),
)

_XINING_COACH = Company("xnfuwu", "西宁创业辅导服务有限公司", "630105", 800531, "赵海清")
XINING_BASE = Town(
    name="西宁市创业券",
    scheme=Scheme(
        book="630100",
        authority="西宁市财政局（演示）",
        programme="CN-630100-STARTUP",
        policy="xining-startup-2018",
        fill="xining-startup-2018-demo",
        document="xining-2018",
        line="XN-STARTUP",
        line_name="年西宁市创业券（演示）",
        document_no="宁财（演示创业）",
        second="xrxiangmu2",
    ),
    offices=offices("xr", ("星海霞", "杨宗保", "沈玉珠", "李玉兰", "张生贵")),
    firms=(Company("xnjidi", "西宁城北创业孵化基地有限公司", "630105", 800532, "贺兰英"),),
    tenants=(
        Company("xnrz01", "西宁青稞工坊食品有限公司", "630105", 800533, "马进才"),
        Company("xnrz02", "西宁云雀数字传媒有限公司", "630105", 800534, "汪雪"),
        Company("xnrz03", "西宁河湟绣坊文化有限公司", "630105", 800535, "土秀花"),
    ),
    hosts=(_XINING_COACH,),
    labs=(
        Lab(
            "创业辅导中心",
            PlatformKind.INTERMEDIARY,
            _XINING_COACH,
            ("third_party_service",),
            Certifier.HUMAN_RESOURCES,
            VoucherKind.STARTUP,
        ),
    ),
    holder_class=HolderClass.INCUBATION_BASE,
    price_fen=9_000_00,
    face_fen=60_000_00,
)

_LVLIANG_LAB = Company("lljiance", "吕梁煤基材料检测有限公司", "141102", 800801, "薛建平")
LVLIANG = Town(
    name="吕梁市",
    scheme=Scheme(
        book="140000",
        authority="山西省财政厅",
        programme="CN-141100-INNO",
        policy="lvliang-innovation-2022",
        fill="lvliang-innovation-2022-demo",
        document="lvliang-2022",
        line="LL-INNO",
        line_name="年吕梁市落实省级科技创新券（演示）",
        document_no="晋财教（演示吕梁）",
        second="llxiangmu2",
        owner="141100",
    ),
    offices=offices("ll", ("闫晓芳", "任俊杰", "高艳霞", "冯志明", "刘翠英")),
    firms=(
        Company("ll01", "吕梁方山镁合金压铸有限公司", "141128", 800811, "雷保平"),
        Company("ll02", "吕梁岚县马铃薯淀粉科技有限公司", "141127", 800812, "牛润花"),
    ),
    hosts=(_LVLIANG_LAB,),
    labs=(Lab("煤化工检测室", PlatformKind.TESTING_CENTER, _LVLIANG_LAB, ("technical_cooperation",)),),
    holder_class=HolderClass.TECH_SME,
    price_fen=50_000_00,
    face_fen=100_000_00,
    roster="A9",
)

_ZEZHOU_LAB = Company("zvjishu", "泽州铸造技术服务中心", "140525", 800821, "常海龙", "12")
ZEZHOU = Town(
    name="泽州县科技创新券",
    scheme=Scheme(
        book="140000",
        authority="山西省财政厅",
        programme="CN-140525-INNO",
        policy="zezhou-innovation-2022",
        fill="zezhou-innovation-2022-demo",
        document="zezhou-2022",
        line="ZZ-INNO",
        line_name="年泽州县科技创新券（演示）",
        document_no="晋财教（演示泽州）",
        second="zvxiangmu2",
        owner="140525",
    ),
    offices=offices("zv", ("郜丽萍", "闫国庆", "赵软珍", "成晓东", "李艳丽")),
    firms=(Company("zv01", "泽州南村球墨铸铁有限公司", "140525", 800831, "苗福顺"),),
    hosts=(_ZEZHOU_LAB,),
    labs=(Lab("铸件检测室", PlatformKind.TESTING_CENTER, _ZEZHOU_LAB, ("technical_cooperation",)),),
    holder_class=HolderClass.TECH_SME,
    price_fen=40_000_00,
    face_fen=50_000_00,
    roster="A9",
)

CHILDREN = (LVLIANG, ZEZHOU)
"""Carry out the province's programme: told once that is published."""
TOWNS = (*lhasa_cast.TOWNS, XINING, XINING_BASE, ZEZHOU_POST)
