"""The scenes of the demo's year: which firm buys what from which platform, from which day, and how it ends."""

from __future__ import annotations

from dataclasses import dataclass

ISSUED = (
    (0, 50_000_00), (1, 40_000_00), (1, 200_000_00), (2, 60_000_00), (3, 120_000_00), (4, 150_000_00),
    (5, 100_000_00),
    (6, 80_000_00), (7, 60_000_00), (8, 100_000_00), (9, 150_000_00), (10, 50_000_00), (11, 30_000_00),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Scene:
    """One order: the firm, the platform, the first day, the price, what it is about, and how it ends."""

    firm: int
    lab: int
    day: int
    contract_fen: int
    about: str
    end: str = "paid"


SCENES = (
    Scene(1, 0, 12, 400_000_00, "压力传感芯片封装材料全项分析"),
    Scene(0, 4, 18, 36_000_00, "嵌入式控制软件第三方测评"),
    Scene(3, 0, 25, 88_000_00, "纤维素酶热稳定性测定"),
    Scene(4, 3, 31, 120_000_00, "重载关节壳体精密铸造中试", "trimmed"),
    Scene(5, 1, 44, 96_000_00, "煤层气排采水处理联合研究"),
    Scene(6, 0, 52, 64_000_00, "铝镁合金疲劳性能测试"),
    Scene(9, 3, 60, 150_000_00, "薄壁缸体消失模工艺中试", "bounced"),
    Scene(7, 2, 75, 28_000_00, "白酒基酒风味组分检测"),
    Scene(8, 1, 90, 70_000_00, "赤泥改性胶凝材料技术合作"),
    Scene(2, 4, 104, 45_600_00, "工业仿真软件性能测评"),
    Scene(10, 0, 112, 32_000_00, "磷酸铁锂正极材料循环测试", "disallowed"),
    Scene(3, 0, 168, 56_000_00, "酶制剂中试放大分析"),
    Scene(5, 2, 180, 42_000_00, "排采泵耐磨件材料检测"),
    Scene(8, 2, 188, 38_500_00, "固废浸出毒性检测", "settled"),
    Scene(11, 3, 200, 26_000_00, "播种机排种器壳体试制", "settled"),
    Scene(7, 0, 205, 33_000_00, "酿造尾水在线监测方法合作", "declined"),
    Scene(2, 4, 214, 20_000_00, "数据采集软件渗透测试", "cancelled"),
    Scene(6, 1, 226, 48_000_00, "镁渣资源化技术合作", "released"),
    Scene(10, 0, 236, 24_000_00, "隔膜孔隙率测试", "reversed"),
    Scene(4, 0, 250, 66_000_00, "减速器齿轮钢成分分析", "in_batch"),
    Scene(9, 3, 258, 50_000_00, "球墨铸铁曲轴工艺验证", "in_batch"),
    Scene(0, 4, 284, 18_000_00, "传感网关软件测评", "approved"),
    Scene(3, 0, 288, 30_000_00, "复合酶活性对比测定", "claimed"),
    Scene(5, 1, 290, 40_000_00, "低阶煤吸附特性联合研究", "claimed"),
    Scene(8, 2, 296, 22_000_00, "再生骨料强度检测", "captured"),
    Scene(6, 0, 301, 27_000_00, "压铸模具钢热处理分析", "delivered"),
    Scene(2, 4, 311, 16_000_00, "移动端应用兼容性测评", "held"),
    Scene(7, 2, 316, 12_000_00, "窖泥微生物组检测", "accepted"),
    Scene(11, 3, 318, 14_000_00, "收割机割刀耐磨试验", "placed"),
)
COUNTER = (
    Scene(10, 0, 130, 15_000_00, "电解液水分检测", "captured"),
    Scene(4, 0, 240, 9_800_00, "液压油颗粒度检测", "captured"),
    Scene(9, 0, 306, 12_600_00, "铸件无损探伤", "captured"),
    Scene(0, 0, 309, 6_400_00, "芯片金线拉力试验", "expired"),
    Scene(3, 0, 313, 8_000_00, "培养基成分复检", "rejected"),
    Scene(5, 2, 315, 5_000_00, "井下油样检测", "called off"),
)
