"""The glue: one thin file a stage reads the study folder, calls the library, writes the study folder.

`STAGES` are those of a study, in order; `_base` says what a stage is and what it is given. Beside them stand the
computations that belong to no study: Level I, causal graphs and calibrations of a table, the Level II benchmark, the
analysis of a release, answers to requests, and questions to people.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from personax.stages._annotate import ANNOTATE
from personax.stages._base import Context, Reader, Stage, stage_rng, versions
from personax.stages._collect import COLLECT
from personax.stages._crl import CRL
from personax.stages._discover import DISCOVER
from personax.stages._embed import EMBED
from personax.stages._independence import INDEPENDENCE
from personax.stages._plan_checks import (
    check_columns,
    check_files,
    check_method,
    check_packages,
    check_plan,
    plan_notices,
)
from personax.stages._release import RELEASE
from personax.stages._report import REPORT, report_data, report_page

if TYPE_CHECKING:
    from personax.stages._adjudicate import export_adjudication
    from personax.stages._analyse_release import ReleaseAnalysis, folder_of, plan_analysis
    from personax.stages._annotate_llm import (
        JOURNAL,
        annotate_part,
        estimate_annotation,
        export_batches,
        import_batches,
        merge_shards,
        probe_endpoints,
    )
    from personax.stages._answer import AnswerResult, answer
    from personax.stages._calibrate import Calibration, CalibrationSettings, calibrate_file, calibrate_study
    from personax.stages._collect_many import probe_sources, summaries
    from personax.stages._crl_benchmark import SCORING_SEED, CrlBenchmark, run_benchmark
    from personax.stages._crl_benchmark_results import (
        FLOORS,
        draw_benchmark,
        reject_none,
        rows_of,
        summary_table,
        write_benchmark,
    )
    from personax.stages._crl_runs import read_known_latents, read_runs
    from personax.stages._discover import FileGraph, ci_test, discover_file, find_causes, graph_counts
    from personax.stages._falsify import falsify_file, read_graph
    from personax.stages._fit_latents import (
        LatentResults,
        choose_latents,
        describe_numbers,
        learn,
        learn_seed,
        write_latents,
    )
    from personax.stages._human_compare import ComparisonSettings, HumanComparison, compare_humans
    from personax.stages._human_export import ExportSettings, export_sample
    from personax.stages._independence import (
        FileResults,
        analyse,
        analyse_file,
        analyse_statistics,
        count_tests,
    )
    from personax.stages._llm_selection import (
        SelectionSettings,
        calibrate_formats,
        choose_models,
        estimate_selection,
        recommended,
    )
    from personax.stages._release import audit_study, settings_of
    from personax.stages._vector_curve import PrivacyCurve, measured
    from personax.stages._waves import KeptWave, kept_waves, trait_drift

__all__ = [
    "ANNOTATE",
    "COLLECT",
    "CRL",
    "DISCOVER",
    "EMBED",
    "FLOORS",
    "INDEPENDENCE",
    "JOURNAL",
    "RELEASE",
    "REPORT",
    "SCORING_SEED",
    "STAGES",
    "AnswerResult",
    "Calibration",
    "CalibrationSettings",
    "ComparisonSettings",
    "Context",
    "CrlBenchmark",
    "ExportSettings",
    "FileGraph",
    "FileResults",
    "HumanComparison",
    "KeptWave",
    "LatentResults",
    "PrivacyCurve",
    "Reader",
    "ReleaseAnalysis",
    "SelectionSettings",
    "Stage",
    "analyse",
    "analyse_file",
    "analyse_statistics",
    "annotate_part",
    "answer",
    "audit_study",
    "calibrate_file",
    "calibrate_formats",
    "calibrate_study",
    "check_columns",
    "check_files",
    "check_method",
    "check_packages",
    "check_plan",
    "choose_latents",
    "choose_models",
    "ci_test",
    "compare_humans",
    "count_tests",
    "describe_numbers",
    "discover_file",
    "draw_benchmark",
    "estimate_annotation",
    "estimate_selection",
    "export_adjudication",
    "export_batches",
    "export_sample",
    "falsify_file",
    "find_causes",
    "folder_of",
    "graph_counts",
    "import_batches",
    "kept_waves",
    "learn",
    "learn_seed",
    "measured",
    "merge_shards",
    "plan_analysis",
    "plan_notices",
    "probe_endpoints",
    "probe_sources",
    "read_graph",
    "read_known_latents",
    "read_runs",
    "recommended",
    "reject_none",
    "report_data",
    "report_page",
    "rows_of",
    "run_benchmark",
    "settings_of",
    "stage_rng",
    "summaries",
    "summary_table",
    "trait_drift",
    "versions",
    "write_benchmark",
    "write_latents",
]

STAGES: tuple[Stage, ...] = (COLLECT, ANNOTATE, EMBED, RELEASE, INDEPENDENCE, CRL, DISCOVER, REPORT)
"""All stages, in the order in which they run."""

_HOME = {
    "_adjudicate": "export_adjudication",
    "_analyse_release": "ReleaseAnalysis folder_of plan_analysis",
    "_annotate_llm": "JOURNAL annotate_part estimate_annotation export_batches import_batches merge_shards "
    "probe_endpoints",
    "_answer": "AnswerResult answer",
    "_calibrate": "Calibration CalibrationSettings calibrate_file calibrate_study",
    "_collect_many": "probe_sources summaries",
    "_crl_benchmark": "SCORING_SEED CrlBenchmark run_benchmark",
    "_crl_benchmark_results": "FLOORS draw_benchmark reject_none rows_of summary_table write_benchmark",
    "_crl_runs": "read_known_latents read_runs",
    "_discover": "FileGraph ci_test discover_file find_causes graph_counts",
    "_falsify": "falsify_file read_graph",
    "_fit_latents": "LatentResults choose_latents describe_numbers learn learn_seed write_latents",
    "_human_compare": "ComparisonSettings HumanComparison compare_humans",
    "_human_export": "ExportSettings export_sample",
    "_independence": "FileResults analyse analyse_file analyse_statistics count_tests",
    "_llm_selection": "SelectionSettings calibrate_formats choose_models estimate_selection recommended",
    "_release": "audit_study settings_of",
    "_vector_curve": "PrivacyCurve measured",
    "_waves": "KeptWave kept_waves trait_drift",
}
"""Module -> the names that it brings when they are first used."""

_MODULE = {name: module for module, names in _HOME.items() for name in names.split()}


def __getattr__(name: str) -> object:
    if name not in _MODULE:
        text = f"module 'personax.stages' has no attribute {name!r}"
        raise AttributeError(text)
    return getattr(import_module(f"personax.stages.{_MODULE[name]}"), name)
