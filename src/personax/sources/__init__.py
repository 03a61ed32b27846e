"""Where people come from: tables, and one file a source."""

from personax.sources.nfl_players import read_nfl_players
from personax.sources.openfootball import read_openfootball
from personax.sources.people import PeopleTable
from personax.sources.spec import ColumnSpec
from personax.sources.table import read_table

__all__ = ["ColumnSpec", "PeopleTable", "read_nfl_players", "read_openfootball", "read_table"]
