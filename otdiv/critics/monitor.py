"""A critic watched while it trains: what its values prove, how steep it is, and a verdict, every so many steps."""

from __future__ import annotations

import csv
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from otdiv.core.validation import as_rng, check_choice, invalid
from otdiv.critics.auditing.audit import audit
from otdiv.critics.auditing.report import CriticReport
from otdiv.errors import OtdivError
from otdiv.files.writing import require_writable

SHARE = 0.03
"""Of the training's time that audits may take; a larger share audits a slow step more often."""
REACTIONS = ("report", "warn", "stop")
FIELDS = (
    "step",
    "value",
    "lower",
    "upper",
    "exact",
    "debiased",
    "slope_between_points",
    "gradient_max",
    "gradient_99",
    "ray_cosine",
    "verdict",
    "audit_seconds",
)
"""Names of a report's entries, in the order of the columns of the CSV file."""


class TrainingStopped(OtdivError):
    """A monitor stopped the training; ``report`` is what it found."""

    def __init__(self, message: str, report: dict[str, Any]) -> None:
        super().__init__(message)
        self.report = report

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self), self.report)  # so that it reaches the parent of a worker process


class Monitor:
    """Audits a critic inside a training loop, every ``every`` steps, in a bounded share of its time.

    Call it once in each step, after the critic's update; it returns a flat dictionary when it has audited, and None
    otherwise.  An audit is left out where the audits so far have taken more than ``share`` of the time since the first
    call, so that a long training is never slowed by more.

    Parameters
    ----------
    every : int
        Steps between two audits.
    points : int
        Most points of each distribution in an audit, drawn at random from those given.
    penalty : float, optional
        Weight of a gradient penalty, whose bias is then removed in "debiased".
    share : float
        Largest share of the time, in (0, 1]; 1 audits whatever it takes.
    on_report : callable, optional
        Given each dictionary: a logger's function.
    csv_file : path, optional
        Each report becomes a row of this file.
    on_verdict : {"report", "warn", "stop"}
        What to do where the critic is too steep or its value no distance: nothing more, a warning, or
        :class:`TrainingStopped`.
    rng : int, Generator or None
        Of the points that are drawn.

    Attributes
    ----------
    reports : list of dict
    skipped : int
        Audits that were due and left out for time.

    Raises
    ------
    InvalidInput
        A setting outside its range, or a file that cannot be written.

    Examples
    --------
    >>> monitor = Monitor(every=2, share=1.0)
    >>> x, y = np.array([[0.0, 0.0], [0.0, 1.0]]), np.array([[2.0, 0.0], [2.0, 1.0]])
    >>> first = monitor(lambda z: -z[:, 0], x, y)
    >>> second = monitor(lambda z: -3 * z[:, 0], x, y)
    >>> first is None, second["value"], second["exact"], second["verdict"]
    (True, 6.0, 2.0, 'not 1-Lipschitz')
    """

    def __init__(
        self,
        *,
        every: int = 100,
        points: int = 256,
        penalty: float | None = None,
        share: float = SHARE,
        on_report: Callable[[dict[str, Any]], object] | None = None,
        csv_file: str | Path | None = None,
        on_verdict: str = "report",
        rng: int | np.random.Generator | None = 0,
    ) -> None:
        for name, value in (("every", every), ("points", points)):
            if not (isinstance(value, int | np.integer) and value >= 1):
                raise invalid(name, "be a positive integer", repr(value), "Leave it out for the default.")
        if not 0 < share <= 1:
            raise invalid("share", "lie in (0, 1]", repr(share), "0.03 is three hundredths of the time.")
        self.every, self.points, self.penalty, self.share = int(every), int(points), penalty, share
        self.on_report, self.on_verdict = on_report, check_choice("on_verdict", on_verdict, REACTIONS)
        self.csv_file = None if csv_file is None else require_writable(csv_file, "csv_file", (".csv",))
        self.rng = as_rng(rng)
        self.reports: list[dict[str, Any]] = []
        self.step = self.skipped = 0
        self._spent = 0.0
        self._began: float | None = None

    def __call__(self, critic: Any, x: Any, y: Any) -> dict[str, Any] | None:
        """Count a step, and audit the critic where it is due.

        Parameters
        ----------
        critic : torch.nn.Module or callable
            As :func:`otdiv.critics.audit`; its mode and gradients are left as they are.
        x, y : array_like or Tensor [n, d], or images [n, c, h, w]
            Real and generated points of this step, or larger samples.

        Returns
        -------
        dict or None
            Plain numbers and a word, by the names of ``FIELDS``; None where nothing is due.

        Raises
        ------
        InvalidInput
            As :func:`otdiv.critics.audit`.
        TrainingStopped
            With ``on_verdict="stop"``.
        """
        self.step += 1
        now = time.perf_counter()
        if self._began is None:
            self._began = now
        if self.step % self.every:
            return None
        if self._spent > self.share * (now - self._began) and self.share < 1:
            self.skipped += 1
            return None
        found = audit(critic, self._drawn(x), self._drawn(y), penalty=self.penalty, rng=self.rng, prove=False)
        seconds = time.perf_counter() - now
        self._spent += seconds
        report = self._flat(found, seconds)
        self.reports.append(report)
        self._deliver(report, found)
        return report

    def _drawn(self, points: Any) -> Any:
        n = len(points)
        if n <= self.points:
            return points.detach() if hasattr(points, "detach") else points
        rows = np.sort(self.rng.permutation(n)[: self.points])
        return points.detach()[rows] if hasattr(points, "detach") else np.asarray(points)[rows]

    def _flat(self, found: CriticReport, seconds: float) -> dict[str, Any]:
        values = (
            self.step,
            found.value,
            found.proved.lower,
            found.proved.upper,
            found.exact,
            found.debiased.get("de-biased value"),
            found.secant,
            found.gradient_max,
            found.gradient_99,
            found.ray_cosine,
            found.verdict.word,
            seconds,
        )
        return dict(zip(FIELDS, values, strict=True))

    def _deliver(self, report: dict[str, Any], found: CriticReport) -> None:
        if self.on_report is not None:
            self.on_report(report)
        if self.csv_file is not None:
            with self.csv_file.open("w" if len(self.reports) == 1 else "a", newline="") as stream:
                writer = csv.DictWriter(stream, FIELDS)
                if len(self.reports) == 1:
                    writer.writeheader()
                writer.writerow(report)
        if found.verdict.word in ("not 1-Lipschitz", "not a distance") and self.on_verdict != "report":
            message = f"step {self.step}: {found.verdict.message}"
            if self.on_verdict == "stop":
                raise TrainingStopped(message, report)
            warnings.warn(message, stacklevel=3)
