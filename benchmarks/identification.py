"""What is called identified, against the truth: many simulated modalities, of which some cannot be identified.

    python benchmarks/identification.py fit --seeds 0-1 --out parts      # calibration
    python benchmarks/identification.py fit --seeds 100-101 --out parts  # other modalities, to check the thresholds
    python benchmarks/identification.py worlds --folder vectors --out parts  # texts by real encoders (crl.py worlds)
    python benchmarks/identification.py table --out parts

A modality is fitted as `default` fits it, its halves too, with short training and 1,000 or 1,500 people. Each of its
latents is a row: what the fit knows of it without a truth, and its rank correlation with the true latent that it is
matched with, on 1,000 people who took no part. ``told apart`` means .9 or more.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from personax.crl import identify
from personax.crl._optimiser import validation_split
from personax.crl.methods.default._coordinates import Coordinates, DecodedCoordinates
from personax.crl.methods.default._decoder_checks import DecoderChecks
from personax.crl.methods.default._decoders import RestartSchedule
from personax.crl.methods.default._modalities import fit_modalities, with_halves
from personax.crl.methods.default._scale_coordinates import fit_scale_coordinates
from personax.crl.metrics import match
from personax.simulate import variant_mnist
from personax.simulate.worlds import WorldOptions, draw_world, embed_world, load_world, simulated_encoder

Floats = NDArray[np.float64]
Measurements = dict[str, NDArray[np.float32]]

TRAINING = RestartSchedule(restarts=8, steps=1400, finalists=4, trial=0.3)
UNSEEN = 1000
BAR = 0.9
CHECK = 100
"""The first seed that took no part in choosing thresholds."""


@dataclass(frozen=True)
class Modality:
    """Measurements of people whose latents are known.

    Parameters
    ----------
    by
        Measurement -> shape (n, dim).
    latents
        Shape (n, d).
    asked
        Number of latents that the fit looks for.
    """

    by: Measurements
    latents: Floats
    asked: int


def dependent(n: int, d: int, rng: np.random.Generator, *, strength: tuple[float, float] = (0.2, 0.7)) -> Floats:
    """Draw latents, each moved by the one before it, half of them through a bend; standardised."""
    z = rng.normal(size=(n, d))
    for at in range(1, d):
        effect = rng.uniform(*strength) * rng.choice([-1, 1])
        cause = z[:, at - 1] if rng.random() < 0.5 else np.tanh(2 * z[:, at - 1]) / 0.8
        z[:, at] = effect * cause + np.sqrt(1 - effect**2) * z[:, at]
    return np.asarray((z - z.mean(0)) / z.std(0))


def measured(content: Floats, count: int, rng: np.random.Generator, *, noise: float = 0.3) -> Measurements:
    """Return measurements of a content, each in directions of its own with stronger nuisance."""
    dim = 40
    found = {}
    for name in "abcd"[:count]:
        own = rng.normal(size=(len(content), 6)) @ rng.normal(size=(6, dim))
        x = content @ rng.normal(size=(content.shape[1], dim)) / np.sqrt(content.shape[1])
        x = x * 1.5 + 0.5 * own + noise * rng.normal(size=(len(content), dim))
        found[name] = (x / x.std()).astype(np.float32)
    return found


def curves(z: Floats, rng: np.random.Generator, *, bend: float = 1.0) -> Floats:
    """Return a straight part and three bent functions of each latent, scaled by ``bend``, shape (n, 4 d)."""
    parts = []
    for column in z.T:
        a, b = rng.uniform(1, 2.5), rng.uniform(-0.7, 0.7)
        parts += [column, bend * np.tanh(a * (column - b)), bend * 0.5 * column**2, bend * np.sin(a * column)]
    return np.column_stack(parts)


def size_of(rng: np.random.Generator) -> tuple[int, int, int]:
    """Draw people, latents and measurements of a modality."""
    return int(rng.choice([1000, 1500])) + UNSEEN, int(rng.choice([2, 2, 3])), int(rng.choice([2, 3]))


def additive(rng: np.random.Generator) -> Modality:
    n, d, k = size_of(rng)
    z = dependent(n, d, rng)
    return Modality(measured(curves(z, rng), k, rng), z, d)


def hardly_bent(rng: np.random.Generator) -> Modality:
    n, d, k = size_of(rng)
    z = dependent(n, d, rng)
    return Modality(measured(curves(z, rng, bend=10 ** rng.uniform(-2, -0.3)), k, rng), z, d)


def straight(rng: np.random.Generator) -> Modality:
    n, d, k = size_of(rng)
    z = dependent(n, d, rng)
    return Modality(measured(z @ rng.normal(size=(d, d)), k, rng), z, d)


def products(rng: np.random.Generator) -> Modality:
    """Draw sums of curves and of products of latents."""
    n, d, k = size_of(rng)
    z = dependent(n, d, rng)
    pairs = [np.tanh(rng.uniform(1, 2) * z[:, i]) * z[:, j] for i in range(d) for j in range(d) if i != j]
    strength = rng.uniform(0.1, 1.5)
    return Modality(measured(np.column_stack([curves(z, rng), *(2 * strength * p for p in pairs)]), k, rng), z, d)


def network(rng: np.random.Generator) -> Modality:
    """Draw a random network of latents: no class of decoders has it."""
    n, d, k = size_of(rng)
    z = dependent(n, d, rng)
    h = z
    for _ in range(2):
        h = np.tanh(h @ rng.normal(size=(h.shape[1], 12)) * 1.2 / np.sqrt(h.shape[1]) + 0.5 * rng.normal(size=12))
    return Modality(measured(h * 1.5, k, rng), z, d)


def turned(rng: np.random.Generator) -> Modality:
    """Draw bumps in a plane, of no class either."""
    n, _, k = size_of(rng)
    z = dependent(n, 2, rng)
    centres = rng.normal(size=(15, 2))
    bumps = np.exp(-np.square(z[:, None] - centres).sum(-1) / 1.5)
    return Modality(measured(3 * bumps, k, rng), z, 2)


def weak(rng: np.random.Generator) -> Modality:
    n, d, k = size_of(rng)
    z = dependent(n, d, rng)
    shown = curves(z, rng)
    shown[:, -4:] *= 10 ** rng.uniform(-1.6, -0.3)
    return Modality(measured(shown, k, rng), z, d)


def collinear(rng: np.random.Generator) -> Modality:
    n, d, k = size_of(rng)
    z = dependent(n, d, rng, strength=(0.85, 0.97))
    return Modality(measured(curves(z, rng), k, rng), z, d)


def too_many(rng: np.random.Generator) -> Modality:
    one = additive(rng)
    return Modality(one.by, one.latents, one.latents.shape[1] + 1)


def too_few(rng: np.random.Generator) -> Modality:
    n, _, k = size_of(rng)
    z = dependent(n, 3, rng)
    return Modality(measured(curves(z, rng), k, rng), z, 2)


def noisy(rng: np.random.Generator) -> Modality:
    n, d, k = size_of(rng)
    z = dependent(n, d, rng)
    return Modality(measured(curves(z, rng), k, rng, noise=10 ** rng.uniform(0, 0.8)), z, d)


def of_world(family: str, **more: Any) -> Callable[[np.random.Generator], Modality]:
    """Return a family of modalities of worlds by the simulated encoder."""

    def draw(rng: np.random.Generator) -> Modality:
        n, d, k = size_of(rng)
        options = WorldOptions((family,), latents=(d, d), measurements=(k, k), people=n, **more)
        seed = int(rng.integers(2**31))
        data = embed_world(draw_world(options, seed=seed), {"simulated": simulated_encoder(seed=seed)})
        modality = str(rng.choice(list(data.views)))
        own = [at for at, name in enumerate(data.names) if name.rpartition("_")[0] == modality]
        return Modality(dict(data.views[modality]), data.latents[:, own], d)

    return draw


def digits(instances: Literal["fixed", "shared", "random"]) -> Callable[[np.random.Generator], Modality]:
    """Return a family of pictures of digits: place and brightness."""

    def draw(rng: np.random.Generator) -> Modality:
        n = 1500 + UNSEEN
        root = Path(__file__).parents[2] / "shared" / "data"
        files = root / "mnist"
        drawn = variant_mnist(n=n, instances=instances, rng=rng, digits=files if files.is_dir() else None)
        return Modality(dict(drawn.views["digit"]), drawn.latents[:, :2], 2)

    return draw


FAMILIES: Mapping[str, Callable[[np.random.Generator], Modality]] = {
    "sums of curves": additive,
    "noisy sums": noisy,
    "hardly bent curves": hardly_bent,
    "straight lines": straight,
    "curves and products": products,
    "networks": network,
    "bumps in a plane": turned,
    "one weak latent": weak,
    "latents nearly alike": collinear,
    "one latent too many asked": too_many,
    "one latent too few asked": too_few,
    "texts, adjectives": of_world("adjectives"),
    "texts, clauses": of_world("clauses"),
    "texts, biographies": of_world("biographies"),
    "texts, filler 3": of_world("filler", filler=3),
    "texts, unit length, folded": of_world("adjectives", mechanism="folded"),
    "questionnaires": of_world("questionnaires"),
    "faces": of_world("faces"),
    "digits, random": digits("random"),
    "digits, shared": digits("shared"),
    "digits, fixed": digits("fixed"),
}


BY_CONSTRUCTION: Mapping[str, frozenset[str]] = {
    "identified": frozenset({
        "sums of curves", "texts, adjectives", "texts, clauses", "texts, biographies", "texts, filler 3",
        "texts, unit length, folded", "faces", "digits, random", "digits, shared", "digits, fixed",
    }),
    "not identified": frozenset({"straight lines", "bumps in a plane", "one latent too many asked"}),
}  # fmt: skip
"""Families whose decoder is of a class that tells latents apart, and those of which another rotation is as likely.

