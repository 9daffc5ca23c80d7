"""What is trained: two distributions in common units, the options, and the networks that they lead to."""

from __future__ import annotations

import copy
import hashlib
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from torch import Tensor, nn

from otdiv.core.devices import training_device
from otdiv.core.validation import invalid
from otdiv.critics.architecture import Architecture, Initialization
from otdiv.critics.fitted import FittedCritic, in_float64
from otdiv.critics.training.options import Options
from otdiv.critics.training.schedule import Schedule, TrainingRun
from otdiv.critics.training.starts import (
    BATCH,
    FINE_RATE,
    FINE_TEMPERATURE,
    LARGE_BATCH,
    LARGE_FROM,
    LARGE_TO,
    SAMPLE_PER_ATOM,
    SAMPLED_MORE,
    contracted_cones,
    contracted_rate,
    contracted_softness,
    fewer_atoms,
)
from otdiv.measures.discrete import DiscreteMeasure
from otdiv.neural.batches import Batches, SignedSample, signed_sample
from otdiv.neural.minmax import COOLING, atom_count
from otdiv.neural.mlp import refuse_batch_norm
from otdiv.neural.network_spec import NetworkSpec
from otdiv.neural.samples import Pair
from otdiv.neural.standardize import Standardizer
from otdiv.transport.solve import emd

PILOT_POINTS = 256
"""Points of each distribution in the exact pilot distance; more of them make the unit of the penalty less random."""
FIXED_POINTS = 2048
"""Points of each distribution on which progress is measured and from which centres are drawn; more of them make
the measured value less random and each report slower."""

Measures = tuple[DiscreteMeasure, DiscreteMeasure]


