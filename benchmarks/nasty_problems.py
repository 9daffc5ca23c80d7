"""Whether intervals hold, and optimal means narrow, on problems of extreme numbers.

Run as ``python benchmarks/nasty_problems.py [HOW MANY]``.

Small random problems (scales from 1e-300 to 1e300, offsets of 1e12, outliers,
weights over 20 decades, subnormals, integers near 2**53, clusters) are solved
and compared with the optimum in rational arithmetic.  The problems are those of
the tests (tests/transport/test_nasty_problems.py); the exit code is 1 if any
interval misses, or a status says optimal where the ends have not met.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.transport.test_nasty_problems import judged, nasty

OUTCOMES = ("optimal", "nearby", "stopped", "refused", "misses", "optimal though open")


def main(count: int) -> int:
    """Solve, compare, count by kind."""
    seen: Counter[tuple[str, str]] = Counter()
    began = time.perf_counter()
    for seed in range(count):
        problem, kind = nasty(seed)
        outcome, result = judged(problem)
        seen[kind, outcome] += 1
        if outcome in ("misses", "optimal though open"):
            print(f"seed {seed} ({kind}): {outcome}: {result}")
    print("| kind | " + " | ".join(OUTCOMES) + " |\n|---" + "|---" * len(OUTCOMES) + "|")
    for kind in sorted({kind for kind, _ in seen}):
        print(f"| {kind} | " + " | ".join(str(seen[kind, outcome]) for outcome in OUTCOMES) + " |")
    print(f"{count} problems in {time.perf_counter() - began:.0f} s")
    return int(any(seen[kind, outcome] for kind, _ in list(seen) for outcome in OUTCOMES[4:]))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 3000))
