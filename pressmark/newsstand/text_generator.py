"""Invented news prose in seven languages. It is the same in every run.

Sentences are assembled from parts. Two articles therefore share words and phrases, as articles of one newsroom do,
without being copies of each other.
"""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Language:
    """The parts of headlines and sentences in one language.

    A sentence has one part from each column of `columns`, joined by `space` and followed by `stop`.
    """

    headline: tuple[str, ...]
    columns: tuple[tuple[str, ...], ...]
    places: tuple[str, ...]
    people: tuple[str, ...]
    subjects: tuple[str, ...]
    space: str = " "
    stop: str = "."


ENGLISH = Language(
    headline=(
        "{place} council votes on {subject}",
        "{person} calls for a new look at {subject}",
        "What the dispute over {subject} means for {place}",
        "{place} reopens its debate about {subject}",
        "Why {subject} divides {place}",
    ),
    columns=(
        ("on Thursday evening", "after {number} hours of debate", "in year {number} of the dispute",
         "before a full gallery", "to the surprise of most observers", "only weeks before the vote",
         "while rain fell on {place}", "in a letter of {number} pages", "for the third time since spring",
         "in front of the old town hall", "despite a warning from {place}", "as the session drew to its end"),
        ("{person} asked the committee", "the council of {place} decided", "a spokesman for {person} promised",
         "residents of {place} demanded", "the harbour office proposed", "{number} shopkeepers signed a plea",
         "the opposition under {person} refused", "an engineer from {place} offered", "the auditors recommended",
         "{person} and {person} agreed", "a small majority voted", "the ferry company threatened"),
        ("to postpone the repair of {subject}", "to pay for {subject} out of the reserve",
         "to open {subject} to visitors", "to sell {subject} to {place}", "to measure {subject} once more",
         "to name {subject} after {person}", "to rebuild {subject} in brick", "to hand {subject} to a trust",
         "to close {subject} during winter", "to count the cost of {subject}", "to protect {subject} by law",
         "to ask the neighbours about {subject}"),
        ("because the money had run out", "although {person} had advised against it",
         "so that nobody would lose by it", "which took {number} minutes to explain", "without a word about the price",
         "as {place} did {number} years ago", "until a better plan is found", "and nobody in {place} objected",
         "which {person} called a modest beginning", "at a cost of {number} thousand crowns",
         "unless the tide gauges say otherwise", "with the help of volunteers from {place}"),
    ),
    places=("Harwick", "Port Ellery", "Dunmore Bay", "Ashcombe", "Lower Tamsin", "Greyfield", "Saltmarsh", "Kettle Row"),
    people=("Maud Ferrier", "Tobias Lund", "Ines Calloway", "Peter Oakes", "Ruth Adeyemi", "Colm Brannigan", "Vera Stoll"),
    subjects=(
        "the harbour bridge", "night trains", "the school roofs", "the tidal mill", "the fishing quotas",
        "the old library", "the ferry timetable", "the lighthouse road", "the fish market",
    ),
)  # fmt: skip
GERMAN = Language(
    headline=(
        "{place} streitet über {subject}",
        "{person} fordert Klarheit über {subject}",
        "Warum {subject} die Menschen in {place} bewegt",
        "{place} vertagt den Streit um {subject}",
    ),
    columns=(
        ("am Donnerstagabend hat", "nach {number} Stunden Beratung hat", "zum dritten Mal in diesem Jahr hat",
         "vor vollen Rängen hat", "trotz des Regens über {place} hat", "kurz vor der Sommerpause hat",
         "in einem Brief von {number} Seiten hat", "zur Überraschung der Zuhörer hat", "im Rathaus von {place} hat",
         "wenige Wochen vor der Wahl hat", "ohne lange Vorrede hat"),
        ("{person} den Ausschuss gebeten,", "der Gemeinderat von {place} beschlossen,", "die Opposition verlangt,",
         "ein Sprecher von {person} zugesagt,", "die Verwaltung vorgeschlagen,", "ein Bündnis aus {number} Vereinen gefordert,",
         "das Bauamt von {place} angekündigt,", "{person} den Anwohnern versprochen,", "eine knappe Mehrheit dafür gestimmt,",
         "der Rechnungshof empfohlen,", "{person} gemeinsam mit {person} angeregt,"),
        ("{subject} noch einmal vermessen zu lassen", "{subject} aus der Rücklage zu bezahlen",
         "{subject} im Winter zu schließen", "{subject} an {place} zu übergeben", "{subject} unter Schutz zu stellen",
         "{subject} nach {person} zu benennen", "{subject} den Besuchern zu öffnen", "{subject} neu auszuschreiben",
         "{subject} um {number} Meter zu verlegen", "{subject} den Vereinen zu überlassen", "{subject} gründlich zu erneuern"),
        ("obwohl {person} davon abgeraten hatte", "weil das Geld nicht reicht", "wie es {place} vor {number} Jahren tat",
         "was {person} einen Anfang nannte", "ohne ein Wort über den Preis", "bis ein besserer Plan vorliegt",
         "und niemand in {place} widersprach", "für {number} tausend Kronen", "mit Hilfe von Freiwilligen aus {place}",
         "damit keiner das Nachsehen hat", "sofern die Nachbarn zustimmen"),
    ),
    places=("Altmühlbach", "Neuhagen", "Sankt Veith", "Oberlohe", "Birkenau", "Wiesenthal", "Kirchfurt"),
    people=("Hanna Reuter", "Jakob Wendt", "Miriam Scholl", "Ulrich Brandl", "Edda Kranz", "Veit Osterloh"),
    subjects=("die Seilbahn", "das alte Stellwerk", "die Buslinie sieben", "das Hallenbad", "die Stadtmauer",
              "die Markthalle", "das Wehr"),
)  # fmt: skip
ARABIC = Language(
    headline=(
        "مجلس {place} يناقش {subject}",
        "{person} يدعو إلى مراجعة {subject}",
        "ماذا يعني الخلاف حول {subject} لسكان {place}",
    ),
    columns=(
        ("مساء الخميس", "بعد {number} ساعات من النقاش", "للمرة الثالثة هذا العام", "أمام قاعة مكتظة",
         "في رسالة من {number} صفحة", "قبل أسابيع من الاقتراع", "رغم تحذير من {place}", "مع اقتراب نهاية الجلسة",
         "في مبنى البلدية القديم", "على غير توقع الحاضرين"),
        ("طلب {person} من اللجنة", "قرر مجلس {place}", "وعد متحدث باسم {person}", "طالب أهالي {place}",
         "اقترح مكتب الميناء", "رفضت المعارضة", "أوصى مدققو الحسابات", "عرض مهندس من {place}",
         "اتفق {person} مع {person}", "صوتت أغلبية ضئيلة على"),
        ("تأجيل إصلاح {subject}", "دفع كلفة {subject} من الاحتياط", "فتح {subject} أمام الزوار", "بيع {subject} إلى {place}",
         "قياس {subject} مرة أخرى", "إطلاق اسم {person} على {subject}", "إعادة بناء {subject} بالحجر",
         "تسليم {subject} إلى جمعية أهلية", "إغلاق {subject} في الشتاء", "حماية {subject} بقانون"),
        ("لأن المال قد نفد", "مع أن {person} نصح بغير ذلك", "كما فعلت {place} قبل {number} أعوام",
         "دون كلمة واحدة عن الثمن", "إلى أن توجد خطة أفضل", "ولم يعترض أحد في {place}",
         "وهو ما وصفه {person} بالبداية المتواضعة", "بكلفة {number} ألف دينار", "بمساعدة متطوعين من {place}",
         "حتى لا يخسر أحد"),
    ),
    places=("واحة النخيل", "المرفأ القديم", "تل الزيتون", "عين الوادي", "رأس الجبل", "وادي السرو"),
    people=("سلمى الحداد", "يوسف البستاني", "نادر العطار", "ليلى مراد", "هالة شاهين", "كريم الصباغ"),
    subjects=("جسر الميناء", "قطار الليل", "سقوف المدارس", "مكتبة المدينة", "سوق السمك", "طريق المنارة"),
)  # fmt: skip
SPANISH = Language(
    headline=(
        "{place} vuelve a discutir sobre {subject}",
        "{person} pide claridad sobre {subject}",
        "Lo que {subject} significa para los vecinos de {place}",
        "{place} aplaza la decisión sobre {subject}",
    ),
    columns=(
        ("el jueves por la noche", "tras {number} horas de debate", "por tercera vez desde la primavera",
         "ante una sala llena", "en una carta de {number} páginas", "pese a la advertencia de {place}",
         "a pocas semanas del voto", "mientras llovía sobre {place}", "en la vieja casa consistorial",
         "para sorpresa de los presentes", "al final de la sesión"),
        ("{person} pidió a la comisión", "el ayuntamiento de {place} decidió", "un portavoz de {person} prometió",
         "los vecinos de {place} exigieron", "la oficina del puerto propuso", "la oposición se negó a",
         "los auditores recomendaron", "un ingeniero de {place} ofreció", "{person} y {person} acordaron",
         "una mayoría escasa votó por", "{number} comerciantes reclamaron"),
        ("aplazar la reparación de {subject}", "pagar {subject} con la reserva", "abrir {subject} a las visitas",
         "vender {subject} a {place}", "medir {subject} otra vez", "dar a {subject} el nombre de {person}",
         "reconstruir {subject} en piedra", "ceder {subject} a una fundación", "cerrar {subject} en invierno",
         "proteger {subject} por ley", "calcular el coste de {subject}"),
        ("porque se había acabado el dinero", "aunque {person} lo había desaconsejado",
         "como hizo {place} hace {number} años", "sin una palabra sobre el precio", "hasta que haya un plan mejor",
         "y nadie en {place} protestó", "lo que {person} llamó un comienzo modesto", "por {number} mil pesos",
         "con ayuda de voluntarios de {place}", "para que nadie salga perdiendo", "salvo que la marea diga otra cosa"),
    ),
    places=("Villarroble", "Puerto Sereno", "San Telmo", "Castrojara", "Fuenteclara", "Navaluz"),
    people=("Elena Prats", "Marcos Urrutia", "Lucía Benavent", "Andrés Quiroga", "Nieves Carrión", "Fermín Olazábal"),
    subjects=("el puente viejo", "la lonja", "el tranvía nocturno", "la biblioteca", "el molino", "el camino del faro"),
)  # fmt: skip
FRENCH = Language(
    headline=(
        "{place} rouvre le débat sur {subject}",
        "{person} réclame des comptes sur {subject}",
        "Pourquoi {subject} divise {place}",
        "À {place}, {subject} attendra encore",
    ),
    columns=(
        ("jeudi soir,", "après {number} heures de débat,", "pour la troisième fois depuis le printemps,",
         "devant une salle comble,", "dans une lettre de {number} pages,", "malgré l’avertissement de {place},",
         "à quelques semaines du vote,", "sous la pluie de {place},", "dans la vieille mairie,",
         "à la surprise générale,", "en fin de séance,"),
        ("{person} a demandé à la commission", "le conseil de {place} a décidé", "un porte-parole de {person} a promis",
         "les habitants de {place} ont exigé", "la capitainerie a proposé", "l’opposition a refusé",
         "les commissaires aux comptes ont recommandé", "un ingénieur de {place} a offert",
         "{person} et {person} sont convenus", "une courte majorité a choisi", "{number} commerçants ont réclamé"),
        ("de reporter la réparation de {subject}", "de payer {subject} sur la réserve", "d’ouvrir {subject} aux visiteurs",
         "de vendre {subject} à {place}", "de mesurer {subject} une fois encore", "de donner à {subject} le nom de {person}",
         "de rebâtir {subject} en pierre", "de confier {subject} à une association", "de fermer {subject} en hiver",
         "de protéger {subject} par la loi", "de chiffrer le coût de {subject}"),
        ("faute d’argent", "bien que {person} l’ait déconseillé", "comme {place} le fit voici {number} ans",
         "sans un mot sur le prix", "en attendant un meilleur plan", "et personne à {place} n’a protesté",
         "ce que {person} appelle un modeste début", "pour {number} mille francs", "avec l’aide de bénévoles de {place}",
         "afin que nul n’y perde", "sauf avis contraire des voisins"),
    ),
    places=("Valombre", "Port-Clément", "Sainte-Aure", "Les Ormeaux", "Rivecourt", "Montfagne"),
    people=("Claire Aubanel", "Hugo Marchais", "Odile Ferrand", "Basile Queyras", "Jeanne Tavernel"),
    subjects=("le vieux pont", "la halle aux poissons", "le tram de nuit", "la bibliothèque", "le moulin à marée",
              "la route du phare"),
)  # fmt: skip
RUSSIAN = Language(
    headline=(
        "Совет города {place} обсуждает {subject}",
        "{person} требует пересмотреть {subject}",
        "Почему {subject} волнует жителей города {place}",
    ),
    columns=(
        ("в четверг вечером", "после {number} часов споров", "в третий раз с весны", "при полном зале",
         "в письме на {number} страницах", "несмотря на дождь", "за несколько недель до голосования",
         "в старой ратуше", "к удивлению собравшихся", "под конец заседания"),
        ("{person} предлагает комиссии", "совет города {place} решил", "представитель комитета обещал",
         "жители города {place} потребовали", "портовое управление задумало", "оппозиция отказалась",
         "ревизоры советуют", "инженер из города {place} взялся", "{person} и {person} договорились",
         "незначительное большинство решило"),
        ("отложить ремонт и закрыть {subject}", "оплатить {subject} из запаса", "открыть {subject} для гостей",
         "продать {subject} соседям", "ещё раз измерить {subject}", "перестроить {subject} из камня",
         "передать {subject} обществу", "закрыть {subject} на зиму", "взять {subject} под охрану",
         "подсчитать расходы на {subject}"),
        ("потому что деньги кончились", "хотя {person} отговаривает", "как было {number} лет назад",
         "ни слова не сказав о цене", "пока нет лучшего плана", "и никто не возразил",
         "что {person} считает скромным началом", "за {number} тысяч крон", "с помощью добровольцев",
         "чтобы никто не остался в убытке"),
    ),
    places=("Заозёрск", "Новая Пристань", "Верхний Луг", "Камышин Яр", "Белоречье"),
    people=("Анна Вересова", "Пётр Лагутин", "Зоя Крамская", "Игорь Полынов", "Лидия Снегова"),
    subjects=("старый мост", "ночной трамвай", "рыбный рынок", "городскую библиотеку", "дорогу к маяку", "мельницу"),
)  # fmt: skip
JAPANESE = Language(
    headline=(
        "{place}議会、{subject}を採決",
        "{person}氏、{subject}の見直しを求める",
        "{subject}をめぐる議論、{place}で再燃",
    ),
    columns=(
        ("木曜日の夜、", "{number}時間に及ぶ審議の末、", "春以来三度目となる会合で、", "満員の傍聴席を前に、",
         "{number}ページの書簡の中で、", "投票を数週間後に控え、", "雨の降る{place}で、", "古い町役場の前で、",
         "大方の予想に反して、", "会議の終わり近くに、",
         "休憩をはさんで再開した午後、", "{place}からの警告にもかかわらず、", "新年度の予算を控えた{number}日、", "記者団の質問に答えて、"),
        ("{person}氏は委員会に対し、", "{place}の議会は、", "{person}氏の広報担当者は、", "{place}の住民たちは、",
         "港湾事務所は、", "野党側は、", "会計監査人は、", "{place}出身の技師は、", "{person}氏と{person}氏は、",
         "{number}人の商店主は、",
         "漁業組合を率いる{person}氏は、", "{place}の教師たちは、", "渡し船の会社は、", "僅差の多数派は、"),
        ("{subject}の修理を延期するよう", "{subject}の費用を積立金から支払うよう", "{subject}を見学者に開放するよう",
         "{subject}を{place}に売却するよう", "{subject}をもう一度測量するよう", "{subject}を石造りで再建するよう",
         "{subject}を財団に委ねるよう", "{subject}を冬の間閉鎖するよう", "{subject}を条例で保護するよう",
         "{subject}の経費を計算するよう",
         "{subject}に{person}氏の名を冠するよう", "隣町と{subject}について話し合うよう", "{subject}を{number}メートル移すよう",
         "{subject}の歴史を展示するよう"),
        ("求めたが、資金はすでに尽きていた", "提案し、誰も反対しなかった", "勧めたものの、{person}氏は慎重だった",
         "訴え、{place}の前例を挙げた", "申し入れたが、価格には触れなかった", "促し、よりよい計画を待つとした",
         "呼びかけ、{number}人が賛同した", "要望し、ささやかな一歩だと述べた", "主張し、{place}の有志が加わった",
         "働きかけたが、結論は出なかった",
         "強く迫り、議長が発言を遮った", "約束し、会場から拍手が起きた", "願い出て、{number}通の手紙を添えた",
         "説いたものの、採決は見送られた"),
    ),
    places=("潮見町", "白砂市", "北浜", "青葉台", "松ヶ崎"),
    people=("水野春香", "片桐修", "大江千里子", "柴崎蓮", "野村文"),
    subjects=("古い橋", "夜行列車", "学校の屋根", "町立図書館", "魚市場", "灯台への道"),
    space="",
    stop="。",
)  # fmt: skip


