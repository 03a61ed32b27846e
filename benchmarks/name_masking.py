"""How often a name stays in a text about its bearer, by language and by how it is written; writes a table.

python benchmarks/name_masking.py [--people 200] [--seed 1]     (needs: pip install faker, for lists of names)

First and last names are drawn from the lists of Faker's locales (real names, people invented), and put into sentences
of ours: as they are, decomposed (NFD), without accents, in capitals, last name first, by initial and last name, and for
languages that decline names with endings by rules of ours. A leak: a part of the name of two letters or more still
stands in the masked text, whatever its accents; de, van, bin and the like are no parts. Lost: words of the sentence
that were hidden although they are no part of the name (not told in scripts without blanks).
Writes benchmarks/results/name_masking.md.
"""

from __future__ import annotations

import argparse
import platform
import random
import re
import time
import unicodedata
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

from faker import VERSION, Faker

from personax.traits.llms._name_masking import mask_name

RESULTS = Path(__file__).parent / "results" / "name_masking.md"

SENTENCES = {
    "en_US": "In 2019 {name} won the cup. Critics say that {last} works hard, and {first} likes tea.",
    "de_DE": "Im Jahr 2019 gewann {name} den Pokal. Kritiker sagen, dass {last} viel arbeitet und {first} Tee mag.",
    "fr_FR": "En 2019, {name} a remporté la coupe. On dit que {last} travaille beaucoup et que {first} aime le thé.",
    "es_ES": "En 2019 {name} ganó la copa. Dicen que {last} trabaja mucho y que a {first} le gusta el té.",
    "pt_BR": "Em 2019 {name} venceu a taça. Dizem que {last} trabalha muito e que {first} gosta de chá.",
    "tr_TR": "2019 yılında {name} kupayı kazandı. {last} çok çalışıyor, {first} çay seviyor.",
    "vi_VN": "Năm 2019 {name} đã thắng giải. Người ta nói {first} làm việc chăm chỉ.",
    "pl_PL": "W 2019 roku {name} zdobył puchar. Mówi się, że {last} dużo pracuje, a {first} lubi herbatę.",
    "cs_CZ": "V roce 2019 {name} vyhrál pohár. Říká se, že {last} hodně pracuje a {first} má rád čaj.",
    "fi_FI": "Vuonna 2019 {name} voitti pokaalin. Sanotaan, että {last} tekee töitä ja {first} juo teetä.",
    "ru_RU": "В 2019 году {name} получил кубок. Говорят, что {last} много работает, а {first} любит чай.",
    "uk_UA": "У 2019 році {name} отримав кубок. Кажуть, що {last} багато працює, а {first} любить чай.",
    "bg_BG": "През 2019 година {name} спечели купата. Казват, че {last} работи много, а {first} обича чай.",
    "el_GR": "Το 2019 ο {name} κέρδισε το κύπελλο. Λένε ότι ο {last} δουλεύει πολύ και ο {first} πίνει τσάι.",
    "hy_AM": "2019 թվականին {name} շահեց գավաթը։ Ասում են, որ {last} շատ է աշխատում։",
    "ka_GE": "2019 წელს {name} გაიმარჯვა. ამბობენ, რომ {last} ბევრს მუშაობს.",
    "he_IL": "בשנת 2019 {name} זכה בגביע. אומרים ש {last} עובד קשה ו {first} אוהב תה.",
    "ar_SA": "في عام 2019 فاز {name} بالكأس. يقال إن {last} يعمل كثيرا وإن {first} يحب الشاي.",
    "fa_IR": "در سال 2019 {name} جام را برد. می‌گویند {last} زیاد کار می‌کند و {first} چای دوست دارد.",
    "hi_IN": "2019 में {name} ने कप जीता। कहते हैं कि {last} बहुत काम करते हैं और {first} को चाय पसंद है।",
    "th_TH": "ในปี 2019 {name} ชนะการแข่งขัน ว่ากันว่า {first} ทำงานหนัก",
    "zh_CN": "2019年{name}获得了冠军。据说{first}工作很努力,喜欢喝茶。",
    "ja_JP": "2019年に{name}は優勝した。{last}は熱心に働き、{first}はお茶が好きだ。",
    "ko_KR": "2019년 {name}은 우승했다. {first}은 열심히 일하고 차를 좋아한다.",
}
TOGETHER = {"zh_CN", "ko_KR"}
"""Family name first, without a blank."""

