"""Level II of a release beside Level II of its originals: what each transform leaves of a modality's latents.

    python benchmarks/release_latents.py [--people 1500] [--seeds 3] [--restarts 8] [--steps 1000]

One modality of two dependent latents and three measurements of 48 numbers, each a sum of one curve a latent in the
measurement's own directions, with nuisance that is stronger than the latents. Content: the share of the originals'
agreed components that those of the release tell linearly, on people held out. Latents: rank correlation of the
release's latents with the originals', and with the truth, the mean over latents after matching.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import torch
from numpy.typing import NDArray

from personax.crl.methods.default._agreed import fit_agreed_components
from personax.crl.methods.default._coordinates import Coordinates
from personax.crl.methods.default._decoders import RestartSchedule
from personax.crl.methods.default._modalities import choose_decoder
from personax.crl.metrics import match
from personax.release.keys import ReleaseKey
from personax.release.transforms import PRESETS, Chain

Floats = NDArray[np.float64]
Measurements = dict[str, NDArray[np.float32]]

DIM = 48
LINEAR = "general linear map"
TRAINING = RestartSchedule(restarts=8, steps=1000)


def measured(n: int, rng: np.random.Generator) -> tuple[Floats, Measurements]:
    """Draw the latents and the measurements of one modality."""
    first = rng.normal(size=n)
    z = np.column_stack([first, 0.5 * first + np.sqrt(0.75) * rng.normal(size=n)])
    curves = np.column_stack([z, np.tanh(2 * z), 0.5 * z**2])
    found = {}
    for name in "abc":
        own = rng.normal(size=(n, 6)) @ rng.normal(size=(6, DIM))
        x = curves @ rng.normal(size=(6, DIM)) + own + 0.3 * rng.normal(size=(n, DIM))
        found[name] = (x / x.std()).astype(np.float32)
    return z, found


def released(how: str, by: Measurements, rng: np.random.Generator) -> Measurements:
    """Return the measurements as they leave under a transform, each under a secret of its own."""
    if how == LINEAR:
        return {name: (x @ linear_map(rng)).astype(np.float32) for name, x in by.items()}
    key = ReleaseKey(rng.bytes(32))
    return {name: np.asarray(Chain(how, DIM, key, f"m/{name}").fit(x).transform(x)) for name, x in by.items()}


def linear_map(rng: np.random.Generator) -> Floats:
    """Draw an invertible map with singular values from e^-1.5 to e^1.5."""
    left, right = (np.linalg.qr(rng.normal(size=(DIM, DIM)))[0] for _ in range(2))
    return np.asarray(left * np.exp(rng.uniform(-1.5, 1.5, DIM)) @ right)


def content(by: Measurements, learn: NDArray[np.intp]) -> NDArray[np.float32]:
    """Return the agreed components of all people."""
    return fit_agreed_components(by, learn, np.random.default_rng(0))(by)


def latents(
    by: Measurements, held: NDArray[np.intp], learn: NDArray[np.intp], training: RestartSchedule = TRAINING
) -> tuple[Coordinates, Floats]:
    """Return the coordinates of a modality and the latents of all people."""
    agreed = fit_agreed_components(by, learn, np.random.default_rng(0))
    rows = torch.from_numpy(held), torch.from_numpy(learn)
    generator = torch.Generator().manual_seed(0)
    found = choose_decoder("m", agreed, torch.from_numpy(agreed(by)), 2, rows, training, generator=generator)
    return found, found.encode(by)


def told(source: Floats, target: Floats, held: NDArray[np.intp], learn: NDArray[np.intp]) -> float:
    """Return the share of a target's variance that a source tells linearly, on people held out."""
    design = np.column_stack([np.ones(len(source)), source])
    weights = np.linalg.lstsq(design[learn], target[learn], rcond=None)[0]
    rest = target[held] - design[held] @ weights
    return float(1 - np.square(rest).sum() / np.square(target[held] - target[learn].mean(axis=0)).sum())


def main() -> None:
    """Print one row a transform and seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=1500)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--restarts", type=int, default=TRAINING.restarts)
    parser.add_argument("--steps", type=int, default=TRAINING.steps)
    asked = parser.parse_args()
    training = RestartSchedule(restarts=asked.restarts, steps=asked.steps)
    torch.set_num_threads(1)
    print("seed | transform | content | latents, with the originals' | with the truth | decoder | CPU s")
    for seed in range(asked.seeds):
        rng = np.random.default_rng(seed)
        z, by = measured(asked.people, rng)
        order = rng.permutation(asked.people)
        held, learn = np.split(order, [asked.people // 10])
        own = latents(by, held, learn, training)[1]
        reference = content(by, learn).astype(float)
        for how in ("none", LINEAR, *PRESETS):
            began = time.process_time()
            out = by if how == "none" else released(how, by, rng)
            share = told(content(out, learn).astype(float), reference, held, learn)
            found, code = latents(out, held, learn, training)
            pairs = [match(code[held], other[held], kind="spearman").mcc for other in (own, z)]
            seconds = time.process_time() - began
            print(f"{seed} | {how} | {share:.3f} | {pairs[0]:.3f} | {pairs[1]:.3f} | {found.decoder} | {seconds:.0f}",
                  flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
