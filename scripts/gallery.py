"""Draw the pictures of docs/gallery.md, each from a computation on invented people with a seed, and write the page.

    python scripts/gallery.py                  # all, into docs/images/gallery
    python scripts/gallery.py pc latents       # these alone; the page stays

A picture is a function here: its docstring is the caption, the figure that it returns the picture.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from PIL import Image

from personax import aggregate, dependence_graph, fci, method, numerical, pc, screen, simulate_population
from personax.crl import Budget, match
from personax.discovery import Knowledge, bootstrap_edges
from personax.plots import (
    adjacency_pair,
    agreement_dots,
    draw_graph,
    heatmap,
    latent_scatter,
    latent_traversals,
    radar,
    save,
    scores_by_method,
    training_curves,
)
from personax.schema import Kind

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from personax.simulate import Population

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "images" / "gallery"
FEATURES: dict[str, Kind] = {
    "gender": "nominal",
    "occupation": "nominal",
    "height_cm": "continuous",
    "birth_year": "continuous",
    "country": "nominal",
    "birth_month": "cyclic",
}
OTHERS = {
    "report-desktop-light.png": "The report of the demo, on a laptop (`docs/screenshots.py`).",
    "report-desktop-dark.png": "The same, dark.",
    "dependence-desktop-light.png": "Its map of what depends on what.",
    "calibration.svg": "How often each test rejects true nulls (`benchmarks/calibration.py`).",
    "calibration-power.svg": "Power against the strength of a dependence (`benchmarks/calibration.py`).",
    "known-pairs.svg": "What an attacker finds who knows some pairs (`benchmarks/release.py attacks`).",
    "choosing-radar.svg": "Three invented LLMs compared (`benchmarks/choosing.py`).",
}
"""Pictures that other scripts make."""


@cache
def world() -> Population:
    """Return 600 invented people, whose causes are known."""
    return simulate_population(600, rng=np.random.default_rng(1))


@cache
def pvalues() -> pl.DataFrame:
    """Return Level I of them: six features, the traits by three raters and over them."""
    people = world().people
    scores = aggregate(world().ratings, people=people["id"].to_list())
    targets: dict[str, Kind] = {name: "ordinal" for name in scores.columns if name.startswith("final_")}
    return screen(people.join(scores, on="id"), list(FEATURES), list(targets), tests=["kci", "chisq"],
                  kinds=FEATURES | targets, periods={"birth_month": 12.0})  # fmt: skip


@cache
def body() -> pl.DataFrame:
    """Return age -> training -> strength <- height, strength -> score, and two columns with a hidden cause."""
    rng, n = np.random.default_rng(0), 1500
    e = rng.normal(size=(7, n))
    age, height, hidden = e[0], e[1], e[2]
    training = -0.6 * age + e[3]
    strength = 0.7 * training + 0.6 * height + e[4]
    found = {"age": age, "height": height, "training": training, "strength": strength, "score": 0.8 * strength + e[5]}
    return pl.DataFrame(
        found | {"speed": hidden - 0.5 * height + 0.3 * e[6], "jump": hidden - 0.5 * age + 0.3 * rng.normal(size=n)}
    )


@cache
def fits() -> dict[str, Any]:
    """Return methods of closed form on data whose latents are known, three seeds."""
    found: dict[str, Any] = {}
    for seed in range(3):
        data = numerical(1, n=1500, measurements=3, rng=np.random.default_rng(seed))
        for name in ("random", "pca", "cca", "supervised"):
            fit = method(name).fit(data.views, latents=data.counts, truth=data.latents, rng=np.random.default_rng(seed))
            found[f"{name}-{seed}"] = (data, fit.encode(data.views), fit)
    return found


def heatmap_kci() -> Figure:
    """Level I by a kernel test: corrected p-values and effects of every feature and trait."""
    return heatmap(pvalues(), "kci")


def heatmap_chisq() -> Figure:
    """The same by counting; pairs that cannot be counted are hatched, with a reason in the table."""
    return heatmap(pvalues(), "chisq")


def dependence() -> Figure:
    """What depends on what, as a graph."""
    return draw_graph(dependence_graph(pvalues()))


def pc_graph() -> Figure:
    """A causal graph by PC: a line without an arrowhead is not directed by the data."""
    return draw_graph(pc(body().drop("speed", "jump")))


def pc_with_knowledge() -> Figure:
    """The same, told that nothing causes age and height."""
    known = Knowledge(tiers=[["age", "height"], ["training", "strength", "score"]])
    return draw_graph(pc(body().drop("speed", "jump"), knowledge=known))


def fci_graph() -> Figure:
    """FCI: speed and jump share a cause that is in no column (an arrowhead at both ends)."""
    return draw_graph(fci(body()))


def stability() -> Figure:
    """PC on 40 draws of people: the width of an edge is how often it came back."""
    few = body().drop("speed", "jump").head(200)
    return draw_graph(bootstrap_edges(few, pc, times=40, rng=np.random.default_rng(0))[0])


def latents() -> Figure:
    """Learned latents against the true ones, matched."""
    data, learned, fit = fits()["supervised-0"]
    pairs = [(pair[0], pair[1], pair[2]) for pair in match(learned, data.latents).pairs]
    return latent_scatter(learned[:400], data.latents[:400], pairs, names=data.names, learned_names=fit.names)


def latents_mixed() -> Figure:
    """Principal components against the true latents: mixed, which no name of ours would hide."""
    data, learned, fit = fits()["pca-0"]
    pairs = [(pair[0], pair[1], pair[2]) for pair in match(learned, data.latents).pairs]
    return latent_scatter(learned[:400], data.latents[:400], pairs, names=data.names, learned_names=fit.names)


def adjacency() -> Figure:
    """A learned graph of latents beside the true one (here PC on the true latents)."""
    data = fits()["pca-0"][0]
    frame = pl.DataFrame(data.latents, schema=data.names)
    learned = np.zeros((len(data.names), len(data.names)))
    for edge in pc(frame).edges:
        learned[data.names.index(edge.target), data.names.index(edge.source)] = 1.0
    return adjacency_pair(learned, data.adjacency, names=data.names, groups=[name[:2] for name in data.names])


def scores() -> Figure:
    """Methods of Level II over three seeds: what a floor and a ceiling reach."""
    rows = []
    for name, (data, learned, _) in fits().items():
        label, seed = name.rsplit("-", 1)
        mcc = float(np.mean([abs(pair[2]) for pair in match(learned, data.latents).pairs]))
        rows.append({"seed": int(seed), "method": label, "metric": "mcc_pearson", "value": mcc})
    shown = ["pca", "cca", "supervised"]
    return scores_by_method(pl.DataFrame(rows), methods=shown, floors=["random"], metrics=["mcc_pearson"])


def training() -> Figure:
    """Training of an autoencoder, on the people trained on and on validation people."""
    data = numerical(1, n=800, rng=np.random.default_rng(0))
    made = {}
    for seed in range(2):
        fit: Any = method("autoencoder", budget=Budget(epochs=20)).fit(
            data.views, latents=data.counts, rng=np.random.default_rng(seed)
        )
        rows = fit.log.history
        made[seed] = {name: [row[name] for row in rows] for name in ("epoch", "validation")}
    return training_curves({"autoencoder": made})


def faces() -> Figure:
    """Mean drawn faces along the cause that draws them: what moves as it moves."""
    pictures = dict(world().faces())
    values = world().latents
    names = [name for name in values.columns if name != "id" and not name.endswith("_trait")][-2:]
    shown, people = {}, {}
    for name in names:
        order = values.sort(name)["id"].to_list()
        places = [order[at : at + 60] for at in range(0, 600, 120)]
        shown[name] = np.stack([np.mean([_pixels(pictures[one]) for one in part], axis=0) for part in places])
        people[name] = [len(part) for part in places]
    return latent_traversals(shown, people)


def raters() -> Figure:
    """Five invented raters against the truth of invented people, trait by trait."""
    rng, truth = np.random.default_rng(0), world().latents
    rated = world().ratings.filter(pl.col("status") == "ok")
    rows = []
    for (trait, rater), part in rated.group_by("trait", "model", maintain_order=True):
        joined = part.join(truth, left_on="person", right_on="id")
        x, y = joined["score"].to_numpy(), joined[f"{trait}_trait"].to_numpy()
        drawn = [np.corrcoef(x[i], y[i])[0, 1] for i in (rng.integers(0, len(x), len(x)) for _ in range(200))]
        low, high = np.quantile(drawn, [0.025, 0.975])
        rows.append({"trait": trait, "rater": rater, "value": float(np.corrcoef(x, y)[0, 1]), "low": float(low),
                     "high": float(high)})  # fmt: skip
    return agreement_dots(pl.DataFrame(rows), first="steady")


def answered() -> Figure:
    """How much each rater answered, trait by trait."""
    counted = (
        world().ratings.group_by("model", "trait", maintain_order=True).agg(score=(pl.col("status") == "ok").mean())
    )
    return radar(counted.with_columns(pl.col("trait").str.head(4)), rows="model", axes="trait")


PICTURES: dict[str, Callable[[], Figure]] = {
    one.__name__.replace("_", "-"): one
    for one in (heatmap_kci, heatmap_chisq, dependence, pc_graph, pc_with_knowledge, fci_graph, stability, latents,
                latents_mixed, adjacency, scores, training, faces, raters, answered)
}  # fmt: skip


def _pixels(png: bytes) -> Any:  # noqa: ANN401 - an array of floats
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"), dtype=float).transpose(2, 0, 1) / 255


def page() -> str:
    """Return docs/gallery.md."""
    lines = ["# Pictures", "",
             "Made by `python scripts/gallery.py` and the scripts that are named, from seeds.",
             "How to draw your own: [figures for a paper](howto-figures.md).", ""]  # fmt: skip
    for name, draw in PICTURES.items():
        caption = " ".join((draw.__doc__ or "").split())
        lines += [f"![{name}](images/gallery/{name}.svg)", "", caption, ""]
    for file, caption in OTHERS.items():
        lines += [f"![{file}](images/{file})", "", caption, ""]
    return "\n".join(lines)


def main() -> None:
    """Draw what is asked for."""
    parser = argparse.ArgumentParser(description="Draw the pictures of docs/gallery.md.")
    parser.add_argument("names", nargs="*", help=f"of {', '.join(PICTURES)}; all by default")
    parser.add_argument("--out", type=Path, default=FOLDER)
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    for name in asked.names or PICTURES:
        save(PICTURES[name](), asked.out / f"{name}.svg")
        print(asked.out / f"{name}.svg")
    if not asked.names:
        (ROOT / "docs" / "gallery.md").write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
