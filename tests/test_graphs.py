"""Exported graphs, read back by other programs."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Literal
from xml.etree import ElementTree

import networkx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from personax.errors import InputError
from personax.graphs import to_dot, to_graphml
from personax.schema import Edge, Graph, Node

HARD = [
    'say "a"',
    "x & <y>",
    "été 東京 🙂",
    "two\nlines",
    "back\\slash\\",
    "tab\there",
    "cr\rlf\r\n",
    " lead ",
    "",
    "->;[]",
]
"""Names that break writers which do not escape."""

KINDS: tuple[Literal["directed", "undirected", "bidirected"], ...] = ("directed", "undirected", "bidirected")

NAMES = st.lists(
    st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")), unique=True
)


def hard(kinds: tuple[Literal["directed", "undirected", "bidirected"], ...]) -> Graph:
    nodes = [Node(name, f"{name}!", f"in {name}") for name in HARD]
    edges = [
        Edge(one, other, kinds[i % len(kinds)], None if i == 3 else i / 7, one)
        for i, (one, other) in enumerate(pairwise(HARD))
    ]
    return Graph(nodes, edges, 'it "means"\n<this> & that', "Cramér's V")


def read(graph: Graph) -> Any:
    return networkx.read_graphml(io.BytesIO(to_graphml(graph).encode()))


@pytest.mark.parametrize("kinds", [KINDS[:1], KINDS[1:2], KINDS], ids=["directed", "undirected", "mixed"])
def test_networkx_reads_the_same_graph(kinds: tuple[Literal["directed", "undirected", "bidirected"], ...]) -> None:
    graph = hard(kinds)
    back = read(graph)
    assert back.is_directed() == ("directed" in kinds)
    assert list(back.nodes) == HARD
    assert {name: (data["label"], data["group"]) for name, data in back.nodes(data=True)} == {
        node.id: (node.label, node.group) for node in graph.nodes
    }
    ends = frozenset if not back.is_directed() else tuple
    assert {
        ends((a, b)): (data["kind"], data.get("weight"), data["label"]) for a, b, data in back.edges(data=True)
    } == {ends((edge.source, edge.target)): (edge.kind, edge.weight, edge.label) for edge in graph.edges}
    assert (back.graph["meaning"], back.graph["weight_name"]) == (graph.meaning, graph.weight)


def test_each_edge_says_whether_it_is_directed() -> None:
    def said(graph: Graph) -> list[str | None]:
        root = ElementTree.fromstring(to_graphml(graph))
        return [edge.get("directed") for edge in root.iter("{http://graphml.graphdrawing.org/xmlns}edge")]

    ab = [Node("a"), Node("b")]
    assert said(Graph(ab, [Edge("a", "b", kind) for kind in KINDS])) == ["true", "0", "0"]
    assert said(Graph(ab, [Edge("a", "b", kind) for kind in KINDS[1:]])) == ["false", "false"]


def test_the_writer_of_networkx_would_say_less() -> None:
    """Why GraphML is written here: when this fails, that writer may have become enough."""
    graph = networkx.MultiDiGraph()
    graph.add_edge("a\rb", "c", kind="undirected", weight=float("nan"), directed="0")
    stream = io.BytesIO()
    networkx.write_graphml_xml(graph, stream)
    text = stream.getvalue().decode()
    assert ' directed="' not in text
    assert ">nan<" in text
    assert "a&#13;b" in to_graphml(Graph([Node("a\rb")], []))


@given(NAMES)
def test_any_names_come_back(names: list[str]) -> None:
    assert list(read(Graph([Node(name) for name in names], [])).nodes) == names


@pytest.mark.parametrize(
    ("value", "text"), [(float("nan"), "NaN"), (float("inf"), "INF"), (float("-inf"), "-INF"), (1e-17, "1e-17")]
)
def test_weights_are_spelt_as_xml_schema_asks(value: float, text: str) -> None:
    graph = Graph([Node("a"), Node("b")], [Edge("a", "b", weight=value)])
    assert f'<data key="edge_weight">{text}</data>' in to_graphml(graph)


@pytest.mark.parametrize("write", [to_dot, to_graphml])
@pytest.mark.parametrize(
    ("graph", "why"),
    [
        (Graph([Node("a"), Node("a")], []), "two nodes 'a'"),
        (Graph([Node("a")], [Edge("a", "b")]), "ends at 'b'"),
        (Graph([Node("a\0")], []), "control character"),
        (Graph([Node("a", "\ud800")], []), "control character"),
        (Graph([Node("a")], [Edge("a", "a", label="\x1b")]), "control character"),
    ],
)
def test_what_cannot_be_written_is_refused(write: Any, graph: Graph, why: str) -> None:
    with pytest.raises(InputError, match=why):
        write(graph)


TOKEN = re.compile(r'\s*(?:("(?:[^"\\]|\\.)*")|(->)|([\[\]{};,=])|(\w+))', re.DOTALL)


def tokens(text: str) -> Iterator[str]:
    place = 0
    while text[place:].strip():
        found = TOKEN.match(text, place)
        assert found, text[place : place + 40]
        yield found[0].strip()
        place = found.end()


def plain(quoted: str) -> str:
    """Resolve the escapes of a DOT label."""
    escapes = {"\\\\": "\\", '\\"': '"', "\\n": "\n", "\\r": "\r"}
    return re.sub(r"\\.", lambda found: escapes[found[0]], quoted[1:-1])


def statements(text: str) -> list[tuple[list[str], dict[str, str]]]:
    """Return (what stands before the bracket, attributes) of each statement."""
    head, opened, *rest = tokens(text)
    assert (head, opened, rest.pop()) == ("digraph", "{", "}")
    found, before = [], list[str]()
    while rest:
        token = rest.pop(0)
        if token != "[":
            before.append(token)
            continue
        inside = rest[: rest.index("]")]
        del rest[: len(inside) + 1]
        assert rest.pop(0) == ";"
        found.append((before, {key: plain(value) for key, value in zip(inside[::4], inside[2::4], strict=True)}))
        before = []
    return found


def test_dot_has_every_node_and_edge() -> None:
    graph = hard(KINDS)
    (head, shown), *rest = statements(to_dot(graph))
    nodes, edges = rest[: len(HARD)], rest[len(HARD) :]
    assert (head, shown) == (["graph"], {"label": graph.meaning})
    assert [(plain(name), data) for (name,), data in nodes] == [
        (node.id, {"label": node.label, "group": node.group}) for node in graph.nodes
    ]
    arrows = {"directed": "forward", "undirected": "none", "bidirected": "both"}
    assert [((plain(a), arrow, plain(b)), data) for (a, arrow, b), data in edges] == [
        (
            (edge.source, "->", edge.target),
            {"kind": edge.kind, "dir": arrows[edge.kind], "label": edge.label}
            | ({} if edge.weight is None else {"weight": str(edge.weight)}),
        )
        for edge in graph.edges
    ]


def test_graphviz_reads_it() -> None:
    if not shutil.which("dot"):
        pytest.skip("graphviz is not installed")
    drawn = subprocess.run(
        ["dot", "-Tplain"], input=to_dot(hard(KINDS)), check=True, capture_output=True, encoding="utf-8"
    )
    assert len(re.findall("^node ", drawn.stdout, re.MULTILINE)) == len(HARD)
