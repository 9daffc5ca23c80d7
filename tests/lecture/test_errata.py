"""docs/errata.md lists every erratum once, and the tests it names exist."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROW = re.compile(r"^\| E(\d+) \| S(\d+) \| (\w+) \| (.+?) \| (.*)\|$")


def rows():
    lines = (ROOT / "docs" / "errata.md").read_text().splitlines()
    return [ROW.match(line).groups() for line in lines if line.startswith("| E")]


def names_by_file():
    names = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        tree = ast.walk(ast.parse(path.read_text()))
        names[path.relative_to(ROOT).as_posix()] = {node.name for node in tree if isinstance(node, ast.FunctionDef)}
    return names


def errata_in(name):
    """The errata a test's name speaks of: test_e03_and_e05_... shows E3 and E5."""
    return [int(number) for number in re.findall(r"(?<=_)e(\d+)(?=_|$)", name)] if name.startswith("test_") else []


def test_all_107_errata_are_listed_in_order_with_a_kind_and_a_reason():
    listed = rows()
    assert [int(number) for number, *_ in listed] == list(range(1, 108))
    assert {kind for _, _, kind, _, _ in listed} == {"MATH", "GAP", "TYPO"}
    items = [int(item) for _, item, *_ in listed]
    assert items == sorted(items) and items[-1] == 76
    assert all(len(reason) > 20 and reason.endswith(".") for *_, reason, _ in listed)


def test_the_named_tests_exist_and_carry_the_number_of_their_erratum():
    known, named = names_by_file(), 0
    for number, _, _, _, shown in rows():
        for path, name in re.findall(r"`([^`:]+)::(\w+)`", shown):
            assert name in known[path], f"E{number} names {name}, which {path} does not have"
            assert int(number) in errata_in(name)
            named += 1
    assert named > 30


def test_every_test_of_an_erratum_is_linked():
    listed = {int(number): shown for number, _, _, _, shown in rows()}
    for path, names in names_by_file().items():
        for name in names:
            for number in errata_in(name):
                assert f"`{path}::{name}`" in listed[number], f"{name} shows E{number}; link it in docs/errata.md"
