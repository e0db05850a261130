"""Text tables: what was written is read back, in any dialect, or refused; joins are on the column that names files."""

from __future__ import annotations

import csv
import io
import zipfile

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from vaelab.data import open_source
from vaelab.data.join import join
from vaelab.data.sources.folder import FolderSource
from vaelab.data.tables import TextTable, read_table, typed
from vaelab.errors import InputError
from vaelab.evaluation import read_table as read_codes

ROWS = [("a.png", "control", "0.25"), ("b.png", "NA", "1.50"), ("c.png", "", "-3")]


def write(path, rows, separator=",", encoding="utf-8", **options):
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=separator, **options).writerows(rows)
    path.write_bytes(text.getvalue().encode(encoding))
    return path


@pytest.fixture
def images(tmp_path):
    """Makes a folder of small images of these names; each shows its place in the list."""

    def make(*names):
        for i, name in enumerate(names):
            (tmp_path / "images" / name).parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.full((8, 8), i, np.uint8)).save(tmp_path / "images" / name)
        return tmp_path / "images"

    return make


def labelled(folder, table):
    return FolderSource(path=str(folder), labels=str(table)).load()


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("options", [{}, {"lineterminator": "\n"}, {"quoting": csv.QUOTE_ALL}])
def test_every_dialect_gives_the_same_table(tmp_path, separator, encoding, options):
    place = write(tmp_path / "t.csv", [("file", "label", "dose"), *ROWS], separator, encoding, **options)
    frame = read_table(place, "path").frame
    assert list(frame) == ["file", "label", "dose"]
    assert frame["label"].tolist()[:2] == ["control", "NA"]
    assert frame["label"].isna().tolist() == [False, False, True]
    assert frame["dose"].tolist() == [0.25, 1.5, -3]


def test_decimal_commas_beside_semicolons_are_numbers_and_it_is_said(tmp_path):
    place = write(tmp_path / "t.csv", [("file", "dose", "size"), ("a", "0,25", "1,234.5"), ("b", "3", "2")], ";")
    table = read_table(place, "path")
    assert table.frame["dose"].tolist() == [0.25, 3]
    assert table.frame["size"].tolist() == ["1,234.5", "2"]
    assert "a comma in a number is its decimal point" in table.notes[0]


def test_blanks_after_separators_are_no_part_of_cells_where_the_first_line_has_them(tmp_path):
    (tmp_path / "t.csv").write_text('file, label, dose\na.png, control, 1\nb.png, "x, y", 2\n')
    frame = read_table(tmp_path / "t.csv", "path").frame
    assert frame.to_dict("list") == {"file": ["a.png", "b.png"], "label": ["control", "x, y"], "dose": [1, 2]}
    (tmp_path / "t.csv").write_text("file,label\na.png, control\n")
    assert read_table(tmp_path / "t.csv", "path").frame["label"].tolist() == [" control"]


def test_the_separator_that_excel_names_first_is_taken(tmp_path):
    (tmp_path / "t.csv").write_text("sep=;\r\na;b\r\n1,5;x\r\n")
    assert read_table(tmp_path / "t.csv", "path").frame.to_dict("list") == {"a": [1.5], "b": ["x"]}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a,b\n1,2,3\n", "whose line 2 has 3 cells where the first has 2"),
        (b"a,b\n1,2\n3\n", "whose line 3 has 1 cells where the first has 2"),
        (b'a,b\n1,"2\n', "line 2: unexpected end of data"),
        (b"a,a\n1,2\n", "'a' twice"),
        (b"a;x,b;x\n1;2,3;4\n", "commas and semicolons separate equally well"),
        (b"a,b\n", "without rows"),
        (b"\n\n", "which is empty"),
        ("a,b\n1,trait\xe9\n".encode("latin-1"), "other bytes in line 2. Save it as CSV UTF-8."),
        (b"a,b\n1,2\0\n", "bytes that are no text"),
    ],
)
def test_what_is_no_table_is_refused_with_what_helps(tmp_path, content, said):
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(InputError) as refused:
        read_table(tmp_path / "t.csv", "path")
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["1", "2"], [1, 2]),
        (["0", "-5"], [0, -5]),
        (["1", "2.5"], [1, 2.5]),
        ([".5", "1e-05", "1.5E3", "2E+2"], [0.5, 1e-5, 1500, 200]),
        (["True", "False"], [True, False]),
        (["9007199254740993"], [9007199254740993]),
        *[
            (cells, cells)
            for cells in (
                ["007", "7"],
                ["1E2", "100"],
                ["NA", "1"],
                ["None", "null"],
                ["true", "FALSE"],
                ["1,5"],
                ["+5", "5"],
                ["0x10"],
                ["1_000"],
                ["nan"],
                ["inf", "1"],
                ["1e+999"],
                [" 1"],
                ["99999999999999999999"],
                ["9007199254740993", "0.5"],
                ["\u0661"],
            )
        ],
    ],
)
def test_a_column_is_numbers_only_where_each_cell_is_plainly_one(cells, values):
    column = typed(cells)
    assert column.tolist() == values
    assert [type(value) for value in column.tolist()] in [[type(v) for v in values], [float] * len(values)]


