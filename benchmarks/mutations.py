"""Edits that damage files: of bytes, and of the fields, headers and directories of each format.

They are used by ``mutated_files.py``.  Checksums are made to fit, so that readers go on.
"""

from __future__ import annotations

import io
import json
import re
import sys
import warnings
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from otdiv.critics.reading.plain_layers import LAYERS
from otdiv.verification.file import _digest
from otdiv.verification.record import ARRAYS
from tests.measures.test_files import mutated

NUMBERS = (0, 1, 2, 8, 9, 12, 99, 255, 2048, 5000, 65535, 2**24, 2**28, 2**31 - 1, 2**32 - 1, 2**40, 2**63, 2**64 - 1)
ODD = (None, True, -1, 0, 1.5, 2**31, 10**30, 1e300, -1e300, 5e-324, np.nan, np.inf, "", "\n", "x" * 9000, [], {})
SHAPES = (
    "()", "(0,)", "(-1,)", "(0,3)", "(1,0)", "(0,10**12)", "(0,1000000000000)", "(-1,-8)", "(1152921504606846976,)",
    "(1.5,)", "('a',)", "None", "(4611686018427387904,4)", "(30000000,)", "(True,True)", "(1,", "(", f"({'1,' * 70})",
    f"({'[' * 80})",
)  # fmt: skip
KINDS = (
    "'|O'", "'<U1'", "'<U1000000000'", "'|S8'", "'|S0'", "'|V0'", "'|V8'", "'<c16'", "'|b1'", "'<f2'", "'<f4'", "None",
    "'<f16'", "'>f8'", "'>i8'", "'<u8'", "'<M8[s]'", "'<f3'", "''", "{}", "[('a','<f8')]", "[('a','|O')]",
    "('<f8',(2,))", "[('a\\n','<f4'),('b','<f4')]", f"[('{'x' * 900}','<f8')]",
    str([(f"name {k}", "|i1") for k in range(80)]),
)  # fmt: skip
CELLS = (
    "", " ", "nan", "-inf", "1e400", "1_0", "1__0", "0x1", "\u0661", "\uff11", "1,2", '"', '""', '"1"', "\0", "\r",
    "\n", "\ufeff", "\x1b[2J", "\u2028", "1;2", "1j", "-0", "9" * 400, "9" * 200_000, "x" * 5000, "," * 20_000, 
    "1," * 20_000, "x\n" * 5000,
)  # fmt: skip
NAMES = ("points", "weights", "indices", "\u202e", "../a", "/a", "a\n", "a\x1b[2J", "", "x" * 5000)
CHUNKS = (b"PLTE", b"tRNS", b"acTL", b"fdAT", b"fcTL", b"zTXt", b"iCCP", b"eXIf")

Rng = np.random.Generator


def pick(rng: Rng, choices: Any) -> Any:
    """One of them."""
    return choices[int(rng.integers(len(choices)))]


def shifted(rng: Rng, data: bytes) -> bytes:
    """A block deleted, repeated, zeroed or reversed, or random bytes inserted."""
    i, j = sorted(int(k) for k in rng.integers(len(data) + 1, size=2))
    block = data[i:j]
    changed = (b"", 2 * block, 5 * block, bytes(j - i), block[::-1], rng.bytes(200) + block)
    return data[:i] + pick(rng, changed) + data[j:]


def field(rng: Rng, data: bytes, starts: Any = None) -> bytes:
    """An odd number of 1 to 8 bytes over what stood there."""
    at, size = int(rng.integers(len(data))) if starts is None else pick(rng, starts), pick(rng, (1, 2, 4, 8))
    return data[:at] + (pick(rng, NUMBERS) % 256**size).to_bytes(size, pick(rng, ("little", "big"))) + data[at + size :]


def head(rng: Rng, data: bytes) -> bytes:
    """An odd number in the first bytes, where pictures say how large they are."""
    number = re.search(rb"\d+", data[3:15]) if data[:1] == b"P" else None
    if number and rng.random() < 0.8:  # they are written as text
        return data[: 3 + number.start()] + str(pick(rng, NUMBERS)).encode() + data[3 + number.end() :]
    return field(rng, data, range(100))


def npy_header(rng: Rng, data: bytes) -> bytes:
    """Another shape, dtype or order in the header of an .npy file."""
    length = int.from_bytes(data[8:10], "little")
    text = data[10 : 10 + length].decode("latin-1")
    for pattern, choices in ((r"\([^)]*\)", SHAPES), ("'[<|]..'", KINDS), ("False", ("True", "1", "True,'a':1"))):
        if rng.random() < 0.5:
            text = pick(rng, choices).join(re.split(pattern, text, maxsplit=1))
    return data[:8] + len(text).to_bytes(2, "little") + text.encode("latin-1") + data[10 + length :]