@dataclass(frozen=True, eq=False)
class TrainingProblem:
    """Two distributions in units of the training, and how to train on them.

    Attributes
    ----------
    distributions : (SampledDistribution, SampledDistribution)
    options : Options
    network : nn.Module or None
        Given by the caller; None is one that the constraint builds.
    device : str
    standardizer : Standardizer
    fixed_points : (DiscreteMeasure, DiscreteMeasure)
        Some points of each distribution, always the same ones: centres and atoms.
    validation_points : (DiscreteMeasure, DiscreteMeasure)
        Those on which progress is measured.
    scale : float
        Pilot distance.
    """

    distributions: Pair
    options: Options
    network: nn.Module | None
    device: str
    standardizer: Standardizer
    fixed_points: Measures
    validation_points: Measures
    scale: float

    @classmethod
    def of(
        cls, distributions: Pair, options: Options, *, validation: Pair | None = None, network: nn.Module | None = None
    ) -> TrainingProblem:
        """The problem of two distributions.

        Parameters
        ----------
        distributions : (SampledDistribution, SampledDistribution)
        options : Options
        validation : (SampledDistribution, SampledDistribution), optional
            On these, by default on the distributions themselves, initializations are compared and plateaus
            detected: other points of the same distributions keep an initialization that memorises its points
            from being chosen.
        network : nn.Module, optional

        Raises
        ------
        InvalidInput
            A network that is no function of one point, or a device that torch cannot use.
        """
        rng = np.random.default_rng([options.seed, 2])
        fixed = distributions[0].at_most(FIXED_POINTS, rng), distributions[1].at_most(FIXED_POINTS, rng)
        standardizer = Standardizer.of(fixed[0].points, fixed[1].points)
        if network is not None:
            _require_critic(network, fixed[0].d)
        device = training_device(options.device)
        if validation is None or validation is distributions:
            validated = fixed
        else:
            validated = validation[0].at_most(FIXED_POINTS, rng), validation[1].at_most(FIXED_POINTS, rng)
        scale = compute_pilot_distance(distributions, rng)
        return cls(distributions, options, network, device, standardizer, fixed, validated, scale)

    @property
    def d(self) -> int:
        """Dimension of the points."""
        return self.fixed_points[0].d

    @property
    def batch(self) -> int:
        """Points of each distribution in a step."""
        if self.options.batch is not None:
            return self.options.batch
        many = any(one.kind == "contracted" for one in self.initializations)
        return LARGE_BATCH if many and LARGE_FROM <= self.d <= LARGE_TO else BATCH

    @property
    def weight(self) -> float | None:
        """lambda in the unit of the points; None without a penalty."""
        return self.options.penalty_weight * self.scale if self.options.constraint.penalty is not None else None

    @property
    def scaled_weight(self) -> float:
        """lambda in units of the training."""
        return self.options.penalty_weight * self.scale / self.standardizer.scale

    @property
    def validation_sample(self) -> SignedSample:
        """The validation points as tensors on the device."""
        (x, a), (y, b) = (self._tensors(measure) for measure in self.validation_points)
        return signed_sample(x, a, y, b)

    @property
    def initializations(self) -> list[Initialization]:
        """Those to be tried: both signs, and each kind, where they differ."""
        if self.network is not None:
            return [Initialization(1.0, "random")]
        constraint, start = self.options.constraint, self.options.start
        kinds = tuple(filter(self._tries, constraint.initializations)) if start == "auto" else (start,)
        signs = (1.0, -1.0) if constraint.oriented else (1.0,)
        return [Initialization(sign, kind) for kind in kinds for sign in signs]

    def _tries(self, kind: str) -> bool:
        """Whether an initialization is tried unasked."""
        few = any(one.measure is not None and one.measure.n <= FIXED_POINTS for one in self.distributions)
        return kind != "contracted" or not (self.d <= SAMPLED_MORE or few)

    def build_network(self, initialization: Initialization) -> nn.Module:
        """A network with its initial weights, on the device; the one that the caller gave where there is one."""
        module = self.network
        if module is None:
            module = self.options.constraint.build(self._spec(initialization))
        return module.to(self.device)

    def starts_fine(self, initialization: Initialization) -> bool:
        """Whether the start is the potential of so large a sample that soft minima and long steps would blur it."""
        return initialization.kind == "exact" and self._sample_size > self._most_atoms

    def schedule_of(self, initialization: Initialization, schedule: Schedule) -> Schedule:
        """A schedule at the rate that suits the start."""
        share = FINE_RATE if self.starts_fine(initialization) else 1.0
        if initialization.kind == "contracted":
            share = contracted_rate(schedule.steps)
        return replace(schedule, rate=share * schedule.rate)

    def new_batches(self) -> Batches:
        """Batches from their first random state."""
        return Batches(self.distributions, self.standardizer, self.batch, self.options.seed, self.device)

    def fitted(self, module: nn.Module, initialization: Initialization, run: TrainingRun | None = None) -> FittedCritic:
        """The critic as a function of points; also of a module that is still being trained."""
        inner = in_float64(module, self.standardizer, initialization.sign)
        scale, options = self.standardizer.scale, self.options
        sizes = replace(options.sizes, width=options.sizes.width_for(self.d))
        return FittedCritic(
            module=inner,
            constraint=options.constraint.name,
            lipschitz=options.constraint.bound(inner.inner),
            d=self.d,
            weight=self.weight,
            seed=options.seed,
            device=self.device,
            steps=0 if run is None else run.steps,
            seconds=0.0 if run is None else run.seconds,
            stopped="" if run is None else run.stopped,
            on_device=None if self.device == "cpu" else copy.deepcopy(inner).to(self.device),
            history=[] if run is None else [(k, scale * v, scale * p) for k, v, p in run.history],
            architecture=None
            if self.network is not None
            else Architecture(sizes, self.d, scale, initialization, atom_count(module)),
        )

    def fingerprint(self, initialization: Initialization) -> str:
        """What distinguishes a training from others: data, options and initialization."""
        options = replace(self.options, schedule=replace(self.options.schedule, time_limit=None), device="")
        digest = hashlib.sha256(repr(options).encode())
        for measure in self.fixed_points + self.validation_points:
            digest.update(measure.points.tobytes())
            digest.update(measure.weights.tobytes())
        return f"{digest.hexdigest()} {initialization}"

    def _tensors(self, measure: DiscreteMeasure) -> tuple[Tensor, Tensor]:
        points = torch.from_numpy(self.standardizer.transform(measure.points)).float().to(self.device)
        return points, torch.from_numpy(measure.weights / measure.mass).to(self.device)

    def _spec(self, initialization: Initialization) -> NetworkSpec:
        order = (0, 1) if initialization.sign > 0 else (1, 0)
        (x, _), (y, b) = (self._tensors(self.fixed_points[k]) for k in order)
        potential, cooling = None, COOLING
        if initialization.kind == "exact":
            potential = self._sample_potentials[order[1]]
            cooling = (FINE_TEMPERATURE if self.starts_fine(initialization) else cooling[0], cooling[1])
        elif initialization.kind == "contracted":
            potential = contracted_cones(x.cpu(), y.cpu(), self._most_atoms, self.options.seed)
            cooling = contracted_softness(self.d)
        return NetworkSpec(
            sizes=self.options.sizes,
            x=x.cpu(),
            y=y.cpu(),
            b=b.cpu().float(),
            potential=potential,
            generator=torch.Generator().manual_seed(self.options.seed),
            cooling=cooling,
        )

    @property
    def _most_atoms(self) -> int:
        return self.options.sizes.groups * self.options.sizes.pieces

    @property
    def _sample_size(self) -> int:
        """Points of the sample behind the exact start: many where there are as many and the dimension is low."""
        size = SAMPLE_PER_ATOM * self._most_atoms
        there = all(one.measure is None or one.measure.n >= size for one in self.distributions)
        return size if there and self.d <= SAMPLED_MORE else self._most_atoms

    @cached_property
    def _sample_potentials(self) -> list[tuple[Tensor, Tensor]]:
        """Atoms and exact dual potential of a sample of each distribution, other than the validation points."""
        rng = np.random.default_rng([self.options.seed, 5])
        most = self._most_atoms
        mu, nu = (distribution.at_most(self._sample_size, rng) for distribution in self.distributions)
        x, y = (self.standardizer.transform(measure.points) for measure in (mu, nu))
        exact = emd(x, y, mu.weights, nu.weights, normalize=True)
        found = []
        for points, potential in ((x, np.asarray(exact.f)), (y, np.asarray(exact.g))):
            atoms, values = fewer_atoms(points, potential, most)
            found.append((torch.from_numpy(atoms).float(), torch.from_numpy(values).float()))
        return found


def compute_pilot_distance(distributions: Pair, rng: np.random.Generator) -> float:
    """Exact distance of a small sample of both distributions: the unit of the penalty; 1 where it is 0."""
    x, y = (distribution.at_most(PILOT_POINTS, rng).points for distribution in distributions)
    scale = emd(x, y).value
    return scale if scale > 0 else 1.0


def _require_critic(network: nn.Module, d: int) -> None:
    """Refuse a network that is no function of one point [d] with one value."""
    refuse_batch_norm(network)
    try:
        shape = tuple(network(torch.zeros((3, d), device=next(network.parameters()).device)).shape)
    except (RuntimeError, ValueError, IndexError) as problem:
        raise invalid(
            "network", f"take points [n, {d}]", f"an error ({str(problem).splitlines()[0]})", "Check its input size."
        ) from None
    if shape not in ((3,), (3, 1)):
        raise invalid("network", "return one value a point, [n] or [n, 1]", f"shape {shape} for n = 3", "Select one.")
