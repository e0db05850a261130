"""Splits: every image in one part, sizes as asked, groups whole, classes in proportion."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from vaelab.data.split import Split
from vaelab.errors import InputError


def parts(splits):
    return splits.train, splits.validation, splits.test


def check_whole(splits, count):
    rows = np.concatenate(parts(splits))
    assert sorted(rows) == list(range(count))
    for part in parts(splits):
        assert part.dtype == np.int64
        assert (np.diff(part) > 0).all()


@given(
    count=st.integers(1, 300),
    validation=st.one_of(st.floats(0, 0.99), st.integers(0, 200)),
    test=st.one_of(st.floats(0, 0.99), st.integers(0, 200)),
    seed=st.integers(0, 5),
)
def test_sizes_are_met_exactly_or_refused(count, validation, test, seed):
    table = pd.DataFrame({"x": np.arange(count)})
    try:
        splits = Split(validation=validation, test=test, seed=seed).assign(table)
    except InputError:
        sizes = [size if size >= 1 or size == 0 else max(1, round(size * count)) for size in (validation, test)]
        shares = validation + test if validation < 1 and test < 1 else 0
        assert shares >= 1 or sum(sizes) >= count
        return
    check_whole(splits, count)
    for part, size in ((splits.validation, validation), (splits.test, test)):
        assert len(part) == (size if size >= 1 or size == 0 else max(1, round(size * count)))
    again = Split(validation=validation, test=test, seed=seed).assign(table)
    assert all((a == b).all() for a, b in zip(parts(splits), parts(again), strict=True))


@given(
    groups=st.lists(st.integers(0, 12), min_size=20, max_size=300),
    validation=st.floats(0, 0.3),
    test=st.floats(0.05, 0.3),
    seed=st.integers(0, 3),
)
def test_groups_are_never_divided(groups, validation, test, seed):
    table = pd.DataFrame({"plate": [f"p{g}" for g in groups]})
    assume(len(set(groups)) >= 3)
    splits = Split(validation=validation, test=test, group="plate", seed=seed).assign(table)
    check_whole(splits, len(groups))
    seen = [set(table["plate"].iloc[part]) for part in parts(splits)]
    assert sum(map(len, seen)) == len(set(groups))
    assert len(splits.test)
    assert len(splits.train)


def test_group_sizes_come_as_near_as_groups_allow():
    table = pd.DataFrame({"well": np.repeat(np.arange(50), 20)})
    splits = Split(validation=0.1, test=0.2, group="well").assign(table)
    assert (len(splits.validation), len(splits.test)) == (100, 200)


@given(sizes=st.lists(st.integers(3, 60), min_size=2, max_size=6), seed=st.integers(0, 3))
def test_classes_keep_their_shares(sizes, seed):
    table = pd.DataFrame({"label": np.repeat(np.arange(len(sizes)), sizes)})
    splits = Split(validation=0.2, test=0.3, stratify="label", seed=seed).assign(table)
    check_whole(splits, sum(sizes))
    assert len(splits.test) == max(1, round(0.3 * sum(sizes)))
    for label, size in enumerate(sizes):
        assert abs((table["label"].iloc[splits.test] == label).sum() - 0.3 * size) <= 2


@given(
    frames=st.lists(st.integers(1, 30), min_size=3, max_size=20),
    setting=st.sampled_from([{}, {"validation": 1, "test": 1}, {"validation": 0}]),
    seed=st.integers(0, 3),
)
def test_images_of_one_file_stay_together_by_default(frames, setting, seed):
    files = np.repeat(np.arange(len(frames)), frames)
    table = pd.DataFrame(index=range(len(files)))
    splits = Split(seed=seed, **setting).assign(table, files)
    check_whole(splits, len(files))
    assert sum(len(np.unique(files[part])) for part in parts(splits)) == len(frames)
    alone = Split(seed=seed, group=None, **setting).assign(table, files)
    one_each = Split(seed=seed, **setting).assign(table, np.arange(len(files)))
    nothing = Split(seed=seed, **setting).assign(table)
    for other in (one_each, nothing):
        assert all((a == b).all() for a, b in zip(parts(alone), parts(other), strict=True))


def test_what_the_user_says_of_groups_and_parts_stands_before_the_files():
    files = np.repeat(np.arange(5), 4)
    table = pd.DataFrame({"well": np.tile([0, 1, 2, 3], 5), "split": ["train"] * 10 + ["test"] * 10})
    wells = [set(table["well"].iloc[part]) for part in parts(Split(group="well").assign(table, files))]
    assert sum(map(len, wells)) == 4
    given = Split(column="split", validation=2).assign(table, files)
    np.testing.assert_array_equal(given.test, np.arange(10, 20))
    assert len(given.validation) == 2


@pytest.mark.parametrize("files", [[0] * 20, [0] * 10 + [1] * 10])
def test_frames_are_drawn_where_there_are_too_few_files(files):
    table = pd.DataFrame(index=range(20))
    assert len(Split().assign(table, np.array(files)).test) == 2


@pytest.mark.parametrize("count", [3, 6, 12])
def test_a_few_images_give_one_to_each_part(count):
    splits = Split().assign(pd.DataFrame(index=range(count)))
    assert [len(part) for part in parts(splits)] == [count - 2, 1, 1]


@pytest.mark.parametrize("count", [1, 2])
def test_too_few_images_are_refused_with_what_helps(count):
    with pytest.raises(InputError, match=rf"got 2 of {count}. Make both smaller, or one of them 0"):
        Split().assign(pd.DataFrame(index=range(count)))


def test_stratified_groups_keep_both_promises():
    plate = np.repeat(np.arange(40), 10)
    table = pd.DataFrame({"plate": plate, "moa": np.where(plate % 4 == 0, "rare", "common")})
    splits = Split(validation=0.2, test=0.2, group="plate", stratify="moa").assign(table)
    assert all(
        len(set(table["plate"].iloc[p]) & set(table["plate"].iloc[splits.train])) == 0 for p in parts(splits)[1:]
    )
    for part in (splits.validation, splits.test):
        assert (table["moa"].iloc[part] == "rare").mean() == pytest.approx(0.25)


def test_a_column_says_the_parts_and_validation_is_taken_out_of_train():
    table = pd.DataFrame({"split": ["train"] * 90 + ["test"] * 10})
    splits = Split(column="split", validation=20).assign(table)
    assert (len(splits.train), len(splits.validation)) == (70, 20)
    np.testing.assert_array_equal(splits.test, np.arange(90, 100))
    assert (len(Split(column="split", validation=0.2).assign(table).validation)) == 18
    given_all = pd.DataFrame({"split": ["test", "validation", "train"]})
    assert [part.tolist() for part in parts(Split(column="split").assign(given_all))] == [[2], [1], [0]]


def test_other_seeds_give_other_parts():
    table = pd.DataFrame({"x": range(100)})
    assert (Split(seed=0).assign(table).test != Split(seed=1).assign(table).test).any()


ONE = pd.DataFrame(
    {"label": ["a", "a", "b"], "well": [1, 1, 1], "split": ["train", "trian", "test"], "gap": [1, None, 2]}
)


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ({"group": "wel"}, "^group.*did you mean well"),
        ({"stratify": "x"}, "^stratify should be a known name"),
        ({"column": "spilt"}, "did you mean split"),
        ({"column": "split"}, "hold only train, validation and test, got 'trian'"),
        ({"column": "gap"}, "hold only train, validation and test"),
        ({"group": "well"}, "at least 3 groups, one for each part, got 1"),
        ({"group": "gap"}, "have a value for every image, got 1 missing"),
        ({"stratify": "label"}, "give every class at least 3 images, got 1 for 'b'"),
        ({"test": 3}, "leave with test images to train on"),
    ],
)
def test_refusals_say_what_and_how(setting, words):
    with pytest.raises(InputError, match=words):
        Split(**setting).assign(ONE)


def test_a_column_must_not_divide_a_group():
    table = pd.DataFrame({"well": ["A1", "A1", "A2"], "split": ["train", "test", "train"]})
    with pytest.raises(InputError, match="keep each group of 'well' in one part, got group 'A1' in several"):
        Split(column="split", group="well").assign(table)


def test_sizes_must_be_shares_or_counts():
    with pytest.raises(InputError, match=r"^validation should be a share from 0 to below 1, or a whole number"):
        Split(validation=1.5)


def test_shares_must_leave_something():
    with pytest.raises(InputError, match=r"^validation should sum with test to less than 1, got 0\.5"):
        Split(validation=0.5, test=0.5)
