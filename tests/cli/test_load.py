"""`voucher load` and the commands beside it, on the same database as the pages."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import func, select

from tests.factories import FOLDER
from voucher.cli import main
from voucher.clock import fiscal_year
from voucher.codes import make_uscc
from voucher.db import Database
from voucher.models.parties import Organisation, Qualification
from voucher.models.people import Person
from voucher.models.vouchers import Voucher

FIRM, HOST = make_uscc("140105", 880_001), make_uscc("140100", 880_002, kind="12")
PASSWORD = "Taiyuan-2026-Fen"
FILE: dict[str, Any] = {
    "divisions": True,
    "books": [{"code": "140000", "authority": "山西省财政厅"}],
    "regions": [{"parent_code": "140100", "suffix": "GXQ", "name": "太原高新区"}],
    "organisations": [
        {"uscc": FIRM, "name": "晋科有限公司", "region_code": "140105", "holder": True},
        {"uscc": HOST, "name": "晋测研究院", "region_code": "140100-GXQ"},
    ],
    "platforms": [
        {"host_uscc": HOST, "name": "晋测中心", "kind": "testing_center", "region_code": "140100-GXQ"}
    ],
    "affiliations": [
        {"one_uscc": FIRM, "other_uscc": HOST, "kind": "shareholding", "source": "企业年报"},
    ],
    "people": [
        {
            "login": "officer",
            "name": "主管",
            "password": PASSWORD,
            "roles": [{"role": "programme_officer", "region_code": "140000", "book": "140000"}],
        },
        {
            "login": "second",
            "name": "副主管",
            "password": PASSWORD,
            "roles": [{"role": "programme_officer", "region_code": "140000", "book": "140000"}],
        },
        {
            "login": "scanner",
            "name": "收券员",
            "password": PASSWORD,
            "roles": [{"role": "provider_scanner", "uscc": HOST, "platform": "晋测中心"}],
        },
    ],
    "programmes": [
        {
            "policy": str(FOLDER / "shanxi-2022.toml"),
            "fills": [str(FOLDER / "fills" / "shanxi-2022-demo.toml")],
            "book": "140000",
        }
    ],
    "certifications": [
        {
            "host_uscc": HOST,
            "platform": "晋测中心",
            "certifier": "science",
            "region_code": "140000",
            "kinds": ["innovation_voucher"],
            "services": ["technical_cooperation"],
            "document_no": "晋科认〔2026〕1号",
            "from_on": "2026-01-01",
        }
    ],
    "budgets": [],
    "roster": [],
    "qualifications": [{"programme": "CN-140000-INNO", "holder": FIRM}],
    "vouchers": [{"line": "L1", "holder": FIRM, "face_fen": 50_000_00}],
}


@pytest.fixture(autouse=True)
def environment(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def file_of(folder: Path, **changes: Any) -> str:
    with_year = deepcopy(FILE)
    year = changes.pop("year")
    with_year["budgets"] = [
        {
            "code": "L1",
            "programme": "CN-140000-INNO",
            "year": year,
            "name": "创新券资金",
            "documents": [{"document_no": "晋财教〔2026〕1号", "amount_fen": 1_000_000_00}],
        }
    ]
    with_year["roster"] = [
        {"year": year, "uscc": FIRM, "name": "晋科有限公司", "roster_no": "R1", "region_code": "140105"}
    ]
    path = folder / "load.json"
    path.write_text(json.dumps({**with_year, **changes}, ensure_ascii=False), "utf-8")
    return str(path)


@pytest.fixture
def year(database: Database) -> int:
    return database.transaction(lambda s, at: fiscal_year(at))


def test_a_whole_installation_is_loaded_from_one_file_once(
    database: Database, tmp_path: Path, year: int
) -> None:
    path = file_of(tmp_path, year=year)
    first = run("load", path, "--by", "officer", "--second", "second")
    assert first.exit_code == 0, first.output
    made = json.loads(first.stdout)
    assert made["divisions"] == 3_215 and made["regions"] == ["140100-GXQ"]
    assert set(made["organisations"]) == {FIRM, HOST} and len(made["vouchers"]) == 1
    assert made["affiliations"] == 1
    assert made["programmes"] == ["CN-140000-INNO-2022"] and set(made["people"]) == {
        "officer",
        "second",
        "scanner",
    }
    again = run("load", path, "--by", "officer", "--second", "second")
    assert json.loads(again.stdout) == made
    with database.read() as session:
        counts = [
            session.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (Organisation, Person, Qualification, Voucher)
        ]
        assert counts == [2, 3, 1, 1]
        assert session.scalars(select(Voucher.number)).one() == made["vouchers"][0]


def test_every_error_of_a_file_is_named_and_nothing_is_loaded(
    database: Database, tmp_path: Path, year: int
) -> None:
    people = [{"login": "x", "name": "", "password": "short"}]
    vouchers = [
        {"line": "L1", "holder": FIRM, "face_fen": 1.5},
        {"line": "L1", "holder": FIRM, "face_fen": True},
    ]
    broken = file_of(
        tmp_path, year=year, people=people, vouchers=vouchers, agreements=[], organisations=[{"uscc": "X"}]
    )
    answer = run("load", broken, "--by", "officer", "--second", "second")
    assert answer.exit_code == 1
    named = {line.split("：")[0] for line in answer.stderr.splitlines()}
    assert named == {
        "agreements",
        "people.0.name",
        "organisations.0.uscc",
        "organisations.0.name",
        "organisations.0.region_code",
        "vouchers.0.face_fen",
        "vouchers.1.face_fen",
    }
    with database.read() as session:
        assert session.execute(select(func.count()).select_from(Organisation)).scalar_one() == 0


def test_a_refusal_in_the_last_section_takes_the_first_one_back(
    database: Database, tmp_path: Path, year: int
) -> None:
    greedy = file_of(tmp_path, year=year, vouchers=[{"line": "L1", "holder": FIRM, "face_fen": 200_000_01}])
    answer = run("load", greedy, "--by", "officer", "--second", "second")
    assert answer.exit_code == 2 and "face_out_of_range" in answer.stderr
    with database.read() as session:
        assert session.execute(select(func.count()).select_from(Organisation)).scalar_one() == 0


def test_a_file_that_spends_or_admits_needs_somebody_who_answers_for_it(tmp_path: Path, year: int) -> None:
    answer = run("load", file_of(tmp_path, year=year))
    assert answer.exit_code == 2 and "--by" in answer.stderr
    answer = run("load", file_of(tmp_path, year=year), "--by", "officer")
    assert answer.exit_code == 2 and "--second" in answer.stderr


def test_what_is_no_json_is_said_so(tmp_path: Path) -> None:
    for content in (b"{", b"\xff", b"[" * 200_000, b"[]"):
        (tmp_path / "bad.json").write_bytes(content)
        assert run("load", str(tmp_path / "bad.json")).exit_code == 1


def test_the_commands_of_policy_budget_book_and_roster(tmp_path: Path, year: int) -> None:
    policy = str(FOLDER / "shanxi-2022.toml")
    fill = str(FOLDER / "fills" / "shanxi-2022-demo.toml")
    bare = run("policy", "check", policy)
    assert bare.exit_code == 1 and "rate_lines" in bare.output
    assert run("policy", "check", policy, "--fill", fill).exit_code == 0
    maker = {
        "login": "maker",
        "name": "经办",
        "password": PASSWORD,
        "roles": [{"role": role, "book": "140000"} for role in ("finance_maker", "finance_checker")],
    }
    path = file_of(
        tmp_path,
        year=year,
        people=[*FILE["people"], maker],
        programmes=[],
        budgets=[],
        qualifications=[],
        vouchers=[],
    )
    assert run("load", path, "--by", "officer", "--second", "second").exit_code == 0
    asked = ("policy", "publish", policy, "--fill", fill, "--book", "140000", "--by")
    assert "not_permitted" in run(*asked, "maker", "--second", "second").stderr
    assert "not_permitted" in run(*asked, "officer", "--second", "maker").stderr
    assert "self_approval" in run(*asked, "officer", "--second", "officer").stderr
    assert run(*asked, "officer", "--second", "second").exit_code == 0
    assert "policy_exists" in run(*asked, "officer", "--second", "second").stderr
    for code in ("L1", "L2"):
        opened = run(
            "budget",
            "open",
            code,
            "--programme",
            "CN-140000-INNO",
            "--year",
            str(year),
            "--name",
            code,
            "--by",
            "maker",
        )
        assert opened.exit_code == 0, opened.output
    funded = ("budget", "fund", "L1", "1,000.50", "--document", "晋财教〔2026〕1号", "--by", "maker")
    assert run(*funded).exit_code == 0 and "此前已入账" in run(*funded).output
    assert run("budget", "allot", "L1", "L2", "1000.5", "--document", "分1", "--by", "maker").exit_code == 0
    too_much = run("budget", "allot", "L1", "L2", "0.01", "--document", "分2", "--by", "maker")
    assert "budget_exceeded" in too_much.stderr
    assert run("budget", "fund", "L1", "1e3", "--document", "x", "--by", "maker").exit_code == 2
    assert run("book", "close", "140000", "--through", f"{year - 1}-12-31", "--by", "maker").exit_code == 0
    roster = tmp_path / "名单.csv"
    roster.write_bytes(
        f"企业名称,统一社会信用代码,登记编号,地区\n新企业,{HOST},R9,140105\n".encode("gb18030")
    )
    options = (str(roster), "--year", str(year), "--by", "officer")
    assert "新增 1 家" in run("roster", "preview", *options).output
    assert run("roster", "import", *options).exit_code == 0
    assert "没有变化" in run("roster", "import", *options).output
    roster.write_text(f"企业名称,统一社会信用代码,登记编号,地区\n,{FIRM},R9,月球\n", "utf-8")
    assert run("roster", "preview", *options).exit_code == 1
    assert "roster_invalid" in run("roster", "import", *options).stderr
