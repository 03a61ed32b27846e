"""Where people come from: one file a source, of files and of the web, and what is done with their records.

``_source`` is what a source is; ``_table``, ``_player_files``, ``celeba`` read files; ``leagues`` and
``wikidata`` are sources of the web, which ``_collect_web`` collects concurrently. They give ``_records`` (records of
people, the origin of each value) or a ``_people_table`` (a table, and the cells that cannot be read). Then
``_record_countries`` gives every country one name, ``record_linkage`` finds one person in several sources, ``geocode``
and ``_completion`` add columns, ``pictures`` keeps portraits.
"""

from personax.sources._collect_web import NamedSource, ProbeResult, SourceResult, collect_web, probe
from personax.sources._column_spec import ColumnSpec
from personax.sources._completion import complete
from personax.sources._ledger import LEDGER, ColumnReading, FileFact, FileReading, GuessedReading, ReadingLedger
from personax.sources._look import ColumnProposal, TableProposal, private_headers, propose_table
from personax.sources._people_table import BAD_CELLS, PeopleTable, table_notices
from personax.sources._player_files import CollectNflPlayers, CollectOpenfootball, read_nfl_players, read_openfootball
from personax.sources._read_file import read_text_table
from personax.sources._record_countries import name_countries
from personax.sources._records import BadValue, Failure, Origin, Record, assemble, records_of
from personax.sources._sections import CollectSeveral, Pictures, WebSource, read_section
from personax.sources._source import FileSource, PeopleSource, source_classes, source_names
from personax.sources._table import CollectTable, read_table
from personax.sources._waves import CHANGES, compare_waves, same_people, stack_waves, wave_notices
from personax.sources.celeba import CollectCelebA

__all__ = [
    "BAD_CELLS",
    "CHANGES",
    "LEDGER",
    "BadValue",
    "CollectCelebA",
    "CollectNflPlayers",
    "CollectOpenfootball",
    "CollectSeveral",
    "CollectTable",
    "ColumnProposal",
    "ColumnReading",
    "ColumnSpec",
    "Failure",
    "FileFact",
    "FileReading",
    "FileSource",
    "GuessedReading",
    "NamedSource",
    "Origin",
    "PeopleSource",
    "PeopleTable",
    "Pictures",
    "ProbeResult",
    "ReadingLedger",
    "Record",
    "SourceResult",
    "TableProposal",
    "WebSource",
    "assemble",
    "collect_web",
    "compare_waves",
    "complete",
    "name_countries",
    "private_headers",
    "probe",
    "propose_table",
    "read_nfl_players",
    "read_openfootball",
    "read_section",
    "read_table",
    "read_text_table",
    "records_of",
    "same_people",
    "source_classes",
    "source_names",
    "stack_waves",
    "table_notices",
    "wave_notices",
]
