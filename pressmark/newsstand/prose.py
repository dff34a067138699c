"""Invented news prose in four languages, the same in every run."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Language:
    """Sentences with slots, and what fills them."""

    headline: tuple[str, ...]
    sentences: tuple[str, ...]
    places: tuple[str, ...]
    people: tuple[str, ...]
    subjects: tuple[str, ...]


ENGLISH = Language(
    headline=(
        "{place} council votes on {subject}",
        "{person} calls for a new look at {subject}",
        "What the dispute over {subject} means for {place}",
        "{place} reopens its debate about {subject}",
    ),
    sentences=(
        "The council of {place} discussed {subject} for more than {number} hours on Thursday before it adjourned.",
        "“We have waited long enough for {subject}, and the people of {place} know it,” said {person}.",
        "According to a report of {number} pages, the cost of {subject} has risen for the third year in a row.",
        "Residents who had gathered outside the town hall carried banners and asked for an answer before the winter.",
        "{person}, who has led the committee since spring, said that no decision would be taken behind closed doors.",
        "Several neighbouring towns have already agreed to share the work, among them {place}.",
        "Experts doubt that the plan can be finished within {number} months, as the administration had promised.",
        "The opposition called the proposal a step in the right direction but asked for an independent review.",
        "A spokesman confirmed that {subject} would be on the agenda again when the council meets next month.",
        "In {place}, where a similar project was completed last year, shopkeepers speak of a quiet success.",
        "Nobody had expected that {subject} would become the question on which the coalition almost broke.",
        "The money is to come from a fund that was set up {number} years ago and has hardly been touched since.",
    ),
    places=("Harwick", "Port Ellery", "Dunmore Bay", "Ashcombe", "Lower Tamsin", "Greyfield"),
    people=("Maud Ferrier", "Tobias Lund", "Ines Calloway", "Peter Oakes", "Ruth Adeyemi"),
    subjects=(
        "the harbour bridge",
        "night trains",
        "the school roofs",
        "the tidal mill",
        "the fishing quotas",
        "the old library",
    ),
)
GERMAN = Language(
    headline=(
        "{place} streitet über {subject}",
        "{person} fordert Klarheit über {subject}",
        "Warum {subject} die Menschen in {place} bewegt",
    ),
    sentences=(
        "Der Gemeinderat von {place} hat am Donnerstag mehr als {number} Stunden lang über {subject} beraten.",
        "„Wir haben lange genug gewartet, und die Menschen in {place} wissen das“, sagte {person} nach der Sitzung.",
        "Nach einem Bericht von {number} Seiten sind die Kosten im dritten Jahr in Folge gestiegen.",
        "Vor dem Rathaus hatten sich Anwohner versammelt, die noch vor dem Winter eine Antwort verlangten.",
        "{person} leitet den Ausschuss seit dem Frühjahr und will keine Entscheidung hinter verschlossenen Türen.",
        "Mehrere Nachbargemeinden haben bereits zugesagt, sich an der Arbeit zu beteiligen, darunter {place}.",
        "Fachleute bezweifeln, dass der Plan innerhalb von {number} Monaten umgesetzt werden kann.",
        "Die Opposition nannte den Vorschlag einen Schritt in die richtige Richtung, verlangte aber eine Prüfung.",
        "Ein Sprecher bestätigte, dass {subject} im nächsten Monat wieder auf der Tagesordnung stehen werde.",
        "Das Geld soll aus einem Fonds kommen, der vor {number} Jahren eingerichtet und kaum angerührt wurde.",
    ),
    places=("Altmühlbach", "Neuhagen", "Sankt Veith", "Oberlohe", "Birkenau"),
    people=("Hanna Reuter", "Jakob Wendt", "Miriam Scholl", "Ulrich Brandl"),
    subjects=("die Seilbahn", "das alte Stellwerk", "die Buslinie sieben", "das Hallenbad", "die Stadtmauer"),
)
ARABIC = Language(
    headline=(
        "مجلس {place} يناقش {subject}",
        "{person} يدعو إلى مراجعة {subject}",
        "ماذا يعني الخلاف حول {subject} لسكان {place}",
    ),
    sentences=(
        "ناقش مجلس مدينة {place} يوم الخميس ملف {subject} لأكثر من {number} ساعات قبل رفع الجلسة.",
        "وقال {person} إن سكان {place} انتظروا طويلا وإنهم يعرفون ذلك جيدا.",
        "وبحسب تقرير من {number} صفحة فإن كلفة {subject} ارتفعت للعام الثالث على التوالي.",
        "وتجمع الأهالي أمام مبنى البلدية مطالبين بجواب واضح قبل حلول فصل الشتاء.",
        "وأكد {person} الذي يرأس اللجنة منذ الربيع أن القرار لن يتخذ خلف أبواب مغلقة.",
        "ووافقت بلدات مجاورة عدة على المشاركة في العمل ومنها بلدة {place}.",
        "ويشكك خبراء في إمكان إنجاز الخطة خلال {number} أشهر كما وعدت الإدارة.",
        "ووصفت المعارضة الاقتراح بأنه خطوة في الاتجاه الصحيح لكنها طالبت بمراجعة مستقلة.",
        "وأوضح المتحدث باسم المجلس أن {subject} سيعود إلى جدول الأعمال في الشهر المقبل.",
        "ومن المقرر أن يأتي المال من صندوق أنشئ قبل {number} أعوام ولم يستخدم إلا قليلا.",
    ),
    places=("واحة النخيل", "المرفأ القديم", "تل الزيتون", "عين الوادي"),
    people=("سلمى الحداد", "يوسف البستاني", "نادر العطار", "ليلى مراد"),
    subjects=("جسر الميناء", "قطار الليل", "سقوف المدارس", "مكتبة المدينة", "سوق السمك"),
)
SPANISH = Language(
    headline=(
        "{place} vuelve a discutir sobre {subject}",
        "{person} pide claridad sobre {subject}",
        "Lo que {subject} significa para los vecinos de {place}",
    ),
    sentences=(
        "El ayuntamiento de {place} debatió el jueves durante más de {number} horas sobre {subject}.",
        "«Hemos esperado bastante y los vecinos de {place} lo saben», dijo {person} después de la sesión.",
        "Según un informe de {number} páginas, los costes han subido por tercer año consecutivo.",
        "Los vecinos que se habían reunido ante el ayuntamiento pedían una respuesta antes del invierno.",
        "{person}, que preside la comisión desde la primavera, aseguró que nada se decidirá a puerta cerrada.",
        "Varios municipios cercanos ya han aceptado compartir el trabajo, entre ellos {place}.",
        "Los expertos dudan de que el plan pueda terminarse en {number} meses, como había prometido la alcaldía.",
        "La oposición calificó la propuesta de paso en la buena dirección, pero pidió una revisión independiente.",
        "Un portavoz confirmó que {subject} estará de nuevo en el orden del día el mes que viene.",
        "El dinero saldrá de un fondo que se creó hace {number} años y que apenas se ha tocado desde entonces.",
    ),
    places=("Villarroble", "Puerto Sereno", "San Telmo", "Castrojara"),
    people=("Elena Prats", "Marcos Urrutia", "Lucía Benavent", "Andrés Quiroga"),
    subjects=("el puente viejo", "la lonja", "el tranvía nocturno", "la biblioteca", "el molino"),
)


def write_headline(language: Language, seed: str) -> str:
    """A headline."""
    chance = random.Random(f"headline {seed}")  # noqa: S311 - prose, no secret
    return _fill(chance.choice(language.headline), language, chance)


def write_paragraphs(language: Language, seed: str, count: int = 6) -> list[str]:
    """So many paragraphs of two sentences; no sentence pattern comes twice in a row."""
    chance = random.Random(f"paragraphs {seed}")  # noqa: S311 - prose, no secret
    patterns: list[str] = []
    while len(patterns) < count * 2:
        patterns += chance.sample(language.sentences, len(language.sentences))
    sentences = [_fill(pattern, language, chance) for pattern in patterns[: count * 2]]
    return [f"{first} {second}" for first, second in zip(sentences[::2], sentences[1::2], strict=True)]


def _fill(pattern: str, language: Language, chance: random.Random) -> str:
    return pattern.format(
        place=chance.choice(language.places),
        person=chance.choice(language.people),
        subject=chance.choice(language.subjects),
        number=chance.randint(3, 90),
    )
