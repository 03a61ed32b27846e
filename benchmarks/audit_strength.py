"""What every attack finds, and how long it takes; two versions of the audit side by side.

    OMP_NUM_THREADS=1 python benchmarks/audit_strength.py NEW.json [--before OLD.json] [--people 1500] [--dim 1536]

Run it with the code of one version, then with that of the other and ``--before``: the same vectors, the same release,
the same seed. An attack that finds less than before, beyond chance (the 95 % interval of before), is marked.

``--strangers 11 12 13 14`` instead asks of these seeds whether the alignment of strangers loses by ending where three
starts agree: the same attack beside one that tries all starts.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from paper_size import vectors
from personax.progress import Silent
from personax.release import Chain, ReleaseKey, audit_vectors
from personax.release.audit import _distribution_alignment
from personax.release.audit._distribution_alignment import strangers
from personax.release.audit._self_training import MatchedPairs
from personax.simulate import simulate_population

KEYS = ReleaseKey(bytes(range(32)), "benchmark"), ReleaseKey(bytes(32), "benchmark")


class Clock(Silent):
    """Notes the CPU seconds of each attack: those since the one before it ended."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.process_time()

    def step(self, done: int, total: int, note: str = "") -> None:
        """Note the attack that has ended."""
        now = time.process_time()
        self.seconds[note], self._last = self.seconds.get(note, 0.0) + now - self._last, now


def population(people: int, dim: int, seed: int) -> tuple[Any, np.ndarray]:
    """Return invented people and their vectors."""
    world = simulate_population(people, rng=np.random.default_rng(seed), text_dim=16, image_dim=16)
    latents = world.latents.select([name for name in world.latents.columns if name != "id"]).to_numpy()[:, :5]
    return world, vectors(latents, dim, np.random.default_rng([11, seed]))


def aligned(preset: str, people: int, dim: int, seed: int) -> str:
    """Return a row of a table: what strangers find and what it costs, ending where starts agree and trying all."""
    _, x = population(people, dim, seed)
    y = Chain(preset, dim, KEYS[0], "a").fit(x).transform(x)
    cells, agreeing = [], _distribution_alignment.AGREEING
    for needed in (agreeing, 10**6):
        _distribution_alignment.AGREEING = needed  # type: ignore[misc]
        begin = time.process_time()
        plain, member, *_ = strangers(x, y, rng=np.random.default_rng(seed))
        cells.append(f"{plain.value:.3f}, {member.value:.3f} | {time.process_time() - begin:.1f}")
    _distribution_alignment.AGREEING = agreeing  # type: ignore[misc]
    return f"| {people:,} x {dim}, {preset}, {seed} | {' | '.join(cells)} |"


def audited(preset: str, people: int, dim: int, seed: int) -> dict[str, Any]:
    """Return what each attack on one transform finds."""
    world, x = population(people, dim, seed)
    chain, other = (Chain(preset, dim, key, "a").fit(x) for key in KEYS)
    y, z = chain.transform(x), other.transform(x)
    back = chain.inverse_transform(y)
    rng = np.random.default_rng(seed)
    some = rng.permutation(people)[: max(8, people // 40)]
    facts = MatchedPairs(some, np.where(np.arange(len(some)) % 3 > 0, some, rng.permutation(some)))
    clock, begin = Clock(), time.process_time()
    report = audit_vectors(x, y, renewed=z, inverted=back, attributes={"gender": world.people["gender"].to_list()},
                           facts=facts, people=500, progress=clock, rng=np.random.default_rng(seed))  # fmt: skip
    rows = {f"{a.name}, {a.knows}": [a.value, a.low, a.high, a.control] for a in report.attacks}
    rows |= {f"{p.attack}: {p.pairs} pairs": [p.rank_1, p.low, p.high, None] for p in report.curves}
    return {"total": time.process_time() - begin, "rows": rows, "seconds": clock.seconds}


def main() -> None:
    """Audit, write JSON, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, nargs="?")
    parser.add_argument("--before", type=Path)
    parser.add_argument("--people", type=int, default=1500)
    parser.add_argument("--dim", type=int, default=1536)
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--transforms", nargs="+", default=["rotation", "whitening", "warp", "chain"])
    parser.add_argument("--strangers", type=int, nargs="+", metavar="SEED")
    asked = parser.parse_args()
    if asked.strangers:
        print(
            "| people x numbers, transform, seed | rank-1, AUC | CPU s | of all starts | CPU s |\n|---|---|---|---|---|"
        )
        for preset, seed in ((preset, seed) for preset in asked.transforms for seed in asked.strangers):
            print(aligned(preset, asked.people, asked.dim, seed), flush=True)
        return
    found: dict[str, Any] = {}
    for preset in asked.transforms:
        found[preset] = audited(preset, asked.people, asked.dim, asked.seed)
        asked.out.write_text(json.dumps(found, indent=1), encoding="utf-8")
        print(f"{preset}: {found[preset]['total']:.0f} CPU s", flush=True)
    before = json.loads(asked.before.read_text(encoding="utf-8")) if asked.before else {}
    for preset, now in found.items():
        then = before.get(preset, {"rows": {}, "seconds": {}, "total": float("nan")})
        print(f"\n**{preset}**, {asked.people:,} x {asked.dim:,}; {then['total']:.0f} CPU s before, "
              f"{now['total']:.0f} now\n\n| attack | before | now | |\n|---|---|---|---|")  # fmt: skip
        for name in dict.fromkeys([*then["rows"], *now["rows"]]):
            old, new = then["rows"].get(name), now["rows"].get(name)
            worse = old and old[0] is not None and (new is None or new[0] is None or new[0] < old[1])
            cells = ("-" if one is None or one[0] is None else f"{one[0]:.3f}" for one in (old, new))
            print(f"| {name} | {' | '.join(cells)} | {'less' if worse else ''} |")


if __name__ == "__main__":
    main()
