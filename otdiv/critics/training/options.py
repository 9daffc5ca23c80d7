"""How a critic is trained: everything that is not data, in parts."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from otdiv.core.validation import check_choice, invalid
from otdiv.critics.training.schedule import Schedule
from otdiv.neural.constraint_names import CONSTRAINTS
from otdiv.neural.constraints import CONSTRAINT_BY_NAME, Constraint
from otdiv.neural.network_spec import NetworkSizes, require_positive, require_positive_integer


@dataclass(frozen=True)
class Options:
    """Everything that is not data.

    Attributes
    ----------
    constraint : Constraint
    schedule : Schedule
    sizes : NetworkSizes
    device : str
        "auto", or a device of torch.
    seed : int
    batch : int or None
        Points of each distribution in a step; None is 512, or 1024 where many dimensions ask for it.
    penalty_weight : float
        lambda of a gradient penalty, in units of the pilot distance.
    draws : int or None
        Most points drawn from a sampler for the training; where it needs more, each serves again.  None: new points for
        every step on the CPU, and as many as fit on another device.
    start : str
        "random"; for min-max also "exact", the exact potential of a small sample, and "contracted", cones that look
        alike at first and part as the softness falls.  "auto" tries them, "contracted" above eight dimensions with more
        than 2048 points only.
    """

    constraint: Constraint
    schedule: Schedule
    sizes: NetworkSizes = field(default_factory=NetworkSizes)
    device: str = "auto"
    seed: int = 0
    batch: int | None = None
    penalty_weight: float = 10.0
    start: str = "auto"
    draws: int | None = None

    def __post_init__(self) -> None:
        check_choice("start", self.start, ("auto", *self.constraint.initializations))
        require_positive_integer("batch", self.batch)
        require_positive("penalty_weight", self.penalty_weight)
        require_positive_integer("draws", self.draws)

    @classmethod
    def of(
        cls, constraint: str, seed: int, /, *, steps: int = 3000, rate: float | None = None, **named: Any
    ) -> Options:
        """The parts from one list of named options, as :func:`otdiv.critics.fit` takes them.

        Parameters
        ----------
        constraint : str
            One of :data:`otdiv.critics.CONSTRAINTS`.
        seed : int
        steps : int
            Most steps.
        rate : float, optional
            First learning rate, of which fine exact and contracted starts take a part; None is that of the constraint.
        **named
            time_limit and early_stop of :class:`Schedule`, the fields of :class:`NetworkSizes`, and those of
            this record.

        Raises
        ------
        InvalidInput
            An unknown name or a value out of range.
        """
        check_choice("constraint", constraint, CONSTRAINTS)
        direct = {"device", "batch", "penalty_weight", "start", "draws"}
        of_schedule, of_sizes = {"time_limit", "early_stop"}, {part.name for part in fields(NetworkSizes)}
        unknown = sorted(set(named) - direct - of_schedule - of_sizes)
        if unknown:
            known = ("steps", "rate", *sorted(direct | of_schedule | of_sizes))
            raise invalid("options", "be known", ", ".join(unknown), f"There are {', '.join(known)}.")

        def given(names: set[str]) -> dict[str, Any]:
            return {name: value for name, value in named.items() if name in names}

        chosen = CONSTRAINT_BY_NAME[constraint]
        schedule = Schedule(steps, chosen.rate if rate is None else rate, **given(of_schedule))
        return cls(chosen, schedule, NetworkSizes(**given(of_sizes)), seed=seed, **given(direct))
