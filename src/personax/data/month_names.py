"""Months by their names in many languages, as dates of birth are written."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Mapping
from functools import cache
from typing import Final

__all__ = ["english_months", "month_numbers"]

_MONTHS_TEXT: Final = """
en: january jan | february feb | march mar | april apr | may | june jun | july jul | august aug |
    september sep sept | october oct | november nov | december dec
de: januar jänner jan jän | februar feber feb | märz maerz mär mrz | april apr | mai | juni jun | juli jul |
    august aug | september sep sept | oktober okt | november nov | dezember dez
fr: janvier janv jan | février fevrier févr fév fev | mars mar | avril avr | mai | juin | juillet juil |
    août aout aoû | septembre sept sep | octobre oct | novembre nov | décembre decembre déc dec
es: enero ene | febrero feb | marzo mar | abril abr | mayo may | junio jun | julio jul | agosto ago |
    septiembre setiembre sep sept set | octubre oct | noviembre nov | diciembre dic
pt: janeiro jan | fevereiro fev | março marco mar | abril abr | maio mai | junho jun | julho jul | agosto ago |
    setembro set | outubro out | novembro nov | dezembro dez
it: gennaio gen | febbraio feb | marzo mar | aprile apr | maggio mag | giugno giu | luglio lug | agosto ago |
    settembre set sett | ottobre ott | novembre nov | dicembre dic
nl: januari jan | februari feb | maart mrt | april apr | mei | juni jun | juli jul | augustus aug |
    september sep sept | oktober okt | november nov | december dec
sv: januari jan | februari feb | mars mar | april apr | maj | juni jun | juli jul | augusti aug |
    september sep sept | oktober okt | november nov | december dec
da: januar jan | februar feb | marts mar | april apr | maj | juni jun | juli jul | august aug |
    september sep sept | oktober okt | november nov | december dec
nb: januar jan | februar feb | mars mar | april apr | mai | juni jun | juli jul | august aug |
    september sep sept | oktober okt | november nov | desember des
fi: tammikuuta tammikuu | helmikuuta helmikuu | maaliskuuta maaliskuu | huhtikuuta huhtikuu | toukokuuta toukokuu |
    kesäkuuta kesäkuu | heinäkuuta heinäkuu | elokuuta elokuu | syyskuuta syyskuu | lokakuuta lokakuu |
    marraskuuta marraskuu | joulukuuta joulukuu
pl: stycznia styczeń sty | lutego luty lut | marca marzec mar | kwietnia kwiecień kwi | maja maj |
    czerwca czerwiec cze | lipca lipiec lip | sierpnia sierpień sie | września wrzesień wrz |
    października październik paź | listopada listopad lis | grudnia grudzień gru
cs: ledna leden led | února únor úno | března březen bře | dubna duben dub | května květen kvě | června červen |
    července červenec | srpna srpen srp | září zář | října říjen říj | listopadu listopad lis | prosince prosinec pro
hr: siječnja siječanj | veljače veljača | ožujka ožujak | travnja travanj | svibnja svibanj | lipnja lipanj |
    srpnja srpanj | kolovoza kolovoz | rujna rujan | listopada listopad | studenoga studeni | prosinca prosinac
ro: ianuarie ian | februarie feb | martie mar | aprilie apr | mai | iunie iun | iulie iul | august aug |
    septembrie sept | octombrie oct | noiembrie nov | decembrie dec
hu: január jan | február febr | március márc | április ápr | május máj | június jún | július júl | augusztus aug |
    szeptember szept | október okt | november nov | december dec
tr: ocak oca | şubat şub | mart mar | nisan nis | mayıs may | haziran haz | temmuz tem | ağustos ağu | eylül eyl |
    ekim eki | kasım kas | aralık ara
ru: января январь янв | февраля февраль фев | марта март мар | апреля апрель апр | мая май | июня июнь июн |
    июля июль июл | августа август авг | сентября сентябрь сен сент | октября октябрь окт | ноября ноябрь ноя |
    декабря декабрь дек
uk: січня січень січ | лютого лютий лют | березня березень бер | квітня квітень кві | травня травень тра |
    червня червень чер | липня липень лип | серпня серпень сер | вересня вересень вер | жовтня жовтень жов |
    листопада листопад лис | грудня грудень гру
el: ιανουαρίου ιανουάριος | φεβρουαρίου φεβρουάριος | μαρτίου μάρτιος | απριλίου απρίλιος | μαΐου μάιος |
    ιουνίου ιούνιος | ιουλίου ιούλιος | αυγούστου αύγουστος | σεπτεμβρίου σεπτέμβριος | οκτωβρίου οκτώβριος |
    νοεμβρίου νοέμβριος | δεκεμβρίου δεκέμβριος
id: januari jan | februari feb | maret mar | april apr | mei | juni jun | juli jul | agustus agu |
    september sep | oktober okt | november nov | desember des
"""
_ENGLISH: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def month_numbers(words: Collection[str]) -> dict[str, int]:
    """Return word -> month by the language that knows most of the words; those it does not know are left out.

    Parameters
    ----------
    words
        Of the dates of one column: *listopada* is October in Croatian and November in Polish, the others tell.

    Notes
    -----
    A word is left out where two languages know equally many of the words and say two months of it.

    Examples
    --------
    >>> month_numbers(["März", "Mai", "Okt"]), month_numbers(["listopada"]), month_numbers(["listopada", "srpnja"])
    ({'März': 3, 'Mai': 5, 'Okt': 10}, {}, {'listopada': 10, 'srpnja': 7})
    """
    folded = {word: _folded(word) for word in words}
    known = {name: len({*folded.values()} & {*months}) for name, months in _languages().items()}
    most = [_languages()[name] for name, number in known.items() if number == max(known.values())]
    said = {word: {months[its] for months in most if its in months} for word, its in folded.items()}
    return {word: months.pop() for word, months in said.items() if len(months) == 1}


def english_months(text: str) -> str:
    """Return a date with the name of its month, in any of the languages, as the English abbreviation.

    Examples
    --------
    >>> english_months("3. März 1967"), english_months("1980-02-03")
    ('3. Mar 1967', '1980-02-03')
    """
    words = {word for word in "".join(c if c.isalpha() else " " for c in text).split() if len(word) > 2}
    for word, month in month_numbers(words).items() if words else ():
        text = text.replace(f"{word}." if f"{word}. " in text else word, _ENGLISH[month - 1])
    return text


@cache
def _languages() -> Mapping[str, Mapping[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for line in _MONTHS_TEXT.replace("|\n", "|").strip().splitlines():
        name, _, months = line.partition(":")
        found[name] = {_folded(word): at for at, words in enumerate(months.split("|"), 1) for word in words.split()}
    return found


def _folded(word: str) -> str:
    """Return a word in small letters without accents; the dotless i of Turkish is an i."""
    plain = unicodedata.normalize("NFKD", word.casefold().replace("ı", "i"))
    return "".join(letter for letter in plain if not unicodedata.combining(letter))
