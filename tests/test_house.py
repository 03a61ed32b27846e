"""The house rules that a machine can check: the layers, the public door, what a commit must not hold."""

from __future__ import annotations

import ast
import functools
import importlib.util
import pkgutil
import re
import subprocess
import sys
from collections.abc import Container
from graphlib import TopologicalSorter
from pathlib import Path
from types import ModuleType

import pytest

import personax

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "personax"

GROUND = {"conformance", "data", "engine", "errors", "files", "graphs", "http", "names", "progress"}
GROUND |= {"registry", "results", "run_log", "schema", "statistics", "strict"}
LIBRARY = {"simulate", "sources", "traits", "embed", "release", "independence", "crl", "discovery", "plots"}
UPPER = ("config", "trust", "store", "report", "explorer", "stages", "study", "pipeline", "cli", "testing", "figures")
"""Each of these may use the ones before it."""


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def place(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


@functools.cache
def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@functools.cache
def nodes(path: Path) -> list[ast.AST]:
    """Return every node of a file's tree; each file is read and parsed once for all rules."""
    return list(ast.walk(ast.parse(text_of(path))))


def calls(path: Path) -> list[ast.Call]:
    """Return every call that a file makes."""
    return [node for node in nodes(path) if isinstance(node, ast.Call)]


def imported(path: Path) -> set[str]:
    """Return the rooms of personax that a file imports, at the top or inside functions."""
    names = set()
    for node in nodes(path):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("personax."):
            names.add(node.module.split(".")[1])
        elif isinstance(node, ast.ImportFrom) and node.module == "personax":
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("personax.")}
    return names & (GROUND | LIBRARY | set(UPPER))


def files_imported(path: Path, files: Container[str]) -> set[str]:
    """Return the dotted names of the files of personax that a file imports."""
    names = set()
    for node in nodes(path):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            within = [f"{node.module}.{alias.name}" for alias in node.names]
            names |= {name if name in files else node.module for name in within}
    return {name for name in names if name in files}


def allowed(name: str) -> set[str]:
    if name in GROUND:
        return GROUND
    if name in LIBRARY:
        return GROUND | {name}
    return GROUND | LIBRARY | set(UPPER[: UPPER.index(name) + 1])


FILES = sorted(path for path in PACKAGE.rglob("*.py") if not room(path).startswith("__"))


def test_layers_point_one_way() -> None:
    assert {place(path): found for path in FILES if (found := imported(path) - allowed(room(path)))} == {}


def test_no_files_import_in_a_circle() -> None:
    """Imports within functions and for types alone count too: two files that need each other's words are one idea.

    The door itself, which names everything and imports it late, is left out.
    """
    dotted = {path: ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts) for path in FILES}
    files = {name.removesuffix(".__init__"): path for path, name in dotted.items()}
    TopologicalSorter({name: files_imported(path, files) - {name} for name, path in files.items()}).prepare()


