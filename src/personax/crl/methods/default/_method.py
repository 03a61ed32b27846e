"""The method ``default``: components connected to other modalities, the other latents given them, and a graph."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from personax.crl._budget import STANDARD, Budget
from personax.crl._device import CPU, torch_device
from personax.crl._estimator import Arrays, Estimator, FittedResult, Problem, Progress
from personax.crl._lacking import has_every_measurement, has_every_modality, some_people
from personax.crl._optimiser import retry_diverged, threads, validation_split
from personax.crl._prior import Prior
from personax.crl._scaler import Scaler, check, chunks, latent_names
from personax.crl._select import Counted
from personax.crl.methods.default._blocks import (
    Block,
    around,
    fit_free_latents,
    initial_blocks,
    orthogonality_choices,
)
from personax.crl.methods.default._components import Components, Search, fit_components
from personax.crl.methods.default._coordinates import Coordinates, NormalScores
from personax.crl.methods.default._crossing import describe_copies, describe_crossing, with_crossing
from personax.crl.methods.default._decoders import RestartSchedule
from personax.crl.methods.default._foresight import describe_few, foresee
from personax.crl.methods.default._missing import MissingMeasurements
from personax.crl.methods.default._modalities import ModalityCoordinates, fit_modalities, with_halves
from personax.crl.methods.default._number_of_latents import NumberOfLatents, count_latents
from personax.crl.methods.default._orthogonal import fit_orthogonal_latents
from personax.crl.methods.default._progress import forward, reach, span
from personax.crl.methods.default._projection import Projection
from personax.crl.methods.default._scale_coordinates import fit_scale_coordinates
from personax.crl.methods.default._shared_content import (
    ModalityContent,
    SharedContent,
    encode_contents,
    fit_modality_contents,
    fit_shared_content,
)
from personax.crl.methods.default._shared_latents import SAME, SharedCoordinates, shared_coordinates
from personax.crl.methods.default._structure import Structure, fit_structure
from personax.crl.metrics._graph import DIRECTED
from personax.errors import InputError
from personax.registry import register

__all__ = [
    "Default",
    "DefaultFit",
    "fit",
]


@dataclass(frozen=True)
class DefaultFit(FittedResult):
    """A fitted model; see `Fitted`.

    Parameters
    ----------
    names, adjacency, objective
        As `Fitted` says; the objective is that of the components, in nats a person.
    information
        Estimated mutual information between modalities, in nats a person, on validation people.
    connected
        Names of the latents that touch other modalities.
    orthogonal
        Names of the latents that are settled by orthogonality.
    contents
        By modality, where stage one read what measurements agree on.
    projection
        What encoders read of each modality; None as `components`.
    components
        What the dependence between modalities gave; None where every modality settles its latents by itself.
    scale
        Of the measurements, where there is no projection.
    coordinates
        By modality with several measurements, what its decoders told apart, settled or not.
    scores
        By modality whose latents are settled, their maps to normal scores.
    notes
        What is to be known of how it was fitted, a sentence each.
    missing
        What stands for measurements that people lack; None where nobody fitted on lacked any.
    """

    fits_lacking: ClassVar[bool] = True
    directed_from: ClassVar[float] = DIRECTED

    names: list[str]
    adjacency: NDArray[np.float64]
    objective: float
    information: float
    connected: list[str]
    orthogonal: list[str]
    projection: Projection | None = field(repr=False)
    contents: dict[str, ModalityContent] = field(repr=False)
    shared: SharedContent | None = field(repr=False)
    components: Components | None = field(repr=False)
    scales: list[tuple[Tensor, Tensor]] = field(repr=False)
    blocks: list[Block] = field(repr=False)
    structure: Structure = field(repr=False)
    threads: int = 1
    scale: Scaler | None = field(default=None, repr=False)
    coordinates: dict[str, Coordinates] = field(default_factory=dict, repr=False)
    scores: dict[str, NormalScores] = field(default_factory=dict, repr=False)
    notes: list[str] = field(default_factory=list)
    missing: MissingMeasurements | None = field(default=None, repr=False)

    @property
    def edge_weight(self) -> str:
        """What the numbers of the adjacency are."""
        return "share of bootstrap samples of the people with the edge, latents held fixed"

    @property
    def history(self) -> list[dict[str, float]]:
        """Of the components: step and validation objective."""
        return [] if self.components is None else self.components.history

    def encode(self, views: Arrays) -> NDArray[np.float64]:
        """Return the latents of any people, shape (n, d), on the scale of the people fitted on.

        Of people who lack a whole modality the latents that rest on it are NaN; so are, where nobody fitted on lacked
        a measurement, those that are not read from agreed components and rest on one that a person lacks.
        """
        with threads(self.threads), torch.no_grad():
            encoded: NDArray[np.float64] = self._all(views).double().numpy()
            return encoded

    def noise(self, views: Arrays) -> NDArray[np.float64]:
        """Return the exogenous noise of any people, shape (n, d)."""
        with threads(self.threads), torch.no_grad():
            noise: NDArray[np.float64] = self.structure.noise(self._all(views)).double().numpy()
            return noise

    def _all(self, views: Arrays) -> Tensor:
        scale = self.scale if self.projection is None else self.projection.scale
        assert scale is not None
        scale.check_people(views, lacking=True)
        people = len(next(iter(next(iter(views.values())).values())))
        parts = ({m: {k: x[rows] for k, x in by.items()} for m, by in views.items()} for rows in chunks(people))
        return torch.cat([self._latents(part) for part in parts])

    def _latents(self, views: Arrays) -> Tensor:
        given, views = views, views if self.missing is None else self.missing.filled(views)
        known = encode_settled(self.coordinates, self.scores, given, views)
        if self.components is None or self.projection is None:
            return torch.cat(list(known.values()), 1)
        targets = with_known(self.projection.apply(views), list(self.projection.directions), known)
        seen = encode_contents(self.contents, targets, views)
        found = scaled(components_of(self.shared, self.components, targets, seen), self.scales[0])
        before = scaled(read_blocks(self.blocks, found, seen, views), self.scales[1])
        return put_known(scaled(with_orthogonal_latents(self.blocks, before), self.scales[2]), self.blocks, known)


def encode_settled(
    coordinates: Mapping[str, Coordinates], scores: Mapping[str, NormalScores], given: Arrays, filled: Arrays
) -> dict[str, Tensor]:
    """Return the latents of every modality that is settled by itself, as normal scores, shape (n, k) each.

    Measurements are read as they are given where a person may lack one, else with what stands for it.
    """
    return {m: score(torch.from_numpy(read(coordinates[m], given, filled))) for m, score in scores.items()}


def read(found: Coordinates, given: Arrays, filled: Arrays) -> NDArray[np.float64]:
    """Return the latents of one modality, shape (n, k)."""
    views = given if found.reads_lacking else filled
    by: Mapping[str, Any] = views if isinstance(found, SharedCoordinates) else views[found.modality]
    return found.encode(by)


def with_known(targets: list[Tensor], modalities: list[str], known: Mapping[str, Tensor]) -> list[Tensor]:
    """Return what encoders read, settled latents in place of their modality's components, of total variance 1."""
    return [
        known[m] / known[m].shape[1] ** 0.5 if m in known else target
        for m, target in zip(modalities, targets, strict=True)
    ]


