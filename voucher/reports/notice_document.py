"""A public notice as a document of its own, for the bureau's site or wall: one HTML file, or a .docx."""

from __future__ import annotations

from io import BytesIO
from typing import Final

from docx import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml.ns import qn
from docx.shared import Pt
from markupsafe import Markup, escape

from voucher.money import Fen, format_yuan
from voucher.queries.notices import NoticeFile, PublishedLine

DOCX: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
HEADS: Final = ("序号", "申请编号", "企业", "服务机构", "服务内容", "合同金额（元）", "拟补助金额（元）")
_STYLE: Final = (
    "body{font-family:'Songti SC','SimSun','Noto Serif CJK SC',serif;max-width:60rem;margin:2rem auto;padding:0 1rem;"
    "line-height:1.7}h1{text-align:center;font-size:1.5rem}table{border-collapse:collapse;width:100%}"
    "th,td{border:1px solid #333;padding:.35rem .5rem;text-align:left}td.n,th.n{text-align:right;white-space:nowrap}"
    "thead{display:table-header-group}tr{break-inside:avoid}.sign{text-align:right;margin-top:2rem}"
    "@page{size:A4 landscape;margin:15mm}"
)
_MONEY: Final = 5


def paragraphs(file: NoticeFile) -> list[str]:
    """What stands above the table."""
    notice = file.notice
    days = f"{notice.from_on.isoformat()} 至 {notice.to_on.isoformat()}（{notice.working_days} 个工作日）"
    of_programme = f"{file.programme_name}" if file.programme_name else ""
    return [
        f"公示编号：{notice.number}",
        f"按照{of_programme}有关规定，现将{file.kind.label}予以公示，公示期：{days}。",
        "公示期内如有异议，请以书面、电话或网上方式实名提出，并说明理由、提供依据。",
        f"受理单位及联系方式：{notice.authority}，{notice.contact}",
    ]


def html_document(file: NoticeFile) -> str:
    """The whole notice as one printable file that asks for nothing else."""
    heads = Markup("").join(
        Markup("<th{}>{}</th>").format(Markup(' class="n"') if place >= _MONEY else "", head)
        for place, head in enumerate(HEADS)
    )
    rows = Markup("").join(_html_row(line) for line in file.lines)
    above = Markup("").join(Markup("<p>{}</p>").format(text) for text in paragraphs(file))
    page = Markup(
        '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>{title}</title><style>{style}</style>'
        "</head><body><h1>{title}</h1>{above}<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
        '<p class="sign">{authority}<br>{day}</p></body></html>\n'
    ).format(
        title=file.notice.title,
        style=Markup(_STYLE),  # noqa: S704 (a constant)
        above=above,
        heads=heads,
        rows=rows,
        authority=file.notice.authority,
        day=file.notice.from_on.isoformat(),
    )
    return str(page)


def docx_document(file: NoticeFile) -> bytes:
    """The same as a .docx, with Chinese fonts named."""
    document = Document()
    style = document.styles["Normal"]
    style.font.name, style.font.size = "宋体", Pt(11)
    style.element.rPr.rFonts.set(qn("w:eastAsia"), "宋体")
    heading = document.add_paragraph()
    heading.alignment = WD_ALIGN_PARAGRAPH.CENTER
    run = heading.add_run(file.notice.title)
    run.bold, run.font.size = True, Pt(16)
    for text in paragraphs(file):
        document.add_paragraph(text)
    table = document.add_table(rows=1, cols=len(HEADS))
    table.style = "Table Grid"
    for cell, head in zip(table.rows[0].cells, HEADS, strict=True):
        cell.text = head
    for line in file.lines:
        for place, (cell, text) in enumerate(zip(table.add_row().cells, cells(line), strict=True)):
            cell.text = text
            if place >= _MONEY:
                cell.paragraphs[0].alignment = WD_ALIGN_PARAGRAPH.RIGHT
    signed = document.add_paragraph(f"{file.notice.authority}\n{file.notice.from_on.isoformat()}")
    signed.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    out = BytesIO()
    document.save(out)
    return out.getvalue()


def cells(line: PublishedLine) -> tuple[str, ...]:
    """One line of the table, as text."""
    amounts = (line.contract_fen, line.subsidy_fen)
    shown = ("—" if fen is None else format_yuan(Fen(fen)) for fen in amounts)
    return (str(line.seq), line.subject, line.enterprise, line.provider, line.service, *shown)


def _html_row(line: PublishedLine) -> Markup:
    parts = Markup("").join(
        Markup("<td{}>{}</td>").format(Markup(' class="n"') if place >= _MONEY else "", escape(text))
        for place, text in enumerate(cells(line))
    )
    return Markup("<tr>{}</tr>").format(parts)
