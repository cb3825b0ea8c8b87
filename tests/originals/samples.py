"""Original invoices made to the published layouts. SAMPLES.md says where each layout is written down."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass

BUYER, SELLER = "91140100MA0K12345Y", "12140000405700321L"
BUYER_NAME, SELLER_NAME = "晋源精密科技有限公司", "山西省某重点实验室依托大学"
DIGITAL = "26142000000123456789"
BOM = "\ufeff"
OLD_CODE, OLD_NUMBER = "014002100111", "12345678"


@dataclass(frozen=True, slots=True)
class Said:
    """What an invoice says, as text in yuan."""

    number: str = DIGITAL
    code: str = ""
    day: str = "2026-05-08"
    net: str = "28301.89"
    tax: str = "1698.11"
    total: str = "30000.00"
    item: str = "*研发和技术服务*检测费"
    buyer: str = BUYER
    seller: str = SELLER


def digital_xml(said: Said = Said(), encoding: str = "UTF-8") -> bytes:
    """数电发票 XML: EInvoice with header, data, and what the tax bureau adds."""
    return f"""<?xml version="1.0" encoding="{encoding}"?>
<EInvoice><Header><EIid>{said.number}</EIid><EInvoiceTag>SWEI3200</EInvoiceTag><Version>0.31</Version>
<InherentLabel><InIssuType><LabelCode>Y</LabelCode><LabelName>是否蓝字发票标志</LabelName></InIssuType>
<EInvoiceType><LabelCode>01</LabelCode><LabelName>电子发票</LabelName></EInvoiceType>
<GeneralOrSpecialVAT><LabelCode>02</LabelCode><LabelName>普通发票</LabelName></GeneralOrSpecialVAT></InherentLabel>
</Header><EInvoiceData><SellerInformation><SellerIdNum>{said.seller}</SellerIdNum>
<SellerName>{SELLER_NAME}</SellerName><SellerAddr/><SellerTelNum/></SellerInformation>
<BuyerInformation><BuyerIdNum>{said.buyer}</BuyerIdNum><BuyerName>{BUYER_NAME}</BuyerName></BuyerInformation>
<BasicInformation><TotalAmWithoutTax>{said.net}</TotalAmWithoutTax><TotalTaxAm>{said.tax}</TotalTaxAm>
<TotalTax-includedAmount>{said.total}</TotalTax-includedAmount>
<TotalTax-includedAmountInChinese>叁万圆整</TotalTax-includedAmountInChinese><Drawer>王一</Drawer>
<RequestTime>{said.day} 10:20:30</RequestTime></BasicInformation>
<IssuItemInformation><ItemName>{said.item}</ItemName><SpecMod/><MeaUnits>次</MeaUnits><Quantity>1</Quantity>
<UnPrice>{said.net}</UnPrice><Amount>{said.net}</Amount><TaxRate>0.06</TaxRate><ComTaxAm>{said.tax}</ComTaxAm>
<TotaltaxIncludedAmount>{said.total}</TotaltaxIncludedAmount></IssuItemInformation>
<SpecificInformation/><AdditionalInformation><Remark/></AdditionalInformation></EInvoiceData>
<SellerAuthentication><AuthenticationMethods>01</AuthenticationMethods></SellerAuthentication>
<TaxSupervisionInfo><InvoiceNumber>{said.number}</InvoiceNumber><IssueTime>{said.day}</IssueTime>
<TaxBureauCode>11400000000</TaxBureauCode><TaxBureauName>国家税务总局山西省税务局</TaxBureauName>
</TaxSupervisionInfo></EInvoice>""".encode(encoding)


OLD = Said(number=OLD_NUMBER, code=OLD_CODE, day="2021年05月08日")


def old_xml(said: Said = OLD) -> bytes:
    """The attachment original_invoice.xml of an OFD invoice with code and number (schema e-invoice/2019)."""
    return f"""<?xml version="1.0" encoding="utf-8"?>
