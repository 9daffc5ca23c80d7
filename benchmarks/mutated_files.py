"""What becomes of damaged and forged files: ``python benchmarks/mutated_files.py [HOW MANY] [FORMAT ...]``.

Honest files of every format that otdiv reads are mutated, HOW MANY (5000) times each: bytes changed, cut, inserted,
deleted or repeated, two files spliced, fields of headers and directories set to odd values, with checksums that fit.
To read one must give an object, or one OtdivError of one printable line, within SECONDS and with a growth of the peak
of resident memory of at most CONTENT times the arrays of the honest file plus BUFFERS.  All else is a failure:

    traceback         any other exception              warning           a warning, or text on standard error
    not one sentence  a message that is no line        memory, slow      above the allowance
    crash             the process died                 opened            a program was read without trust

Files are read by forked processes, one at a time, which may ask for 4 GiB of address space more; a request beyond
that counts as "memory", also where the reader survives it.  File number k of a format is the same in every run of a
``--seed``.  The first guilty files of each cause are kept in ``--folder``; the exit code is 1 if there is any.
"""

from __future__ import annotations

import io
import json
import re
import sys
import tempfile
import warnings
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.measures.test_files import mutated

SECONDS = 10
CONTENT = 3
"""Copies of the honest arrays that a reader may hold."""
BUFFERS = 64
"""MiB for the reader's own buffers, whatever the file."""
LONGEST = 600
"""Characters of a sentence."""
BATCH = 50
"""Files of one process."""
ADDRESS_SPACE = 2**32
FAILURES = ("traceback", "warning", "not one sentence", "memory", "slow", "crash", "opened")

Rng = np.random.Generator
Edit = Callable[[Rng, bytes], bytes]
X, Y = np.random.default_rng(0).normal(size=(20, 2)), np.random.default_rng(1).normal(size=(24, 2)) + 1
RUN = {"constraint": "min-max", "steps": 6, "width": 16, "depth": 2, "groups": 4, "pieces": 8}

ODD = (
    None,
    True,
    -1,
    0,
    1.5,
    7,
    2**31,
    2**63,
    10**30,
    1e300,
    -1e300,
    5e-324,
    float("nan"),
    float("inf"),
    "",
    "\n",
    "x" * 9000,
    [],
    {},
)
NUMBERS = (0, 1, 2, 7, 127, 255, 5000, 65535, 2**24, 2**28, 2**31 - 1, 2**31, 2**32 - 1, 2**40, 2**63 - 1, 2**64 - 1)
SHAPES = (
    "()", "(0,)", "(1,)", "(-1,)", "(0, 3)", "(1, 0)", "(0, 1000000000000)", "(-1, -8)", "(1152921504606846976,)", "(4611686018427387904, 4)",
    "(30000000,)", "(1.5,)", "('a',)", "(True, True)", "None", "5", "(" + "1, " * 70 + ")", "(" + "[" * 80 + ")", "(1,", "(10**9,)",
)  # fmt: skip
KINDS = (
    "'|O'", "'<U1'", "'<U1000000000'", "'|S8'", "'|S0'", "'|V0'", "'|V8'", "'<c16'", "'|b1'", "'|i1'", "'<f2'", "'<f4'", "'<f16'", "'>f8'",
    "'>i8'", "'<u8'", "'<M8[s]'", "'<m8[ns]'", "'<f3'", "''", "None", "{}", "[('a', '<f8')]", "[('a\\n', '<f4'), ('b', '<f4')]", "[('a', '|O')]",
    "('<f8', (2,))", "('|i1', (8,))", "[" + ", ".join(f"('field {k}', '|i1')" for k in range(80)) + "]", "[('" + "x" * 900 + "', '<f8')]",
)  # fmt: skip
CELLS = (
    "", " ", "nan", "-inf", "1e400", "1_0", "1__0", "0x1", "\u0661", "\uff11", "1,2", '"', '""', '"1"', "'1'", "\0", "\r", "\n", "\ufeff", "\x1b[2J",
    "\u2028", "1;2", "9" * 400, "9" * 200_000, "x" * 5000, "," * 20_000, "1," * 20_000, "x\n" * 5000, "-0", "1e-400", "True", "None", "1j",
)  # fmt: skip
NAMES = (
    "points.npy",
    "weights.npy",
    "x" * 5000 + ".npy",
    "a\n.npy",
    "a\x1b[2J.npy",
    "\u202e.npy",
    "../a.npy",
    "/a.npy",
    ".npy",
    "a",
    "a/",
    "indices.npy",
    "data.pkl",
)


