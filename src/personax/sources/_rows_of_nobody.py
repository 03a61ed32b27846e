"""Rows of a table that are no people, or nobody who took part to the end: totals below the table, tests of a survey.

They are asked about and stay until somebody leaves them out (``leave_out`` in study.yaml), for no rule is sure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import polars as pl
import yaml

from personax.data.text import fold
from personax.errors import InputError
from personax.sources._ledger import FileFact
from personax.sources._raw_table import RawTable
from personax.strict import nearest

__all__ = ["LeaveOut", "rows_in_question", "without_rows"]

LeaveOut = Mapping[str, Sequence[str]]
"""Header -> texts; rows that hold one of them there are left out. An empty list: they were asked about, and stay."""

FOOT: Final = 3
"""Rows at the end, and at the beginning, that may be totals."""

FEWEST: Final = 4
"""Rows besides them from which a sum is none by chance."""

_TOTAL_TEXT: Final = """
    total totals sum sums subtotal mean means average averages median count summe summen gesamt gesamtsumme insgesamt
    gesamtergebnis mittelwert durchschnitt anzahl somme totaux moyenne suma totales media promedio totale somma totaal
    som gemiddelde soma média summa medel razem łącznie średnia celkem součet průměr összesen átlag yhteensä toplam
    ortalama genel
    итого итог всего среднее сумма разом σύνολο סהכ المجموع الإجمالي 合計 平均 合计 总计 总和 平均值 합계 평균
