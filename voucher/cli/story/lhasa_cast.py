"""Who plays in Lhasa in 2020: the city's vouchers of both kinds, a county with a centre on the city's ground, a park."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from voucher.cli.story.cast import Company, Lab, Scheme
from voucher.cli.story.town import Town, offices
from voucher.terms import Certifier, HolderClass, PlatformKind, VoucherKind

BEGAN = date(2020, 9, 7)
"""The document ended on 2020-12-31: ordered before, paid and audited under it."""

_TESTING = Company("lsjiance", "拉萨高原检验检测服务有限公司", "540102", 800601, "次仁多吉")
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
    hosts=(_TESTING,),
    labs=(Lab("食品检测室", PlatformKind.TESTING_CENTER, _TESTING, ("testing_certification",)),),
    centre=Company("lszhongxin", "拉萨城关区双创中心运营有限公司", "540102", 800621, "洛桑"),
    holder_class=HolderClass.STARTUP,
    price_fen=24_000_00,
    face_fen=20_000_00,
    begins_on=BEGAN,
)

_TRAINING = Company("lspeixun", "拉萨创业培训服务有限公司", "540102", 800602, "强巴")
_COACHED = Lab(
    "创业辅导室",
    PlatformKind.INTERMEDIARY,
    _TRAINING,
    ("startup_coaching",),
    Certifier.HUMAN_RESOURCES,
    VoucherKind.STARTUP,
)
LHASA_STARTUP = Town(
    name="拉萨市创业券",
    scheme=Scheme(
        book="540100",
        authority="拉萨市财政局（演示）",
        programme="CN-540100-STARTUP",
        policy="lhasa-startup-2019",
        fill="lhasa-startup-2019-demo",
        document="lhasa-2019",
        line="LS-STARTUP",
        line_name="年拉萨市创业券（演示）",
        document_no="拉财（演示创业）",
        second="lcxiangmu2",
    ),
    offices=offices("lc", ("卓玛", "尼玛", "次旺", "拉姆", "平措")),
    firms=(Company("ls03", "拉萨八廓手作文创有限公司", "540102", 800613, "仓决"),),
    hosts=(_TRAINING,),
    labs=(_COACHED,),
    centre=Company("lszhongxin2", "拉萨八廓双创中心运营有限公司", "540102", 800622, "边巴"),
    holder_class=HolderClass.STARTUP,
    price_fen=10_000_00,
    face_fen=8_000_00,
    begins_on=BEGAN,
)

_NIMU_LAB = Company("nmjiance", "尼木藏鸡藏香检测有限公司", "540123", 800603, "旦增")
NIMU = Town(
    name="拉萨市尼木县",
    scheme=Scheme(
        book="540123",
        authority="尼木县财政局（演示）",
        programme="CN-540123-INNO",
        policy="lhasa-nimu-2019",
        fill="lhasa-nimu-2019-demo",
        document="lhasa-2019",
        line="NM-INNO",
        line_name="年尼木县科技创新券（演示）",
        document_no="尼财（演示）",
        second="nmxiangmu2",
    ),
    offices=offices("nm", ("普布", "达娃", "索朗", "措姆", "罗布")),
    firms=(Company("nm01", "尼木吞巴藏文字体设计有限公司", "540123", 800614, "贡嘎"),),
    hosts=(_NIMU_LAB,),
    labs=(Lab("藏香检测室", PlatformKind.TESTING_CENTER, _NIMU_LAB, ("testing_certification",)),),
    centre=Company("nmfeidi", "尼木飞地双创中心运营有限公司", "540102", 800623, "顿珠"),
    holder_class=HolderClass.STARTUP,
    price_fen=20_000_00,
    face_fen=20_000_00,
    factor_bp=9_000,
    begins_on=BEGAN,
)

_PARK_COACH = Company("lpfudao", "拉萨园区创业服务有限公司", "540102", 800604, "玉珍")
PARK = Town(
    name="拉萨市演示园区",
    scheme=Scheme(
        book="540100-P1",
        authority="演示园区管委会财政局",
        programme="CN-540100-P1-STARTUP",
        policy="lhasa-park-2019",
        fill="lhasa-park-2019-demo",
        document="lhasa-2019",
        line="LP-STARTUP",
        line_name="年园区创业券（演示）",
        document_no="园财（演示）",
        second="lpxiangmu2",
    ),
    offices=offices("lp", ("曲珍", "格列", "阿旺", "央宗", "晋美")),
    firms=(Company("lp01", "拉萨园区天路物联网有限公司", "540100-P1", 800615, "多布杰"),),
    hosts=(_PARK_COACH,),
    labs=(replace(_COACHED, name="园区创业辅导室", host=_PARK_COACH),),
    centre=Company("lpzhongxin", "演示园区双创中心运营有限公司", "540100-P1", 800624, "嘎玛"),
    holder_class=HolderClass.STARTUP,
    price_fen=10_000_00,
    face_fen=10_000_00,
    begins_on=BEGAN,
    zone=("540100", "P1", "拉萨市演示园区"),
)

TOWNS = (LHASA, LHASA_STARTUP, NIMU, PARK)