def test_a_gap_is_an_empty_cell_in_every_kind_of_column():
    np.testing.assert_array_equal(typed(["1", "", "3"]), [1, np.nan, 3])
    assert typed(["True", ""]).tolist()[0] == "True"
    big = typed(["9007199254740993", ""])
    assert big.tolist()[0] == "9007199254740993"
    assert np.isnan(big.tolist()[1])
    assert np.isnan(typed(["", ""])).all()


def test_a_long_column_has_one_type(tmp_path):
    plates = [str(1 + i % 6) for i in range(300_000)] + ["A"]
    write(tmp_path / "t.csv", [("plate", "x"), *((plate, "1") for plate in plates)])
    assert read_table(tmp_path / "t.csv", "path").frame["plate"].tolist() == plates


def test_a_word_for_a_gap_among_numbers_is_text_and_said(tmp_path):
    write(tmp_path / "t.csv", [("dose", "label"), ("1.5", "NA"), ("NA", "DMSO")])
    assert [note.split(" of ")[0] for note in read_table(tmp_path / "t.csv", "path").notes] == ["column 'dose'"]


CELLS = st.one_of(
    st.sampled_from(["", "NA", "007", "7", "1E2", "100", "1.0", "1.50", "True", "None", "-0", " x", "a;b", "a,b", '"']),
    st.integers().map(str),
    st.floats(allow_nan=False).map(repr),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=8),
)
COLUMNS = st.one_of(
    st.lists(CELLS, min_size=3, max_size=3),
    st.lists(st.integers(-(2**70), 2**70).map(str), min_size=3, max_size=3),
    st.lists(st.floats(allow_nan=False, allow_infinity=False).map(repr), min_size=3, max_size=3),
)


