"""Where people come from: tables, and one file a source."""

from personax.sources._completion import complete
from personax.sources._nfl_players import read_nfl_players
from personax.sources._openfootball import read_openfootball
from personax.sources._people_table import BAD_CELLS, PeopleTable, table_notices
from personax.sources._read_file import read_text_table
from personax.sources._records import BadValue, Failure, Origin, Record, assemble, records_of
from personax.sources._sections import (
    CollectCelebA,
    CollectNflPlayers,
    CollectOpenfootball,
    CollectSeveral,
    CollectTable,
    FileSection,
    Pictures,
    WebSource,
)
from personax.sources._table import ColumnSpec, read_table
from personax.sources._web_sources import ProbeResult, Source, SourceResult, collect_web, probe

__all__ = [
    "BAD_CELLS",
    "BadValue",
    "CollectCelebA",
    "CollectNflPlayers",
    "CollectOpenfootball",
    "CollectSeveral",
    "CollectTable",
    "ColumnSpec",
    "Failure",
    "FileSection",
    "Origin",
    "PeopleTable",
    "Pictures",
    "ProbeResult",
    "Record",
    "Source",
    "SourceResult",
    "WebSource",
    "assemble",
    "collect_web",
    "complete",
    "probe",
    "read_nfl_players",
    "read_openfootball",
    "read_table",
    "read_text_table",
    "records_of",
    "table_notices",
]
