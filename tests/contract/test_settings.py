"""What holds for every settings class: those that an experiment is made of, and every command's options.

Values are drawn from the ranges that stand in the types: a field that is added is tested by existing.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import MISSING, fields, is_dataclass, replace
from itertools import islice
from types import ModuleType
from typing import Any, Literal, get_args, get_origin

import pytest
from annotated_types import Ge, Gt, Le, Lt
from hypothesis import given, settings
from hypothesis import strategies as st

import vaelab.cli
from vaelab.catalogue import members, name_of
from vaelab.cli import commands
from vaelab.cli._options import Argument, Rest
from vaelab.cli._parser import Parser, flag_of
from vaelab.data.sources.folder import FolderSource
from vaelab.errors import InputError
from vaelab.experiment import Experiment
from vaelab.presets import digits, preset
from vaelab.settings.fields import bare, contract_of, describe, field_docs, field_types, limits, marks, options
from vaelab.settings.help import as_text
from vaelab.settings.ranges import Settings, is_place
from vaelab.settings.record import from_record, to_record
from vaelab.settings.text import override

pytestmark = pytest.mark.filterwarnings("ignore:Do not use the .random. module")
"""The checks of shapes and types in the tests draw from it, inside the constructors that the strategies call."""


def parts_of(kind: Any, seen: dict[type, None]) -> dict[type, None]:
    """Every class that stands, however deep, in a field of the type."""
    for option in options(kind):
        if get_origin(option) is tuple:
            for item in get_args(option):
                parts_of(item, seen)
        elif is_dataclass(option):
            for cls in members(contract_of(option)).values() if contract_of(option) else [option]:
                if cls not in seen:
                    seen[cls] = None
                    for inner in field_types(cls).values():
                        parts_of(inner, seen)
    return seen


def options_of(package: ModuleType) -> Iterator[type]:
    """The options of every command."""
    for module in commands(package).values():
        if hasattr(module, "__path__"):
            yield from options_of(module)
        else:
            yield module.Options


PARTS = list(parts_of(Experiment, {}))
OPTIONS = list(options_of(vaelab.cli))
FIELDS = [(cls, name) for cls in [*PARTS, *OPTIONS] for name in field_types(cls)]


def name_of_test(value: object) -> str:
    """``elbo-rate_weight``, ``train-seeds``."""
    return name_of(value) if isinstance(value, type) else str(value)


every_class = pytest.mark.parametrize("cls", [*PARTS, *OPTIONS], ids=name_of_test)


def example(cls: type) -> Any:
    """A part with its defaults, and something simple where there is none."""
    if cls is Experiment:
        return digits()
    required = [f.name for f in fields(cls) if f.default is MISSING and f.default_factory is MISSING]
    return cls(**{name: simple(field_types(cls)[name]) for name in required})


def simple(kind: Any) -> Any:
    """A value of a field without a default."""
    first = options(kind)[0]
    if is_dataclass(first):
        return example(next(iter(members(contract_of(first)).values())) if contract_of(first) else first)  # pyright: ignore
    return {str: "a", int: 1, float: 1.0}[first] if get_origin(first) is not tuple else ()


def inside(kind: Any) -> st.SearchStrategy:
    """Values of a type, in its range."""
    return st.one_of([_inside(option, limits(kind)) for option in options(kind)])


def _inside(kind: Any, within: tuple) -> st.SearchStrategy:
    low = next((mark for mark in within if isinstance(mark, Ge | Gt)), None)
    high = next((mark for mark in within if isinstance(mark, Le | Lt)), None)
    least = None if low is None else low.ge if isinstance(low, Ge) else low.gt
    most = None if high is None else high.le if isinstance(high, Le) else high.lt
    if get_origin(kind) is Literal:
        return st.sampled_from(get_args(kind))
    if get_origin(kind) is tuple:
        inner = get_args(kind)
        if inner[-1] is Ellipsis:
            return st.lists(inside(inner[0]), max_size=4).map(tuple)
        return st.tuples(*map(inside, inner))
    if is_dataclass(kind):
        contract = contract_of(kind)
        fitting = [cls for cls in members(contract).values() if issubclass(cls, kind)] if contract else [kind]  # pyright: ignore
        return st.sampled_from([example(cls) for cls in fitting])
    if kind is int:
        assert not isinstance(low, Gt), "a whole number above something is at least one more"
        return st.integers(least, (least or 0) + 600 if most is None else most)
    if kind is float:
        least, most = (None if end is None or math.isinf(end) else float(end) for end in (least, most))
        above, below = isinstance(low, Gt) and least is not None, isinstance(high, Lt) and most is not None
        return st.floats(
            least, most, exclude_min=above, exclude_max=below, allow_nan=False, allow_infinity=high is None
        )
    return {bool: st.booleans(), str: st.text("abcXYZ_./0", max_size=8), type(None): st.none()}[kind]


TEXTS = {"channel_pattern": r"_(?P<channel>w\d)", "axes": "YX", "held_out": "x>=1", "condition": "label:category"}
"""Texts that have a grammar of their own, by their field."""


def some(kind: Any, name: str) -> list[Any]:
    """A few values of a type, in its range: from its lower end, and each that it names."""
    return [value for option in options(kind) for value in _some(option, limits(kind), name)]


def _some(kind: Any, within: tuple, name: str) -> list[Any]:
    low = next((mark.ge if isinstance(mark, Ge) else mark.gt for mark in within if isinstance(mark, Ge | Gt)), 0)
    high = next(
        (mark.le if isinstance(mark, Le) else mark.lt for mark in within if isinstance(mark, Le | Lt)), math.inf
    )
    if get_origin(kind) is Literal:
        return list(get_args(kind))
    if get_origin(kind) is tuple:
        inner = get_args(kind)
        items = [some(item, name)[:3] for item in inner if item is not Ellipsis]
        if inner[-1] is not Ellipsis:
            return [tuple(values) for values in zip(*items, strict=True)]
        return [(), tuple(items[0]), *[tuple(items[0][:1]) * count for count in (1, 2, 3, 4)]]
    if is_dataclass(kind):
        contract = contract_of(kind)
        fitting = [cls for cls in members(contract).values() if issubclass(cls, kind)] if contract else [kind]  # pyright: ignore
        return [example(cls) for cls in fitting]
    if kind is float:
        return [value for value in (low + min(high - low, 1) * share for share in (0.25, 0.5, 0.75)) if value < high]
    texts = ["label", "a/b", TEXTS.get(name, "x")]
    return {bool: [False, True], int: [int(low) + i for i in (0, 1, 2, 7)], str: texts, type(None): [None]}[kind]


def outside(kind: Any) -> list[float]:
    """Numbers just outside the range of a type, or of its items."""
    found = []
    for mark in limits(kind):
        if isinstance(mark, Ge):
            found += [mark.ge - 1, -(10**9)]
        elif isinstance(mark, Gt):
            found += [mark.gt, mark.gt - 1]
        elif isinstance(mark, Le):
            found += [mark.le + 1]
        else:
            found += [mark.lt]
    return found if int in options(kind) else [float(value) for value in found]


def attempt(make: Callable[[], Any]) -> tuple[Any, str]:
    """What is made, and the sentence with which it is refused."""
    try:
        return make(), ""
    except InputError as refusal:
        return None, str(refusal)


def test_families_and_commands_were_found():
    found = {name_of(cls) for cls in PARTS}
    assert {
        "elbo",
        "vae",
        "two_stage",
        "mlp",
        "gaussian",
        "mixture",
        "nwj",
        "separable",
        "dip",
        "folder",
        "split",
    } <= found
    assert {name_of(cls) for cls in OPTIONS} >= {"train", "evaluate", "synthesize"}


@every_class
def test_it_is_a_settings_class_and_every_field_has_words_and_a_type_that_can_be_written(cls):
    assert issubclass(cls, Settings)
    docs = field_docs(cls)
    for name, kind in field_types(cls).items():
        assert docs.get(name, "").endswith((".", ")", "``")), f"{cls.__name__}.{name} has no sentence below it"
        assert "<" not in describe(kind), f"{cls.__name__}.{name}: {kind} cannot be written and read"


@every_class
def test_values_in_range_are_taken_or_refused_by_a_fields_name_and_read_back_exactly(cls):
    before, kinds = example(cls), field_types(cls)
    if not kinds:
        return

    @settings(max_examples=8 * len(kinds))
    @given(st.one_of([st.tuples(st.just(name), inside(kind)) for name, kind in kinds.items()]))
    def take(change):
        name, value = change
        part, said = attempt(lambda: replace(before, **{name: value}))
        if said:  # what only the class knows, such as that low is below high
            assert re.match(r"\w+", said)[0] in kinds, said  # pyright: ignore
            return
        again = from_record(cls, json.loads(json.dumps(to_record(part), allow_nan=False)))
        assert again == part
        assert type(again) is type(part)

    take()


RANGED = [(cls, name) for cls, name in FIELDS if outside(field_types(cls)[name])]


@pytest.mark.parametrize(("cls", "name"), RANGED, ids=name_of_test)
def test_a_number_outside_the_range_is_refused_in_one_sentence_that_begins_with_its_name(cls, name):
    before, kind = example(cls), field_types(cls)[name]
    for value in outside(kind):
        _, said = attempt(lambda value=value: replace(before, **{name: value}))
        assert said.startswith(f"{name} should be "), (value, said)
        assert len(said.splitlines()) == 1


LISTED = [(cls, name) for cls, name in FIELDS if any(get_origin(o) is tuple for o in options(field_types(cls)[name]))]


@pytest.mark.parametrize(("cls", "name"), LISTED, ids=name_of_test)
def test_an_item_outside_the_range_is_refused_with_its_place(cls, name):
    before = example(cls)
    inner = next(get_args(option) for option in options(field_types(cls)[name]) if get_origin(option) is tuple)
    for value in outside(inner[0]):
        items = (value,) * (1 if inner[-1] is Ellipsis else len(inner))
        _, said = attempt(lambda items=items: replace(before, **{name: items}))
        assert said.startswith(f"{name}[0] should be "), (value, said)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@every_class
def test_any_value_in_any_field_gives_a_part_or_one_sentence(cls):
    @settings(max_examples=30)
    @given(st.dictionaries(st.sampled_from(sorted(field_types(cls)) or ["nothing"]), json_values, max_size=3))
    def refused_or_read(record):
        kind = {"kind": name_of(cls)} if contract_of(cls) else {}
        part, said = attempt(lambda: from_record(cls, record | kind))
        assert "\n" not in said
        if not said:
            assert from_record(cls, to_record(part)) == part

    refused_or_read()


def has_text(kind: Any) -> bool:
    """Whether any value of the type can be said in one text."""
    lists = [get_args(option)[0] for option in options(kind) if get_origin(option) is tuple]
    single = all(contract_of(option) or not is_dataclass(option) for option in options(kind))
    return single and not any(get_origin(bare(item)) is tuple for item in lists)


TYPED = [(cls, name) for cls, name in FIELDS if cls in PARTS and has_text(field_types(cls)[name])]


@pytest.mark.parametrize(("cls", "name"), TYPED, ids=name_of_test)
def test_a_field_is_set_from_the_text_that_help_shows_of_it(cls, name):
    before = example(cls)
    for value in some(field_types(cls)[name], name):
        part, said = attempt(lambda value=value: replace(before, **{name: value}))
        nested = [item for item in (value if isinstance(value, tuple) else (value,)) if is_dataclass(item)]
        if not said and all(simple_defaults(item) for item in nested) and not stands(getattr(before, name), value):
            assert override(before, [(name, as_text(value))]) == part, value


def stands(old: Any, new: Any) -> bool:
    """Whether a member of a family stands there already, which its name alone then leaves as it is."""
    return is_dataclass(old) and type(old) is type(new)


def simple_defaults(part: Any) -> bool:
    """Whether the part is what its name alone gives."""
    with suppress(TypeError):
        return type(part)() == part
    return False


FLAGS = [(cls, name) for cls, name in FIELDS if cls in OPTIONS and Rest() not in marks(field_types(cls)[name])]


@pytest.mark.parametrize(("cls", "name"), FLAGS, ids=name_of_test)
def test_a_flag_is_read_into_its_field_and_refused_by_its_name(cls, name):
    kind, parser = field_types(cls)[name], Parser(cls, "vaelab x")
    flag, more = flag_of(name, kind), needed(cls, name)
    for value in some(kind, name):
        if value in (None, (), "", False):
            continue
        words = [] if kind is bool else [as_text(item) for item in (value if isinstance(value, tuple) else (value,))]
        if name in parser.arguments:
            place = parser.arguments.index(name)
            typed = [*more[:place], *words, *more[place:]]
        else:
            typed = [*more, flag, *words]
        options, said = attempt(lambda typed=typed: parser.read(typed))
        assert said or getattr(options, name) == value
        assert not said or said.startswith(f"{flag} should be "), said
    for value in outside(kind):
        _, said = attempt(lambda value=value: parser.read([*more, flag, str(value)]))
        assert said.startswith(f"{flag} should be "), said


def needed(cls: type, name: str) -> list[str]:
    """What must be typed besides one field."""
    words = []
    for field in fields(cls):
        if field.default is MISSING and field.default_factory is MISSING and field.name != name:
            kind = field_types(cls)[field.name]
            is_argument = any(isinstance(mark, Argument) for mark in marks(kind))
            words += ["a"] if is_argument else [flag_of(field.name, kind), "a"]
    return words


def paths(part: Any, before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The path of every field of a part, however deep, that holds no settings class itself."""
    for name in field_types(type(part)):
        inner = getattr(part, name)
        if is_dataclass(inner):
            yield from paths(inner, (*before, name))
        else:
            yield (*before, name)


def changed(part: Any, path: tuple[str, ...], value: Any) -> Any:
    """The part with one field, however deep, of another value."""
    name, *rest = path
    return replace(part, **{name: changed(getattr(part, name), tuple(rest), value) if rest else value})


WHOLE = [digits(), preset("images", FolderSource(path="a/")), preset("sprites")]
EVERY_PATH = {path: whole for whole in WHOLE for path in paths(whole)}


@pytest.mark.parametrize("path", EVERY_PATH, ids=".".join)
def test_the_hash_changes_with_what_decides_numbers_and_with_nothing_else(path):
    whole = EVERY_PATH[path]
    part = whole
    for name in path[:-1]:
        part = getattr(part, name)
    kind, old = field_types(type(part))[path[-1]], getattr(part, path[-1])
    decides = path[0] in ("data", "model", "objective", "training", "seed") and not is_place(kind)

    values = (value for value in some(kind, path[-1]) if value != old)
    tried = (attempt(lambda value=value: changed(whole, path, value))[0] for value in values)
    others = list(islice((other for other in tried if other is not None), 2))
    assert others, f"no other value of {path} was found: say one in TEXTS"
    assert [other.hash != whole.hash for other in others] == [decides] * len(others)
