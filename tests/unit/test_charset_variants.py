"""Charsets: undeclared, wrong, and damaged."""

from __future__ import annotations

import pytest

from tests.page_builder import Variant, Variants, page

VARIANTS = Variants()

ru = (
    "<p>Портовый совет во вторник вечером решил заново построить восточный волнорез: за две зимы штормы разрушили более сорока метров старой каменной стены и затопили рыбный рынок.</p>"
    * 3
)
rupage = (
    "<html><head><title>Совет решил построить волнорез</title></head><body><article><h1>Совет решил построить волнорез</h1>"
    + ru
    + "</article></body></html>"
)
VARIANTS.add("enc 1251", rupage.encode("cp1251"), cfg=dict(languages=["ru"]), headline="Совет решил построить волнорез")
VARIANTS.add("enc koi8", rupage.encode("koi8_r"), cfg=dict(languages=["ru"]), headline="Совет решил построить волнорез")
VARIANTS.add(
    "enc 1251 nolang", rupage.encode("cp1251"), cfg=dict(languages=[]), headline="Совет решил построить волнорез"
)
VARIANTS.add(
    "enc utf16le header",
    rupage.encode("utf-16-le"),
    "text/html; charset=utf-16",
    cfg=dict(languages=["ru"]),
    headline="Совет решил построить волнорез",
)
VARIANTS.add(
    "enc utf16be header",
    rupage.encode("utf-16-be"),
    "text/html; charset=utf-16be",
    cfg=dict(languages=["ru"]),
    headline="Совет решил построить волнорез",
)
zh = (
    "<html><head><title>港务委员会决定重建防波堤</title></head><body><article><h1>港务委员会决定重建防波堤</h1>"
    + "<p>港务委员会星期二晚间投票决定重建东防波堤。过去两个冬天，风暴冲毁了四十多米旧石墙，并淹没了鱼市。</p>" * 4
    + "</article></body></html>"
)
VARIANTS.add("enc gbk", zh.encode("gbk"), cfg=dict(languages=["zh"]), headline="港务委员会决定重建防波堤")
VARIANTS.add("enc gbk nolang", zh.encode("gbk"), cfg=dict(languages=[]), headline="港务委员会决定重建防波堤")
VARIANTS.add(
    "enc gb18030 meta",
    zh.replace("<head>", "<head><meta charset=gb2312>").encode("gb18030"),
    cfg=dict(languages=["zh"]),
    headline="港务委员会决定重建防波堤",
)
b5 = (
    "<html><head><title>港務委員會</title></head><body><article><h1>港務委員會決定重建</h1>"
    + "<p>港務委員會星期二晚間投票決定重建東防波堤。過去兩個冬天，風暴沖毀了四十多米舊石牆。</p>" * 4
    + "</article></body></html>"
)
VARIANTS.add("enc big5", b5.encode("big5"), cfg=dict(languages=["zh-TW"]), headline="港務委員會決定重建")
ja = (
    "<html><head><title>東の防波堤を再建へ</title></head><body><article><h1>東の防波堤を再建へ</h1>"
    + "<p>港湾委員会は火曜日の夜、東の防波堤を建て直す計画を可決した。二度の冬の嵐で古い石積みの四十メートル以上が崩れ、魚市場が浸水していた。</p>"
    * 4
    + "</article></body></html>"
)
VARIANTS.add("enc sjis nolang", ja.encode("shift_jis"), cfg=dict(languages=[]), headline="東の防波堤を再建へ")
VARIANTS.add("enc eucjp", ja.encode("euc_jp"), cfg=dict(languages=["ja"]), headline="東の防波堤を再建へ")
VARIANTS.add(
    "enc euckr",
    "<html><head><title>항만</title></head><body><article><h1>항만 위원회 방파제 재건</h1>".encode("euc_kr")
    + (
        "<p>항만 위원회는 화요일 저녁 동쪽 방파제를 재건하기로 표결했다. 두 차례의 겨울 폭풍이 오래된 돌담을 무너뜨렸다.</p>"
        * 4
    ).encode("euc_kr"),
    cfg=dict(languages=["ko"]),
    headline="항만 위원회 방파제 재건",
)
fr = page(
    h1="<h1>Le comité réuni à Écluse</h1>",
    title="Le comité réuni à Écluse",
    body="<p>Le comité du port, réuni à Écluse, a voté mardi soir la reconstruction de la digue, après deux hivers où les tempêtes ont emporté quarante mètres.</p>"
    * 3,
    lang="fr",
)
VARIANTS.add(
    "enc latin1 undeclared",
    fr.replace('<meta charset="utf-8">', "").encode("latin-1"),
    cfg=dict(languages=["fr"]),
    headline="Le comité réuni à Écluse",
)
VARIANTS.add(
    "enc latin1 wrong utf8 meta", fr.encode("latin-1"), cfg=dict(languages=["fr"]), headline="Le comité réuni à Écluse"
)
pl = (
    "<html lang=pl><head><title>Rada</title></head><body><article><h1>Rada zdecydowała odbudować falochron</h1>"
    + "<p>Rada portu we wtorek wieczorem zagłosowała za odbudową wschodniego falochronu, ponieważ w ciągu dwóch zim sztormy zniszczyły ponad czterdzieści metrów muru.</p>"
    * 3
)
VARIANTS.add(
    "enc pl 1250",
    pl.encode("cp1250"),
    cfg=dict(languages=["pl"]),
    headline="Rada zdecydowała odbudować falochron",
    body_in=["zagłosowała za odbudową"],
)
VARIANTS.add("enc pl iso2", pl.encode("iso8859_2"), cfg=dict(languages=["pl"]), body_in=["zagłosowała za odbudową"])
VARIANTS.add(
    "garbage", page(body="<p>" + "x\ufffd\ufffd\ufffd y" * 80 + "</p>"), outcome=("quarantined", "extraction_empty")
)


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.name)
def test_charset_variant_is_read(variant: Variant) -> None:
    variant.check()
