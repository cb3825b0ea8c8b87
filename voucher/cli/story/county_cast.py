"""Who plays in the demo's county: all invented, under two schemes that are marked as demonstration."""

from __future__ import annotations

from voucher.cli.story.cast import Company, Lab, Office, Scheme
from voucher.terms import PlatformKind, Role

REGION = "140525"
VOUCHERS = Scheme(
    book=REGION,
    authority="泽州县财政局（演示）",
    programme="CN-140525-DEMO",
    policy="county-demo",
    fill="county-demo",
    document="county-demo",
    line="ZZ-DEMO",
    line_name="年县级科技创新券（演示）",
    document_no="泽财（演示）",
    second="zzxiangmu2",
)
AWARDS = Scheme(
    book=REGION,
    authority=VOUCHERS.authority,
    programme="CN-140525-DEMOPOST",
    policy="county-award-demo",
    fill="county-award-demo",
    document="county-demo",
    line="ZZ-POST",
    line_name="年县级后补助（演示）",
    document_no="泽财（演示后补助）",
    second=VOUCHERS.second,
)

OFFICES = (
    Office("zzxiangmu", "段绍文", Role.PROGRAMME_OFFICER),
    Office("zzxiangmu2", "祁红英", Role.PROGRAMME_OFFICER),
    Office("zzshenhe", "司慧敏", Role.REVIEWER),
    Office("zzshenhe2", "申国庆", Role.REVIEWER),
    Office("zzcaizheng", "靳雅楠", Role.FINANCE_MAKER),
    Office("zzfuhe", "樊守义", Role.FINANCE_CHECKER),
    Office("zzhuiqian", "焦立群", Role.COSIGNER, "finance"),
    Office("zhuanjia", "宋闻达", Role.EXPERT),
    Office("fuhuaqi", "秦晓彤", Role.INCUBATOR_MANAGER),
)

FIRMS = (
    Company("zz01", "泽州下村智能装备有限公司", REGION, 800301, "原志刚"),
    Company("zz02", "泽州周村绿色化工有限公司", REGION, 800302, "崔明霞"),
    Company("zz03", "泽州犁川生物科技有限公司", REGION, 800303, "马春生"),
    Company("zz04", "泽州柳树口光电器件有限公司", REGION, 800304, "李婉清"),
    Company("zz05", "泽州高都新型建材有限公司", REGION, 800305, "张文斌"),
    Company("zz06", "泽州北义城精密模具有限公司", REGION, 800306, "牛建军"),
    Company("zz07", "泽州晋庙铺节能设备有限公司", REGION, 800307, "苏敏"),
    Company("zz08", "泽州南岭数控技术有限公司", REGION, 800308, "侯海峰"),
)
INVITED = Company("", "泽州川底特种陶瓷有限公司", REGION, 800309, "")
BANNED = Company("", "泽州大阳旧工坊有限公司", REGION, 800310, "")

_STATION = Company("zzjiance", "泽州分析检测服务站", REGION, 800401, "程远", "12")
_INSTITUTE = Company("zzyanjiu", "晋城丹河材料研究所", "140500", 800402, "倪可欣", "12")
HOSTS = (_STATION, _INSTITUTE)

_BOTH = ("testing", "joint_research")
LABS = (
    Lab("理化检测室", PlatformKind.TESTING_CENTER, _STATION, ("testing",)),
    Lab("无损检测室", PlatformKind.TESTING_CENTER, _STATION, ("testing",)),
    Lab("陶瓷与金属实验室", PlatformKind.KEY_LAB, _INSTITUTE, _BOTH),
    Lab("电磁兼容实验室", PlatformKind.TESTING_CENTER, _INSTITUTE, ("testing",)),
    Lab("旧催化实验室", PlatformKind.KEY_LAB, _INSTITUTE, ("joint_research",)),
    Lab("计量校准室", PlatformKind.TESTING_CENTER, _STATION, ("testing",)),
    Lab("热处理试验室", PlatformKind.TESTING_CENTER, _INSTITUTE, ("testing",)),
)

JOINED = {
    "tuandui": "拓陶创新团队，年中转为企业",
    "tuandui2": "云瞳视觉团队",
    "zz01jingban": "泽州下村智能装备（受托经办：下单、材料）",
    "daizhang": "代账人员（周村、犁川两家企业）",
}