Of the others the strength of what tells apart is drawn, so that the number of people decides. Written down after seed
100 and before seeds 101 to 104 were fitted.
"""


def fitted(by: Measurements, count: int, seed: int, *, additive_only: bool) -> Coordinates | None:
    """Return the coordinates of a modality as `default` finds them."""
    people = validation_split(len(next(iter(by.values()))), 0.1)
    generator = torch.Generator().manual_seed(seed)
    share = TRAINING.steps / RestartSchedule().steps
    if not additive_only:
        scaled = fit_scale_coordinates({"m": by}, {"m": count}, people, share=share, generator=generator)
        if scaled:
            return scaled["m"]
    found = fit_modalities({"m": by}, {"m": count}, people, TRAINING, generator=generator)
    return with_halves(found.coordinates, {"m": by}, {"m": count}, people, TRAINING).get("m")


def rows_of(made: Modality, seed: int, *, additive_only: bool = False) -> list[dict[str, Any]]:
    """Fit one modality and return a row a latent."""
    began = time.process_time()
    n = len(made.latents) - UNSEEN
    own = {k: x[:n] for k, x in made.by.items()}
    unseen = {k: x[n:] for k, x in made.by.items()}
    whole = fitted(own, made.asked, seed, additive_only=additive_only)
    row: dict[str, Any] = {"seed": seed, "people": n, "additive_only": additive_only, "asked": made.asked}
    if whole is None:
        return [row | {"latent": at, "found": None} for at in range(made.asked)]
    code = whole.encode(unseen)
    matched = {i: score for i, _, score in match(code, made.latents[n:], kind="spearman").pairs}
    checks = whole.checks if isinstance(whole, DecodedCoordinates) else None
    row["seconds"] = round(time.process_time() - began, 1)
    return [
        row | {
            "latent": at, "decoder": whole.decoder, "explained": whole.explained, "free": whole.explained_free,
            "finalists": whole.finalist_agreement[at], "least": min(whole.finalist_agreement),
            "halves": checks.halves[at] if checks and checks.halves else None,
            "mixing": checks and checks.mixing[at], "left": checks and checks.left,
            "reliability": checks and checks.reliability[at], "missed": checks and checks.missed,
            "found": matched.get(at, 0.0),
        }
        for at in range(made.asked)
    ]  # fmt: skip


def fit(seeds: range, families: list[str], out: Path) -> None:
    """Fit a modality of each family and seed that is not there yet."""
    for seed in seeds:
        for family in families:
            for only in (False, True) if family.startswith("digits") else (False,):
                rng = np.random.default_rng([seed, list(FAMILIES).index(family)])
                _keep(out, family, seed, partial(FAMILIES[family], rng), only)


def fit_worlds(folder: Path, names: list[str], out: Path) -> None:
    """Fit every modality with several measurements of worlds with their vectors, NPZ files of the benchmark."""
    for name in names:
        data = load_world(folder / f"{name}.npz", people=1500 + UNSEEN)
        for modality, by in data.views.items():
            own = [at for at, one in enumerate(data.names) if one.rpartition("_")[0] == modality]
            if len(by) > 1:
                made = Modality(dict(by), data.latents[:, own], len(own))
                _keep(out, f"world {name} {modality}", 0, partial(_given, made), False)


def _given(made: Modality) -> Modality:
    return made


def _keep(out: Path, family: str, seed: int, make: Callable[[], Modality], additive_only: bool) -> None:
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"{seed}-{family.replace(' ', '-').replace(',', '')}{'-additive' * additive_only}.json"
    if path.exists():
        return
    rows = [{"family": family} | row for row in rows_of(make(), seed, additive_only=additive_only)]
    path.write_text(json.dumps(rows))
    shown = ("found", "finalists", "halves", "mixing", "left", "reliability", "missed")
    numbers = [[round(row[k], 3) for k in shown if row.get(k) is not None] for row in rows]
    print(seed, family, rows[0].get("seconds"), rows[0].get("decoder"), numbers, flush=True)


Rule = Callable[[Mapping[str, Any]], bool]


def called(row: Mapping[str, Any], *, halves: bool) -> bool:
    """Return whether a fit with these numbers is said to identify the latent."""
    checks = None
    if row["mixing"] is not None:
        checks = DecoderChecks([row["mixing"]] * 2, row["left"], [row["reliability"]] * 2, row["missed"])
    agreed = [row["finalists"], row["least"]]
    found = SimpleNamespace(decoder=row["decoder"], explained=row["explained"], finalist_agreement=agreed,
                            checks=checks)  # fmt: skip
    fit = SimpleNamespace(names=["m_1", "m_2"], coordinates={"m": found})
    known = [row["halves"]] * 2 if halves and row["halves"] is not None else None
    return identify(fit, halves=known)[0].verdict == "identified"


RULES: Mapping[str, Rule] = {
    "restarts agree (.98, all latents)": lambda row: row["decoder"] != "free" and row["least"] >= 0.98,
    "the claim without halves": lambda row: called(row, halves=False),
    "the claim": lambda row: called(row, halves=True),
}


def table(out: Path) -> None:
    """Print what is called identified, by group of modalities and by family."""
    every = [row for path in sorted(out.glob("*.json")) for row in json.loads(path.read_text())]
    failed = [row for row in every if row["found"] is None]
    rows = [row for row in every if row["found"] is not None]
    groups: dict[str, list[dict[str, Any]]] = {
        "calibration, seeds below 100": [r for r in rows if r["seed"] < CHECK and not _apart(r)],
        "check, seeds from 100": [r for r in rows if r["seed"] >= CHECK and not _apart(r)],
        "texts by real encoders": [r for r in rows if r["family"].startswith("world ")],
        "digits by an additive decoder alone": [r for r in rows if r["additive_only"]],
    }
    groups = {group: own for group, own in groups.items() if own}
    print("| modalities | latents | rule | told apart: called so | not told apart: called so |\n|---|---|---|---|---|")
    for group, own in groups.items():
        for rule, says in RULES.items():
            print(f"| {group} | {len(own)} | {rule} | {_counted(own, says, True)} | {_counted(own, says, False)} |")
    for group in [one for one in groups if "seeds" in one]:
        print(f"\n{group}:\n\n| family | told apart: called so | not told apart: called so |\n|---|---|---|")
        for family in dict.fromkeys(row["family"] for row in groups[group]):
            own = [row for row in groups[group] if row["family"] == family]
            cells = [_counted(own, RULES["the claim"], told_apart) for told_apart in (True, False)]
            print(f"| {family} | {' | '.join(cells)} |")
    known = [row for row in every if row["seed"] >= CHECK and not _apart(row)]
    print("\n| by construction | latents | called identified |\n|---|---|---|")
    for what, families in BY_CONSTRUCTION.items():
        own = [row for row in known if row["family"] in families]
        hits = sum(row["found"] is not None and RULES["the claim"](row) for row in own)
        print(f"| {what} | {len(own)} | {hits}" + (f" ({hits / len(own):.0%}) |" if own else " |"))
    seconds = sum({(row["family"], row["seed"], row["additive_only"]): row["seconds"] for row in rows}.values())
    print(f"\n{len(failed)} latents of fits that found nothing to fit; {seconds / 60:.0f} CPU minutes.")


def _apart(row: Mapping[str, Any]) -> bool:
    return bool(row["additive_only"]) or str(row["family"]).startswith("world ")


def _counted(rows: list[dict[str, Any]], says: Rule, told_apart: bool) -> str:
    own = [row for row in rows if (row["found"] >= BAR) == told_apart]
    hits = sum(map(says, own))
    return f"{hits} of {len(own)}" + (f" ({hits / len(own):.0%})" if own else "")


def main() -> None:
    """Run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("fit", "worlds", "table"))
    parser.add_argument("--seeds", default="0-1")
    parser.add_argument("--families", default="all")
    parser.add_argument("--folder", type=Path, help="of worlds: NPZ files")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    torch.set_num_threads(1)
    if args.what == "table":
        table(args.out)
    elif args.what == "worlds":
        named = [p.stem for p in sorted(args.folder.glob("*.npz"))] if args.families == "all" else None
        fit_worlds(args.folder, named or args.families.split(";"), args.out)
    else:
        first, _, last = args.seeds.partition("-")
        families = list(FAMILIES) if args.families == "all" else args.families.split(";")
        fit(range(int(first), int(last or first) + 1), families, args.out)


if __name__ == "__main__":
    main()