@settings(max_examples=300, deadline=None)
@given(
    columns=st.lists(COLUMNS, min_size=1, max_size=4),
    separator=st.sampled_from(",;\t"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    ending=st.sampled_from(["\n", "\r\n"]),
    by_pandas=st.booleans(),
)
def test_a_table_by_any_writer_is_read_back_exactly_or_refused(
    tmp_path_factory, columns, separator, encoding, quoting, ending, by_pandas
):
    place = tmp_path_factory.mktemp("table") / "t.csv"
    written = {f"c{i}": column for i, column in enumerate(columns)}
    if by_pandas:
        pd.DataFrame(written).to_csv(
            place, sep=separator, encoding=encoding, quoting=quoting, lineterminator=ending, index=False
        )
    else:
        rows = [tuple(written), *zip(*columns, strict=True)]
        write(place, rows, separator, encoding, quoting=quoting, lineterminator=ending)
    try:
        table = read_table(place, "path")
    except InputError as error:
        one_column_with_others_separators = len(columns) == 1 and any(set(cell) & set(",;\t") for cell in columns[0])
        if error.should == "be separated in one way" or one_column_with_others_separators:
            return
        raise
    assert table.columns == written
    for name, cells in written.items():
        values = table.frame[name].tolist()
        for cell, value in zip(cells, values, strict=True):
            if cell == "":
                assert pd.isna(value)
            elif isinstance(value, str | int):
                assert str(value) == cell
            else:
                assert value == float(cell.replace(",", ".") if separator != "," else cell)
                assert cell.lstrip("-").startswith(("0.", "0e", ".", *"123456789")) or cell in ("0", "-0")


NAMES = st.lists(
    st.tuples(st.sampled_from(["", "a/", "b/c/"]), st.sampled_from(["1", "2", "3", "01", "001", "x"])),
    min_size=3,
    max_size=8,
    unique=True,
).map(lambda pairs: [f"{folder}{stem}.png" for folder, stem in pairs])


@settings(max_examples=300)
@given(names=NAMES, how=st.sampled_from(["path", "longer", "name", "stem"]), data=st.data())
def test_a_join_gives_each_file_its_own_row_or_none(names, how, data):
    order = data.draw(st.permutations(names))
    spelled = {
        "path": order,
        "longer": [f"C:\\all\\{name}".replace("/", "\\") for name in order],
        "name": [name.rpartition("/")[2] for name in order],
        "stem": [name.rpartition("/")[2].removesuffix(".png") for name in order],
    }[how]
    start = data.draw(st.sampled_from([0, 1]))
    columns = {
        "n": [str(i + start) for i in range(len(order))],
        "key": spelled,
        "label": [f"L{names.index(name)}" for name in order],
    }
    columns = {name: columns[name] for name in data.draw(st.permutations(list(columns)))}
    try:
        joined = join(names, TextTable("t.csv", columns))
    except InputError:
        assert how in ("name", "stem")
        return
    assert joined.facts["label"].tolist() == [f"L{i}" for i in joined.kept]
    assert how in ("name", "stem") or len(joined.kept) == len(names)


def test_the_column_that_names_most_files_is_joined_on_and_said(images, tmp_path):
    folder = images(*(f"{i}.png" for i in range(1, 31)))
    order = np.random.default_rng(0).permutation(np.arange(1, 31))
    rows = [(n, f"{k}.png", f"L{k}") for n, k in enumerate(order)]
    found = labelled(folder, write(tmp_path / "t.csv", [("id", "filename", "label"), *rows]))
    assert found.table["label"].tolist() == [f"L{path.removesuffix('.png')}" for path in found.table["path"]]
    assert len(found) == 30
    assert "joined on its column 'filename': 30 of 30 files, 30 of 30 rows" in found.notes[0]


def test_a_running_number_is_no_name_unless_it_fits_all_alone(images, tmp_path):
    folder = images(*(f"{i}.png" for i in range(1, 6)))
    off_by_one = write(tmp_path / "t.csv", [("id", "label"), *((i, f"L{i}") for i in range(5))])
    with pytest.raises(InputError, match=r"got the running number 'id'\. Add the names of the files."):
        labelled(folder, off_by_one)
    fits = write(tmp_path / "t.csv", [("id", "label"), *((i, f"L{i}") for i in range(1, 6))])
    assert labelled(folder, fits).table["label"].tolist() == [f"L{i}" for i in range(1, 6)]


def test_two_columns_that_name_files_equally_well_are_refused(images, tmp_path):
    folder = images("a.png", "b.png")
    rows = [("before", "after", "label"), ("a.png", "b.png", "x"), ("b.png", "a.png", "y")]
    with pytest.raises(InputError, match="got 'before' and 'after', which name 2 files each"):
        labelled(folder, write(tmp_path / "t.csv", rows))
    same = [("file", "copy", "label"), ("a.png", "a", "x"), ("b.png", "b", "y")]
    assert labelled(folder, write(tmp_path / "t.csv", same)).table["label"].tolist() == ["x", "y"]


def test_padded_names_are_not_numbers(images, tmp_path):
    folder = images("1.png", "001.png", "2.png", "002.png")
    rows = [("id", "label"), *((name, f"L{name}") for name in ("001", "002", "1", "2"))]
    found = labelled(folder, write(tmp_path / "t.csv", rows))
    assert found.table["label"].tolist() == [f"L{path.removesuffix('.png')}" for path in found.table["path"]]
    padded = labelled(folder, write(tmp_path / "t.csv", rows[:3]))
    assert padded.table.to_dict("list") == {"path": ["001.png", "002.png"], "label": ["L001", "L002"]}


def test_file_names_that_look_like_numbers_are_found(images, tmp_path):
    folder = images("x.png", "y.png")
    (folder / "x.png").rename(folder / "1.10")
    (folder / "y.png").rename(folder / "007")
    place = write(folder / "t.csv", [("path", "dose"), ("1.10", "1"), ("007", "2"), ("", "3")])
    found = open_source(place).load()
    assert found.table["dose"].tolist() == [1, 2]
    assert found.left_out == (("row 3", "names no file"),)


def test_measured_codes_are_read_likewise(tmp_path):
    write(tmp_path / "t.csv", [("z0", "well", "moa"), ("0,5", "1E2", "NA"), ("1", "100", "DMSO")], ";")
    table = read_codes(tmp_path / "t.csv")
    assert table.to_dict("list") == {"z0": [0.5, 1], "well": ["1E2", "100"], "moa": ["NA", "DMSO"]}
    np.savez(tmp_path / "t.npz", z0=np.zeros(2), moa=np.array([b"DMSO", "é".encode()]))
    assert read_codes(tmp_path / "t.npz")["moa"].tolist() == ["DMSO", "é"]


def test_arrays_of_an_npz_that_are_not_read_are_named_with_the_fix(tmp_path):
    images = np.zeros((4, 8, 8), np.uint8)
    labels = np.array(["DMSO", "taxol"] * 2)
    np.savez(
        tmp_path / "t.npz", images=images, moa=labels.astype(object), plate=labels.astype("S5"), short=np.arange(3)
    )
    found = open_source(tmp_path / "t.npz").load()
    assert found.table.to_dict("list") == {"plate": labels.tolist()}
    assert "'moa' is not read, as it holds Python objects: save it as numbers or text" in found.notes[0]
    assert "'short' of shape (3,) is not read" in found.notes[1]


def test_images_of_several_sizes_are_told_how_they_go_together(tmp_path):
    for i in range(4):
        Image.fromarray(np.full((8 + i, 8), i, np.uint8)).save(tmp_path / f"{i}.png")
    assert "--data.source.size HEIGHT,WIDTH" in open_source(tmp_path).load().notes[0]
    assert open_source(tmp_path, size=(8, 8)).load().notes == ()


def test_what_else_lies_in_an_npz_is_named(tmp_path):
    place = tmp_path / "t.npz"
    pairs = np.zeros(4, [("a", int), ("b", float)])
    np.savez(place, images=np.zeros((4, 2, 8, 8), np.uint8), pairs=pairs, waves=np.ones(4) * 1j, channels=["a"] * 2)
    with zipfile.ZipFile(place, "a") as archive:
        archive.writestr("readme.txt", "words")
    found = open_source(place).load()
    assert not len(found.table.columns)
    assert ["readme" in n or "names" in n or "pairs" in n or "waves" in n for n in found.notes] == [True] * 4


def test_two_arrays_of_one_name_are_refused(tmp_path):
    place = tmp_path / "t.npz"
    np.savez(place, images=np.zeros((4, 8, 8), np.uint8))
    with zipfile.ZipFile(place, "a") as archive, archive.open("images", "w") as member:
        np.save(member, np.ones((4, 8, 8), np.uint8))
    with pytest.raises(InputError, match="two arrays of one name"):
        open_source(place).load()


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (["1.1", "1.10"], "'1.1' and '1.10' in it are one value"),
        (["1", "1.0"], "'1' and '1.0' in it are one value"),
        (["0.0", "-0.0"], ""),
        (["DMSO", "DMSO "], "has cells with blanks at an end, which stay: 'DMSO '"),
        (["1.1", "1.2"], ""),
        (["DMSO", "a b"], ""),
    ],
)
def test_two_spellings_are_said(tmp_path, cells, words):
    write(tmp_path / "t.csv", [("file", "x"), *zip("ab", cells, strict=True)])
    notes = " ".join(read_table(tmp_path / "t.csv", "path").notes)
    assert words in notes if words else not notes
