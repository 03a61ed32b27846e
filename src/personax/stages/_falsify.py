"""falsify: a causal graph that somebody gives, tested on a table; no study is needed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np

from personax.data.columns import infer_columns
from personax.data.frames import write_csv
from personax.data.table import Table
from personax.discovery import Falsification, falsify
from personax.errors import InputError
from personax.progress import Progress
from personax.schema import Edge, Graph, Kind, Node
from personax.sources import read_table
from personax.stages._base import results_folder
from personax.stages._discover import ci_test, numbers_only

__all__ = ["falsify_file", "read_graph"]

ARROW = re.compile(r'^\s*"?(.+?)"?\s*(->|→|<-|←)\s*"?(.+?)"?\s*;?\s*$')
"""One edge a line; quotes and a semicolon as DOT has them."""

REVISION = 1


def read_graph(path: Path) -> Graph:
    """Read a directed graph: graph.json of personax, or a text with one ``a -> b`` a line.

    Parameters
    ----------
    path
        In a text, empty lines, lines that begin with ``#`` and the first and last line of a DOT graph are passed over;
        a line with one name alone is a node without an edge.

    Raises
    ------
    InputError
        A file that is not there, or is neither.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "graph.txt"
    >>> _ = path.write_text("sex -> height")
    >>> [(edge.source, edge.target) for edge in read_graph(path).edges]
    [('sex', 'height')]
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise InputError(
            f"there is no readable graph {path}; give graph.json or a text with one a -> b a line"
        ) from None
    if text.lstrip().startswith("{"):
        try:
            return Graph.from_json(text)
        except (json.JSONDecodeError, TypeError, KeyError, AttributeError, RecursionError):
            raise InputError(f"{path} is no graph.json of personax; give a text with one a -> b a line") from None
    return _arrows(text, path)


def _arrows(text: str, path: Path) -> Graph:
    names: dict[str, None] = {}
    edges: list[Edge] = []
    for number, line in enumerate(text.splitlines(), start=1):
        bare = line.strip().rstrip(";")
        if not bare or bare.startswith(("#", "//", "digraph", "}")):
            continue
        found = ARROW.match(line)
        if found is None and re.search(r"--|\[|<->|o->", bare):
            raise InputError(f"{path}, line {number}: {bare} is no edge a -> b; write one directed edge a line")
        if found is None:
            names[bare.strip('"')] = None
            continue
        first, sign, second = found.groups()
        source, target = (first, second) if sign in ("->", "→") else (second, first)
        names |= {first: None, second: None}
        edges.append(Edge(source, target))
    return Graph([Node(name) for name in names], edges)


def falsify_file(
    graph: Path, file: Path, out: Path, *, test: str, alpha: float, permutations: int, seed: int, missing: list[str],
    progress: Progress,
) -> Falsification:  # fmt: skip
    """Test a graph on a table and write ``implications.csv`` and ``falsification.json`` into a folder, all at once.

    Raises
    ------
    PersonaxError
        A graph or a table that cannot be read or tested.
    """
    given = read_graph(graph)
    read = read_table(file, {}, missing=missing)
    people = read.people
    names = [node.id for node in given.nodes if node.id in people.columns]
    table = Table(people.select(names), infer_columns(people.select(names)))
    kinds: dict[str, Kind] = {column.name: column.kind for column in table.columns}
    if test == "fisherz":
        numbers_only(table.frame, kinds, test)
    settings = {"test": test, "alpha": alpha, "permutations": permutations}
    with results_folder(out, "falsify", REVISION, seed=seed, settings=settings, inputs=[graph, file]) as results:
        progress.stage("falsify")
        results.notices.extend(read.ledger.notices())
        for notice in results.notices:
            progress.message(notice.text)
        found = falsify(
            given, people, alpha=alpha, test=ci_test(test, kinds), permutations=permutations,
            rng=np.random.default_rng(seed), progress=lambda tests, size: progress.step(tests, 0, f"{size} given"),
        )  # fmt: skip
        frame = found.to_frame()
        write_csv(frame.with_columns(frame["given"].list.join(" ")), results.out.path("implications.csv"))
        facts = {
            "sentence": found.sentence, "falsified": found.falsified, "violations": found.violations,
            "as_few": found.as_few, "equivalent": found.equivalent, "n": found.n, "alpha": alpha, "test": test,
        }  # fmt: skip
        results.out.path("falsification.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
        results.counts.update({"tests": len(found.implications), "people": found.n})
    return found
