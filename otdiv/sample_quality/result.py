"""The answer of :func:`otdiv.judge`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from otdiv.core.bounds import Bounds, Status
from otdiv.core.results import HasBounds
from otdiv.core.text_tables import Table, number
from otdiv.core.validation import Array
from otdiv.estimators.estimate import Estimate
from otdiv.sample_quality.memorisation import Memorisation
from otdiv.sample_quality.mode_split import ModeSplit
from otdiv.sample_quality.modes import ModeCoverage
from otdiv.sample_quality.neighbours import NeighbourMeasures
from otdiv.sample_quality.partial.fidelity import FidelityDiversity
from otdiv.sample_quality.real_floor import RealFloor
from otdiv.transport.result import TransportResult
from otdiv.two_sample.result import TestResult


@dataclass(frozen=True, eq=False)
class JudgeResult(HasBounds):
    """How good generated samples are.

    Attributes
    ----------
    transport : TransportResult
        Exact W1(real, generated) of all points, with plan, potentials and proof.
    floor : RealFloor
        W1 of real points to real and to generated ones at equal sizes.
    estimate : Estimate
        W1 of the distributions behind the samples, with an interval and its assumption.
    test : TestResult or None
        Permutation test of both samples; None for ``permutations=0``.
    matching : FidelityDiversity
    neighbours : NeighbourMeasures
    split : ModeSplit or None
        The distance within and between modes, where modes are given.
    modes : ModeCoverage or None
    memorisation : Memorisation or None
        Where training points are given; ``real`` are then the held-out ones.
    units : str
        Of all distances: "raw" or "standard deviations".
    columns_as_they_are : tuple of int
        With standard deviations: constant columns of the real sample, which are not divided.
    points : (ndarray [n, d], ndarray [m, d])
        Real and generated points in these units, for figures.
    """

    transport: TransportResult
    floor: RealFloor
    estimate: Estimate
    test: TestResult | None
    matching: FidelityDiversity
    neighbours: NeighbourMeasures
    split: ModeSplit | None
    modes: ModeCoverage | None
    memorisation: Memorisation | None
    units: str
    columns_as_they_are: tuple[int, ...]
    points: tuple[Array, Array]

    @property
    def value(self) -> float:
        """W1(real, generated), in ``units``."""
        return self.transport.value

    @property
    def bounds(self) -> Bounds:  # type: ignore[override]
        """The proved interval about W1(real, generated)."""
        return self.transport.bounds

    @property
    def status(self) -> Status:  # type: ignore[override]
        """Of the exact distance."""
        return self.transport.status

    @property
    def fidelity(self) -> float:
        """Share of generated mass that is matched to real points, in [0, 1]."""
        return self.matching.fidelity

    @property
    def diversity(self) -> float:
        """Share of real mass that is matched to generated points, in [0, 1]."""
        return self.matching.diversity

    @property
    def verdict(self) -> str:
        """The main numbers in one sentence."""
        floor = f"{number(self.floor.ratio, 3)} times the distance of real points to real points"
        if self.floor.real == 0:
            floor = f"a distance of {number(self.floor.generated, 3)}, where all real points coincide"
        if self.test is None:
            return f"At equal sizes generated points lie at {floor}."
        seen = "real and generated points differ" if self.test.reject() else "no difference is proved"
        return f"At equal sizes generated points lie at {floor}; {seen} (p = {number(self.test.p_value, 3)})."

    def table(self, title: str = "") -> Table:
        """All measures on one screen."""
        rows = [("W1(real, generated)", number(self.value, 6), self.transport.status_sentence)]
        unit = f"in {self.units}" if self.units != "raw" else "in the unit of the points"
        f, e = self.floor, self.estimate
        rows += [
            ("  at equal sizes", f"{f.generated:.4g}", f"half of real to generated, {f.size} points a side, {unit}"),
            ("  its floor", f"{f.real:.4g}", f"half of real to the other half; mean of {f.splits} divisions, as above"),
            ("  of the distributions", f"[{e.lower:.4g}, {e.upper:.4g}]", f"{e.confidence:.0%}: {e.assumption}"),
        ]
        if self.test is not None:
            among = f"{self.test.permutations} permutations of {self.test.n} + {self.test.m} points"
            rows.append(("  p-value", number(self.test.p_value, 3), among))
        if self.split is not None:
            rows.append(("  within modes", f"{self.split.within:.4g}", f"between modes {self.split.between:.4g}"))
        m = self.matching
        rows += [
            ("fidelity", f"{m.fidelity:.3f}", f"least in view: {m.fidelity_views[0].view}"),
            ("diversity", f"{m.diversity:.3f}", f"least in view: {m.diversity_views[0].view}"),
        ]
        if self.modes is not None:
            c = self.modes
            rows.append(("modes captured", f"{c.modes_captured} of {c.of}", f"JS {c.js:.4g}, floor {c.js_floor:.2g}"))
            rows.append(("reverse KL", number(float(c.reverse_kl), 4), f"floor {c.reverse_kl_floor:.2g}, nats"))
            if c.high_quality is not None:
                q = c.high_quality
                limits = f"[{100 * q.lower:.1f}, {100 * q.upper:.1f}] %, within 3 sd of its mode"
                rows.append(("high quality", f"{100 * q.value:.1f} %", limits))
        if self.memorisation is not None:
            k = self.memorisation
            pair = f"{number(k.to_train.upper, 4)} to train, {number(k.to_test.upper, 4)} to held-out"
            rows.append(("memorisation p", number(k.p_value, 3), f"W1 {pair}"))
            rows.append(("nearer to train", f"{100 * k.nearer_to_train.value:.1f} %", f"{k.copies} exact copies"))
        near = self.neighbours
        rows.append(("precision, recall", f"{near.precision:.3f}, {near.recall:.3f}", f"k = {near.k_precision}"))
        rows.append(("density, coverage", f"{near.density:.3f}, {near.coverage:.3f}", f"k = {near.k_density}"))
        notes = [self.verdict, *self.notes]
        return Table(title, ("measure", "value", "what it is"), rows, notes, (1,))

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader has to know about units and inputs."""
        notes = []
        if self.units != "raw":
            notes.append("Distances are in standard deviations of the real sample, column by column.")
        if self.columns_as_they_are:
            columns = ", ".join(map(str, self.columns_as_they_are))
            notes.append(f"Constant in the real sample, and left as they are: columns {columns}.")
        if self.neighbours.duplicates:
            notes.append(f"{self.neighbours.duplicates} real points repeat others: their balls have radius 0.")
        notes += [f"Caution: {flag}." for flag in self.estimate.flags]
        return tuple(notes)

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        parts = {"split": self.split, "modes": self.modes, "memorisation": self.memorisation, "test": self.test}
        return {
            "w1": self.value,
            "bounds": [self.lower, self.upper],
            "status": self.status.label,
            "units": self.units,
            "n": self.transport.n,
            "m": self.transport.m,
            "d": self.transport.d,
            "w1_floor": self.floor.real,
            "floor": self.floor.to_dict(),
            "estimate": self.estimate.to_dict(),
            "fidelity": self.fidelity,
            "diversity": self.diversity,
            "matching": self.matching.to_dict(),
            "neighbours": self.neighbours.to_dict(),
            **{name: None if part is None else part.to_dict() for name, part in parts.items()},
            "notes": list(self.notes),
        }

    def __str__(self) -> str:
        return self.table().text(120)