class Format(NamedTuple):
    """A kind of file: its suffix, honest files with the bytes of their arrays, edits of its headers, and its reader."""

    suffix: str
    honest: Callable[[Rng], list[tuple[bytes, int]]]
    edits: tuple[Edit, ...]
    read: Callable[[Path], object]
    may_open: bool = True


def pick(rng: Rng, choices: Any) -> Any:
    """One of them."""
    return choices[int(rng.integers(len(choices)))]


def saved(save: Callable[[Path], object], suffix: str = ".x") -> bytes:
    """What ``save`` writes to a file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"a{suffix}"
        save(path)
        return next(Path(folder).iterdir()).read_bytes()


# --- mutations of any bytes


def spliced(rng: Rng, data: bytes, other: bytes) -> bytes:
    """The begin of one file and the end of another, cut at one place or at two."""
    k = int(rng.integers(min(len(data), len(other)) + 1))
    return data[:k] + (other[k:] if rng.random() < 0.5 else other[int(rng.integers(len(other) + 1)) :])


def shifted(rng: Rng, data: bytes) -> bytes:
    """A block deleted, repeated, zeroed, moved, or random bytes inserted."""
    i, j = sorted(int(k) for k in rng.integers(len(data) + 1, size=2))
    block, kind = data[i:j], rng.integers(5)
    new = (
        b"",
        block * int(rng.integers(2, 5)),
        bytes(j - i),
        rng.bytes(int(rng.integers(1, 300))) + block,
        block[::-1],
    )[kind]
    return data[:i] + new + data[j:]


def field(rng: Rng, data: bytes, begin: int = 0, end: int | None = None) -> bytes:
    """An odd number of 1 to 8 bytes over what stood there."""
    size, at = (
        pick(rng, (1, 2, 4, 8)),
        int(rng.integers(begin, max(len(data) if end is None else min(end, len(data)), begin + 1))),
    )
    number = (pick(rng, NUMBERS) % 256**size).to_bytes(size, pick(rng, ("little", "big")))
    return data[:at] + number + data[at + size :]


def head(rng: Rng, data: bytes) -> bytes:
    """An odd number in the first bytes, where pictures say how large they are."""
    return field(rng, data, 0, 120)


# --- edits of one format


def npy_header(rng: Rng, data: bytes) -> bytes:
    """Another shape, dtype or order in the header of an .npy file, or its length or version."""
    if data[:6] != b"\x93NUMPY" or rng.random() < 0.2:
        return field(rng, data, 0, 12)
    length = int.from_bytes(data[8:10], "little")
    text = data[10 : 10 + length].decode("latin-1")
    if rng.random() < 0.7:
        text = re.sub(r"'shape': \([^)]*\)", lambda _: f"'shape': {pick(rng, SHAPES)}", text)
    if rng.random() < 0.5:
        text = re.sub(r"'descr': '[^']*'", lambda _: f"'descr': {pick(rng, KINDS)}", text)
    if rng.random() < 0.3:
        text = re.sub("False|True", lambda _: pick(rng, ("True", "False", "1", "None", "True, 'more': 1")), text)
    text = text.rstrip() + " " * int(rng.integers(64)) + "\n"
    return data[:8] + (len(text) % 2**16).to_bytes(2, "little") + text.encode("latin-1") + data[10 + length :]


def zip_parts(rng: Rng, data: bytes, inner: tuple[Edit, ...] = (npy_header, mutated, shifted, field)) -> bytes:
    """One part of an archive changed, renamed, left out or there twice, with checksums that fit."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = [(info.filename, archive.read(info)) for info in archive.infolist()]
    k, kind, stream = int(rng.integers(len(parts))), rng.integers(8), io.BytesIO()
    name, content = parts[k]
    if kind < 4:
        parts[k] = name, pick(rng, inner)(rng, content) if content else rng.bytes(9)
    elif kind == 4:
        parts[k] = pick(rng, NAMES), content
    elif kind == 5:
        parts += [(pick(rng, (name, *NAMES)), content)] * pick(rng, (1, 1, 200))
    elif kind == 6:
        del parts[k : k + pick(rng, (1, 1, 99))]
    else:
        parts[k] = name, parts[int(rng.integers(len(parts)))][1]
    with warnings.catch_warnings(), zipfile.ZipFile(stream, "w", pick(rng, (0, 0, 8, 8, 12, 14))) as archive:
        warnings.simplefilter("ignore")  # a name twice
        for name, content in parts:
            archive.writestr(name, content)
    return stream.getvalue()