def test_the_public_door_opens() -> None:
    assert personax.__all__ == sorted(personax.__all__, key=lambda name: (not name[0].isupper(), name))
    for name in personax.__all__:
        assert getattr(personax, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        personax.nothing  # noqa: B018 - the access itself raises


def test_what_the_public_door_promises_stays() -> None:
    """A name that goes breaks others' code; one that is added is added here."""
    promised = (
        "Budget Column Graph Knowledge Notice PersonaxError Prior Study Table TestResult __version__ "
        "aggregate agreement analyse annotate annotate_lexicon audit_release auto bootstrap_edges "
        "build_release calibrate_like chisq choose_dimension collect correct dependence_graph diagnose "
        "discover draw_graph encode encode_images encode_texts fci fit fit_seeds gcm gsq heatmap "
        "heterogeneity hsic image_encoder infer_columns kci learn_latents load_fit load_release match method "
        "numerical pc pool propose_mapping protect rcit read_table read_vectors register save_fit scan "
        "score_items screen shd simulate_population text_encoder to_dot to_graphml traverse usp variant_mnist "
        "verify write_report"
    )
    assert personax.__all__ == promised.split()


def test_importing_personax_imports_nothing_heavy() -> None:
    heavy = ["numpy", "polars", "scipy", "torch", "pydantic", "causallearn", "matplotlib"]
    script = f"import sys, personax; print([name for name in {heavy!r} if name in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert shown.stdout.strip() == "[]"


def test_importing_the_figures_imports_no_matplotlib() -> None:
    script = "import sys, personax.plots; print('matplotlib' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert shown.stdout.strip() == "False"


@pytest.mark.parametrize("name", sorted(LIBRARY - {"traits", "sources"}))
def test_numbers_do_not_depend_on_the_environment(name: str) -> None:
    files = (PACKAGE / name).rglob("*.py")
    assert [path.name for path in files if re.search(r"\benviron\b|getenv", text_of(path))] == []


@pytest.mark.parametrize("file", ["constraints.txt", "constraints-oldest.txt"])
def test_constraints_are_names_and_versions_only_and_each_name_stands_once(file: str) -> None:
    lines = [line for line in (ROOT / file).read_text(encoding="utf-8").splitlines() if line and line[0] != "#"]
    assert [line for line in lines if line.count("==") != 1 or "/" in line] == []
    names = [re.sub(r"[-_.]+", "-", line.split("==")[0]).lower() for line in lines]
    assert sorted(names) == sorted(set(names))


def test_the_guidelines_at_the_root_are_the_packaged_ones() -> None:
    assert (ROOT / "USAGE_GUIDELINES.md").read_text(encoding="utf-8") == (PACKAGE / "usage.md").read_text(
        encoding="utf-8"
    )


def test_the_version_is_one() -> None:
    assert f'version = "{personax.__version__}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f"version: {personax.__version__}" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"## {personax.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


OPEN = ("config", "discovery", "embed", "engine", "explorer", "graphs", "http", "independence", "plots", "release",
        "report", "simulate", "sources", "store", "traits")  # fmt: skip
"""Packages whose modules are private and which export their public names at once; crl and stages do so late."""


@pytest.mark.parametrize("name", [*OPEN, "crl", "stages"])
def test_modules_are_private_and_none_is_hidden_by_what_has_its_name(name: str) -> None:
    root = importlib.import_module(f"personax.{name}")
    for found in [*pkgutil.walk_packages(root.__path__, f"{root.__name__}.")]:
        package, _, module = found.name.rpartition(".")
        assert found.ispkg or module.startswith("_"), found.name
        assert isinstance(getattr(importlib.import_module(package), module, ROOT), ModuleType | Path), found.name


@pytest.mark.parametrize("name", [name for name in OPEN if name != "release"])
def test_a_package_exports_what_is_public_and_nothing_else(name: str) -> None:
    package = importlib.import_module(f"personax.{name}")
    public = {
        word for word, value in vars(package).items() if not word.startswith("_") and not isinstance(value, ModuleType)
    }
    assert public - {"annotations"} == set(package.__all__)
    assert package.__all__ == sorted(
        package.__all__, key=lambda word: (not word.isupper(), not word[0].isupper(), word)
    )


@pytest.mark.parametrize("name", OPEN)
def test_others_use_the_public_names_of_a_package(name: str) -> None:
    """A private module is used by its own package, its tests and the kits; `PRIVATE_USES` is what is left."""
    found = {
        f"{room(path)}: {module}"
        for path in FILES
        if room(path) not in (name, "testing", "__init__")
        for module in private_modules(path, name)
    }
    assert found == {use for use in PRIVATE_USES if f"personax.{name}." in use}


PRIVATE_USES: set[str] = set()
"""What is left of uses from outside; none."""


def private_modules(path: Path, package: str) -> set[str]:
    text = path.read_text(encoding="utf-8")
    return set(re.findall(rf"^\s*from (personax\.{package}(?:\.\w+)*?\._\w+) import", text, re.MULTILINE))


FRAME_READERS = {"data/frames.py", "release/_file_formats.py"}
"""The files that read tables from paths: exactly the file that is named. The second has bounds for untrusted ones."""


def test_tables_are_read_from_exactly_the_file_that_is_named() -> None:
    """To polars ``[``, ``*`` and ``?`` in a path are a pattern: a study in ``s[1]`` would read that in ``s1``."""
    others = (path for path in FILES if place(path) not in FRAME_READERS)
    assert {place(path): found for path in others if (found := readers_of_paths(path))} == {}


def test_tables_are_written_to_exactly_the_file_that_is_named() -> None:
    """To polars ``~`` at the beginning of a path is the home folder of whoever runs it."""
    others = (path for path in FILES if place(path) not in FRAME_READERS)
    assert {place(path): found for path in others if (found := writers_of_paths(path))} == {}


def readers_of_paths(path: Path) -> list[str]:
    """Return the calls of polars' readers that are given anything but bytes in memory."""
    return [
        ast.unparse(call)
        for call in calls(path)
        if isinstance(call.func, ast.Attribute)
        and re.match("(read|scan)_", call.func.attr)
        and ast.unparse(call.func.value) in ("pl", "polars")
        and not (call.args and re.match(r"(io\.)?BytesIO\(", ast.unparse(call.args[0])))
    ]


def writers_of_paths(path: Path) -> list[str]:
    """Return the calls of frames' writers that are given anything but a stream."""
    return [
        ast.unparse(call)
        for call in calls(path)
        if isinstance(call.func, ast.Attribute)
        and re.fullmatch("(write|sink)_(parquet|csv|ipc|ndjson|json|avro|excel)", call.func.attr)
        and call.args
        and ast.unparse(call.args[0]) != "stream"
    ]


OUTPUTS = ("people", "traits", "embeddings", "analysis", "release", "report", "statistics")

READABLE_PATHS = {
    "cli/demo.py: release",  # as somebody else has it: checked against its own checksums
    "cli/release.py: release",  # handed on
    "cli/traits.py: traits/select",  # results of commands that are no stages
    "cli/traits.py: traits/calibrate",
    "cli/traits.py: traits/adjudication/export",
    "cli/traits.py: traits/validity",
    "cli/traits.py: traits/validity/export",
    "study.py: report/index.html",  # opened in a browser
}
"""Uses of a readable path in a study folder, each with its reason."""


def readable_paths(path: Path) -> set[str]:
    """Return where a file names a readable path of outputs by ``folder.path``."""
    named = [
        "/".join(str(one.value) for one in call.args if isinstance(one, ast.Constant))
        for call in calls(path)
        if isinstance(call.func, ast.Attribute)
        and call.func.attr == "path"
        and ast.unparse(call.func.value).endswith("folder")
    ]
    return {f"{place(path)}: {name}" for name in named if name.split("/")[0] in OUTPUTS}


def test_outputs_of_stages_are_read_through_the_manifest() -> None:
    """``folder.path`` is for what no stage writes; outputs are asked for by ``folder.output``, which verifies them."""
    upper = [path for path in FILES if room(path) not in ("store", *GROUND, *LIBRARY)]
    assert set.union(*map(readable_paths, upper)) == READABLE_PATHS


def class_homes() -> dict[str, list[str]]:
    """Return public class name -> files that define it."""
    homes: dict[str, list[str]] = {}
    for path in FILES:
        for node in ast.iter_child_nodes(nodes(path)[0]):  # the module's own statements
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes.setdefault(node.name, []).append(place(path))
    return homes


def test_a_public_class_has_one_meaning() -> None:
    assert {name: homes for name, homes in class_homes().items() if len(homes) > 1} == {}


def test_the_house_is_measured() -> None:
    """The bounds are what holds now; whoever makes a figure better lowers its bound."""
    spec = importlib.util.spec_from_file_location("house", ROOT / "benchmarks" / "house.py")
    assert spec is not None
    assert spec.loader is not None
    house = importlib.util.module_from_spec(spec)
    sys.modules["house"] = house
    spec.loader.exec_module(house)
    known = house.modules()
    alone, leaves = house.one_user(known), house.leaves(known)
    assert len(alone) / len(leaves) < 0.12, alone
    assert house.shadowed() == []


PARALLEL = re.compile(
    r"(?:Process|Thread)PoolExecutor|^\s*(?:import|from) (?:joblib|multiprocessing|ray)\b",
    re.MULTILINE,
)
WITHOUT_ENGINE = {
    "traits/llms/_run_context.py",  # one thread that writes the journal for an event loop
}


def test_loops_run_on_an_engine() -> None:
    """One of each: threads, processes and clusters are begun in `personax.engine` and nowhere else."""
    found = {place(path) for path in FILES if room(path) != "engine" and PARALLEL.search(text_of(path))}
    assert found == WITHOUT_ENGINE


def test_the_stages_and_the_plan_name_the_same_parts() -> None:
    from personax.config import SECTIONS
    from personax.stages import STAGES

    assert [stage.name for stage in STAGES] == [*SECTIONS, "report"]


def documented_parameters(node: ast.AST) -> set[str]:
    """Return the names that the Parameters section of a docstring describes."""
    told = ast.get_docstring(node) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) else None
    sections = re.split(r"^([A-Z][A-Za-z ]+)\n-{3,}$", told or "", flags=re.MULTILINE)
    described = dict(zip(sections[1::2], sections[2::2], strict=True)).get("Parameters", "")
    heads = [line for line in described.splitlines() if re.fullmatch(r"\*{0,2}\w+(, \*{0,2}\w+)*( ?:.*)?", line)]
    return {name.strip().lstrip("*") for head in heads for name in head.split(":")[0].split(",")}