def write_headline(language: Language, seed: str) -> str:
    """Return a headline. It depends only on `language` and `seed`."""
    rng = random.Random(f"headline {seed}")  # noqa: S311 - sample text, not a secret
    return _fill(rng.choice(language.headline), language, rng)


def write_paragraphs(language: Language, seed: str, count: int = 6) -> list[str]:
    """Return `count` paragraphs of two sentences each. Every part is used once before any is repeated."""
    rng = random.Random(f"paragraphs {seed}")  # noqa: S311 - sample text, not a secret
    columns = [_shuffled(column, count * 2, rng) for column in language.columns]
    sentences = [
        _sentence(language.space.join(_fill(part, language, rng) for part in parts)) + language.stop
        for parts in zip(*columns, strict=True)
    ]
    return [language.space.join(pair) for pair in zip(sentences[::2], sentences[1::2], strict=True)]


def _shuffled(column: tuple[str, ...], count: int, rng: random.Random) -> list[str]:
    parts: list[str] = []
    while len(parts) < count:
        parts += rng.sample(column, len(column))
    return parts[:count]


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _fill(pattern: str, language: Language, rng: random.Random) -> str:
    text = pattern
    for name, choices in (("place", language.places), ("person", language.people), ("subject", language.subjects)):
        while f"{{{name}}}" in text:
            text = text.replace(f"{{{name}}}", rng.choice(choices), 1)
    return text.replace("{number}", str(rng.randint(3, 90)))
