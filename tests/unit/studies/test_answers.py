"""What studies ask, and the sentences that answer."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from vaelab.errors import InputError
from vaelab.evaluation import all_metrics
from vaelab.metrics import Score
from vaelab.presets import digits
from vaelab.report.answers import _sentences
from vaelab.report.page import parts
from vaelab.runs.differences import Difference, Line
from vaelab.runs.ranking import Ranking
from vaelab.studies import Asked, Measuring, Shown, Study, read_study, studies, write_study


def line(name: str, value: float, away: float | None = None, half: float = 0.5, **more) -> Line:
    """A line, set against another from which it is so far away if that is said."""
    score = Score(
        metric="elbo", value=value, unit="nats per image", better="higher", count=9, interval=(value - 1, value + 1)
    )
    difference = None
    if away is not None:
        difference = Difference(value=away, interval=(away - half, away + half), better="higher")
    return Line(entry=name, score=replace(score, **more), seeds=(value,), difference=difference)


def said(*lines: Line, against: str = "", reasons: dict[str, str] | None = None, missing: tuple[str, ...] = ()) -> str:
    base = next((each.entry for each in lines if each.difference is None), "")
    found = Ranking(lines=lines, against=base, reasons=reasons or {})
    return " ".join(_sentences(found, against, {}, missing)).replace("\N{MINUS SIGN}", "-")


@pytest.mark.parametrize(
    ("lines", "against", "sentence"),
    [
        (
            (line("b", -90.0), line("a", -92.0, -2.0)), "",
            "`a` is worse than `b` by 2.00 (1.50 to 2.50): -92 against -90 nats per image.",
        ),
        (
            (line("a", -88.0, 2.0), line("b", -90.0)), "b",
            "`a` is better than `b` by 2.00 (1.50 to 2.50): -88 against -90 nats per image.",
        ),
        (
            (line("b", -90.0), line("a", -90.1, -0.1)), "",
            "No difference is seen between `a` and `b` (-0.60 to 0.40): -90.1 against -90 nats per image.",
        ),
        (
            (line("b", -90.0), line("a", -90.1, -0.1), line("c", -95.0, -5.0)), "",
            "Best is `b`, -90 nats per image, -91 to -89; worse: `c` by 5.00 (4.50 to 5.50); "
            "no difference from it is seen for `a`.",
        ),
        (
            (line("c", -80.0, 10.0), line("b", -90.0), line("a", -95.0, -5.0)), "b",
            "Set against `b` (-90 nats per image, -91 to -89); better: `c` by 10.00 (9.50 to 10.50); "
            "worse: `a` by 5.00 (4.50 to 5.50).",
        ),
    ],
)  # fmt: skip
def test_words_go_as_far_as_the_intervals(lines, against, sentence):
    assert said(*lines, against=against) == sentence


def test_several_seeds_must_agree():
    seeds = Difference(value=-2.0, interval=(-2.5, -1.5), over_seeds=(-5.0, 1.0), better="higher")
    found = said(line("b", -90.0), replace(line("a", -92.0), difference=seeds))
    assert found.startswith("No difference is seen between `a` and `b` (-5.0 to 1.0)")


def test_where_nothing_is_paired_intervals_must_be_apart():
    base, near, far = line("b", 9.0), line("a", 8.0), line("a", 4.0)
    for other, begins in ((near, "No difference is seen"), (far, "`a` is worse than `b` by 5.0 (their intervals are")):
        found = Ranking(lines=(base, other), against="b", reasons={})
        assert next(_sentences(found, "", {}, ())).startswith(begins)


def test_what_cannot_be_compared_says_why():
    assert said(reasons={"a": "it is of other data. Take the same."}) == "Cannot be compared: it is of other data."
    found = said(line("b", 1.0), line("c", 1.5, 0.5, 0.1), reasons={"a": "other data"}, missing=("d",))
    assert found.endswith("Not compared: `a` (other data). Not done: `d`.")


def test_what_a_study_asks_is_written_and_read_back(tmp_path):
    study = Study(
        name="s",
        experiments=(digits(),),
        questions=(Asked(text="Which?", metric="mse", experiments=("digits",)),),
        pictures=(Shown(part="plane", asks="Where?"),),
        measuring=Measuring(labels="label", num_images=9),
    )
    write_study(study, tmp_path / "s.json")
    assert read_study(tmp_path / "s.json") == study
    record = json.loads((tmp_path / "s.json").read_text())
    record["questions"][0]["against"] = "nobody"
    (tmp_path / "s.json").write_text(json.dumps(record))
    with pytest.raises(InputError, match=r"questions\[0\] should be a known name, got 'nobody'\. Known: digits"):
        read_study(tmp_path / "s.json")


@pytest.mark.parametrize("name", list(studies()))
def test_a_study_by_name_asks_for_what_there_is(name):
    study = studies()[name](quick=True)
    assert study.questions
    assert all_metrics([asked.metric for asked in study.questions])
    assert {shown.part for shown in study.pictures} <= set(parts())
    assert all(asked.text.count("?") == 1 for asked in study.questions)
    assert len(study.runs("x")) <= 15
