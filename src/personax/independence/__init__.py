"""Level I: tests of independence by counting, and the grid of every feature against every target.

A map, each line using the ones above it; the modules are private, this package exports the names:

- ``_blocks`` (clusters and strata), ``_survey`` (survey weights)
- ``_inputs`` (arrays and tables of any library), ``_feature_scores`` (for scikit-learn)
- counting: ``_counts`` (distinct values, weights, joined variables), ``_variable`` (a column of a table), ``_margins``
- kernels: ``_kernels`` (widths, low-rank centred factors, with ``_third_order``), ``_normal_scores`` (of heavy tails),
  ``_kernel_ridge`` (regression on z)
- nulls and effects: ``_null`` with ``_permutation_moments`` and ``_permutations``, ``_several_widths`` (joined),
  ``_effects``, ``_intervals``, ``_corrections``, ``_result``
- ``_direction`` (how y moves with x) with ``_trend`` (ranks) and ``_group_order`` (groups and tables)
- ``_pair`` (what the tests of a pair of columns share), ``_registered`` (tests by name: the only table of them)
- ``_regression_checks`` (when a small p-value given z counts), with ``_residual_kernels`` and ``_trees``
- one file a test, all that personax knows of it within: ``_kci`` with ``_conditional``, ``_hsic``, ``_dcor``,
  ``_rcit``, ``_gcm`` with ``_wgcm`` and ``_pcm``, ``_chisq`` and ``_gsq`` with ``_contingency`` and ``_table_tests``,
  ``_usp``, ``_auto`` (which fits a pair)
- the grid: ``_frames`` (any table), ``_parts`` (many Parquet files), ``_state`` (what counting leaves of them),
  ``_grid``, ``_all_pairs`` (of small tables, streamed), ``_views``, ``_heterogeneity``, ``_missingness``,
  ``_pooling``, ``_noisy`` (counts with noise)
- calibration: ``_scenarios``, ``_calibration``, ``_data_nulls`` (nulls made of one's own table), ``_family_wise``
  (whole grids of them), ``_certificate``
"""

from personax.independence._all_pairs import AllPairs, screen_tables
from personax.independence._auto import auto
from personax.independence._calibration import Rate, binomial_interval, calibrate_scenarios, rejection_rate
from personax.independence._certificate import certificate, family_sentences, verdicts
from personax.independence._chisq import chisq
from personax.independence._corrections import Correction, correct
from personax.independence._data_nulls import calibrate_like
from personax.independence._dcor import dcor
from personax.independence._direction import Direction
from personax.independence._family_wise import FAMILIES, family_wise
from personax.independence._feature_scores import ScoreFunction, score_function
from personax.independence._gcm import gcm
from personax.independence._grid import screen
from personax.independence._gsq import gsq
from personax.independence._heterogeneity import heterogeneity
from personax.independence._hsic import hsic
from personax.independence._kci import kci
from personax.independence._missingness import missingness
from personax.independence._noisy import NoisyTable, noisy_chisq, screen_noisy
from personax.independence._pair import MAX_LEVELS, ColumnPair, Given, TestedColumn
from personax.independence._parts import DataSet, open_dataset
from personax.independence._pcm import pcm
from personax.independence._pooling import pool
from personax.independence._rcit import rcit
from personax.independence._registered import RegisteredTest, battery, find_test, option_faults
from personax.independence._result import TestResult
from personax.independence._scenarios import SCENARIOS
from personax.independence._state import State, count
from personax.independence._usp import usp
from personax.independence._variable import present_rows
from personax.independence._views import dependence_graph, wide
from personax.independence._wgcm import wgcm

__all__ = [
    "FAMILIES",
    "MAX_LEVELS",
    "SCENARIOS",
    "AllPairs",
    "ColumnPair",
    "Correction",
    "DataSet",
    "Direction",
    "Given",
    "NoisyTable",
    "Rate",
    "RegisteredTest",
    "ScoreFunction",
    "State",
    "TestResult",
    "TestedColumn",
    "auto",
    "battery",
    "binomial_interval",
    "calibrate_like",
    "calibrate_scenarios",
    "certificate",
    "chisq",
    "correct",
    "count",
    "dcor",
    "dependence_graph",
    "family_sentences",
    "family_wise",
    "find_test",
    "gcm",
    "gsq",
    "heterogeneity",
    "hsic",
    "kci",
    "missingness",
    "noisy_chisq",
    "open_dataset",
    "option_faults",
    "pcm",
    "pool",
    "present_rows",
    "rcit",
    "rejection_rate",
    "score_function",
    "screen",
    "screen_noisy",
    "screen_tables",
    "usp",
    "verdicts",
    "wgcm",
    "wide",
]