"""
TOTALS: Final = frozenset(fold(word) for word in _TOTAL_TEXT.split())
"""Words of the first cell of a row of totals, as Excel and people write them."""

PREVIEW, TEST, SPAM = 1, 2, 8
"""Bits of the numeric status of a response of Qualtrics; 4 is imported, 16 offline, 32 a project of employees."""


@dataclass(frozen=True)
class _Survey:
    """What the export of a survey says of a response.

    Parameters
    ----------
    beside
        Headers one of which tells that it is such an export.
    headers
        Of the column, as exports spell it.
    means
        Whether a text of that column is in question.
    what
        Of the rows, in a sentence.
    """

    beside: frozenset[str]
    headers: tuple[str, ...]
    means: Callable[[str], bool]
    what: str


def _no_response(text: str) -> bool:
    if text.isdecimal():
        return bool(int(text) & (PREVIEW | TEST | SPAM))
    words = fold(text)
    return any(word in words for word in ("preview", "test", "spam"))


def _one_of(*texts: str) -> Callable[[str], bool]:
    return lambda text: fold(text) in texts


_QUALTRICS: Final = frozenset({"ResponseId", "ResponseID", "Response ID", "V1"})
_PROLIFIC: Final = frozenset({"Submission id", "Participant id", "participant_id"})
_LIMESURVEY: Final = frozenset({"startlanguage", "Start language", "startlanguage. Start language"})

SURVEYS: Final = (
    _Survey(_QUALTRICS, ("Status", "Response Type", "DistributionStatus"), _no_response,
            "are previews, tests or spam, not answers of people"),
    _Survey(_QUALTRICS, ("Finished",), _one_of("false", "0"), "left the survey before its end"),
    _Survey(_PROLIFIC, ("Status", "status"), _one_of("returned", "timed-out", "timed out", "rejected"),
            "returned their submission, took too long or were rejected"),
    _Survey(_LIMESURVEY, ("submitdate", "Date submitted", "submitdate. Date submitted"), lambda text: not text,
            "did not submit the survey"),
)  # fmt: skip


def without_rows(path: Path, raw: RawTable, leave_out: LeaveOut) -> RawTable:
    """Return a table without the rows that somebody has left out.

    Raises
    ------
    InputError
        There is no such column, or nobody is left.
    """
    gone = pl.repeat(value=False, n=raw.frame.height, eager=True)
    facts = list(raw.facts)
    for header, texts in leave_out.items():
        if header not in raw.frame.columns:
            raise InputError(f"{path}, leave_out: there is no column {header}; {nearest(header, raw.frame.columns)}")
        named = raw.frame[header].fill_null("").str.strip_chars().is_in([text.strip() for text in texts])
        if texts:
            facts.append(FileFact("rows left out", f"{named.sum()} by {header}", "given", ", ".join(texts)))
        gone |= named
    if gone.all():
        raise InputError(f"{path}, leave_out: no row is left; name fewer texts")
    return replace(raw, frame=raw.frame.filter(~gone), facts=tuple(facts))


def rows_in_question(raw: RawTable, leave_out: LeaveOut) -> list[FileFact]:
    """Return a question for every kind of rows that may be no people, besides those that somebody has settled."""
    return [*_of_surveys(raw.frame, leave_out), *_totals(raw.frame, leave_out)]


def _of_surveys(frame: pl.DataFrame, leave_out: LeaveOut) -> Iterator[FileFact]:
    for survey in SURVEYS:
        header = next((name for name in survey.headers if name in frame.columns), None)
        if header is None or header in leave_out or survey.beside.isdisjoint(frame.columns):
            continue
        counts = frame[header].fill_null("").str.strip_chars().value_counts(sort=True)
        held = {text: rows for text, rows in counts.iter_rows() if survey.means(text)}
        rows = sum(held.values())
        if rows and rows < frame.height:
            said = ", ".join(f"{text or 'empty'} ({n})" for text, n in held.items())
            yield _asked(f"{rows} of {frame.height}", f"{header} says that they {survey.what}: {said}", header, [*held])


def _totals(frame: pl.DataFrame, leave_out: LeaveOut) -> Iterator[FileFact]:
    """Yield a question for every row at an end of the table that holds a word such as total, and sums or gaps."""
    ends = [at for at in range(frame.height) if at < FOOT or at >= frame.height - FOOT]
    named = {at: found for at in ends if (found := _total_word(frame.row(at, named=True))) is not None}
    body = frame.with_row_index("").filter(~pl.col("").is_in(list(named))).drop("")
    if not named or body.height < FEWEST:
        return
    for at, (header, word) in named.items():
        why = _seems_total(frame.row(at, named=True), body, header)
        if why and header not in leave_out:
            yield _asked(f"{at + 1} of {frame.height}", f"{header} is {word!r} and {why}: a total, no person",
                         header, [word], "row")  # fmt: skip


def _total_word(row: Mapping[str, Any]) -> tuple[str, str] | None:
    for header, cell in row.items():
        words = fold(cell or "").replace(":", " ").split()
        if len(words) <= 3 and not TOTALS.isdisjoint(words[: 1 if len(words) == 3 else 2]):
            return header, str(cell)
    return None


def _seems_total(row: Mapping[str, Any], body: pl.DataFrame, beside: str) -> str:
    """Return what else says that a row is a total: a sum or mean of the others, or cells that are empty here alone."""
    gaps = []
    for header, cell in row.items():
        if header == beside:
            continue
        if not (cell or "").strip():
            if body[header].null_count() <= body.height // 20:
                gaps.append(header)
            continue
        numbers = body[header].cast(pl.Float64, strict=False)
        number = pl.Series([cell]).cast(pl.Float64, strict=False)[0]
        if number is None or 2 * numbers.null_count() > body.height or numbers.n_unique() < FEWEST:
            continue
        values = numbers.drop_nulls().to_numpy()
        for what, total in (("sum", values.sum()), ("mean", values.mean())):
            if abs(float(number) - float(total)) <= 1e-6 * max(1.0, abs(float(total))):
                return f"{header} is the {what} of the others"
    return f"{', '.join(gaps[:3])} {'is' if len(gaps) == 1 else 'are'} empty there alone" if gaps else ""


def _asked(value: str, why: str, header: str, texts: Sequence[str], what: str = "rows") -> FileFact:
    settled = {"leave_out": {header: list(texts)}}
    answer = yaml.safe_dump(settled, default_flow_style=True, allow_unicode=True, width=10**6).strip()
    answer = f"{answer.removeprefix('{').removesuffix('}')}, or {header}: [] to keep them"
    return FileFact(what, value, "question", why, answer)