def zip_parts(rng: Rng, data: bytes) -> bytes:
    """One part of an archive changed, renamed, left out or there more than once, with checksums that fit."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = [(info.filename, archive.read(info)) for info in archive.infolist()]
    k, stream, more = int(rng.integers(len(parts))), io.BytesIO(), pick(rng, NAMES) + ".npy"
    name, content = parts[k]
    edits = (npy_header, npy_header, mutated) if content[:6] == b"\x93NUMPY" else (mutated, shifted, field)
    changed = [(name, pick(rng, edits)(rng, content or b"x"))]
    many = [parts[k], *((f"{i}{more}", content) for i in range(100))]
    parts[k : k + 1] = pick(rng, (changed, changed, changed, [(more, content)], [], [parts[k], pick(rng, parts)], many))
    with warnings.catch_warnings(), zipfile.ZipFile(stream, "w", pick(rng, (0, 0, 0, 8, 8, 8, 12, 14))) as archive:
        warnings.simplefilter("ignore")  # a name twice
        for name, content in parts:
            archive.writestr(name, content)
    return stream.getvalue()


def zip_directory(rng: Rng, data: bytes) -> bytes:
    """Fields of the directory and of the local headers that say something else: sizes, methods, flags, names."""
    starts = [found.start() for found in re.finditer(rb"PK(\x01\x02|\x03\x04|\x05\x06)", data)]
    for _ in range(rng.integers(1, 4)):
        data = field(rng, data, range(at := pick(rng, starts) + 4, at + 46, 2))
    return data


def png_chunks(rng: Rng, data: bytes) -> bytes:
    """A chunk of a picture changed, inserted, doubled or left out, with checksums that fit."""
    chunks, at = [], 8
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        chunks.append(data[at + 4 : at + 8 + size])
        at += size + 12
    k = int(rng.integers(len(chunks))) * int(rng.integers(2))  # every other time the first, with the sizes
    changed, new = field(rng, chunks[k], range(4, len(chunks[k]) + 1)), pick(rng, CHUNKS) + chunks[k][4:]
    chunks[k : k + 1] = pick(rng, ([changed], [changed], [chunks[k], pick(rng, chunks)], [chunks[k], new], []))
    packed = [(len(c) - 4).to_bytes(4, "big") + c + zlib.crc32(c).to_bytes(4, "big") for c in chunks]
    return data[:8] + b"".join(packed)


def csv_cell(rng: Rng, data: bytes) -> bytes:
    """Odd text for a cell, or beside one; now and then another encoding."""
    if rng.random() < 0.05:
        return data.decode().encode(pick(rng, ("utf-16", "utf-32", "utf-7")))
    cells = list(re.finditer(rb"[^,\n]*", data))
    cell = pick(rng, cells[:9] if rng.random() < 0.3 else cells)
    return data[: cell.start()] + pick(rng, CELLS).encode() + data[pick(rng, cell.span()) :]


def parquet_footer(rng: Rng, data: bytes) -> bytes:
    """Bytes of the footer are others, its length fits."""
    size = int.from_bytes(data[-8:-4], "little") + 8
    footer = pick(rng, (field, mutated, shifted))(rng, data[-size:-8])
    return data[:-size] + footer + len(footer).to_bytes(4, "little") + data[-4:]


def odd_leaf(rng: Rng, tree: Any) -> Any:
    """Nested dicts and lists in which one number, leaf or branch is something odd, or gone."""
    if hasattr(tree, "shape") and 0 not in tree.shape and rng.random() < 0.8:
        tree = tree.clone() if isinstance(tree, torch.Tensor) else tree.copy()
        numbers = (0, -1, 99, 7e37, -7e37, np.nan) if "float" in str(tree.dtype) else (0, 99, -1)
        tree.reshape(-1)[int(rng.integers(np.prod(tree.shape)))] = pick(
            rng, numbers[: 2 if "uint8" in str(tree.dtype) else 9]
        )
        return pick(rng, (tree, tree[:-1], tree[None])) if tree.shape else tree
    if not isinstance(tree, dict | list) or not tree or rng.random() < 0.05:
        return pick(rng, ODD)
    copy, key = tree.copy(), pick(rng, list(tree) if isinstance(tree, dict) else range(len(tree)))
    copy[key] = odd_leaf(rng, tree[key])
    if rng.random() < 0.05:
        del copy[key]
    return copy


def torch_content(rng: Rng, data: bytes) -> bytes:
    """A critic, a checkpoint or weights in which something is odd."""
    content, stream = torch.load(io.BytesIO(data), weights_only=True), io.BytesIO()
    if "about" in content and rng.random() < 0.7:
        content["about"] = json.dumps(odd_leaf(rng, json.loads(content["about"])))
    else:
        content = odd_leaf(rng, content)
    torch.save(content, stream)
    return stream.getvalue()


def certificate_content(rng: Rng, data: bytes) -> bytes:
    """A certificate with an odd header, number or shape, and a digest that fits."""
    parts, stream = dict(np.load(io.BytesIO(data))), io.BytesIO()
    parts["header"] = json.loads(str(parts["header"]))
    parts = odd_leaf(rng, parts)
    if isinstance(parts, dict):
        arrays = {name: np.asarray(parts.get(name, 0)) for name in ARRAYS}
        text = json.dumps(parts.get("header"))
        np.savez_compressed(stream, **{**parts, "header": np.array(text), "digest": np.array(_digest(text, arrays))})
    return stream.getvalue()


def layer_list(rng: Rng, data: bytes | str) -> bytes:
    """A list of layers in which something is odd, or other layers stand."""
    layers = json.loads(data)
    if rng.random() < 0.5:
        return json.dumps(odd_leaf(rng, layers)).encode()
    for _ in range(rng.integers(1, 4)):
        name = pick(rng, tuple(LAYERS))
        options = {option: pick(rng, (0, 1, 2, 8, 4096, 0.5, [1, 2], [8, 1], [4096, 4096])) for option in LAYERS[name]}
        layers[int(rng.integers(len(layers)))] = {"layer": name, **options}
    return json.dumps(layers).encode()


def safetensors_header(rng: Rng, data: bytes) -> bytes:
    """Weights with an odd header, or an odd list of layers in it."""
    end = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:end])
    layers = layer_list(rng, header["__metadata__"]["layers"]).decode()
    header = pick(rng, ({**header, "__metadata__": {"layers": layers}}, odd_leaf(rng, header)))
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data[end:]