ENDINGS: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "ru_RU": (("ий|ый|ой", ("ого", "ому", "им")), ("ая", ("ой", "ую")), ("я|ия", ("и", "ю", "ей")),
              ("а", ("ы", "е", "у", "ой")), ("й|ь", ("я", "ю", "ем")), ("", ("а", "у", "ом", "е"))),
    "uk_UA": (("ий", ("ого", "ому", "им")), ("я", ("і", "ю", "ею")), ("а", ("и", "і", "у", "ою")),
              ("й|ь", ("я", "ю", "єм")), ("о", ("а", "у", "ом")), ("", ("а", "у", "ом", "ові"))),
    "pl_PL": (("ki", ("kiego", "kiemu", "kim")), ("ka", ("kiej", "ką")), ("a", ("y", "ę", "ą")), ("[eiouyąęó]", ()),
              ("ek", ("ka", "kowi", "kiem")), ("", ("a", "owi", "em"))),
    "cs_CZ": (("ová", ("ové", "ovou")), ("á", ("é", "ou")), ("a", ("y", "u", "ou")), ("ý", ("ého", "ému")),
              ("[eiouyěíé]", ()), ("ek", ("ka", "kovi", "kem")), ("", ("a", "ovi", "em"))),
    "fi_FI": (("nen", ("sen", "selle", "sesta", "sella")), ("[aouyäöie]", ("n", "lle", "sta", "lla")),
              ("", ("in", "ille", "ista"))),
    "tr_TR": (("", ("'nin", "'ye", "'de", "'den", "’ın")),),
}  # fmt: skip
"""Language -> what a nominative ends in, and what may stand there in other cases; the first that fits is taken. Rules
of thumb: irregular names are declined wrongly."""
KEPT = {"fi_FI"}
"""Languages whose vowel stays before the ending."""


def bare(text: str) -> str:
    """Return a text in small letters without accents."""
    return "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))


Way = Callable[[str, str, str, random.Random], tuple[str, str, str]]
"""First name, last name, locale -> whole name, last and first name as the text has them."""


def whole(first: str, last: str, locale: str) -> str:
    """Return the name as a people table has it."""
    return f"{last}{first}" if locale in TOGETHER else f"{first} {last}"


def decline(word: str, locale: str, rng: random.Random) -> str:
    """Put a name into some other case."""
    for ending, others in ENDINGS[locale]:
        if re.search(f"({ending})$", word):
            keeps = locale in KEPT and ending.startswith("[")
            return (word if keeps else re.sub(f"({ending})$", "", word)) + rng.choice(others) if others else word
    return word


def declined(first: str, last: str, locale: str, rng: random.Random) -> tuple[str, str, str]:
    """Put both names into other cases."""
    own_first, own_last = decline(first, locale, rng), decline(last, locale, rng)
    return f"{own_first} {own_last}", own_last, own_first


def each(change: Callable[[str], str], first: str, last: str, locale: str) -> tuple[str, str, str]:
    """Change all three forms alike."""
    return change(whole(first, last, locale)), change(last), change(first)


