"""The steps of a study as functions: on a `Study` each brings its stage up to date; most work on a `Table` alone, too.

On a study a step runs what it needs first, does nothing where nothing changed, and returns what the stage found. On a
table it computes and writes nothing.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from personax.config import DiscoverSection, IndependenceSection
from personax.data.columns import infer_columns
from personax.data.table import Table
from personax.discovery import Knowledge
from personax.embed import text_encoder
from personax.errors import InputError
from personax.progress import Progress, Silent
from personax.schema import Graph, TraitFramework
from personax.stages import analyse as analyse_table
from personax.stages import find_causes
from personax.study import Study
from personax.traits import aggregate, annotate_lexicon, trait_framework

__all__ = ["analyse", "annotate", "build_release", "collect", "discover", "encode", "learn_latents", "write_report"]


def collect(study: Study, *, progress: Progress | None = None) -> Table:
    """Collect the people of a study and return them, with what their columns mean.

    Raises
    ------
    PersonaxError
        As `Study.run`.
    """
    _run(study, "collect", progress)
    return study.reader.people()


def annotate(
    data: Study | Table,
    *,
    text: str = "biography",
    framework: str | TraitFramework = "big_five",
    progress: Progress | None = None,
) -> Table:
    """Return one score of each trait a person, of each rater and over them.

    Parameters
    ----------
    data
        A study, which says who rates which traits. Of a table the texts are looked through for adjective markers of the
        traits, which needs no network.
    text
        Column of the texts, of a table.
    framework
        Whose traits are scored, of a table: a registered name, or the framework itself; it has adjective markers.

    Raises
    ------
    PersonaxError
        As `Study.run`; a table without ids or texts, a framework that is not registered or has no markers.

    Examples
    --------
    >>> people = pl.DataFrame({"id": ["a", "b"], "biography": ["A talkative, bold person.", "A quiet person."]})
    >>> annotate(Table(people, infer_columns(people))).frame.select("id", "final_e").rows()
    [('a', 3.0), ('b', 1.0)]
    """
    if isinstance(data, Study):
        _run(data, "annotate", progress)
        scores = data.reader.scores()
        assert scores is not None
        return scores
    texts, traits = _texts(data, text), _framework(framework)
    frame = aggregate(annotate_lexicon(texts, traits), people=list(texts), framework=traits)
    return Table(frame, infer_columns(frame, framework=traits))


def encode(
    data: Study | Table, *, text: str = "biography", model: str = "offline", progress: Progress | None = None
) -> dict[str, pl.DataFrame]:
    """Return the vectors of people: modality -> ``id`` and one column of vectors a measurement.

    Parameters
    ----------
    data
        A study, which says what is encoded and by whom. Of a table one column of texts is.
    text, model
        Column of the texts, and an encoder; see `personax.embed.text_encoder`.

    Raises
    ------
    PersonaxError
        As `Study.run`; a table without ids or texts, an unknown model.

    Examples
    --------
    >>> people = pl.DataFrame({"id": ["a", "b"], "biography": ["A talkative person.", "A quiet person."]})
    >>> encode(Table(people, infer_columns(people)))["text"].schema["offline"]
    Array(Float32, shape=(384,))
    """
    if isinstance(data, Study):
        _run(data, "embed", progress)
        return data.reader.embeddings()
    texts = _texts(data, text)
    vectors = text_encoder(model).encode([told or "" for told in texts.values()])
    return {"text": pl.DataFrame({"id": list(texts), model: pl.Series(vectors, dtype=_vector(vectors.shape[1]))})}


def build_release(study: Study, *, progress: Progress | None = None) -> Path:
    """Build and attack the release of a study, and return its folder; `load_release` and `verify` read it.

    Raises
    ------
    PersonaxError
        As `Study.run`.
    """
    _run(study, "release", progress)
    return study.folder.readable_folder("release", "release")


def analyse(
    data: Study | Table,
    *,
    seed: int = 0,
    framework: str | TraitFramework = "big_five",
    progress: Progress | None = None,
    **settings: Any,
) -> tuple[pl.DataFrame, Graph]:
    """Test every feature against every target (Level I); return tidy p-values and the dependence graph.

    Parameters
    ----------
    data
        A study, whose file says what is tested; or a table, whose columns say by their roles what they are.
    seed
        Of randomised tests, of a table.
    framework
        Whose traits the targets are, of a table: ``<model>_<letter>`` belongs to the group of the model.
    **settings
        Of a table, as in the section ``independence`` of a study file: ``tests``, ``features``, ``given`` ...

    Raises
    ------
    PersonaxError
        As `Study.run`; settings that cannot be.

    Examples
    --------
    >>> height = [float(170 + 7 * i % 31) for i in range(60)]
    >>> people = pl.DataFrame({"height_cm": height, "final_o": [1 + (x > 180) for x in height]})
    >>> analyse(Table(people, infer_columns(people)), tests=["kci"])[0]["rejected"].to_list()
    [True]
    """
    if isinstance(data, Study):
        _run(data, "independence", progress)
        return data.results["independence"]["pvalues"], _graph(data, "independence")
    columns = [column for column in _is_table(data).columns if column.role != "id"]
    section, letters = IndependenceSection(**settings), _framework(framework).letters.values()
    return analyse_table(data.frame, columns, section, progress or Silent(), seed=seed, letters=letters)


def learn_latents(study: Study, *, progress: Progress | None = None) -> pl.DataFrame:
    """Learn the latent causes behind the embeddings of a study (Level II); return ``id`` and a column a latent.

    Arrays of one's own: `personax.fit`.

    Raises
    ------
    PersonaxError
        As `Study.run`.
    """
    _run(study, "crl", progress)
    return study.results["crl"]["latents"]


def discover(
    data: Study | Table,
    *,
    seed: int = 0,
    progress: Progress | None = None,
    **settings: Any,
) -> Graph:
    """Search for a causal graph.

    Parameters
    ----------
    data
        A study, whose file says over what and how; or a table, of which all columns but ids, texts and private ones
        take part.
    seed
        Of bootstrap draws, of a table.
    **settings
        Of a table, as in the section ``discover`` of a study file: ``algorithm``, ``test``, ``alpha`` ...

    Raises
    ------
    PersonaxError
        As `Study.run`; settings that cannot be, columns that the test cannot use.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> cause = rng.normal(size=200)
    >>> table = pl.DataFrame({"cause": cause, "effect": cause + rng.normal(size=200)})
    >>> len(discover(Table(table, infer_columns(table))).edges)
    1
    """
    if isinstance(data, Study):
        _run(data, "discover", progress)
        return _graph(data, "discovery")
    section = DiscoverSection(**settings)
    table = _is_table(data)
    variables = table.drop([column.name for column in table.columns if column.role not in ("feature", "target")])
    rng, known = np.random.default_rng(seed), section.knowledge or Knowledge()
    return find_causes(variables, section, known, rng, progress or Silent())[0]


def write_report(study: Study, *, progress: Progress | None = None) -> Path:
    """Write the report of a study with all that it asks for, and return the page.

    Raises
    ------
    PersonaxError
        As `Study.run`.
    """
    _is_study(study).run(progress=progress)
    return study.report


def _run(study: Study, stage: str, progress: Progress | None) -> None:
    """Bring a stage up to date, with what it needs."""
    _is_study(study).run([stage], progress=progress)


def _graph(study: Study, analysis: str) -> Graph:
    return Graph.from_json(json.dumps(study.reader.json("analysis", analysis, "graph.json")))


def _is_study(data: object) -> Study:
    if not isinstance(data, Study):
        raise InputError(f"a {type(data).__name__} is no study; give Study.load(path of study.yaml)")
    return data


def _is_table(data: object) -> Table:
    if not isinstance(data, Table):
        text = "give Table(frame, infer_columns(frame)), or Study.load(path of study.yaml)"
        raise InputError(f"a {type(data).__name__} is neither a table nor a study; {text}")
    return data


def _framework(framework: str | TraitFramework) -> TraitFramework:
    return trait_framework(framework) if isinstance(framework, str) else framework


def _texts(table: Table, column: str) -> dict[str, str | None]:
    """Return id -> text."""
    for name in ("id", column):
        _is_table(table).column(name)
    if table.frame["id"].n_unique() < table.height or table.frame["id"].null_count():
        raise InputError("an id is missing or stands twice in the table; give every person one of their own")
    return dict(table.frame.select("id", column).iter_rows())


def _vector(length: int) -> pl.Array:
    return pl.Array(pl.Float32, length)
