"""Numbers as people and programs write them: decimal commas, thousands apart, per cent signs, words for missing."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Final, Literal

import polars as pl

from personax.data.digits import has_other_digits, with_ascii_digits

__all__ = [
    "MISSING_WORDS",
    "NON_RESPONSE",
    "NumberCells",
    "likely_codes",
    "missing_code",
    "missing_word",
    "read_numbers",
]

MISSING_WORDS: Final = (
    "", "na", "n/a", "#n/a", "<na>", "nan", "null", "none", "nil", "-", "--", "?", ".", "unknown", "missing",
)  # fmt: skip
"""What programs and people write where a number is missing, in small letters."""

_NON_RESPONSE_TEXT: Final = """
    prefer not to say, prefer not to answer, rather not say, don't know, do not know, not applicable, refused,
    no answer, not stated, n.a., k.a., keine angabe,
    weiß nicht, weiss nicht, unbekannt, ne sait pas, sans réponse, non renseigné,
    no sabe, no contesta, ns/nc, sin respuesta, inconnu, desconocido, sconosciuto, non so, ничего, не знаю, nevím,
    #null!, #value!, #div/0!, #ref!, #name?, not available, no response, decline to answer, declined,
    can't choose, cannot choose, can't say, not asked, not ascertained, inapplicable, refusal, refused to answer,
    refused/don't know, don't know/refused, don't know / refused, dk, dk/na, dk/refused, no answer/refused, skipped,
    not answered, unsure/don't know, keine antwort, verweigert, nicht zutreffend, ne répond pas, refus,
    nsp, no sabe/no contesta, não sabe, não responde, rifiuta, nie wiem, odmowa, trudno powiedzieć,
    затрудняюсь ответить, отказ, weet niet, vet ej, bilmiyorum, iap, inap, inap., valid skip, legitimate skip,
    logical skip, not administered, item nonresponse, item non-response, unit nonresponse, system missing, sysmiss,
    user missing, not in universe, niu, out of universe, question not asked, not asked in survey, uncodeable