def zip_directory(rng: Rng, data: bytes) -> bytes:
    """A field of the directory, and maybe of the local header, that says something else: size, method, flags, name."""
    marks = [(m.start(), m.group()) for m in re.finditer(rb"PK(\x01\x02|\x03\x04|\x05\x06)", data)]
    for at, mark in [pick(rng, marks) for _ in range(int(rng.integers(1, 4)))]:
        shift = 0 if mark == b"PK\x01\x02" else -2
        place = at + (
            int(rng.integers(8, 22))
            if mark == b"PK\x05\x06"
            else shift + pick(rng, (8, 10, 16, 20, 24, 28, 30, 32, 38, 42, 46, 48))
        )
        size = pick(rng, (1, 2, 4))
        number = pick(rng, (*NUMBERS, 1, 8, 9, 12, 14, 99, 2048)) % 256**size
        data = data[:place] + number.to_bytes(size, "little") + data[place + size :]
    return data


def png_chunks(rng: Rng, data: bytes) -> bytes:
    """A chunk of a picture changed, doubled, moved or left out, with a checksum that fits, or the size of the picture."""
    chunks, at = [], 8
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        chunks.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + size]))
        at += size + 12
    for _ in range(int(rng.integers(1, 3))):
        k, kind = int(rng.integers(len(chunks))) if rng.random() < 0.5 else 0, rng.integers(6)
        name, body = chunks[k]
        if kind < 3:
            chunks[k] = name, field(rng, body)
        elif kind == 3:
            chunks[k] = (
                pick(rng, (b"IDAT", b"PLTE", b"tRNS", b"acTL", b"fdAT", b"fcTL", b"zTXt", b"iCCP", b"eXIf", b"IEND")),
                body,
            )
        else:
            chunks[k:k] = [pick(rng, chunks)] if kind == 4 else []
            chunks[k : k + 1] = [] if kind == 5 and len(chunks) > 1 else chunks[k : k + 1]
    return data[:8] + b"".join(
        (len(body) if rng.random() < 0.95 else pick(rng, NUMBERS) % 2**32).to_bytes(4, "big")
        + name
        + body
        + zlib.crc32(name + body).to_bytes(4, "big")
        for name, body in chunks
    )


def csv_cell(rng: Rng, data: bytes) -> bytes:
    """Odd text for a cell, before one, or at the begin; another encoding."""
    if rng.random() < 0.05:
        return data.decode("utf-8").encode(pick(rng, ("utf-16", "utf-32", "utf-7")))
    cells = list(re.finditer(rb"[^,\n]*", data))
    cell, odd = pick(rng, cells[:9] if rng.random() < 0.3 else cells), pick(rng, CELLS).encode()
    return data[: cell.start()] + odd + data[pick(rng, (cell.start(), cell.end(), cell.end())) :]


def parquet_footer(rng: Rng, data: bytes) -> bytes:
    """Some bytes of the footer, or its length, are others."""
    size = int.from_bytes(data[-8:-4], "little")
    if rng.random() < 0.1:
        return data[:-8] + (pick(rng, NUMBERS) % 2**32).to_bytes(4, "little") + data[-4:]
    body = pick(rng, (field, mutated, shifted))(rng, data[-8 - size : -8])
    return data[: -8 - size] + body + len(body).to_bytes(4, "little") + data[-4:]


def odd_leaf(rng: Rng, tree: Any) -> Any:
    """Nested dicts and lists with one leaf or branch replaced by something odd."""
    if not isinstance(tree, dict | list | tuple) or not tree or rng.random() < 0.05:
        return torch.full((3,), torch.nan) if isinstance(tree, torch.Tensor) and rng.random() < 0.5 else pick(rng, ODD)
    keys = list(tree) if isinstance(tree, dict) else range(len(tree))
    key, copy = pick(rng, keys), dict(tree) if isinstance(tree, dict) else list(tree)
    if rng.random() < 0.05:
        del copy[key]
    else:
        copy[key] = odd_leaf(rng, copy[key])
    return tuple(copy) if isinstance(tree, tuple) else copy


def torch_content(rng: Rng, data: bytes) -> bytes:
    """A saved critic or checkpoint in which one thing is another."""
    content = torch.load(io.BytesIO(data), weights_only=True)
    if "about" in content and rng.random() < 0.9:
        content["about"] = json.dumps(odd_leaf(rng, json.loads(content["about"])))
    else:
        content = odd_leaf(rng, content)
    stream = io.BytesIO()
    torch.save(content, stream)
    return stream.getvalue()