def unexplained(modalities: ModalityCoordinates) -> float:
    """Return what the decoders of settled modalities leave, summed: comparable between seeds."""
    return sum((1 - found.explained for found in modalities.known.values()), 0.0)


def put_known(latents: Tensor, blocks: list[Block], known: Mapping[str, Tensor]) -> Tensor:
    """Return latents, those of settled modalities replaced by what they are known to be."""
    out = latents.clone()
    for block in blocks:
        if block.modality in known:
            out[:, block.columns] = known[block.modality]
    return out


def components_of(
    shared: SharedContent | None, components: Components, targets: list[Tensor], seen: list[Tensor]
) -> Tensor:
    """Return shared latents and components, not standardised, shape (n, d)."""
    if shared is None:
        return components.encode(seen)
    known = shared(targets)
    found = components.encode([known, *seen])
    # one shared latent is known as it is; several are told apart by whom they touch
    return torch.cat([known, found[:, 1:]], 1) if shared.count == 1 else found


def read_blocks(blocks: list[Block], found: Tensor, seen: list[Tensor], views: Arrays) -> Tensor:
    """Return shared latents and those of all blocks before straightening."""
    first = min(column for block in blocks for column in block.columns)
    own = [block.read(found, x, views) for block, x in zip(blocks, seen, strict=True)]
    return torch.cat([found[:, :first], *own], dim=1)