def taken_parameters(node: ast.AST) -> set[str]:
    """Return the parameters of a function, or the fields and those of ``__init__`` of a class."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        every = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs, node.args.vararg, node.args.kwarg]
        return {one.arg for one in every if one is not None}
    body = node.body if isinstance(node, ast.ClassDef) else []
    fields = {one.target.id for one in body if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)}
    return fields.union(*(taken_parameters(one) for one in body if getattr(one, "name", "") == "__init__"))


def test_docstrings_describe_parameters_that_exist() -> None:
    """A subclass may describe what it inherits."""
    for path in FILES:
        for node in nodes(path):
            if isinstance(node, ast.ClassDef) and node.bases:
                continue
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                assert documented_parameters(node) <= taken_parameters(node), f"{place(path)}: {node.name}"


SOCKETS = {"aiohttp", "boto3", "fsspec", "ftplib", "http", "httpcore2", "httpx", "httpx2", "huggingface_hub", "obstore",
           "openai", "requests", "smtplib", "socket", "socketserver", "ssl", "telnetlib", "urllib3", "websockets",
           "xmlrpc"}  # fmt: skip
"""Modules that open connections, or whose only use is that."""

HUB_CLIENTS = {"data/hub_files.py", "embed/_checkpoint.py", "release/_push.py", "release/reading/_load.py"}
"""Where the hub's own client is used: it knows its cache, and signs uploads to storage hosts of the hub's choosing."""


BUCKETS = "data/object_store.py"
"""Where a study in an object store is read and written, by the one client that signs and writes conditionally."""


def modules_imported(path: Path) -> set[str]:
    """Return the top-level names that a file imports, early, late, by ``require`` or ``import_module``."""
    names = set()
    for node in nodes(path):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in ("require", "import_module"):
            names |= {str(one.value) for one in node.args[:1] if isinstance(one, ast.Constant)}
    return {name for name in names if not name.startswith("personax")}


OWN_SOCKETS = {"cli/signals.py", "engine/_ray.py", "explorer/_server.py"}
"""A pair within this process, the explorer's port of 127.0.0.1, whether the cluster that the user named is there."""


def test_only_the_http_room_opens_connections() -> None:
    """One layer bounds size and time, checks addresses and follows no redirect elsewhere."""
    others = (path for path in FILES if room(path) != "http")
    assert {place(path): found for path in others if (found := forbidden_sockets(path))} == {}


def forbidden_sockets(path: Path) -> set[str]:
    """Return what a file imports that opens connections, but for what is its own."""
    found = {name for name in modules_imported(path) if name.split(".")[0] in SOCKETS or name == "urllib.request"}
    if place(path) in HUB_CLIENTS:
        found -= {"huggingface_hub", "huggingface_hub.errors"}
    if place(path) == BUCKETS:
        found -= {"obstore", "obstore.store", "obstore.store.ObjectStore"}
    return found - {"socket"} if place(path) in OWN_SOCKETS else found
