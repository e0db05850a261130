"""Selections: queries on columns against pandas, masks in bits, columns kept with a run, differences between groups."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_ind

from vaelab.errors import InputError
from vaelab.explanation.differs import differs
from vaelab.explorer.query import MOST_DEPTH, chosen
from vaelab.explorer.selections import masks
from vaelab.runs.columns import checked_name, keep_column, kept_columns, with_kept

RANDOM = np.random.default_rng(0)
TABLE = pd.DataFrame(
    {
        "moa": RANDOM.choice(["DMSO", "Eg5 inhibitors", "taxol", None], 200),
        "dose": RANDOM.choice(np.array([0.1, 0.3, 1.0, np.nan], np.float32), 200),
        "well (row)": RANDOM.choice(list("ABC"), 200),
        "dead": RANDOM.random(200) < 0.3,
        "z0": RANDOM.normal(size=200),
    }
)
MOA, DOSE = TABLE["moa"], TABLE["dose"]
QUERIES = [
    ("moa = DMSO and z0 > 0.5", (MOA == "DMSO") & (TABLE["z0"] > 0.5)),
    ("moa = Eg5 inhibitors or dose <= 0.1", (MOA == "Eg5 inhibitors") | (DOSE < 0.2)),
    ("not moa = taxol", MOA != "taxol"),
    ("moa != taxol", (MOA != "taxol") & MOA.notna()),
    ("moa is missing or dose is not missing", MOA.isna() | DOSE.notna()),
    ("dose = 0.3", np.isclose(DOSE, 0.3)),
    ("dose < 0.3", DOSE < 0.2),
    ("dose >= 0.3", DOSE > 0.2),
    ('"well (row)" in (A, "C") and not (dead = True or z0 < \N{MINUS SIGN}1)',
     TABLE["well (row)"].isin(["A", "C"]) & ~(TABLE["dead"] | (TABLE["z0"] < -1))),
    ("moa contains INHIB", MOA.str.contains("inhib", na=False)),
    ("moa = DMSO or moa = taxol and z0 > 0", (MOA == "DMSO") | ((MOA == "taxol") & (TABLE["z0"] > 0))),
    ("not not z0>0", TABLE["z0"] > 0),
]  # fmt: skip


def column(name):
    if name not in TABLE:
        raise InputError("the column", "be there", name)
    return TABLE[name]


@pytest.mark.parametrize(("query", "expected"), QUERIES)
def test_a_query_chooses_what_pandas_chooses(query, expected):
    found = chosen(query, column)
    assert found.dtype == bool
    np.testing.assert_array_equal(found, np.asarray(expected, bool))
    assert 0 < found.sum() < len(TABLE)


NONE = [
    "", "moa", "moa =", "= 3", "moa = DMSO and", "(moa = DMSO", "moa = DMSO)", "moa = 'DMSO", "moa = DMS",
    "dose = a", "moa < 3", "nothing = 1", "moa in DMSO", "moa in (DMSO", "moa is DMSO", "dose > 1 dose", "z0 ! 3",
    "not", "and and", "(" * (MOST_DEPTH + 5) + "z0 > 1" + ")" * (MOST_DEPTH + 5), "z0 > 1 or " * 400 + "z0 > 1",
    "__import__('os').system('true')", "@pd", "z0 > 1; z0", "moa.str = 1",
]  # fmt: skip


@pytest.mark.parametrize("query", NONE)
def test_what_is_no_query_is_refused_in_a_sentence(query):
    with pytest.raises(InputError):
        chosen(query, column)


@pytest.mark.parametrize("count", [1, 7, 8, 9, 120])
def test_masks_come_as_bits_the_lowest_first(count):
    expected = RANDOM.random((2, count)) < 0.5
    body = b"".join(np.packbits(mask, bitorder="little").tobytes() for mask in expected)
    np.testing.assert_array_equal(masks(body, count), expected)
    for wrong in (b"", body + b"x" * (-(-count // 8)), body + b"x" * (2 * -(-count // 8))):
        with pytest.raises(InputError, match="should be 1 to 2 masks"):
            masks(wrong, count)


def test_the_interval_of_a_difference_is_welchs():
    first = pd.DataFrame({"a": RANDOM.normal(1, 2, 40), "b": RANDOM.normal(0, 1, 40)})
    second = pd.DataFrame({"a": RANDOM.normal(0, 1, 25), "b": RANDOM.normal(0, 3, 25)})
    found = differs(first, second)
    for i, name in enumerate("ab"):
        theirs = ttest_ind(first[name], second[name], equal_var=False).confidence_interval(1 - 0.05 / 2)
        spread = np.concatenate([first[name], second[name]]).std()
        np.testing.assert_allclose([found.low[i], found.high[i]], np.array(theirs) / spread, rtol=1e-9)
        assert found.differences[i] == pytest.approx((first[name].mean() - second[name].mean()) / spread)


def test_intervals_hold_the_true_difference_as_often_as_they_say():
    """Of shares, with few images, where a plain interval would be of no width."""
    held = 0
    for seed in range(400):
        random = np.random.default_rng(seed)
        one, other = (pd.DataFrame({"kind": (random.random(n) < p).astype(float)}) for n, p in ((12, 0.9), (20, 0.5)))
        found = differs(one, other)
        low, high = found.low[0] * found.spread[0], found.high[0] * found.spread[0]
        held += bool(low <= 0.4 <= high) or not np.isfinite(low)
    assert held / 400 > 0.93


def test_what_cannot_be_compared_has_no_difference():
    first = pd.DataFrame({"same": [1.0, 1, 1], "few": [np.nan, np.nan, 2], "sure": [1.0, 1, 1]})
    second = pd.DataFrame({"same": [1.0, 1], "few": [1.0, 2], "sure": [0.0, 0]})
    found = differs(first, second)
    assert np.isnan(found.differences).tolist() == [True, True, False]
    assert not found.shown.any()  # three against two is not much, however clear
    assert found.counts.tolist() == [[3, 1, 3], [2, 2, 2]]
    with pytest.raises(InputError, match="have the columns"):
        differs(first, second[["few"]])


def test_a_column_is_kept_and_read_back_and_never_written_twice(tmp_path):
    rows = np.array([4, 0, 2])
    keep_column(tmp_path, "odd cells", rows, pd.Series(["yes", "no", "yes"]), ["d.png", "a,b.png", '"c".png'])
    found = kept_columns(tmp_path, 6)["odd cells"]
    assert found.tolist() == ["no", None, "yes", None, "yes", None]
    table = pd.DataFrame({"x": range(6)})
    assert list(with_kept(table, tmp_path)) == ["x", "odd cells"]
    own = pd.DataFrame({"odd cells": range(6)})
    assert with_kept(own, tmp_path) is own
    with pytest.raises(InputError, match="be a free one"):
        keep_column(tmp_path, "odd cells", rows, pd.Series(["a", "b", "c"]))
    with pytest.raises(InputError, match="row"):
        kept_columns(tmp_path, 3)
    (tmp_path / "columns" / "odd cells.csv").write_text("row,other\n1,2\n")
    with pytest.raises(InputError, match="be a column of the run"):
        kept_columns(tmp_path, 6)


@pytest.mark.parametrize(
    "name", ["", "../x", "a/b", "a\\b", ".x", "a.b", " a", "a ", "x" * 49, "con", "z3", "row", "ü", "a\n"]
)
def test_names_that_are_no_files_everywhere_are_refused(name):
    with pytest.raises(InputError, match="the name should"):
        checked_name(name)