def with_orthogonal_latents(blocks: list[Block], latents: Tensor) -> Tensor:
    """Return latents, those that edges do not determine replaced by their orthogonal functions."""
    out = latents.clone()
    for block in blocks:
        columns = around(block)
        for function in block.orthogonal:
            out[:, columns[function.at]] = function(latents[:, columns])
    return out


def scale_of(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and standard deviation of each column."""
    return x.mean(0), x.std(0).clamp_min(1e-8)


def scaled(x: Tensor, scale: tuple[Tensor, Tensor]) -> Tensor:
    """Return columns on a scale."""
    return (x - scale[0]) / scale[1]


def people_with_all(views: Arrays, people: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """Return the rows of those who have every measurement, where they are enough to learn from; else all."""
    rows = torch.from_numpy(has_every_measurement(views))
    held, learn = people
    kept = held[rows[held]], learn[rows[learn]]
    return kept if min(len(part) for part in kept) >= FEWEST_COMPLETE else people


SEARCH: Final = Search()
VALIDATION: Final = 0.1
"""Share of people held out."""

UNCHECKED: Final = 0.8
"""Share of the time of a fit with fits to halves of the people that it takes without them."""

SCALES: Final = 0.05
MODALITIES: Final = 0.7
COMPONENTS: Final = 0.95
"""Shares of a fit's time up to the end of these parts; the graph is the last."""

FEWEST_COMPLETE: Final = 20
"""People held out who have every measurement, below whom all are looked at."""


@register("methods", "default", title="personax", order=12)
@dataclass
class Default(Estimator):
    """Our own method, in stages; nothing in it is chosen with a truth.

    First, modalities in which one latent scales all that is shown: that latent from norms, the others from shapes alone
    (`fit_scale_coordinates`). Then other modalities with several measurements, each by itself: what the measurements
    agree on (`fit_agreed_components`), and coordinates of it by the most restrictive class of decoders that explains it
    and whose restarts agree (`fit_modalities`). A scale goes first because an apex stands out only where there is one,
    while a sum of curves may explain a product well and be wrong. Of a modality with one measurement, those latents
    that tell of settled ones are found by them (`fit_crossing`). Where that leaves no modality open, the graph is all
    that is left (step 5). What is open rests on the dependence between modalities, settled latents known:

    0. Shared latents: what every modality shows (`fit_shared_content`).
    1. What the measurements of a modality have in common, where there are several (`fit_modality_contents`); some
       restarts of the next step read it in place of the measurements.
    2. Components of each modality that are connected to the others, by as few edges as explain the dependence
       between modalities given shared latents (`fit_components`), from many restarts; validation people choose.
    3. Latents without an edge to another modality: what several measurements of a modality share given those
       (`fit_shared_content`), or the leading components of a single measurement given them (`fit_chart`).
    4. Latents that edges do not determine are made orthogonal to the others (`fit_orthogonal_latents`).
    5. A sparse acyclic structural model of the latents (`fit_structure`).

    Parameters
    ----------
    budget
        Shared with other methods: its threads, its device, and its epochs, by which all steps shrink from the standard
        ones.
    search
        Of step two.
    allowed
        Which edges may be, shape (d, d), rows are children, in the order of the names; all by default.
    prior
        What is known of causes between modalities: tiers, pairs, or Level I's graph.
    halves
        Whether additive decoders are fitted to halves of the people too, without which no latent is called identified
        by one. `fit_seeds` does so for the seed that it chooses, by `with_checks`.
    """

    budget: Budget = STANDARD
    search: Search = SEARCH
    allowed: NDArray[np.bool_] | None = None
    prior: Prior | None = None
    halves: bool = True
    name = "default"
    fits_lacking = True
    fewest_modalities = 2

    def learn(self, problem: Problem) -> DefaultFit:
        """Return the fitted method.

        Raises
        ------
        InputError
            Measurements that nothing can be learned from; fewer than two modalities.
        ComputationError
            When training diverges three times, each with a quarter of the rate.
        """
        check(problem.views, problem.latents, problem.shared, lacking=True)
        problem = replace(problem, views=some_people(problem.views, has_every_modality(problem.views)))
        if len(problem.views) < 2:
            raise InputError(
                "default learns from the dependence between modalities and was given one; give two or more"
            )
        # a projection takes a sample of people first, also where none will be needed: numbers stay those of before
        sampler = copy.deepcopy(problem.rng)
        problem.rng.permutation(len(next(iter(next(iter(problem.views.values())).values()))))
        seed = int(problem.rng.integers(2**31))
        told, fits = forward(problem.progress), UNCHECKED if self.halves else 1.0
        problem = replace(problem, progress=span(told, 0, fits))
        with threads(self.budget.threads):
            found = retry_diverged(lambda attempt: self._attempt(problem, copy.deepcopy(sampler), seed, attempt))
        if not self.halves:
            return found
        return self.with_checks(found, problem.views, problem.latents, progress=span(told, fits, 1))

    def without_checks(self) -> Default:
        """Return the method without fits to halves of the people."""
        return replace(self, halves=False)

    def with_checks(
        self, fit: DefaultFit, views: Arrays, latents: Mapping[str, int], progress: Progress | None = None
    ) -> DefaultFit:
        """Return a fit to these people with what halves of them say of its latents, where it does not know it yet."""
        given = some_people(views, has_every_modality(views))
        people = validation_split(len(next(iter(next(iter(given.values())).values()))), VALIDATION)
        training = RestartSchedule().shorter(min(1.0, self.budget.epochs / STANDARD.epochs))
        with threads(self.budget.threads):
            device = torch_device(self.budget.device)
            checked = with_halves(fit.coordinates, given, latents, people, training, device=device, progress=progress)
        return replace(fit, coordinates=checked)

    def foresee(self, views: Arrays, latents: Mapping[str, int]) -> list[str]:
        """As `Estimator.foresee` says: copies, single measurements, more latents than measurements agree on."""
        return foresee(views, latents)

    def count_latents(
        self, views: Arrays, upto: Mapping[str, int], rng: np.random.Generator, progress: Progress | None = None
    ) -> Counted:
        """Return the number of latents of every modality with several measurements: number, least, largest, rows."""
        views = some_people(views, has_every_modality(views))
        people = validation_split(len(next(iter(next(iter(views.values())).values()))), VALIDATION)
        share, device = min(1.0, self.budget.epochs / STANDARD.epochs), torch_device(self.budget.device)
        generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
        counted: Counted = {}
        with threads(self.budget.threads):
            for at, (modality, by) in enumerate(views.items()):
                part = span(progress, at / len(views), (at + 1) / len(views))
                found = count_latents(
                    modality, by, upto[modality], people,
                    share=share, generator=generator, device=device, progress=part,
                )  # fmt: skip
                if found is not None:
                    counted[modality] = (found.latents, found.low, found.high, _counted_rows(modality, found))
        return counted

    def _attempt(self, problem: Problem, sampler: np.random.Generator, seed: int, attempt: int) -> DefaultFit:
        """Fit all steps, at a quarter of the rate for every attempt before."""
        generator = torch.Generator().manual_seed(seed + attempt)
        share = min(1.0, self.budget.epochs / STANDARD.epochs)
        given, latents = problem.views, dict(problem.latents)
        people = validation_split(len(next(iter(next(iter(given.values())).values()))), VALIDATION)
        missing = MissingMeasurements.fit(given, people[1].numpy())
        views = given if missing is None else missing.filled(given)
        problem = replace(problem, views=views)
        modalities = ModalityCoordinates({}, [])
        if problem.shared and all(len(by) > 1 for by in given.values()):
            shared, notes = self._shared(problem, given, people, share, torch.Generator().manual_seed(seed + attempt))
            if shared is not None:
                return replace(shared, missing=missing)
            modalities.notes.extend(notes)
        if not problem.shared:
            device = torch_device(self.budget.device)
            by_scale = fit_scale_coordinates(
                views, latents, people_with_all(given, people), share=share,
                # of its own: where there is no scale, all numbers stay what they were without it
                generator=torch.Generator().manual_seed(seed + attempt), device=device,
            )  # fmt: skip
            reach(problem.progress, SCALES)
            modalities = fit_modalities(
                {m: by for m, by in given.items() if m not in by_scale}, latents, people,
                RestartSchedule().shorter(share), generator=generator, device=device,
                progress=span(problem.progress, SCALES, MODALITIES),
            )  # fmt: skip
            told = [note for found in by_scale.values() for note in found.notes]
            modalities = ModalityCoordinates({**modalities.coordinates, **by_scale}, [*modalities.notes, *told])
        settled = modalities.known
        raw = {m: torch.from_numpy(read(found, given, views)) for m, found in settled.items()}
        scores = {m: NormalScores.fit(x) for m, x in raw.items()}
        modalities.notes.extend(describe_copies(given, people[1].numpy()))
        modalities.notes.extend(describe_few(sum(len(part) for part in people)))
        reach(problem.progress, MODALITIES)
        modalities, scores = with_crossing(
            modalities, scores, views, latents, people, RestartSchedule().shorter(share),
            generator=generator, device=torch_device(self.budget.device),
        )  # fmt: skip
        if set(scores) == set(views):
            found = self._settled(problem, given, modalities, scores, share, generator)
        else:
            known = {m: scores[m] for m in settled}
            found = self._connected(problem, given, modalities, known, people, sampler, attempt, generator)
        return replace(found, missing=missing)

    def _shared(
        self, problem: Problem, given: Arrays, people: tuple[Tensor, Tensor], share: float, generator: torch.Generator
    ) -> tuple[DefaultFit | None, list[str]]:
        """Return the fit where every modality tells its own and the shared latents apart; else None, and why."""
        count, device = problem.shared, torch_device(self.budget.device)
        latents, training = {m: own + count for m, own in problem.latents.items()}, RestartSchedule().shorter(share)
        found = fit_modalities(
            given, latents, people, training,
            generator=generator, device=device, progress=span(problem.progress, 0, MODALITIES),
        )  # fmt: skip
        notes = list(found.notes)
        told = None
        if set(found.known) == set(given):
            known = with_halves({m: found.known[m] for m in given}, given, latents, people, training, device=device)
            told = shared_coordinates(known, given, count, people[0].numpy())
        if told is None or min(told[1]) < SAME:
            least = "" if told is None else f" (the least alike correlate at {min(told[1]):.2f}, {SAME} is needed)"
            notes.append(f"shared latents were not seen in every modality by itself{least}; they rest on dependence")
            return None, notes
        notes.append(
            f"what is shared was found in every modality by itself: estimates of shared latents correlate at "
            f"{' and '.join(f'{r:.2f}' for r in told[1])} on people held out"
        )
        coordinates = told[0]
        scores = {m: NormalScores.fit(torch.from_numpy(read(one, given, given))) for m, one in coordinates.items()}
        modalities = ModalityCoordinates(coordinates, notes)
        return self._settled(problem, given, modalities, scores, share, generator), notes

    def _settled(
        self,
        problem: Problem,
        given: Arrays,
        modalities: ModalityCoordinates,
        scores: dict[str, NormalScores],
        share: float,
        generator: torch.Generator,
    ) -> DefaultFit:
        """Return the fit where every modality settles its latents by itself: the graph is all that is left."""
        names = latent_names(dict(problem.latents), list(problem.views), problem.shared)
        allowed, edge_penalty = self._edges(names, problem.shared)
        known = encode_settled(modalities.coordinates, scores, given, problem.views)
        learn = validation_split(len(next(iter(known.values()))), VALIDATION)[1].numpy()
        notes = [*modalities.notes, *describe_crossing({m: known[m].double().numpy() for m in problem.views}, learn)]
        structure = fit_structure(
            torch.cat([known[m] for m in [*["shared"] * bool(problem.shared), *problem.views]], 1), allowed,
            share=share, generator=generator, edge_penalty=edge_penalty, device=torch_device(self.budget.device),
        )  # fmt: skip
        reach(problem.progress, 1)
        edges = structure.adjacency > 0.5
        across = np.array([[a.rpartition("_")[0] != b.rpartition("_")[0] for b in names] for a in names])
        touches = (edges & across).any(axis=0) | (edges & across).any(axis=1)
        return DefaultFit(
            names=names,
            adjacency=structure.adjacency,
            objective=unexplained(modalities),
            information=float("nan"),
            connected=[name for name, is_connected in zip(names, touches, strict=True) if is_connected],
            orthogonal=[],
            projection=None,
            contents={},
            shared=None,
            components=None,
            scales=[],
            blocks=[],
            structure=structure,
            threads=self.budget.threads,
            scale=Scaler.fit(problem.views),
            coordinates=modalities.coordinates,
            scores=scores,
            notes=notes,
        )

    def _connected(
        self,
        problem: Problem,
        given: Arrays,
        modalities: ModalityCoordinates,
        scores: dict[str, NormalScores],
        people: tuple[Tensor, Tensor],
        sampler: np.random.Generator,
        attempt: int,
        generator: torch.Generator,
    ) -> DefaultFit:
        """Return the fit where the latents of some modalities rest on what others say of them."""
        projection = Projection.fit(problem.views, rng=sampler)
        device = torch_device(self.budget.device)
        share = min(1.0, self.budget.epochs / STANDARD.epochs)
        search = self.search.slower(4.0**-attempt, share)
        views, latents, shared = problem.views, dict(problem.latents), problem.shared
        known = encode_settled(modalities.coordinates, scores, given, views)
        names_of = list(projection.directions)
        targets = with_known(projection.apply(views), names_of, known)
        names = latent_names(latents, names_of, shared)
        allowed, edge_penalty = self._edges(names, shared)
        common = (
            fit_shared_content(targets, shared, *people, search, generator=generator, device=device) if shared else None
        )
        open_views = {m: by for m, by in views.items() if m not in known}
        contents = fit_modality_contents(
            open_views, latents, shared, people, search, generator=generator, device=device
        )
        components = fit_components(
            targets, [latents[m] for m in names_of], allowed, *people, search,
            given=None if common is None else common(targets),
            contents=[
                x if m in contents else None
                for m, x in zip(names_of, encode_contents(contents, targets, views), strict=True)
            ],
            edge_penalty=edge_penalty, generator=generator, device=device,
            progress=span(problem.progress, MODALITIES, COMPONENTS),
        )  # fmt: skip
        contents = contents if components.from_contents else {}
        seen = encode_contents(contents, targets, views)
        raw = components_of(common, components, targets, seen)
        scales = [scale_of(raw)]
        found = scaled(raw, scales[0])
        blocks = [
            fit_free_latents(
                block, found, x, block.modality in contents, views, people, search, share, generator, device
            )
            for block, x in zip(_open_blocks(components, names_of, latents, shared, known), seen, strict=True)
        ]
        raw = read_blocks(blocks, found, seen, views).detach()
        scales.append(scale_of(raw))
        before = scaled(raw, scales[1])
        _fit_orthogonal(blocks, before, targets, share=share, generator=generator, device=device)
        unscaled = with_orthogonal_latents(blocks, before).detach()
        scales.append(scale_of(unscaled))
        structure = fit_structure(
            put_known(scaled(unscaled, scales[2]), blocks, known), allowed,
            share=share, generator=generator, edge_penalty=edge_penalty, device=device,
        )  # fmt: skip
        reach(problem.progress, 1)
        return DefaultFit(
            names=names,
            adjacency=structure.adjacency,
            objective=components.objective + unexplained(modalities),
            information=components.information,
            connected=[names[i] for block in blocks for i in block.used],
            orthogonal=[names[around(block)[f.at]] for block in blocks for f in block.orthogonal],
            projection=projection,
            contents=contents,
            shared=common,
            components=components,
            scales=scales,
            blocks=blocks,
            structure=structure,
            threads=self.budget.threads,
            coordinates=modalities.coordinates,
            scores=scores,
            notes=modalities.notes,
        )

    def _edges(self, names: list[str], shared: int) -> tuple[Tensor, Tensor | None]:
        """Return which edges may be (none into shared latents), and what each costs where a prior says so."""
        d = len(names)
        may = torch.ones(d, d, device=CPU)
        if self.allowed is not None:
            may = torch.from_numpy(self.allowed.astype(np.float32))
        may[:shared] = 0.0
        if self.prior is None:
            return may, None
        return may * torch.from_numpy(self.prior.allowed(names)), torch.from_numpy(
            self.prior.edge_penalty(names)
        ).float()


def fit(
    views: Arrays,
    *,
    latents: Mapping[str, int],
    shared: int = 0,
    rng: np.random.Generator,
    progress: Progress | None = None,
    **options: Any,
) -> DefaultFit:
    """Learn the latents behind several measurements of several modalities, and the graph among them, by our method.

    Parameters
    ----------
    views
        Modality -> measurement -> vectors, shape (n, dim); the same people in the same order everywhere.
    latents, shared
        Modality -> number of its own latents; number of latents that all modalities share.
    rng
        The same state gives the same numbers, for one number of threads (one by default).
    progress
        Called with (step, steps, validation objective).
    options
        Parameters of the method: ``budget``, ``search``, ``allowed``, ``prior``; see `Default`.

    Raises
    ------
    InputError
        Measurements that nothing can be learned from; fewer than two modalities.
    ComputationError
        When training diverges three times.

    Examples
    --------
    >>> import numpy as np
    >>> from personax.crl import Budget
    >>> rng = np.random.default_rng(0)
    >>> z = rng.normal(size=(60, 1))
    >>> views = {"text": {"a": np.hstack([z, -z])}, "image": {"b": np.hstack([z, z]) + rng.normal(size=(60, 2))}}
    >>> fit(views, latents={"text": 1, "image": 1}, rng=rng, budget=Budget(epochs=1)).names
    ['text_1', 'image_1']
    """
    fitted: DefaultFit = Default(**options).fit(views, latents=latents, shared=shared, rng=rng, progress=progress)
    return fitted


def _counted_rows(modality: str, found: NumberOfLatents) -> list[dict[str, Any]]:
    """Return a row a number, as those of `Dimension.table`."""
    return [
        {"modality": modality, "latents": one.latents, "others": {}, "objective": 1 - one.explained, "se": one.error,
         "agreement": one.agreement, "failed": 0, "candidate": found.low <= one.latents <= found.high,
         "chosen": one.latents == found.latents, "reason": ""}
        for one in found.tried
    ]  # fmt: skip


def _open_blocks(
    components: Components, modalities: list[str], latents: Mapping[str, int], shared: int, known: Mapping[str, Tensor]
) -> list[Block]:
    """Return the block of each modality; one that is settled has nothing left to find."""
    blocks = initial_blocks(components, modalities, latents, shared)
    return [replace(block, free=[], used=block.columns) if block.modality in known else block for block in blocks]


def _fit_orthogonal(
    blocks: list[Block],
    latents: Tensor,
    targets: list[Tensor],
    *,
    share: float,
    generator: torch.Generator,
    device: torch.device,
) -> None:
    """Add to each block the functions that replace latents which edges do not determine."""
    for block, y in zip(blocks, targets, strict=True):
        open_to = orthogonality_choices(block)
        if open_to:
            block.orthogonal.extend(
                fit_orthogonal_latents(
                    latents[:, around(block)], y, open_to, share=share, generator=generator, device=device
                )
            )
