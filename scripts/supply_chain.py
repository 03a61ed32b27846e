"""What personax is made of: a list of licences, an SBOM (SPDX 2.3), and hashes of what is installed.

    python scripts/supply_chain.py licences > docs/licences.md
    python scripts/supply_chain.py sbom > sbom.spdx.json
    pip install --dry-run --ignore-installed --no-deps --report report.json -r constraints.txt
    python scripts/supply_chain.py hashes report.json > requirements-hashed.txt

The first two read the metadata of the packages that are installed, the third a report of pip; none asks a network.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
import tomllib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

ALLOWED = {
    "0BSD", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "CC0-1.0",
    "CNRI-Python", "ISC", "MIT", "MIT-0", "MIT-CMU", "MPL-2.0", "PSF-2.0", "Zlib",
}  # fmt: skip
"""Licences that a user of personax may combine with anything; MPL-2.0 asks for its own files only."""

SPOKEN = {
    "3-clause bsd license": "BSD-3-Clause", "bsd 3-clause license": "BSD-3-Clause", "bsd license": "BSD-3-Clause",
    "bsd": "BSD-3-Clause", "2-clause bsd": "BSD-2-Clause", "2-clause bsd license": "BSD-2-Clause",
    "apache 2.0": "Apache-2.0", "apache 2.0 license": "Apache-2.0", "apache software license": "Apache-2.0",
    "isc license": "ISC", "isc license (iscl)": "ISC", "mit license": "MIT",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0", "python software foundation license": "PSF-2.0",
}  # fmt: skip
"""What metadata say in words -> SPDX."""

READ = {"mlcroissant": "Apache-2.0"}
"""Of packages whose metadata say nothing: what their repository's LICENSE says, read by us."""


def normalised(name: str) -> str:
    """Return a package's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def licence(package: Distribution) -> str:
    """Return the licence in SPDX's words; empty where the metadata do not say."""
    said = package.metadata.json
    expression = said.get("license_expression")
    if expression:
        return str(expression)
    short = str(said.get("license") or "").strip()
    words = [short] if short and "\n" not in short and short.upper() != "UNKNOWN" else []
    words += [one.split(" :: ")[-1] for one in said.get("classifier", []) if one.startswith("License :: ")]
    for word in words:
        found = SPOKEN.get(word.lower(), word)
        if set(parts(found)) <= ALLOWED:
            return found
    return READ.get(normalised(package.name), words[0] if words else "")


def parts(expression: str) -> list[str]:
    """Return the licences of an expression, one of each pair of alternatives that is allowed."""
    found = []
    for one in re.split(r"\s+AND\s+", expression.strip("() ")):
        choices = re.split(r"\s+OR\s+", one.strip("() "))
        found.append(next((choice for choice in choices if choice in ALLOWED), choices[0]))
    return found


def needed(extras: Sequence[str] = ("all",)) -> dict[str, Distribution]:
    """Return the installed packages that personax needs when it runs, with all that those need."""
    optional: dict[str, list[str]] = PROJECT["optional-dependencies"]
    waiting = [(line, "") for line in PROJECT["dependencies"]]
    waiting += [(line, "") for extra in extras for line in optional[extra]]
    found: dict[str, Distribution] = {}
    seen: set[tuple[str, str]] = set()
    while waiting:
        line, extra = waiting.pop()
        if (line, extra) in seen:
            continue
        seen.add((line, extra))
        wanted = Requirement(line)
        if wanted.marker is not None and not wanted.marker.evaluate({"extra": extra}):
            continue
        if normalised(wanted.name) == "personax":
            waiting += [(one, "") for name in wanted.extras for one in optional[name]]
            continue
        try:
            package = distribution(wanted.name)
        except PackageNotFoundError:
            continue  # an extra that is not installed here
        found[normalised(wanted.name)] = package
        waiting += [(one, name) for one in package.requires or () for name in ("", *wanted.extras)]
    return dict(sorted(found.items()))


def licences() -> str:
    """Return the page with what is needed at run time, and its licences."""
    rows = "".join(f"| {name} | {licence(package) or 'not stated'} |\n" for name, package in needed().items())
    return (
        "# Licences of what personax needs\n\n"
        "What `personax[all]` installs, with all that it needs in turn, and the licences that the packages state.\n"
        "`make licences` makes this page; `tests/test_supply_chain.py` fails when one is added, or when one states a\n"
        "licence that does not go with everything.\n\n"
        f"| package | licence |\n|---|---|\n{rows}"
    )


def sbom() -> dict[str, Any]:
    """Return what is installed to run personax, as SPDX 2.3."""
    packages, relations = [_entry("personax", PROJECT["version"], PROJECT["license"])], []
    for name, package in needed().items():
        packages.append(_entry(name, package.version, licence(package) or "NOASSERTION"))
        relations.append(
            {"spdxElementId": packages[0]["SPDXID"], "relationshipType": "DEPENDS_ON",
             "relatedSpdxElement": packages[-1]["SPDXID"]}
        )  # fmt: skip
    listed = "".join(f"{one['name']}=={one['versionInfo']}\n" for one in packages)
    digest = hashlib.sha256(listed.encode()).hexdigest()
    return {
        "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"personax-{PROJECT['version']}", "documentNamespace": f"urn:sha256:{digest}",
        "creationInfo": {"created": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
                         "creators": [f"Tool: personax-{PROJECT['version']}"]},
        "documentDescribes": [packages[0]["SPDXID"]], "packages": packages, "relationships": relations,
    }  # fmt: skip


def _entry(name: str, version: str, said: str) -> dict[str, Any]:
    return {
        "SPDXID": "SPDXRef-" + re.sub(r"[^A-Za-z0-9.-]", "-", f"{name}-{version}"), "name": name,
        "versionInfo": version, "downloadLocation": "NOASSERTION", "filesAnalyzed": False,
        "licenseConcluded": "NOASSERTION", "licenseDeclared": said, "copyrightText": "NOASSERTION",
    }  # fmt: skip


def hashes(report: Path) -> Iterator[str]:
    """Yield the lines of a file for ``pip install --require-hashes``, from a report of pip.

    torch is left out: which build of it there is depends on the machine. The Makefile installs it first, by version.
    """
    found = json.loads(report.read_text(encoding="utf-8"))
    where = found["environment"]
    yield "# Made by scripts/supply_chain.py; names, versions and hashes, no addresses. For `make install-hashed`."
    yield f"# platform: {where['platform_system']} {where['platform_machine']} CPython {where['python_version']}"
    for one in sorted(found["install"], key=lambda one: normalised(one["metadata"]["name"])):
        name, version = normalised(one["metadata"]["name"]), one["metadata"]["version"]
        digest = one["download_info"].get("archive_info", {}).get("hashes", {}).get("sha256")
        if name == "torch" or "+" in version or digest is None:
            continue
        yield f"{name}=={version} --hash=sha256:{digest}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print what was asked for."""
    reader = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    reader.add_argument("what", choices=["licences", "sbom", "hashes"])
    reader.add_argument("report", type=Path, nargs="?", help="of pip, for hashes")
    given = reader.parse_args(arguments)
    if given.what == "licences":
        sys.stdout.write(licences())
    elif given.what == "sbom":
        sys.stdout.write(json.dumps(sbom(), indent=1) + "\n")
    elif given.report is None:
        reader.error("hashes needs the report of pip")
    else:
        sys.stdout.write("\n".join(hashes(given.report)) + "\n")


if __name__ == "__main__":
    main()