WAYS: dict[str, Way] = {
    "as it is": lambda f, s, at, rng: (whole(f, s, at), s, f),
    "NFD": lambda f, s, at, rng: each(lambda one: unicodedata.normalize("NFD", one), f, s, at),
    "no accents": lambda f, s, at, rng: each(lambda one: bare(one).title(), f, s, at),
    "capitals": lambda f, s, at, rng: each(str.upper, f, s, at),
    "last, first": lambda f, s, at, rng: (f"{s}, {f}", s, f),
    "initial": lambda f, s, at, rng: (f"{f[0]}. {s}", s, f"{f[0]}. {s}"),
    "declined": declined,
}
TEXT = "ال بن al bin ben da das de del della der di do dos du e el la le los van von y"
PARTICLES = frozenset(TEXT.split())
CASE_AFTER_APOSTROPHE = re.compile("['’](nin|ye|de|den|ın)(?= |$)")
CASED = {"en_US", "de_DE", "fr_FR", "es_ES", "pt_BR", "tr_TR", "vi_VN", "pl_PL", "cs_CZ", "fi_FI", "ru_RU", "uk_UA",
         "bg_BG", "el_GR", "hy_AM"}  # fmt: skip


def applies(way: str, locale: str) -> bool:
    """Say whether a way of writing is one of the language's."""
    if way == "declined":
        return locale in ENDINGS
    return way in ("as it is", "NFD") or locale in CASED


def is_telling(word: str) -> bool:
    """Say whether a part of a name tells something: no particle such as de or van, and more than one letter."""
    return len(bare(word)) > 1 and bare(word) not in PARTICLES


def leaks(text: str, parts: list[str]) -> bool:
    """Say whether a part of the name stands in a masked text, as a word or within one of an unspaced script."""
    flat = bare(text.replace("[name hidden]", " "))
    for part in map(bare, parts):
        inside = bool(re.search("[\u3040-\u9fff\uac00-\ud7af]", part))
        if part in flat if inside else re.search(rf"(?<!\w){re.escape(part)}(?!\w)", flat):
            return True
    return False


def measured(locale: str, way: str, people: int, seed: int) -> tuple[int, int, float]:
    """Return people, leaks, and the share of other words that were hidden."""
    fake, rng = Faker(locale), random.Random(f"{seed} {locale} {way}")
    fake.seed_instance(seed)
    leaked, lost, words = 0, 0, 0
    for _ in range(people):
        first, last = fake.first_name(), fake.last_name()
        name, own_last, own_first = WAYS[way](first, last, locale, rng)
        text = SENTENCES[locale].format(name=name, last=own_last, first=own_first)
        masked = mask_name(text, whole(first, last, locale))
        stated = bare(CASE_AFTER_APOSTROPHE.sub("", f"{own_first} {own_last}"))
        parts = [word for word in re.findall(r"[^\W\d_]{2,}", stated) if is_telling(word)]
        leaked += leaks(masked, parts)
        others = re.findall(r"\w+", SENTENCES[locale].format(name=" ", last=" ", first=" "))
        kept = re.findall(r"\w+", masked.replace("[name hidden]", " "))
        words += len(others)
        lost += max(len(others) - len(kept), 0)
    unspaced = locale in ("zh_CN", "ja_JP", "th_TH", "ko_KR")  # words are not told apart
    return people, leaked, 0.0 if unspaced else lost / max(words, 1)


def rows(people: int, seed: int) -> Iterator[str]:
    """Measure every language and way."""
    for locale in SENTENCES:
        cells = []
        for way in WAYS:
            if applies(way, locale):
                number, leaked, lost = measured(locale, way, people, seed)
                cells.append(f"{leaked / number:.3f}" + (f" ({lost:.3f})" if lost > 0.0005 else ""))
            else:
                cells.append("")
        yield f"| {locale} | " + " | ".join(cells) + " |"


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    body = list(rows(asked.people, asked.seed))
    lines = [
        "# Name masking: how often a name stays", "",
        f"`python benchmarks/name_masking.py --people {asked.people} --seed {asked.seed}`, {date.today()}, "
        f"{platform.machine()}, {time.process_time():.0f} CPU s, names of Faker {VERSION}.", "",
        "Share of people a part of whose name stays in the text; in brackets the share of other words that are hidden.",
        "", "| locale | " + " | ".join(WAYS) + " |", "|---" * (len(WAYS) + 1) + "|", *body, "",
    ]  # fmt: skip
    RESULTS.write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
