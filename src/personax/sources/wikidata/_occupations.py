"""Occupations in a short list of groups, so that a table of people can be tested by them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

__all__ = ["GROUPS", "GROUP_OF", "OTHER", "group_of", "groups_of_superclasses"]

OTHER = "other"

GROUPS: Mapping[str, tuple[str, ...]] = {
    # actor, film, television, voice, stage actor, comedian, stand-up comedian, pornographic actor
    "actor": ("Q33999", "Q10800557", "Q10798782", "Q2405480", "Q2259451", "Q245068", "Q18545066", "Q488111"),
    # musician, singer, songwriter, singer-songwriter, rapper, composer, guitarist, bassist, drummer, pianist,
    # record producer, disc jockey, conductor, opera singer
    "musician": (
        *("Q639669", "Q177220", "Q753110", "Q488205", "Q2252262", "Q36834", "Q855091", "Q584301", "Q386854"),
        *("Q486748", "Q183945", "Q130857", "Q158852", "Q2865819"),
    ),
    # athlete; player of association football, basketball, tennis, golf, American football, ice hockey, baseball,
    # cricket, volleyball, rugby union; swimmer, athletics competitor, boxer, mixed martial artist, professional
    # wrestler, racing driver, Formula One driver, figure skater, cyclist
    "athlete": (
        *("Q2066131", "Q937857", "Q3665646", "Q10833314", "Q11303721", "Q19204627", "Q11774891", "Q10871364"),
        *("Q12299841", "Q15117302", "Q14089670", "Q10843402", "Q11513337", "Q11338576", "Q11607585", "Q13474373"),
        *("Q378622", "Q10841764", "Q13219587", "Q2309784"),
    ),
    # model, fashion model, supermodel, beauty pageant contestant, Playboy Playmate
    "model": ("Q4610556", "Q3357567", "Q865851", "Q18581305", "Q728711"),
    # film director, director, television director, film producer, screenwriter, filmmaker, cinematographer
    "filmmaker": ("Q2526255", "Q3455803", "Q2059704", "Q3282637", "Q28389", "Q1414443", "Q222344"),
    # television presenter, journalist, television and radio personality, internet celebrity, YouTuber, influencer,
    # blogger, socialite
    "media": (
        *("Q947873", "Q1930187", "Q44508716", "Q2722764", "Q2045208", "Q17125263", "Q2906862", "Q8246794"),
        "Q512314",
    ),
    # writer, author, novelist, playwright, children's writer, science fiction writer, poet
    "writer": ("Q36180", "Q482980", "Q6625963", "Q214917", "Q4853732", "Q18844224", "Q49757"),
    "dancer": ("Q5716684", "Q2490358"),  # dancer, choreographer
    "artist": ("Q483501", "Q1028181", "Q33231", "Q3501317"),  # artist, painter, photographer, fashion designer
    "politician": ("Q82955", "Q193391", "Q372436", "Q116"),  # politician, diplomat, statesperson, monarch
    "business": ("Q43845", "Q131524", "Q911554"),  # businessperson, entrepreneur, business magnate
}
"""Group -> items of its occupations; everything else is `OTHER` unless its superclasses say more."""

GROUP_OF: Mapping[str, str] = {item: group for group, items in GROUPS.items() for item in items}


def group_of(occupations: Sequence[str], more: Mapping[str, str] | None = None) -> str | None:
    """Return the group that most of the occupations belong to, of equal ones the one stated first; None for none.

    Parameters
    ----------
    occupations
        Items, in the order of the statements.
    more
        Item -> group beside `GROUP_OF`, from the superclasses of occupations.

    Examples
    --------
    >>> group_of(["Q177220", "Q33999", "Q10800557"]), group_of(["Q177220", "Q33999"]), group_of(["Q1"]), group_of([])
    ('actor', 'musician', 'other', None)
    """
    known = {**(more or {}), **GROUP_OF}
    groups = [known[item] for item in occupations if item in known]
    if groups:
        return Counter(groups).most_common(1)[0][0]  # equal counts stand in the order in which they came
    return OTHER if occupations else None


def groups_of_superclasses(rows: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Return item -> group from rows (item, superclass of it that `GROUP_OF` knows).

    An item below occupations of several groups belongs to the group of most of them; of equal ones to the first in
    `GROUPS`.

    Examples
    --------
    >>> groups_of_superclasses([("Q9", "Q33999"), ("Q9", "Q177220"), ("Q9", "Q639669")])
    {'Q9': 'musician'}
    """
    order = list(GROUPS)
    counts: dict[str, Counter[str]] = {}
    for item, above in rows:
        if above in GROUP_OF:
            counts.setdefault(item, Counter())[GROUP_OF[above]] += 1
    return {item: min(found, key=lambda group: (-found[group], order.index(group))) for item, found in counts.items()}
