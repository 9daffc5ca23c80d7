"""Measures from files of every kind, and what is said of damaged ones; nothing is ever unpickled."""

from __future__ import annotations

import os
import pickle
import warnings
import zipfile

import numpy as np
import pytest
from scipy import sparse

from otdiv.errors import InvalidInput
from otdiv.files import archives
from otdiv.measures.files import read_cost, read_measure, read_values


class Trap:
    """Loading the pickle of this would create a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def written(folder, name, text):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_npy_of_points(tmp_path):
    np.save(tmp_path / "line.npy", [3, 1, 2])
    np.save(tmp_path / "plane.npy", [[0.0, 1.0, 0.25], [2.0, 3.0, 0.75]])
    assert read_measure(tmp_path / "line.npy").points.tolist() == [[3], [1], [2]]
    assert read_measure(str(tmp_path / "plane.npy")).d == 3
    for number in (2, "2", np.int64(2)):
        mu = read_measure(tmp_path / "plane.npy", weights=number)
        assert mu.d == 2 and mu.weights.tolist() == [0.25, 0.75]


def test_npz_with_and_without_weights(tmp_path):
    path = tmp_path / "m.npz"
    np.savez(path, points=[[0, 1], [2, 3]])
    assert read_measure(path).weights.tolist() == [0.5, 0.5]
    np.savez_compressed(path, points=[[0, 1], [2, 3]], weights=[1, 3], other=[9])
    assert read_measure(path).weights.tolist() == [1, 3]
    np.savez(path, cloud=[0, 1])
    assert read_measure(path).points.tolist() == [[0], [1]]
    np.savez(path, cloud=[0, 1], mass=[0.25, 0.75])
    assert read_measure(path, weights="mass").weights.tolist() == [0.25, 0.75]
    with pytest.raises(InvalidInput, match=r"m.npz must hold an array called points; got arrays \['cloud', 'mass'\]"):
        read_measure(path)
    with pytest.raises(
        InvalidInput, match=r"weights must name one of the arrays of m.npz; got 'w', where it has \['cloud', 'mass'\]"
    ):
        read_measure(path, weights="w")


@pytest.mark.parametrize("name", ["x.npy", "x.npz"])
def test_pickles_are_refused_and_never_executed(tmp_path, name):
    mark = tmp_path / "executed"
    trap = np.array([Trap(mark), 1], dtype=object)
    path = tmp_path / name
    np.save(path, trap, allow_pickle=True) if name == "x.npy" else np.savez(path, points=trap)
    with pytest.raises(InvalidInput, match=rf"{name} must be a numpy file of plain numbers.*without objects"):
        read_measure(path)
    path.write_bytes(pickle.dumps(Trap(mark)))  # a bare pickle under this name
    with pytest.raises(InvalidInput, match=rf"{name} must be a numpy file of plain numbers"):
        read_measure(path)
    assert not mark.exists()
    pickle.loads(path.read_bytes()).close()
    assert mark.exists(), "the trap does work"


def test_damaged_numpy_files(tmp_path):
    good = tmp_path / "good.npz"
    np.savez_compressed(good, points=np.arange(1000.0))
    whole = good.read_bytes()
    damaged = {
        "empty.npy": b"",
        "empty.npz": b"",
        "text.npy": b"0,1\n2,3\n",
        "cut.npz": whole[: len(whole) // 2],
        "flipped.npz": whole[:200] + bytes(b ^ 0x55 for b in whole[200:400]) + whole[400:],
    }
    np.save(tmp_path / "long.npy", np.arange(10.0))
    damaged["short.npy"] = (tmp_path / "long.npy").read_bytes()[:-8]
    for name, content in damaged.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(
            InvalidInput, match=rf"{name} must be a numpy file of plain numbers; got one that cannot be"
        ):
            read_measure(tmp_path / name)
    assert read_measure(good).n == 1000


def test_numpy_files_are_known_by_content(tmp_path):
    np.save(tmp_path / "a.npy", [0.0, 1.0])
    np.savez(tmp_path / "b.npz", points=[0.0, 1.0])
    (tmp_path / "a.npz").write_bytes((tmp_path / "a.npy").read_bytes())
    (tmp_path / "b.npy").write_bytes((tmp_path / "b.npz").read_bytes())
    assert read_measure(tmp_path / "a.npz").n == read_measure(tmp_path / "b.npy").n == 2
    with zipfile.ZipFile(tmp_path / "c.npz", "w") as archive:
        archive.writestr("points.txt", "0 1 2")
    with pytest.raises(InvalidInput, match=r"c.npz"):
        read_measure(tmp_path / "c.npz")


def test_numpy_shapes_that_are_refused(tmp_path):
    path = tmp_path / "x.npy"
    np.save(path, [1.0, 2.0])
    with pytest.raises(InvalidInput, match=r"x.npy: weights must name a column of a table .*'w' for shape \(2,\)"):
        read_measure(path, weights="w")
    np.save(path, np.ones((2, 2, 2)))
    with pytest.raises(InvalidInput, match=r"x.npy: points must have shape \[n, d\]"):
        read_measure(path)
    np.save(path, np.ones((2, 1)))
    with pytest.raises(InvalidInput, match=r"x.npy must have a column of coordinates beside the weights; got one"):
        read_measure(path, weights=0)
    np.save(path, np.array(["a", "b"]))
    with pytest.raises(InvalidInput, match=r"x.npy: points must hold real numbers"):
        read_measure(path)


@pytest.mark.parametrize(("suffix", "comma"), [(".csv", ","), (".tsv", "\t"), (".CSV", ",")])
def test_csv_with_and_without_header(tmp_path, suffix, comma):
    bare = written(tmp_path, "bare" + suffix, "1,2\n3,4.5e0\n\n".replace(",", comma))
    named = written(tmp_path, "named" + suffix, "\n a ,b\n1,2\r\n\n3, 4.5\n\n".replace(",", comma))
    for path in (bare, named):
        assert read_measure(path).points.tolist() == [[1, 2], [3, 4.5]]
    quoted = written(tmp_path, "quoted" + suffix, '"a, x",b\n"1",2\n'.replace(",", comma))
    assert read_measure(quoted).points.tolist() == [[1, 2]]


def test_csv_with_a_byte_order_mark(tmp_path):
    path = tmp_path / "bom.csv"
    path.write_bytes(b"\xef\xbb\xbf1,2\n3,4\n")
    assert read_measure(path).points.tolist() == [[1, 2], [3, 4]], "the mark must not make the first row a header"
    path.write_bytes(b"\xef\xbb\xbfw,x\n1,2\n")
    assert read_measure(path, weights="w").points.tolist() == [[2]]


@pytest.mark.parametrize("column", ["w", "1", 1])
def test_csv_weights_by_name_and_number(tmp_path, column):
    path = written(tmp_path, "a.csv", "x,w,y\n1,0.25,2\n3,0.75,4\n")
    mu = read_measure(path, weights=column)
    assert mu.points.tolist() == [[1, 2], [3, 4]] and mu.weights.tolist() == [0.25, 0.75]
    assert read_measure(path).d == 3


@pytest.mark.parametrize("column", ["v", 3, -1, "-1", "²", "1.0", ""])
def test_columns_that_are_not_there(tmp_path, column):
    path = written(tmp_path, "a.csv", "x,w,y\n1,0.25,2\n")
    with pytest.raises(
        InvalidInput, match=r"weights must name one column of a.csv, .* where the file has columns \['x', 'w', 'y'\]"
    ):
        read_measure(path, weights=column)
    bare = written(tmp_path, "b.csv", "1,0.25,2\n")
    with pytest.raises(InvalidInput, match=r"where the file has 3 columns without names"):
        read_measure(bare, weights=column)


def test_a_name_that_stands_twice_names_no_column(tmp_path):
    path = written(tmp_path, "a.csv", "w,w,x\n1,2,3\n")
    with pytest.raises(InvalidInput, match=r"weights must name one column of a.csv.*'w'"):
        read_measure(path, weights="w")
    assert read_measure(path, weights=1).weights.tolist() == [2]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"a.csv must hold at least one row; got an empty file"),
        ("\n\n", r"a.csv must hold at least one row; got an empty file"),
        ("x,y\n", r"a.csv must hold numbers below its header; got a header only"),
        ("1,2\n3\n", r"a.csv must have 2 columns in every row; got 1 in line 2\. Repair it"),
        ("x\n\n1\n1,2\n", r"a.csv must have 1 column in every row; got 2 in line 4"),
        ("1,2\n3,four\n", r"a.csv must hold numbers only; got 'four' in line 2, column 2\. Remove or fill"),
        ("x,y\n\n1,2\n3,\n", r"a.csv must hold numbers only; got an empty cell in line 4, column 2"),
        ("x;y\n1;2\n", r"a.csv must hold numbers only; got '1;2' in line 2, column 1\. The columns are separated by s"),
        (
            "1,2.O\n3,4\n",
            r"a.csv must start with a row of names or a row of numbers; got '2.O' beside '1' in the first",
        ),
        ("1,\n3,4\n", r"a.csv must start with a row of names or a row of numbers; got '' beside '1'"),
        (
            ",0,1\n0,.5,.6\n1,.7,.8\n",
            r"a.csv must hold coordinates .*got a first column '', as programs name row names",
        ),
        ("1,2\n3,nan\n", r"a.csv: points must be finite; got nan at index \(1, 1\)"),
        ("1,inf\n", r"a.csv: points must be finite; got inf at index \(0, 1\)"),
    ],
)
def test_damaged_csv(tmp_path, text, message):
    with pytest.raises(InvalidInput, match=message):
        read_measure(written(tmp_path, "a.csv", text))


def test_bad_weights_name_the_file(tmp_path):
    path = written(tmp_path, "a.csv", "x,w\n1,0.5\n2,-0.5\n")
    with pytest.raises(InvalidInput, match=r"^a.csv: weights must be non-negative; got -0.5 at index 1"):
        read_measure(path, weights="w")


def test_other_encodings(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes("größe\n1\n".encode("latin-1"))
    with pytest.raises(InvalidInput, match=r"a.csv must be a text file in UTF-8; got other bytes"):
        read_measure(path)
    path.write_text("größe\n1\n", encoding="utf-8")
    assert read_measure(path).n == 1


def test_parquet(tmp_path):
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet

    def write(**columns):
        pyarrow.parquet.write_table(pa.table(columns), tmp_path / "a.parquet")
        return tmp_path / "a.parquet"

    path = write(x=[1.0, 2.0], w=[1, 3], y=pa.array([4, 5], pa.float32()))
    assert read_measure(path).points.tolist() == [[1, 1, 4], [2, 3, 5]]
    for column in ("w", 1):
        mu = read_measure(path, weights=column)
        assert mu.points.tolist() == [[1, 4], [2, 5]] and mu.weights.tolist() == [1, 3]
    for columns, message in (
        ({"x": ["a", "b"]}, r"column 'x' of a.parquet must hold numbers only"),
        ({"x": ["1", "2"]}, r"column 'x' of a.parquet must hold numbers only"),
        ({"x": [True, False]}, r"column 'x' of a.parquet must hold real numbers; got dtype bool"),
        ({"x": pa.array([0, 1], pa.timestamp("s"))}, r"column 'x' of a.parquet must hold real numbers"),
        ({"x": [1.0, None]}, r"a.parquet: points must be finite; got nan at index \(1, 0\)"),
        ({"x": pa.array([], pa.float64())}, r"a.parquet: points must hold at least one point"),
        ({}, r"a.parquet must hold at least one column"),
    ):
        with pytest.raises(InvalidInput, match=message):
            read_measure(write(**columns))
    (tmp_path / "b.parquet").write_text("x,y\n1,2\n")
    with pytest.raises(InvalidInput, match=r"b.parquet must be a parquet table of numbers"):
        read_measure(tmp_path / "b.parquet")


def saved(folder, name, array, **options):
    from PIL import Image

    path = folder / name
    Image.fromarray(np.asarray(array), **options).save(path)
    return path


def test_grey_images_of_8_and_16_bits(tmp_path):
    small, deep = np.array([[0, 7], [255, 1]], np.uint8), np.array([[0, 1000], [65535, 1]], np.uint16)
    for name, grey in (("a.png", small), ("b.png", deep), ("c.pgm", small), ("d.tif", deep), ("e.BMP", small)):
        mu = read_measure(saved(tmp_path, name, grey))
        assert mu.weights.tolist() == grey.ravel().tolist()
        assert mu.points.tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
    with pytest.raises(InvalidInput, match=r"a.png: weights must be left out for an image; got 'w'"):
        read_measure(tmp_path / "a.png", weights="w")


def test_colour_images_are_refused(tmp_path):
    colour = np.zeros((2, 2, 3), np.uint8)
    with pytest.raises(InvalidInput, match=r"a.png must be a grey image; got one with bands R, G, B\. Convert it"):
        read_measure(saved(tmp_path, "a.png", colour))
    with pytest.raises(InvalidInput, match=r"with bands L, A"):
        read_measure(saved(tmp_path, "a.png", colour[:, :, :2]))


def test_a_palette_is_read_by_its_colours(tmp_path):
    from PIL import Image

    image = Image.fromarray(np.array([[0, 1], [1, 1]], np.uint8)).convert("P")
    image.putpalette([10, 10, 10, 200, 200, 200])
    image.save(tmp_path / "grey.gif")
    assert read_measure(tmp_path / "grey.gif").weights.tolist() == [10, 200, 200, 200]
    image.putpalette([10, 10, 10, 200, 0, 0])
    image.save(tmp_path / "red.gif")
    with pytest.raises(InvalidInput, match=r"red.gif must be a grey image; got one with bands R, G, B"):
        read_measure(tmp_path / "red.gif")


def test_films_and_damaged_images_are_refused(tmp_path):
    from PIL import Image

    frames = [Image.fromarray(np.full((4, 4), k, np.uint8)) for k in (1, 2)]
    frames[0].save(tmp_path / "film.tif", save_all=True, append_images=frames[1:])
    with pytest.raises(InvalidInput, match=r"film.tif must hold one picture; got several frames"):
        read_measure(tmp_path / "film.tif")
    whole = saved(tmp_path, "a.png", np.random.default_rng(0).integers(0, 255, (60, 60), dtype=np.uint8)).read_bytes()
    for content in (b"", b"no image", whole[:1000], whole[:60] + b"\0" * 40 + whole[100:]):
        (tmp_path / "a.png").write_bytes(content)
        with pytest.raises(InvalidInput, match=r"a.png must be an image; got one that cannot be read"):
            read_measure(tmp_path / "a.png")


def test_an_image_too_large_to_open(tmp_path, monkeypatch):
    from PIL import Image

    path = saved(tmp_path, "a.png", np.ones((8, 8), np.uint8))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    with pytest.raises(InvalidInput, match=r"a.png must be an image; got one that cannot be read .*decompression bomb"):
        read_measure(path)


def test_a_black_image_has_no_mass(tmp_path):
    with pytest.raises(InvalidInput, match=r"^a.png: image must have a positive, finite total"):
        read_measure(saved(tmp_path, "a.png", np.zeros((2, 2), np.uint8)))


def test_paths_that_are_refused(tmp_path):
    with pytest.raises(
        InvalidInput, match=r"path must name an existing file; got '.*nowhere.csv'\. Check the spelling"
    ):
        read_measure(tmp_path / "nowhere.csv")
    with pytest.raises(InvalidInput, match=r"path must name an existing file; got the folder"):
        read_measure(tmp_path)
    for name in ("a" * 5000 + ".csv", "a\0b.csv", ""):
        with pytest.raises(InvalidInput, match=r"path must name an existing file"):
            read_measure(name)
    for name in ("a.xlsx", "a", "a.pkl"):
        with pytest.raises(InvalidInput, match=r"path must end in .npy, .npz, .csv.*got 'a.*Convert the file"):
            read_measure(written(tmp_path, name, "1,2\n"))


def test_a_picture_that_is_postscript_starts_no_other_program(tmp_path, monkeypatch):
    """Pillow goes by the content and would hand it to a program called gs on the path."""
    marker, stand_in = tmp_path / "ran", tmp_path / "gs"
    stand_in.write_text(f"#!/bin/sh\ntouch {marker}\n")
    stand_in.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    picture = tmp_path / "x.png"
    picture.write_bytes(
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\n\n"
        b'%ImageData: 10 10 8 1 0 1 1 "beginimage"\nshowpage\n%%EOF\n'
    )
    with pytest.raises(InvalidInput, match=r"x\.png must be an image"):
        read_measure(picture)
    assert not marker.exists()


def test_a_picture_of_too_many_pixels_is_refused_before_it_is_decoded(tmp_path):
    (tmp_path / "x.pgm").write_bytes(b"P5 10000 10000 255\n")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns from 89 million on
        with pytest.raises(InvalidInput, match="pixels"):
            read_measure(tmp_path / "x.pgm")


@pytest.mark.parametrize(
    ("head", "message"),
    [
        (b"{'descr': '<f8', 'fortran_order': False, 'shape': (1152921504606846976,), }", "does not fit its bytes"),
        (b"{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }", "does not fit its bytes"),
        (b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", "pickled"),
        (b"{'descr': '<f8', 'fortran_order': False, 'shape': (1,", "a header that numpy did not write"),
        (b"\x00\xff'''", "a header that numpy did not write"),
        (b"[" * 100, "a header that numpy did not write"),
    ],
)
@pytest.mark.parametrize("read", [read_measure, read_cost, read_values])
def test_numpy_headers_that_lie_end_in_one_sentence(tmp_path, read, head, message):
    path = tmp_path / "x.npy"
    path.write_bytes(b"\x93NUMPY\x01\x00" + (118).to_bytes(2, "little") + head.ljust(117) + b"\n" + bytes(64))
    with pytest.raises(InvalidInput, match=message):
        read(path)


@pytest.mark.parametrize("seed", range(10))
def test_mutated_files_end_in_one_sentence_or_in_numbers(tmp_path, seed):
    """A hundred files a seed, of every kind, with bytes changed, cut or repeated: never another error."""
    image = pytest.importorskip("PIL.Image")
    rng = np.random.default_rng(seed)
    points = rng.random((6, 2))
    np.save(tmp_path / "p.npy", points)
    np.savez(tmp_path / "q.npz", points=points, weights=np.ones(6))
    np.savez_compressed(tmp_path / "r.npz", points=points)
    sparse.save_npz(tmp_path / "c.npz", sparse.random(6, 6, 0.5, "csr", rng=rng))
    np.savetxt(tmp_path / "t.csv", points, delimiter=",")
    grey = image.fromarray(rng.integers(0, 255, (5, 4), dtype=np.uint8))
    for kind in ("png", "pgm", "bmp", "tif", "jpg", "gif"):
        grey.save(tmp_path / f"i.{kind}")
    whole = {path.name: path.read_bytes() for path in sorted(tmp_path.iterdir())}
    for _ in range(100):
        name = str(rng.choice(sorted(whole)))
        path = tmp_path / f"mutated{name[name.index('.') :]}"
        path.write_bytes(mutated(rng, whole[name]))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # decoders warn of what they repair
                read_cost(path) if name == "c.npz" else read_measure(path)
        except InvalidInput as problem:
            assert "\n" not in str(problem)


def mutated(rng: np.random.Generator, content: bytes) -> bytes:
    """A few bytes changed, the end cut off, or a part repeated."""
    changed = bytearray(content)
    for _ in range(rng.integers(1, 5)):
        k, kind = int(rng.integers(len(changed))), rng.integers(4)
        if kind == 0:
            changed[k] = rng.integers(256)
        elif kind == 1:
            changed[k] ^= 1 << int(rng.integers(8))
        elif kind == 2 and k:
            del changed[k:]
        else:
            changed[k:k] = changed[: int(rng.integers(1, 40))]
    return bytes(changed)


def test_arrays_that_are_not_asked_for_are_not_unpacked(tmp_path, monkeypatch):
    path = tmp_path / "a.npz"
    np.savez_compressed(path, points=np.arange(4.0), weights=np.ones(4), notes=np.zeros(10**6))
    unpacked = []
    read = archives.read_member
    monkeypatch.setattr(
        archives, "read_member", lambda archive, member: unpacked.append(member.filename) or read(archive, member)
    )
    assert read_measure(path).n == 4
    assert sorted(unpacked) == ["points.npy", "weights.npy"]


def test_a_parquet_file_that_claims_far_more_than_it_can_hold_is_refused(tmp_path, monkeypatch):
    parquet = pytest.importorskip("pyarrow.parquet")
    arrow = pytest.importorskip("pyarrow")
    path = tmp_path / "a.parquet"
    parquet.write_table(arrow.table({"x": np.zeros(10**6)}), path)
    assert read_measure(path).n == 10**6
    monkeypatch.setattr(archives, "_SMALL", 1000)
    with pytest.raises(InvalidInput, match=r"a.parquet must be a parquet table of numbers; got parts that claim"):
        read_measure(path)


@pytest.mark.slow
def test_a_row_of_a_million_columns(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(",".join(["1.5"] * 10**6) + "\n")
    assert read_measure(path).points.shape == (1, 10**6)
