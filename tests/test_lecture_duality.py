"""Every row of the lecture's duality part agrees with its known number."""

import pytest

from otdiv.lecture.duality import ITEMS

HERE = [f"S{k}" for k in range(25, 48) if k not in (42, 43)]


@pytest.mark.parametrize("item", sorted(ITEMS, key=lambda name: int(name[1:])))
def test_s25_to_s47_rows_agree(item):
    rows = list(ITEMS[item]())
    assert rows, "an item without a row shows nothing"
    for row in rows:
        assert row.item == item
        assert row.ok, f"{row.name}: {row.computed!r} instead of {row.expected!r}"
    assert len({row.name for row in rows}) == len(rows)


def test_no_item_is_missing():
    assert sorted(ITEMS, key=lambda name: int(name[1:])) == HERE