<eInvoice xmlns:fp="http://www.edrm.org.cn/schema/e-invoice/2019" Version="1.0">
<fp:DocID>01</fp:DocID><fp:AreaCode>1400</fp:AreaCode><fp:TypeCode>0</fp:TypeCode>
<fp:InvoiceCode>{said.code}</fp:InvoiceCode><fp:InvoiceNo>{said.number}</fp:InvoiceNo>
<fp:IssueDate>{said.day}</fp:IssueDate><fp:InvoiceCheckCode>01731581649436515692</fp:InvoiceCheckCode>
<fp:MachineNo>016000003072</fp:MachineNo>
<fp:Buyer><fp:BuyerName>{BUYER_NAME}</fp:BuyerName><fp:BuyerTaxID>{said.buyer}</fp:BuyerTaxID></fp:Buyer>
<fp:Seller><fp:SellerName>{SELLER_NAME}</fp:SellerName><fp:SellerTaxID>{said.seller}</fp:SellerTaxID></fp:Seller>
<fp:TaxInclusiveTotalAmount>{said.total}</fp:TaxInclusiveTotalAmount>
<fp:TaxTotalAmount>{said.tax}</fp:TaxTotalAmount>
<fp:TaxExclusiveTotalAmount>{said.net}</fp:TaxExclusiveTotalAmount>
<fp:GoodsInfos><fp:GoodsInfo><fp:LineNo>1</fp:LineNo><fp:Item>{said.item}</fp:Item>
<fp:Amount>{said.net}</fp:Amount><fp:TaxScheme>6%</fp:TaxScheme><fp:TaxAmount>{said.tax}</fp:TaxAmount>
</fp:GoodsInfo></fp:GoodsInfos></eInvoice>""".encode()


_OFD = 'xmlns:ofd="http://www.ofdspec.org/2016"'


def package(parts: Mapping[str, bytes]) -> bytes:
    """A zip of these parts."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()


def _top(custom: str = "") -> bytes:
    return f"""<?xml version="1.0" encoding="UTF-8"?><ofd:OFD {_OFD} DocType="OFD" Version="1.1"><ofd:DocBody>
<ofd:DocInfo><ofd:DocID>c9d1</ofd:DocID><ofd:CustomDatas>{custom}</ofd:CustomDatas></ofd:DocInfo>
<ofd:DocRoot>Doc_0/Document.xml</ofd:DocRoot></ofd:DocBody></ofd:OFD>""".encode()


def _document(more: str) -> bytes:
    return f"""<?xml version="1.0" encoding="UTF-8"?><ofd:Document {_OFD}><ofd:CommonData>
<ofd:MaxUnitID>99</ofd:MaxUnitID></ofd:CommonData><ofd:Pages><ofd:Page ID="1" BaseLoc="Pages/Page_0/Content.xml"/>
</ofd:Pages>{more}</ofd:Document>""".encode()


