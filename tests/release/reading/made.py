"""A small release of format 2, by a writer of our own."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from personax.release import ReleaseKey
from personax.release.transforms import Chain

KEY = ReleaseKey(bytes(range(32)))
VERDICT = "Of the people, 3 in 100 were found without the key: it is pseudonymised, not anonymous."


def write_sums(out: Path) -> None:
    files = sorted(path for path in out.rglob("*") if path.is_file() and path.name != "SHA256SUMS")
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(out).as_posix()}\n" for path in files]
    (out / "SHA256SUMS").write_text("".join(lines))


def write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=1))


def croissant(out: Path, name: str) -> dict[str, Any]:
    files = sorted(out.glob("data/*/*.parquet"))
    ids = {path: f"{path.parent.name}-{path.stem}" for path in files}
    return {
        "@context": {
            "@language": "en", "@vocab": "https://schema.org/", "sc": "https://schema.org/",
            "cr": "http://mlcommons.org/croissant/", "dct": "http://purl.org/dc/terms/",
            "rai": "http://mlcommons.org/croissant/RAI/", "conformsTo": "dct:conformsTo",
            "citeAs": "cr:citeAs", "column": "cr:column", "data": {"@id": "cr:data", "@type": "@json"},
            "dataType": {"@id": "cr:dataType", "@type": "@vocab"}, "extract": "cr:extract", "field": "cr:field",
            "fileObject": "cr:fileObject", "fileProperty": "cr:fileProperty", "fileSet": "cr:fileSet",
            "format": "cr:format", "includes": "cr:includes", "isLiveDataset": "cr:isLiveDataset",
            "jsonPath": "cr:jsonPath", "key": "cr:key", "md5": "cr:md5", "parentField": "cr:parentField",
            "path": "cr:path", "recordSet": "cr:recordSet", "references": "cr:references", "regex": "cr:regex",
            "repeated": "cr:repeated", "replace": "cr:replace", "separator": "cr:separator", "source": "cr:source",
            "subField": "cr:subField", "transform": "cr:transform",
        },
        "@type": "sc:Dataset", "name": name, "conformsTo": "http://mlcommons.org/croissant/1.1",
        "description": "Invented people.", "license": "https://example.org/terms", "url": "https://example.org/data",
        "version": "1.0.0", "datePublished": "2026-01-01", "citeAs": "nobody",
        "creator": {"@type": "Person", "name": "Nobody"},
        "distribution": [
            {
                "@type": "cr:FileObject", "@id": ids[path], "name": ids[path],
                "contentUrl": path.relative_to(out).as_posix(), "contentSize": f"{path.stat().st_size} B",
                "encodingFormat": "application/vnd.apache.parquet",
                "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            }
            for path in files
        ],
        "recordSet": [
            {
                "@type": "cr:RecordSet", "@id": "people", "name": "people",
                "field": [
                    {
                        "@type": "cr:Field", "@id": "people/id", "name": "id", "dataType": "sc:Text",
                        "source": {
                            "fileObject": {"@id": "people-train-00000-of-00001"}, "extract": {"column": "id"},
                        },
                    }
                ],
            }
        ],
    }  # fmt: skip


def write_release(out: Path, *, people: int = 40, seed: int = 0) -> Path:
    """Write a release of format 2: four groups of people who are alike in all features."""
    rng = np.random.default_rng(seed)
    ids = sorted(KEY.pseudonym(f"p{row}") for row in range(people))
    frame = pl.DataFrame(
        {
            "id": ids,
            "occupation": ["film", "music", "sport", "science"] * (people // 4),
            "birth_year": ["1970-1979", "1980-1989", "1970-1979", "1980-1989"] * (people // 4),
            "longitude": [0.0, 90.0, -90.0, 10.0] * (people // 4),
            "final_o": rng.integers(1, 4, people).astype(float),
            "final_n": rng.integers(1, 4, people).astype(float),
        }
    )
    tables = {"people": [frame]}
    told = {}
    for modality, names, dim, parts in (("text", ("text_a", "text_b"), 8, 2), ("image", ("image_a",), 6, 1)):
        made = pl.DataFrame({"id": ids})
        for name in names:
            vectors = rng.normal(size=(people, dim)).astype(np.float32)
            chain = Chain("rotation", dim, KEY, f"{modality}/{name}").fit(vectors)
            values = pl.Series(name, chain.transform(vectors), dtype=pl.Array(pl.Float32, dim))
            made = made.with_columns(values)
            told[f"{modality}/{name}"] = {"steps": list(chain.names), "dim": dim, "fitted": None}
        cut = people // parts
        tables[modality] = [made[at * cut : (at + 1) * cut] for at in range(parts)]
    for name, shards in tables.items():
        (out / "data" / name).mkdir(parents=True)
        for at, shard in enumerate(shards):
            shard.write_parquet(out / "data" / name / f"train-{at:05d}-of-{len(shards):05d}.parquet")
    kinds = {"id": ("id", "nominal"), "longitude": ("feature", "cyclic")}
    columns: list[dict[str, object]] = [
        {"file": "data/people/", "name": name, "role": role, "kind": kind, "unit": None, "description": name,
         "protection": None} | ({"period": 360} if kind == "cyclic" else {})
        for name in frame.columns
        for role, kind in [kinds.get(name, ("target", "ordinal") if "final" in name else ("feature", "nominal"))]
    ]  # fmt: skip
    features = ["occupation", "birth_year", "longitude"]
    columns += [
        {"file": f"data/{label.partition('/')[0]}/", "name": label.partition("/")[2], "role": "embedding",
         "kind": "continuous", "length": its["dim"]}
        for label, its in told.items()
    ]  # fmt: skip
    write_json(out / "columns.json", {"format": 2, "key": "id", "table": "people", "columns": columns})
    write_json(
        out / "protection.json",
        {"k_anonymity": {"before": {"k": 1}, "after": {"k": people // 4, "quasi_identifiers": features}}},
    )
    write_json(
        out / "transforms.json", {"format": 2, "transform": "rotation", "key": KEY.fingerprint, "measurements": told}
    )
    attack = {"name": "linear map", "knows": "50 pairs", "measure": "rank-1", "value": 0.4, "detail": {}}
    audit = {
        "verdict": VERDICT,
        "gate": {"max_singling_out": 0.5},
        "measurements": {label: {"attacks": [attack]} for label in told},
        "table": [attack | {"name": "singling out", "measure": "risk", "value": 0.1}],
    }
    write_json(out / "audit.json", audit)
    configs = "\n".join(
        f"- config_name: {name}\n  data_files:\n  - split: train\n    path: data/{name}/*.parquet"
        + ("\n  default: true" if name == "people" else "")
        for name in tables
    )
    (out / "README.md").write_text(
        f"---\npretty_name: Forty\nlicense: other\nlicense_name: see-usage-md\nextra_gated_prompt: I accept USAGE.md.\n"
        f"configs:\n{configs}\n---\n\n# Forty\n\n{VERDICT}\n"
    )
    usage = "You agree: no profiling, no decisions about people, no re-identification.\n"
    texts = {"DATASHEET.md": "# Datasheet\n", "USAGE.md": usage, "LICENSES.md": "gte: Apache-2.0\n",
             "CITATION.cff": "cff-version: 1.2.0\ntitle: Forty\n"}  # fmt: skip
    for name, text in texts.items():
        (out / name).write_text(text)
    write_json(out / "croissant.json", croissant(out, "forty"))
    write_sums(out)
    return out
