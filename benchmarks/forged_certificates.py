"""How many forged certificates are confirmed though their interval is false.

Run as ``python benchmarks/forged_certificates.py [HOW MANY]``.

Each is an honest certificate of a small problem with one to three arrays
changed, by a last bit or to an extreme, another claim, and a digest that
fits.  It is checked at both levels and by the checker in plain fractions; what
is confirmed is compared with an exact solver of its own.  The forging is that
of the tests (tests/verification/test_forged_certificates.py).
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from fractions import Fraction
from math import inf
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from otdiv import verify
from otdiv.errors import CertificateRefused
from otdiv.verification import save_proof
from otdiv.verification.fractions_only import proved
from tests.verification.test_forged_certificates import COSTS, confirms, forged, honest, truth_of


def main(count: int) -> int:
    """Forge, check, count; the exit code is 1 if anything false was confirmed or two checkers differ."""
    rng, seen = np.random.default_rng(1), Counter()
    path = str(Path(tempfile.mkdtemp()) / "forged.npz")
    while seen["forged"] < count:
        try:
            with np.errstate(all="ignore"):
                proof = forged(rng, honest(rng, COSTS[seen["forged"] % 6]))
        except CertificateRefused:
            seen["refused by the record already"] += 1
            continue
        save_proof(path, proof)
        seen["forged"] += 1
        exact = confirms(lambda: verify(path, level="exact"))
        quick = confirms(lambda: verify(path, level="float"))
        plain = confirms(lambda: proved(path))
        seen["checkers differ"] += len({exact, quick, plain}) > 1
        seen["confirmed"] += exact
        if exact or quick or plain:
            truth, claimed = truth_of(proof), proof.claimed
            room = Fraction(1, 2**90) * max(1, truth) if proof.cost == "euclidean" else 0  # the solver cuts roots
            low, high = claimed.lower, claimed.upper
            seen["confirmed though false"] += Fraction(low) > truth + room or (high < inf and truth - room > high)
    for what in ("forged", "refused by the record already", "confirmed", "checkers differ", "confirmed though false"):
        print(f"{what:32s}{seen[what]:8d}")
    return int(bool(seen["checkers differ"] or seen["confirmed though false"]))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000))