def _content(texts: Mapping[str, str]) -> bytes:
    objects = "".join(
        f'<ofd:TextObject ID="{number}" Boundary="0 0 50 5" Font="3" Size="3">'
        f'<ofd:TextCode X="0" Y="3">{text}</ofd:TextCode></ofd:TextObject>'
        for number, text in texts.items()
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?><ofd:Page {_OFD}><ofd:Content><ofd:Layer ID="2">{objects}
</ofd:Layer></ofd:Content></ofd:Page>""".encode()


def ofd_with_attachment(attached: bytes | None = None, name: str = "original_invoice.xml") -> bytes:
    """An OFD invoice that carries the invoice itself as an attachment."""
    listing = f"""<?xml version="1.0" encoding="UTF-8"?><ofd:Attachments {_OFD}>
<ofd:Attachment ID="1" Name="original_invoice" Format="xml" Visible="false"><ofd:FileLoc>{name}</ofd:FileLoc>
</ofd:Attachment></ofd:Attachments>""".encode()
    return package(
        {
            "OFD.xml": _top(),
            "Doc_0/Document.xml": _document("<ofd:Attachments>Attachs/Attachments.xml</ofd:Attachments>"),
            "Doc_0/Pages/Page_0/Content.xml": _content({"7": "电子发票"}),
            "Doc_0/Attachs/Attachments.xml": listing,
            f"Doc_0/Attachs/{name}": old_xml() if attached is None else attached,
        }
    )


def ofd_with_tags(said: Said = Said()) -> bytes:
    """An OFD invoice whose tags point at the texts on its page, as 数电发票 have them."""
    texts = {
        "InvoiceNo": said.number,
        "IssueDate": "2026年05月08日",
        "BuyerName": BUYER_NAME,
        "BuyerTaxID": said.buyer,
        "SellerName": SELLER_NAME,
        "SellerTaxID": said.seller,
        "TaxExclusiveTotalAmount": f"¥{said.net}",
        "TaxTotalAmount": f"¥{said.tax}",
        "TaxInclusiveTotalAmount": f"¥{said.total}",
    }
    places = {name: str(20 + place) for place, name in enumerate(texts)}
    tags = "".join(
        f'<ofd:{name}><ofd:ObjectRef PageRef="1">{place}</ofd:ObjectRef></ofd:{name}>'
        for name, place in places.items()
    )
    return package(
        {
            "OFD.xml": _top(),
            "Doc_0/Document.xml": _document("<ofd:CustomTags>Tags/CustomTags.xml</ofd:CustomTags>"),
            "Doc_0/Pages/Page_0/Content.xml": _content({places[name]: text for name, text in texts.items()}),
            "Doc_0/Tags/CustomTags.xml": (
                f'<ofd:CustomTags {_OFD}><ofd:CustomTag TypeID="0"><ofd:FileLoc>CustomTag.xml</ofd:FileLoc>'
                "</ofd:CustomTag></ofd:CustomTags>"
            ).encode(),
            "Doc_0/Tags/CustomTag.xml": f'<ofd:root {_OFD} type="VAT">{tags}</ofd:root>'.encode(),
        }
    )


def ofd_with_data(said: Said = Said()) -> bytes:
    """An OFD invoice that says its few key fields in OFD.xml alone."""
    custom = {
        "发票号码": said.number,
        "开票日期": "2026年05月08日",
        "合计金额": said.net,
        "合计税额": said.tax,
        "购买方纳税人识别号": said.buyer,
        "销售方纳税人识别号": said.seller,
    }
    written = "".join(
        f'<ofd:CustomData Name="{name}">{text}</ofd:CustomData>' for name, text in custom.items()
    )
    return package(
        {
            "OFD.xml": _top(written),
            "Doc_0/Document.xml": _document(""),
            "Doc_0/Pages/Page_0/Content.xml": _content({"7": "电子发票"}),
        }
    )


def text_pdf(lines: list[str], information: Mapping[str, str] | None = None) -> bytes:
    """A PDF with a text layer in Chinese: a composite font in UTF-16, as the predefined CMap has it."""
    drawn = "".join(
        f"1 0 0 1 40 {800 - 18 * place} Tm <{line.encode('utf-16-be').hex()}> Tj\n"
        for place, line in enumerate(lines)
    )
    drawing = f"BT /F1 10 Tf\n{drawn}ET".encode("ascii")
    entries = "".join(
        f"/{name.replace('-', '#2D')} <{(BOM + text).encode('utf-16-be').hex()}> "
        for name, text in (information or {}).items()
    )
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        (
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
            b"/Resources << /Font << /F1 5 0 R >> >> >>"
        ),
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(drawing), drawing),
        (
            b"<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light /Encoding /UniGB-UTF16-H "
            b"/DescendantFonts [6 0 R] >>"
        ),
        (
            b"<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light "
            b"/CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement 4 >> /DW 1000 >>"
        ),
        b"<< %b >>" % entries.encode("ascii"),
    ]
    out = bytearray(b"%PDF-1.4\n")
    places = []
    for number, body in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    tail = b"trailer\n<< /Size %d /Root 1 0 R /Info 7 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1,
        len(out),
    )
    return bytes(out + b"xref\n0 %d\n0000000000 65535 f \n%b%b" % (len(objects) + 1, table, tail))


def digital_lines(said: Said = Said()) -> list[str]:
    """The text layer of a 数电发票 in PDF, line by line."""
    return [
        "电子发票（普通发票）",
        f"发票号码：{said.number}",
        "开票日期：2026年05月08日",
        "购买方信息 销售方信息",
        f"名称：{BUYER_NAME} 名称：{SELLER_NAME}",
        f"统一社会信用代码/纳税人识别号：{said.buyer}",
        f"统一社会信用代码/纳税人识别号：{said.seller}",
        "项目名称 规格型号 单位 数量 单价 金额 税率/征收率 税额",
        f"{said.item} 次 1 {said.net} {said.net} 6% {said.tax}",
        f"合 计 ¥{said.net} ¥{said.tax}",
        f"价税合计（大写） 叁万圆整 （小写）¥{said.total}",
    ]


def old_lines(said: Said = OLD) -> list[str]:
    """The text layer of an older electronic invoice: the values stand apart from most of their labels."""
    return [
        "山西增值税电子普通发票",
        "机器编号： 购 买 方 名 称: 纳税人识别号: 密 码 区",
        f"发票代码:{said.code}",
        f"发票号码:{said.number}",
        "开票日期:2021 年05 月08 日",
        "校 验 码:01731 58164 94365 15692",
        f"{said.item} 6%",
        f"¥{said.net} ¥{said.tax}",
        f"叁万圆整 ¥{said.total}",
        f"{said.buyer}",
        f"{said.seller}",
    ]
