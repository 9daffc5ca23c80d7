"""Large clouds, otdiv against other exact solvers: ``python benchmarks/large.py``.

Every solve runs in a process of its own, so that its peak memory can be read; the time is that of the
call, cost matrix, plan, potentials and (for otdiv) certificate included, imports and the compilation of
kernels not.  A failure is an exception, no answer within the limit, a value that leaves otdiv's proved
interval by more than 1e-7 of it, and for otdiv a proved gap beyond 1e-9 or a known value missed by 1e-9.

Each measurement is kept at once in a file of JSON lines, and one that is there is not made again: a run
that was broken off goes on where it was.  ``--write`` puts table and figure into benchmarks/README.md.
Arguments choose a part of the table: ``--help``.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from large_cases import KINDS, SOLVERS, Case, applies, full_plan, measured, solve_here
from large_report import failures, table, write

HERE = Path(__file__).parent
Key = tuple[str, Case]


def main() -> None:
    """Measure what is chosen and not yet there, then print the table."""
    options = _options()
    if options.one:
        solver, kind, n, d, cost = options.one
        print(json.dumps(solve_here(solver, Case(kind, int(n), int(d), cost))))
        return
    results = {} if options.again else load(options.results)
    chosen = [case for case in full_plan() if _chosen(case, options)]
    if not options.show:
        measure(chosen, options.solver, results, options)
    shown = {key: record for key, record in results.items() if key[1] in chosen and key[0] in options.solver}
    print(f"\n{about()}\n\n{table(shown)}\n\n{failures(shown)}")
    if options.write:
        write(shown, about(), HERE / "README.md")


def measure(cases: list[Case], solvers: list[str], results: dict[Key, Any], options: argparse.Namespace) -> None:
    """All measurements that are missing, smaller problems first; a solver that ran out of time is asked no larger."""
    out_of_time: set[tuple[Any, ...]] = {
        (solver, *case._replace(n=0)) for (solver, case), record in results.items() if record["outcome"] == "timeout"
    }
    todo = [(solver, case) for case in sorted(cases, key=lambda case: case.n) for solver in solvers]
    todo = [key for key in todo if key not in results and applies(*key)]
    for number, (solver, case) in enumerate(todo, 1):
        if (solver, *case._replace(n=0)) in out_of_time:
            continue
        record = measured(solver, case, options.limit)
        results[solver, case] = record
        if record["outcome"] == "timeout":
            out_of_time.add((solver, *case._replace(n=0)))
        with open(options.results, "a", encoding="utf-8") as stream:
            stream.write(json.dumps(record) + "\n")
        shown = f"{record['seconds']:.2f} s, {record['mib']:.0f} MiB" if "seconds" in record else record["outcome"]
        print(f"{number}/{len(todo)} {solver} {' '.join(map(str, case))}: {shown}", file=sys.stderr, flush=True)


def load(path: Path) -> dict[Key, Any]:
    """The measurements kept so far; the last one counts where there are several."""
    if not path.exists():
        return {}
    records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    return {(r["solver"], Case(r["kind"], r["n"], r["d"], r["cost"])): r for r in records}


def about() -> str:
    """The machine and the versions."""
    names = ("otdiv", "numpy", "scipy", "pot", "numba")
    return f"{platform.machine()}, Python {platform.python_version()}, " + ", ".join(f"{k} {version(k)}" for k in names)


def _chosen(case: Case, options: argparse.Namespace) -> bool:
    return (
        case.kind in options.kind
        and case.cost in options.cost
        and case.d in options.d
        and options.least <= case.n <= options.most
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--most", type=int, default=100_000, metavar="N", help="largest number of points")
    parser.add_argument("--least", type=int, default=1, metavar="N", help="smallest number of points")
    parser.add_argument("--d", type=int, nargs="+", default=[2, 3, 10, 64], help="dimensions")
    parser.add_argument("--cost", nargs="+", default=["euclidean", "sqeuclidean", "cityblock"])
    parser.add_argument("--kind", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--solver", nargs="+", choices=SOLVERS, default=list(SOLVERS))
    parser.add_argument("--limit", type=float, default=600.0, metavar="SECONDS", help="for each process")
    parser.add_argument("--results", type=Path, default=HERE / "large.jsonl", help="where measurements are kept")
    parser.add_argument("--again", action="store_true", help="measure anew what is there already")
    parser.add_argument("--show", action="store_true", help="measure nothing, print what is there")
    parser.add_argument("--write", action="store_true", help="put table and figure into benchmarks/README.md")
    parser.add_argument("--one", nargs=5, metavar="WORD", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
