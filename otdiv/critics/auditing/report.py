"""What an audit of a critic found, as a record that prints."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from otdiv.core.bounds import Bounds
from otdiv.core.text_tables import Table, json_number, number
from otdiv.core.validation import Array
from otdiv.critics.auditing.verdict import Verdict


@dataclass(frozen=True, eq=False)
class CriticReport:
    """What an audit found.  Lengths are in the unit of the points.

    Attributes
    ----------
    critic : str
        What was audited.
    estimand : str
        "empirical": W1 of these points; "population": W1 of the distributions they come from.
    value : float
        V = sum a f(x) - sum b f(y), sign chosen so that V >= 0.
    flipped : bool
        Whether the sign was turned for that.
    standard_error : float
        Of V, from the spread of f over the points.
    held_out : float or None
        V on the held-out points.
    exact : float
        W1 of the points, exactly; of very many, the middle of a proved interval.
    reference : str
        How it was found, and for which sizes.
    proved : Bounds
        What the critic's values prove about W1 of the points: c-transform and exact plan.
    scaled : float
        V / max(1, secant): a lower bound of W1 of the points that uses the critic as it is.
    secant : float
        Largest |f(z) - f(z')| / |z - z'| over all points: a lower bound of the Lipschitz constant.
    slope_found : float
        The largest of that, of all |grad f| found, and of slopes between points of the plan's segments.
    gradient_max, gradient_99 : float or None
        Of |grad f| on data, interpolates, rays and after gradient ascent: lower bounds of the constant.
    constant : float or None
        Product of layer norms, an upper bound of the constant, where the network is known.
    proved_constant : float or None
        The smallest upper bound of the constant that is proved, at least on the points' box.
    proved_by : str
        How.
    ray_cosine, ray_slope : float or None
        On the pairs that the exact plan moves: mean cosine of grad f with x - y, mean |grad f|; 1 at the optimum.
    violated : float
        Share of pairs with f(x) - f(y) > |x - y|.
    match : float
        1 - (variance of f - exact potential, after the best shift in each component) / (its variance).
    components : int
        Components of the plan's graph, whose exact potentials may shift separately.
    null_floor : float
        Exact W1 between random halves of each sample: the distance of two samples of one distribution.
    debiased : dict
        With ``penalty``: predicted bias and de-biased values.
    verdict : Verdict
    undefined_gradients : int
        Points at which the gradient is NaN or infinite.
    notes : tuple of str
        Of the points, where they came in batches, and of the critic's state.
    curves : dict
        Arrays for the figure: values of the critic and exact potentials, gradient norms, rays.
    """

    critic: str
    estimand: str
    value: float
    flipped: bool
    standard_error: float
    held_out: float | None
    exact: float
    reference: str
    proved: Bounds
    scaled: float
    secant: float
    slope_found: float
    gradient_max: float | None
    gradient_99: float | None
    constant: float | None
    proved_constant: float | None
    proved_by: str
    ray_cosine: float | None
    ray_slope: float | None
    violated: float
    match: float
    components: int
    null_floor: float
    debiased: dict[str, float]
    verdict: Verdict
    undefined_gradients: int = 0
    notes: tuple[str, ...] = ()
    curves: dict[str, Array] = field(default_factory=dict, repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Everything but the arrays, ready for JSON."""
        record: dict[str, Any] = {}
        for name, item in vars(self).items():
            if isinstance(item, float):
                record[name] = json_number(item)
            elif isinstance(item, str | bool | int) or item is None:
                record[name] = item
        record["lower"], record["upper"] = self.proved.lower, self.proved.upper
        record["debiased"] = dict(self.debiased)
        record["verdict"], record["reason"], record["next"] = (
            self.verdict.word,
            self.verdict.reason,
            self.verdict.remedy,
        )
        record["standing"], record["notes"] = self.verdict.standing, list(self.notes)
        return record

    def table(self) -> Table:
        """The report as a table, verdict below."""

        def show(value: float | None, digits: int = 6) -> str:
            return "-" if value is None else number(value, digits)

        rows = [
            (
                "value V" + (" (sign turned)" if self.flipped else ""),
                show(self.value),
                f"standard error {self.standard_error:.2g}",
            ),
            ("value on held-out points", show(self.held_out), "the same critic, other points"),
            ("exact W1 of the points", show(self.exact, 9), self.reference),
            (
                "proved by the critic",
                f"[{show(self.proved.lower)}, {show(self.proved.upper)}]",
                "c-transform, V / constant, exact plan",
            ),
            ("V / max(1, steepest slope)", show(self.scaled), "lower bound of W1 of the points"),
            ("steepest slope between points", show(self.secant), "lower bound of the Lipschitz constant"),
            ("largest |grad f| found", show(self.gradient_max), "lower bound of the Lipschitz constant"),
            ("99th percentile of |grad f|", show(self.gradient_99), ""),
            (
                "largest slope found",
                show(self.slope_found),
                "between points, by ascent, by halving pairs",
            ),
            ("proved Lipschitz constant", show(self.proved_constant), self.proved_by),
            ("product of layer norms", show(self.constant), "upper bound of the Lipschitz constant"),
            ("cosine of grad f with the rays", show(self.ray_cosine, 4), "1 at the optimum"),
            ("|grad f| on the rays", show(self.ray_slope, 4), "1 at the optimum"),
            ("pairs too steep", f"{100 * self.violated:.3g} %", "pairs (x, y) with f(x) - f(y) > |x - y|"),
            (
                "match with the exact potential",
                "none" if self.match < 0 else show(self.match, 4),
                f"share of its variance explained, best shift in {self.components} component(s); 1 is all",
            ),
            ("null floor", show(self.null_floor), "exact W1 between halves of one sample"),
        ]
        if self.undefined_gradients:
            rows.append(("gradients that are NaN or infinite", str(self.undefined_gradients), "points left out"))
        rows += [(name, show(value), "") for name, value in self.debiased.items()]
        notes = (self.verdict.message, *self.notes)
        return Table(
            f"Audit of {self.critic}, {self.estimand} W1", ("quantity", "value", "what it is"), rows, notes, (1,)
        )

    def __repr__(self) -> str:
        return self.table().text()

    def _repr_html_(self) -> str:
        return self.table().html()