"""
NON_RESPONSE: Final = frozenset(" ".join(word.split()) for word in _NON_RESPONSE_TEXT.split(","))
"""What people say instead of an answer, in small letters; and what spreadsheets write instead of a result."""

MOSTLY: Final = 0.8
"""A column is asked about, where so many of its cells, and not all, are numbers."""
NEARLY: Final = 0.95
"""A column is numbers, where so many of its cells are; the others are bad cells."""

Mark = Literal[".", ","]

_SIGN = r"^[+-]?"
_PLAIN = _SIGN + r"(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$"
_COMMA = _SIGN + r"\d+,\d+$"
_GROUPS = {
    ",": _SIGN + r"[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?$",
    ".": _SIGN + r"[1-9]\d{0,2}(?:\.\d{3})+(?:,\d+)?$",
    " ": _SIGN + r"[1-9]\d{0,2}(?:[ \u00a0\u202f'’]\d{3})+(?:[.,]\d+)?$",
}
_SURE_GROUPS = {
    ",": _SIGN + r"[1-9]\d{0,2}(?:(?:,\d{3})(?:,\d{3}|\.\d)|(?:[ \u00a0\u202f'’]\d{3})+\.\d)",
    ".": _SIGN + r"[1-9]\d{0,2}(?:(?:\.\d{3})(?:\.\d{3}|,\d)|(?:[ \u00a0\u202f'’]\d{3})+,\d)",
}
"""Numbers whose comma, or point, cannot be a decimal mark: two groups of three, or another mark behind one."""
_POINT_GROUPS = _SIGN + r"(?:[1-9]\d{0,2}\.\d{3}|\d{1,3})$"
"""Where all numbers are written so, the point may be a decimal mark, or set thousands apart."""
_BRACKETED = r"^\(\s*(\d[\d.,'’ \u00a0\u202f]*)\)$"
"""Below zero, as accountants write it; or a number in brackets, so that it is a guess."""
_LETTERED = r"^\d+[eE]\d+$"
"""A code, or a power of ten as no program writes it: they write 5E+1 or 5.0E1."""
_MULTIPLE = r"\s?([kKmMbB]|bn|Th\.|Tsd\.?|Mio\.?|Mrd\.?)$"
_TIMES: Final = {
    **dict.fromkeys(("k", "K", "Th.", "Tsd", "Tsd."), 1e3), **dict.fromkeys(("m", "M", "Mio", "Mio."), 1e6),
    **dict.fromkeys(("b", "B", "bn", "Mrd", "Mrd."), 1e9),
}  # fmt: skip
"""Behind sums of money: thousands, millions, billions."""
_MONEY: Final = (
    r"EUR|USD|GBP|CHF|NOK|SEK|DKK|PLN|CZK|HUF|RUB|TRY|INR|JPY|CNY|BRL|CAD|AUD"
    r"|R\$|Rs\.?|zł|kr\.?|Kč|Ft|руб\.?|р\.|TL|元|円|원"
)
_AROUND = rf"^(?:[$€£¥₹₽₺₩]|(?:{_MONEY})\s?)\s?|[.,][-–—]+$|\s?(?:[$€£¥₹₽₺₩%]|{_MONEY})$"
_NUMBERED: Final = re.compile(r"-?\d{1,5}\s*[-–—=:.(]?\s*(\D+?)\)?")
"""A code with its label: 9 - Refused, 99 (don't know)."""
LONGEST_CODE: Final = 5
_CODES = frozenset({7, 8, 9, 77, 88, 96, 97, 98, 99, 777, 888, 996, 997, 998, 999, 7777, 8888, 9998, 9999, 99999})
_APART = 0.25
"""A code stands apart from the other values by this share of their range."""


@dataclass(frozen=True)
class NumberCells:
    """The numbers of a column of text.

    Parameters
    ----------
    values
        Numbers; null where a cell is missing or no number.
    odd
        Where a cell is no number and no word for missing.
    missing
        Words for missing -> cells that hold them.
    marks
        How numbers are written, in phrases; empty where they are plain.
    decimal
        The decimal mark that the cells prove; None where they are plain or prove nothing.
    guessed
        What was taken without proof; empty where nothing was.
    percent
        Every number is followed by a per cent sign.
    ambiguous
        Its commas could be decimal marks or set thousands apart; the decimal mark of the file would tell.
    """

    values: pl.Series
    odd: pl.Series
    missing: dict[str, int] = field(default_factory=dict)
    marks: tuple[str, ...] = ()
    decimal: Mark | None = None
    guessed: str = ""
    percent: bool = False
    ambiguous: bool = False

    @property
    def share(self) -> float:
        """The share of numbers among the cells that hold something."""
        held = len(self.values) - self.values.null_count()
        return held / max(held + int(self.odd.sum()), 1)


def missing_word(cell: str) -> bool:
    """Say whether a cell says that there is no value.

    Examples
    --------
    >>> missing_word("NA"), missing_word("Prefer not to say"), missing_word("none of these")
    (True, True, False)
    >>> missing_word("9 - Refused"), missing_word("0 - none")
    (True, False)
    """
    small = " ".join(cell.lower().replace("’", "'").split())
    if small in MISSING_WORDS or small in NON_RESPONSE:
        return True
    labelled = _NUMBERED.fullmatch(small)
    return labelled is not None and (labelled[1] in NON_RESPONSE or labelled[1] in ("na", "n/a", "missing"))


def missing_code(cell: str) -> bool:
    """Say whether a cell is a bare number that questionnaires use for missing: below zero, or 77, 99, 998 ...

    Examples
    --------
    >>> [missing_code(cell) for cell in ("-99", "-1", "999.0", "98", "9", "-12", "3", "99 years")]
    [True, True, True, True, False, False, False, False]
    """
    found = re.fullmatch(r"(-?)(\d+)(?:[.,]0+)?", cell.strip())
    if found is None or len(found[2]) > LONGEST_CODE:
        return False
    number = int(found[2])
    return 0 < number < 10 or number in _CODES if found[1] else number >= 77 and number in _CODES


def read_numbers(text: pl.Series, decimal: Mark | None = None) -> NumberCells | None:
    """Read a column of text as numbers; None where it is none: fewer than most of its cells are, or they are codes.

    Parameters
    ----------
    text
        Cells; null where missing.
    decimal
        The decimal mark of the file, where it is known; it decides what 40,049 is.

    Notes
    -----
    A comma before three digits is a decimal mark or sets thousands apart: other cells of the column decide, which can
    be read in one way only; then the file; else it is a guess. Codes such as 007 are no numbers.

    Examples
    --------
    >>> read_numbers(pl.Series(["1,5", "40,049", "NA"])).values.to_list()
    [1.5, 40.049, None]
    >>> read_numbers(pl.Series(["999", "40,049"])).values.to_list()
    [999, 40049]
    """
    stripped = text.str.strip_chars()
    if bool(stripped.head(1000).str.contains("−", literal=True).any()):
        stripped = stripped.str.replace("−", "-", literal=True)
    if bool(stripped.head(1000).str.contains(_BRACKETED).any()):
        cells = read_numbers(stripped.str.replace(_BRACKETED, "-$1"), decimal)
        told = f"{stripped.filter(stripped.str.contains(_BRACKETED))[0]} is taken for a number below zero"
        return cells and replace(cells, guessed=cells.guessed or told)
    if has_other_digits(stripped):
        cells = read_numbers(with_ascii_digits(stripped), decimal)
        return cells and replace(cells, marks=("digits of another script", *cells.marks))
    if not _worth_it(stripped):
        return None
    plain = stripped.cast(pl.Float64, strict=False)
    if bool((stripped.str.contains(r"^[+-]?0\d\d")).any()):
        return None
    if plain.null_count() == text.null_count() and bool(plain.is_finite().all()):
        found = _plainly_written(stripped, plain, decimal)
        if found is not None:
            return found
    distinct = stripped.drop_nulls().unique()
    few = 4 * len(distinct) < len(stripped)
    cells = _of_distinct(stripped, distinct, decimal) if few else _with_marks(stripped, decimal)
    return replace(cells, values=cells.values.alias(text.name)) if cells.share >= MOSTLY else None


def _plainly_written(stripped: pl.Series, numbers: pl.Series, decimal: Mark | None) -> NumberCells | None:
    """Return numbers with at most a point; None where it may set thousands apart."""
    some = stripped.drop_nulls().head(100)
    if decimal != "." and bool(some.str.contains(_POINT_GROUPS).all()) and _only_groups(stripped):
        return None
    guessed = ""
    if bool(stripped.str.contains(r"[eE]").any()) and bool((lettered := stripped.str.contains(_LETTERED)).any()):
        guessed = f"{stripped.filter(lettered)[0]} may be a code, and is {numbers.filter(lettered)[0]:g} now"
    return NumberCells(_whole(stripped, numbers), pl.repeat(False, len(stripped), eager=True), guessed=guessed)


def _only_groups(numbers: pl.Series) -> bool:
    """Say whether numbers have a point before three digits or none, so that it may set thousands apart."""
    grouped = numbers.str.contains(_POINT_GROUPS)
    return bool(grouped.all()) and bool(numbers.str.contains(".", literal=True).any())


def _of_distinct(stripped: pl.Series, distinct: pl.Series, decimal: Mark | None) -> NumberCells:
    """Read each distinct text once: people share sizes."""
    cells = _with_marks(distinct, decimal)
    values = stripped.replace_strict(distinct, cells.values, default=None, return_dtype=cells.values.dtype)
    odd = stripped.is_in(distinct.filter(cells.odd).to_list()).fill_null(False)
    missing = _counted(stripped.filter(stripped.is_in(list(cells.missing)).fill_null(False)))
    return replace(cells, values=values, odd=odd, missing=missing)


def _counted(words: pl.Series) -> dict[str, int]:
    return {str(word): int(times) for word, times in words.value_counts(sort=True).iter_rows()}


def _worth_it(stripped: pl.Series) -> bool:
    """Say whether some of the cells that hold something begin as numbers do."""
    some = stripped.gather_every(max(1, len(stripped) // 1000)).drop_nulls()
    some = some.filter(~_says_missing(some))
    begin = some.str.contains(rf"^[-+.]?(?:[$€£¥₹₽₺₩]|[A-Z]{{3}}|{_MONEY})?\s?[-+.]?\d")
    return 2 * int(begin.sum()) > len(some)


def _says_missing(stripped: pl.Series) -> pl.Series:
    small = stripped.str.to_lowercase().str.replace_all(r"\s+", " ")
    return small.is_in([*MISSING_WORDS, *NON_RESPONSE]).fill_null(False)


def _whole(stripped: pl.Series, numbers: pl.Series) -> pl.Series:
    whole = stripped.cast(pl.Int64, strict=False)
    return whole if whole.null_count() == numbers.null_count() else numbers


def _with_marks(stripped: pl.Series, decimal: Mark | None) -> NumberCells:
    silent = _says_missing(stripped)
    missing = _counted(stripped.filter(silent))
    held = pl.select(pl.when(~silent).then(stripped)).to_series()
    bare = held.str.replace_all(_AROUND, "")
    times = pl.select(pl.when(held.str.contains(r"[$€£¥]")).then(bare.str.extract(_MULTIPLE))).to_series()
    bare = pl.select(pl.when(times.is_not_null()).then(bare.str.replace(_MULTIPLE, "")).otherwise(bare)).to_series()
    percent = held.str.ends_with("%").fill_null(False)
    style = _Style(bare, decimal)
    numbers = style.read()
    if times.null_count() < len(times):
        numbers = (numbers * times.replace_strict(_TIMES, default=1.0, return_dtype=pl.Float64).fill_null(1.0)).round(6)
    odd = held.is_not_null() & numbers.is_null()
    marks = style.marks()
    present = numbers.is_not_null()
    if bool((percent & present).any()):
        marks = (*marks, "per cent signs")
    elif bool((bare != held).filter(present).any()):
        marks = (*marks, "currency signs")
    guessed = style.guessed
    if bool((percent & present).any()) and not bool((percent | ~present).all()):
        guessed = guessed or "some numbers have a per cent sign and some have none"
    return NumberCells(
        _narrow(numbers),
        odd,
        missing,
        marks,
        style.proved,
        guessed,
        bool((percent | ~present).all()),
        style.ambiguous,
    )


def _narrow(numbers: pl.Series) -> pl.Series:
    held = numbers.drop_nulls()
    whole = bool((held % 1 == 0).all()) and bool((held.abs() < 2**53).all())
    return numbers.cast(pl.Int64) if whole and len(held) else numbers


class _Style:
    """What the commas, points and spaces of a column mean."""

    def __init__(self, bare: pl.Series, decimal: Mark | None) -> None:
        self._bare = bare
        self._given = decimal
        self._has = {mark: bare.str.contains(pattern).fill_null(False) for mark, pattern in _GROUPS.items()}
        self._plain = bare.str.contains(_PLAIN).fill_null(False)
        self._comma = bare.str.contains(_COMMA).fill_null(False)
        points = self._plain & bare.str.contains(r"\.\d")
        apart = {mark: bool(bare.str.contains(pattern).any()) for mark, pattern in _SURE_GROUPS.items()}
        comma_is_decimal = bool((self._comma & ~self._has[","]).any()) or apart["."]
        point_is_decimal = bool((points & ~self._has["."]).any()) or apart[","]
        self.proved: Mark | None = None
        self.guessed = ""
        self.ambiguous = False
        if comma_is_decimal and point_is_decimal:
            self.decimal: Mark | None = None
            self.guessed = "some numbers have a decimal comma and some a decimal point"
        elif comma_is_decimal or point_is_decimal:
            self.decimal = self.proved = "," if comma_is_decimal else "."
        elif bool(self._comma.any()):
            self.decimal = decimal or "."
            self._ask("commas before three digits are taken to set thousands apart; they could be decimal marks")
        elif _only_groups(bare.filter(self._plain | self._has["."])):
            thousands = not bool((points | self._has["."] | ~self._plain).all())
            self.decimal = decimal or ("," if thousands else ".")
            taken = "are taken to set thousands apart; they could be" if thousands else "are taken for"
            rest = "" if thousands else "; they could set thousands apart"
            self._ask(f"points before three digits {taken} decimal marks{rest}")
        else:
            self.decimal = "."

    def _ask(self, sentence: str) -> None:
        """Ask, where nobody has said what the decimal mark of the file is."""
        if self._given is None:
            self.ambiguous, self.guessed = True, sentence

    def read(self) -> pl.Series:
        """Return the numbers; null where a cell is none."""
        bare = self._bare.str.replace_all(r"[ \u00a0\u202f'’]", "")
        written = self._plain | self._has[" "] | self._comma | self._has[","] | self._has["."]
        cells = pl.select(pl.when(written).then(bare)).to_series()
        if self.decimal == ",":
            cells = cells.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True)
        elif self.decimal == ".":
            cells = cells.str.replace_all(",", "", literal=True)
        else:
            cells = cells.str.replace(",", ".", literal=True)
        numbers = cells.cast(pl.Float64, strict=False)
        return pl.select(pl.when(numbers.is_finite()).then(numbers)).to_series()

    def marks(self) -> tuple[str, ...]:
        """Return how the numbers are written, in phrases."""
        thousands = {mark: self._has[mark] for mark in _GROUPS if mark != self.decimal}
        apart = any(bool(found.any()) for mark, found in thousands.items() if mark != "." or self.decimal == ",")
        said = ["decimal commas"] if self.decimal != "." and bool(self._comma.any()) else []
        return (*said, *(["thousands set apart"] if apart and self.decimal is not None else []))


def likely_codes(numbers: pl.Series) -> dict[float, int]:
    """Return numbers that look like codes of missing values -> how often they stand; empty where none does.

    Notes
    -----
    Such numbers are those that questionnaires use for missing (9, 99, -99, 998 ...), they are the largest or the
    smallest ones, and they stand apart from all others: by a quarter of their range, or as the only negative ones. Two
    or more of one side do so together: -9 and -8, or 77, 88 and 99.

    Examples
    --------
    >>> likely_codes(pl.Series([18, 44, 70, 99, 99, -99])), likely_codes(pl.Series([97, 98, 99, 100]))
    ({-99.0: 1, 99.0: 2}, {})
    >>> likely_codes(pl.Series([1, 2, 3, 4, 5, 8, 9])), likely_codes(pl.Series([1, 2, 3, 5, -2, -1]))
    ({9.0: 1, 8.0: 1}, {-2.0: 1, -1.0: 1})
    """
    held = numbers.drop_nulls().cast(pl.Float64)
    found: dict[float, int] = {}
    for side in (-1, 1):
        codes, rest = _codes_at_the_end(held, side)
        found |= codes
        held = rest
    return found


MOST_CODES: Final = 5
"""So many codes for missing at most has one side of a column."""


def _codes_at_the_end(held: pl.Series, side: int) -> tuple[dict[float, int], pl.Series]:
    """Return the codes at the low or the high end, and the numbers without them."""
    run: dict[float, int] = {}
    best, left, rest = dict(run), held, held
    while len(rest) and len(run) < MOST_CODES:
        end = float((rest * side).max()) * side  # type: ignore[arg-type]
        if abs(end) not in (1, *_CODES) and not (side < 0 and -10 < end < 0 and end % 1 == 0):
            break
        rest, before = rest.filter(rest != end), len(rest)
        run[end] = before - len(rest)
        if len(rest) and _stand_apart(list(run), rest):
            best, left = dict(run), rest
    return best, left


def _stand_apart(codes: list[float], rest: pl.Series) -> bool:
    """Say whether codes of one side, the outermost first, stand apart from all other numbers."""
    low, high = float(rest.min()), float(rest.max())  # type: ignore[arg-type]
    code = codes[-1]
    if code < 0 and not all(abs(one) in _CODES for one in codes):  # -1, -2, -5: as some panels have them
        alone = len(codes) == 1 and code == -1 and low >= 0
        return rest.n_unique() > 3 and (alone or (len(codes) > 1 and low >= 1))
    if code < 0:
        return low >= 0 or low - code > high - low
    gap, spread = code - high, high - low
    if len(codes) > 1 and code >= 77 and not _spaced_as_codes(codes):
        return gap > spread
    return gap > _APART * spread and gap >= 2 and (code >= 77 or rest.n_unique() > 2)


def _spaced_as_codes(codes: list[float]) -> bool:
    """Say whether codes are 99, 88, 77 or 999, 888, 777."""
    return all(len(set(f"{code:.0f}")) == 1 for code in codes)
