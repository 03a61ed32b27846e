"""Categories that are sensitive whatever their column is called: religions, diseases, parties and the like."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Final

from personax.data.text import fold

__all__ = ["told_by_values"]

LEAST: Final = 0.5
"""A column is about what this share of its values is about, those that say nothing aside."""

SENSITIVE_VALUES: Final[Mapping[str, str]] = {
    "religions": """
        catholic, roman catholic, protestant, christian, christianity, orthodox, evangelical, lutheran, baptist,
        methodist, anglican, presbyterian, pentecostal, mormon, muslim, islam, sunni, shia, shiite, jewish, jew,
        judaism, hindu, hinduism, buddhist, buddhism, sikh, sikhism, jain, atheist, agnostic, atheism, katholisch,
        evangelisch, römisch katholisch, muslimisch, islamisch, jüdisch, konfessionslos, catholique, protestant,
        musulman, musulmane, juif, católico, católica, evangélico, musulmán, judío, cattolico, cattolica,
        musulmano, católicos, katholiek, protestants, katolik, katolicka, prawosławny, müslüman, православный,
        католик, мусульманин, иудей, православ'я, католицтво, 佛教, 基督教, 伊斯兰教, 天主教, 道教, 仏教, 神道,
        キリスト教, 불교, 기독교, 천주교, مسلم, مسيحي, يهودي, katolikus, református, evangélikus, görögkatolikus,
        zsidó, muszlim, ev.lut., ortodoksi, luterilainen, muslimi, công giáo, phật giáo, tin lành, hồi giáo, हिंदू,
        मुस्लिम, सिख, ईसाई, बौद्ध, जैन, พุทธ, อิสลาม, คริสต์, ορθόδοξος, χριστιανός, μουσουλμάνος, kristen, katolik,
        kristen protestan, konghucu, budha, buddha, katolsk, muslimsk, judisk, kristen
    """,
    "sexual orientations": """
        heterosexual, homosexual, bisexual, gay, lesbian, straight, hetero, pansexual, asexual, queer,
        heterosexuell, homosexuell, bisexuell, schwul, lesbisch, hétérosexuel, homosexuel, bisexuel, heterosexuala,
        homosexuala, bisexuala, gey, гетеро, гей, лесбиянка, гетеросексуал, 异性恋, 同性恋, 双性恋, 이성애, 동성애,
        heteroszexuális, homoszexuális, biszexuális, heteroseksuaali, homoseksuaali, biseksuaali, heteroseksueel,
        homoseksueel, biseksueel
    """,
    "ethnic groups": """
        white, black, asian, hispanic, latino, latina, latinx, african american, caucasian, native american,
        pacific islander, mixed race, white british, black african, black caribbean, arab, roma, sinti, jewish,
        kinh, tày, mông, khmer, jawa, sunda, batak, obc, han, 汉族, 回族, 维吾尔族, 藏族, 壮族, magyar, cigány
    """,
    "diseases": """
        cancer, diabetes, hiv, aids, hiv positive, hiv negative, hepatitis, tuberculosis, epilepsy, schizophrenia,
        depression, anxiety, bipolar, dementia, alzheimer, parkinson, asthma, copd, stroke, hypertension,
        heart disease, heart failure, obesity, adhd, autism, ptsd, pregnant, type 1 diabetes, type 2 diabetes,
        krebs, bluthochdruck, schlaganfall, schwanger, demenz, epilepsie, sida, cáncer, hipertensión, embarazada,
        cancro, enceinte, hypertonie, depressie, kanker, рак, диабет, гипертония, депрессия, 癌症, 糖尿病, 高血压,
        抑郁症, 高血圧, 당뇨, 고혈압, 암, سرطان, سكري, cukorbetegség, magas vérnyomás, syöpä, diabetes mellitus,
        ung thư, tiểu đường, कैंसर, मधुमेह, มะเร็ง, เบาหวาน, ความดัน, καρκίνος, διαβήτης, kanker, diabet, рак, діабет
    """,
    "parties": """
        democrat, republican, libertarian, labour, conservative, tory, lib dem, green party, spd, cdu, csu, fdp, afd,
        die linke, die grünen, bsw, podemos, psoe, vox, partito democratico, lega, fratelli d italia, fidesz, jobbik,
        rassemblement national, pvv, vvd, akp, chp, mhp, hdp, bjp, congress party, единая россия, кпрф, лдпр, sdp,
        kokoomus, perussuomalaiset, sverigedemokraterna, moderaterna, socialdemokraterna
    """,
    "criminal records": """
        convicted, acquitted, felony, misdemeanor, misdemeanour, on parole, on probation, ex convict, imprisoned,
        vorbestraft, nicht vorbestraft, condamné, condenado, condannato, судим, не судим, no record, sabıkalı
    """,
}
"""Kind -> values as they are written; to be folded."""

_NOTHING = "none no yes other others unknown na not stated prefer not to say missing nothing keine andere sonstige"
_WEAK: Final = frozenset({"white", "black", "straight", "green", "congress", "labour", "conservative", "christian"})
"""Values that mean other things too: a column of colours has white and black; two others must stand beside them."""
_ICD = re.compile(r"[A-TV-Z]\d\d(?:\.\d{1,4})?[A-Z*†+]?")
_ICD_PART = re.compile(r"[A-TV-Z]\d\d\.\d{1,4}[A-Z*†+]?")


@cache
def _kinds() -> dict[str, str]:
    return {
        fold(" ".join(value.split())): kind for kind, values in SENSITIVE_VALUES.items() for value in values.split(",")
    }


def told_by_values(values: Sequence[str]) -> str:
    """Return which sensitive thing categories are about; empty where they are about none.

    Parameters
    ----------
    values
        Distinct ones.

    Examples
    --------
    >>> told_by_values(["Catholic", "Muslim", "none"]), told_by_values(["black", "white", "red", "blue"])
    ('religions', '')
    >>> told_by_values(["I10", "F32.1"]), told_by_values(["A1", "B2"])
    ('diseases', '')
    """
    nothing = set(_NOTHING.split()) | {"", "prefer not to say", "not stated"}
    said = [value for value in values if fold(value) not in nothing]
    if not said:
        return ""
    if all(_ICD.fullmatch(value) for value in said) and any(_ICD_PART.fullmatch(value) for value in said):
        return "diseases"
    folded = [fold(value) for value in said]
    kinds = _kinds()
    for kind in SENSITIVE_VALUES:
        held = [value for value in folded if kinds.get(value) == kind]
        strong = [value for value in held if value not in _WEAK]
        if strong and len(held) >= LEAST * len(said):
            return kind
    return ""
