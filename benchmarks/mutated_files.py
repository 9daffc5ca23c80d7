"""What becomes of damaged and forged files: ``python benchmarks/mutated_files.py [HOW MANY] [FORMAT ...]``.

Honest files of every format that otdiv reads are mutated, HOW MANY (5000) times each: bytes changed, cut, inserted,
deleted or repeated, files spliced, fields of headers and directories set to odd values, with checksums that fit.
Reading one must end in an object or in one OtdivError of one printable line, within SECONDS, and with a growth of
the peak of resident memory of at most CONTENT times the honest arrays plus BUFFERS for the reader itself.  Failures:
"traceback" (another exception, a warning, text on standard error, or a program that was read without trust), "not
one sentence", "memory", "slow", "crash" (the process died).

Files are read on Linux by forked processes, one at a time, which may ask for ADDRESS_SPACE more; a request beyond
that counts as "memory" even where the reader survives it.  A ``--seed`` gives the same files again, up to the times
that honest ones record.  The first guilty file of each cause is kept in ``--folder``; the exit code is 1 if there is
any.  What libtiff itself writes to standard error about a damaged picture counts as no failure.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import resource
import signal
import sys
import tempfile
import time
import traceback
import warnings
import zlib
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow
import pyarrow.parquet
import torch
from PIL import Image
from scipy import sparse

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.mutations import (
    Rng,
    certificate_content,
    csv_cell,
    field,
    head,
    layer_list,
    npy_header,
    parquet_footer,
    pick,
    png_chunks,
    safetensors_header,
    shifted,
    torch_content,
    zip_directory,
    zip_parts,
)
from otdiv import critics, emd, verify
from otdiv.costs import as_cost
from otdiv.errors import OtdivError
from otdiv.measures.files import read_cost, read_measure, read_values
from otdiv.verification import save_proof
from tests.measures.test_files import mutated
from tests.verification.test_forged_certificates import COSTS

SECONDS, LONGEST, BATCH = 10, 600, 50
"""Time for a file, characters of a sentence, files of one process."""
CONTENT, BUFFERS, ADDRESS_SPACE = 3, 64 * 2**20, 4 * 2**30
"""Copies of the honest arrays that a reader may hold, bytes for its own buffers, and bytes that it may ask for."""
FAILURES = ("traceback", "not one sentence", "memory", "slow", "crash")
RUN: dict[str, Any] = {"steps": 6, "width": 16, "depth": 2, "groups": 4, "pieces": 8}
X, Y = np.random.default_rng(0).normal(size=(20, 2)), np.random.default_rng(1).normal(size=(24, 2)) + 1


class Format(NamedTuple):
    """Honest files and the bytes of their arrays, edits that know the format, and the reader."""

    suffix: str
    honest: list[bytes]
    arrays: int
    edits: tuple[Callable[[Rng, bytes], bytes], ...]
    read: Callable[[Path], object]


def saved(save: Callable[..., object], *content: Any, suffix: str = ".x", **named: Any) -> bytes:
    """The bytes of the file that ``save`` writes."""
    with tempfile.TemporaryDirectory() as folder:
        save(Path(folder) / f"a{suffix}", *content, **named)
        return next(Path(folder).iterdir()).read_bytes()


def interrupted(path: Path, constraint: str, last: int) -> None:
    """Train up to a step and leave the checkpoint."""

    def stop(event: Any) -> None:
        if event.counts["step"] >= last:
            raise KeyboardInterrupt

    with suppress(KeyboardInterrupt):
        critics.fit(X, Y, constraint=constraint, **RUN, checkpoint=path, progress=stop)


def training(constraint: str) -> Format:
    """Checkpoints of one training, which goes on from them as ``otdiv critic --checkpoint`` does."""
    honest = [saved(interrupted, constraint, last, suffix=".pt") for last in (2, 4, 5, 99)]
    edits = (zip_parts, zip_directory, torch_content, torch_content)
    return Format(
        ".pt", honest, 9000, edits, lambda path: critics.fit(X, Y, constraint=constraint, **RUN, checkpoint=path)
    )


def audited(path: Path, beside: bytes = b"", suffix: str = "") -> None:
    """Audit the critic in a file, or in two of which the other one is honest."""
    if beside:
        path.with_suffix(suffix).write_bytes(beside)
    critics.audit(path.with_suffix(".pt") if beside else path, X, Y)


def refused(path: Path) -> None:
    """Read a program without trust."""
    audited(path)
    raise AssertionError("a program was opened")


def pictures(kind: str) -> Format:
    """Grey pictures of 8 bits, 16 bits and a palette, packed in the different manners of their kind."""
    small = np.random.default_rng(2).integers(0, 255, (40, 30), dtype=np.uint8)
    images = [Image.fromarray(small), Image.fromarray(small // 9)]
    images += [Image.fromarray(small * np.uint16(200))] if kind in ("png", "tif", "pgm") else []
    images += [images[0].convert(mode) for mode in ("P", "1") if kind in ("png", "tif", "bmp", "gif")]
    manners = ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits") if kind == "tif" else (None,)
    honest = [saved(image.save, suffix=f".{kind}", compression=manner) for image in images for manner in manners]
    return Format(f".{kind}", honest, 2400, (head, png_chunks) if kind == "png" else (head,), read_measure)


def all_formats() -> dict[str, Format]:
    """Every format that is read, by name."""
    rng, archive = np.random.default_rng(3), (zip_parts, zip_directory)
    tables = [rng.random(shape) for shape in ((300, 2), (40, 5), (900,), (12, 1))]
    tables += [np.asfortranarray(tables[0]), rng.integers(0, 9, (50, 3)), tables[1].astype("f4")]
    npy = [saved(np.save, table) for table in tables]
    npz = [saved(save, points=t, weights=np.ones(len(t))) for t in tables for save in (np.savez, np.savez_compressed)]
    matrices = [sparse.random(60, 50, 0.3, kind, rng=rng) for kind in ("csr", "csc", "coo", "bsr")]
    sparse_costs = [saved(sparse.save_npz, matrix) for matrix in matrices]
    csv = [saved(np.savetxt, t, delimiter=",", header=h, comments="") for t in tables for h in ("", "a,b,c")]
    parquet = [
        saved(lambda path, *given: pyarrow.parquet.write_table(given[0], path, compression=given[1]), table, packed)
        for table in (pyarrow.table({f"c{k}": column for k, column in enumerate(t.T)}) for t in tables if t.ndim == 2)
        for packed in ("none", "snappy", "gzip", "zstd")
    ]
    x, y, cost = rng.normal(size=(25, 2)), rng.normal(size=(30, 2)), rng.integers(1, 9, (25, 30))
    results = [emd(x, y, cost=name) for name in COSTS[:5]] + [emd(cost=cost), emd(cost=sparse.csr_matrix(cost))]
    proofs = [saved(save_proof, result.proof(), suffix=".npz") for result in results]
    fitted = [critics.fit(X, Y, constraint=name, **RUN) for name in critics.CONSTRAINTS]
    critic = [saved(one.save, suffix=".pt") for one in fitted]
    nn = torch.nn
    net = nn.Sequential(nn.Linear(2, 8), nn.LeakyReLU(), nn.Identity(), nn.Identity(), nn.Linear(8, 1), nn.Identity())
    exported = torch.export.export(net, (torch.zeros(4, 2),))
    program = [saved(torch.jit.script(net).save), saved(lambda path: torch.export.save(exported, path), suffix=".pt2")]
    weights = saved(lambda path: critics.save_layers(net, path), suffix=".safetensors")
    layers = json.dumps([{"layer": type(layer).__name__} for layer in net]).encode()
    state = saved(lambda path: torch.save(net.state_dict(), path))
    on_proof, on_torch = (*archive, certificate_content, certificate_content), (*archive, torch_content, torch_content)
    return {
        "npy": Format(".npy", npy, 7200, (npy_header,), read_measure),
        "values": Format(".npy", npy, 7200, (npy_header,), read_values),
        "npz": Format(".npz", npz, 14400, archive, read_measure),
        "csv": Format(".csv", csv, 7200, (csv_cell,), read_measure),
        "parquet": Format(".parquet", parquet, 4800, (parquet_footer,), read_measure),
        **{kind: pictures(kind) for kind in ("png", "pgm", "bmp", "tif", "jpg", "gif")},
        "cost": Format(".npy", npy, 7200, (npy_header,), lambda path: as_cost(read_cost(path))),
        "sparse": Format(".npz", sparse_costs, 24000, archive, lambda path: as_cost(read_cost(path))),
        "proof-float": Format(".npz", proofs, 8000, on_proof, lambda path: verify(path, level="float")),
        "proof-exact": Format(".npz", proofs, 8000, on_proof, lambda path: verify(path, level="exact")),
        "critic": Format(".pt", critic, 4000, on_torch, critics.load),
        "audit": Format(".pt", critic, 4000, on_torch, audited),
        "safetensors": Format(".safetensors", [weights], 200, (safetensors_header,), audited),
        "weights": Format(".pt", [state], 200, on_torch, lambda path: audited(path, layers, ".json")),
        "layers": Format(".json", [layers], 200, (layer_list,), lambda path: audited(path, state, ".pt")),
        "program": Format(".pt2", program, 4000, archive, refused),
        **{f"checkpoint-{constraint}": training(constraint) for constraint in ("min-max", "clipping")},
    }


def mutation(one: Format, seed: list[int]) -> bytes:
    """One honest file, mutated."""
    rng = np.random.default_rng(seed)
    data, other = pick(rng, one.honest), pick(rng, one.honest)
    if rng.random() < 0.1:  # the begin of one file and the end of another
        return data[: int(rng.integers(len(data)))] + other[int(rng.integers(len(other))) :]
    return pick(rng, (mutated, shifted, field) if rng.random() < 0.3 else one.edits)(rng, data)


def peak() -> int:
    """Peak of the resident memory of this process in bytes, since it was reset."""
    return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) * 1024


def described(problem: BaseException) -> str:
    """The innermost line of otdiv that an exception came through, and the exception."""
    frames = [frame for frame in traceback.extract_tb(problem.__traceback__) if "/otdiv/" in frame.filename]
    place = f"{frames[-1].filename.rpartition('/otdiv/')[2]}:{frames[-1].lineno}" if frames else "outside of otdiv"
    return f"{place} {type(problem).__name__}: {len(str(problem))} characters {str(problem)[:250]!r}"


def attempt(one: Format, path: Path) -> tuple[str, str]:
    """How reading ended, and what is to be said of it."""
    kind, detail, noise = "read", "", os.fstat(2).st_size
    with warnings.catch_warnings(record=True) as escaped:
        warnings.simplefilter("always")
        try:
            one.read(path)
        except BaseException as problem:
            fine = str(problem).isprintable() and len(str(problem)) <= LONGEST
            kind = "traceback" if not isinstance(problem, OtdivError) else "refused" if fine else "not one sentence"
            detail, cause = described(problem), problem
            while cause := cause.__cause__ or cause.__context__:
                if isinstance(cause, MemoryError) or "allocate memory" in str(cause):
                    kind = "memory"
    noisy = os.fstat(2).st_size > noise and one.suffix != ".tif"
    if kind in ("read", "refused") and (escaped or noisy):
        text = [f"{w.filename}:{w.lineno} {w.category.__name__}: {w.message}" for w in escaped]
        return "traceback", text[0] if text else f"standard error: {os.pread(2, 200, noise)!r}"
    return kind, detail


def work(one: Format, files: list[bytes], path: Path, answers: int) -> None:
    """Read some files and report on each: what a forked process does."""
    os.dup2(os.open(path.with_name("stderr.txt"), os.O_RDWR | os.O_CREAT | os.O_TRUNC), 2)
    for data in one.honest[:3]:  # what is imported or mapped on first use is no file's fault
        path.write_bytes(data)
        attempt(one, path)
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + ADDRESS_SPACE, resource.RLIM_INFINITY))
    for data in files:
        path.write_bytes(data)
        ctypes.CDLL(None).malloc_trim(0)
        Path("/proc/self/clear_refs").write_text("5")
        before, began = peak(), time.perf_counter()
        signal.alarm(SECONDS)  # its signal ends the process
        kind, detail = attempt(one, path)
        signal.alarm(0)
        seconds, grown = time.perf_counter() - began, peak() - before
        if grown > CONTENT * one.arrays + BUFFERS:
            kind, detail = "memory", f"{kind} {detail}"
        os.write(answers, json.dumps([kind, detail[:400], seconds, grown / 2**20]).encode() + b"\n")


def outcomes(one: Format, files: list[bytes], path: Path) -> list[list[Any]]:
    """How reading each of the files ended; a process that dies is followed by another."""
    found: list[list[Any]] = []
    while len(found) < len(files):
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                work(one, files[len(found) :], path, writing)
            finally:
                os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as lines:
            found += [json.loads(line) for line in lines]
        status = os.waitpid(child, 0)[1]
        if len(found) < len(files):
            noise = path.with_name("stderr.txt").read_text(errors="replace")[-300:]
            slow = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGALRM
            found.append(["slow" if slow else "crash", f"status {status}: {noise!r}", SECONDS * slow, 0.0])
    return found


def main() -> int:
    """Mutate, read, count, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("count", nargs="?", type=int, default=5000)
    parser.add_argument("formats", nargs="*")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="for the guilty files; by default a new one")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    folder = arguments.folder or Path(tempfile.mkdtemp(prefix="mutated-"))
    folder.mkdir(parents=True, exist_ok=True)
    formats, rows, causes, first_of = all_formats(), [], Counter(), {}
    for name in arguments.formats or formats:
        one, seen, worst = formats[name], Counter(), np.zeros(2)
        path = folder / f"mutated-{name}{one.suffix}"
        for first in range(0, arguments.count, BATCH):
            numbers = range(first, min(first + BATCH, arguments.count))
            files = [mutation(one, [arguments.seed, zlib.crc32(name.encode()), k]) for k in numbers]
            for k, data, (kind, detail, *figures) in zip(numbers, files, outcomes(one, files, path), strict=True):
                seen[kind] += 1
                worst = np.maximum(worst, figures)
                cause = (name, kind, detail.partition(": ")[0])
                if kind in FAILURES and not causes[cause]:
                    guilty = folder / f"{name}-{k}-{kind.replace(' ', '-')}{one.suffix}"
                    guilty.write_bytes(data)
                    first_of[cause] = f"{kind}: {guilty} {detail}"
                causes[cause] += kind in FAILURES
        rows.append([name, arguments.count, seen["read"], seen["refused"], *(seen[kind] for kind in FAILURES), *worst])
    for cause, text in first_of.items():
        print(f"{causes[cause]} x {text}")
    print("\n| format | files | read | refused |", *(f"{kind} |" for kind in FAILURES), "worst s | worst MiB |")
    print("|---" * 11 + "|")
    for *row, seconds, grown in rows:
        print("|", *(f"{entry} |" for entry in row), f"{seconds:.2f} | {grown:.0f} |")
    return int(any(sum(row[4:-2]) for row in rows))


if __name__ == "__main__":
    sys.exit(main())
