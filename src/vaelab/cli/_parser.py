"""Options read from the command line: by argparse into texts, and by the settings room into values."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import MISSING, fields
from typing import Any, Literal, NoReturn, TypeVar, get_args, get_origin

from vaelab.cli._options import Argument, Flag, Rest, naming
from vaelab.errors import InputError, unknown_name
from vaelab.settings.fields import field_docs, field_types, in_words, limits, marks, options
from vaelab.settings.help import as_text
from vaelab.settings.ranges import is_place
from vaelab.settings.text import parse_value

T = TypeVar("T")


class Parser(argparse.ArgumentParser):
    """argparse, with examples kept as they are written, no guessed abbreviations, and InputError for each mistake.

    Args:
        cls: The settings class whose fields the flags are.
        prog: What the user types before them.
        examples: The end of the help.
    """

    def __init__(self, cls: type, prog: str, examples: str = ""):
        about = (cls.__doc__ or "").splitlines()[0]
        layout = argparse.RawDescriptionHelpFormatter
        super().__init__(prog, description=about, epilog=examples, formatter_class=layout, add_help=False,
                         argument_default=argparse.SUPPRESS, allow_abbrev=False)  # fmt: skip
        self.cls, self.arguments = cls, [name for name, kind in field_types(cls).items() if _argument(kind)]
        own = [*self.arguments, *vars(cls).get("__annotations__", ())]
        for field in sorted(fields(cls), key=lambda field: field.name not in own):
            self._declare(field)
        self.asks = any(field.default is MISSING and field.default_factory is MISSING for field in fields(cls))
        """Whether something must be given."""
        self.add_argument("-h", "--help", action="store_true", help="Show this.")
        self.rest = next((name for name, kind in field_types(cls).items() if Rest() in marks(kind)), None)
        if self.rest:
            self.usage = f"{self.format_usage().removeprefix('usage: ').strip()} [--FIELD.PATH VALUE ...]"

    def error(self, message: str) -> NoReturn:
        """Raises InputError."""
        usage = " ".join(self.format_usage().removeprefix("usage: ").split())
        raise InputError("the command", f"read {usage}", f"a mistake: {message}", f"See {self.prog} --help.")

    def read(self, argv: Sequence[str]) -> Any:
        """The options that the arguments stand for.

        Raises:
            InputError: A flag is not known, or a value is not one that its field takes.
        """
        flags = {flag for flag in self._option_string_actions if flag.startswith("--")}
        own, settings = _split(argv, flags, takes_settings=self.rest is not None)
        values = {name: self._value(name, text) for name, text in vars(self.parse_intermixed_args(own)).items()}
        with naming({name: flag_of(name, kind) for name, kind in field_types(self.cls).items()}):
            return self.cls(**values | ({self.rest: tuple(settings)} if self.rest else {}))

    def _declare(self, field: Any) -> None:
        kind = field_types(self.cls)[field.name]
        many = any(get_origin(option) is tuple for option in options(kind))
        required = field.default is MISSING and field.default_factory is MISSING
        words: dict[str, Any] = {"help": _help(kind, field_docs(self.cls).get(field.name, ""), field.default)}
        if Rest() in marks(kind):
            return
        if place := _argument(kind):
            number = ("+" if required else "*") if many else (None if required else "?")
            self.add_argument(field.name, metavar=place, nargs=number, **words)
        elif kind is bool:
            self.add_argument(flag_of(field.name, kind), dest=field.name, action="store_true", **words)
        else:
            flag = _flag(kind)
            names = [*([flag.short] if flag.short else []), flag_of(field.name, kind)]
            words |= {"metavar": flag.metavar or _metavar(kind, field.name), "nargs": "+" if many else None}
            self.add_argument(*names, dest=field.name, required=required, **words)

    def _value(self, name: str, text: Any) -> Any:
        kind = field_types(self.cls)[name]
        where = flag_of(name, kind)
        if isinstance(text, list):
            items = get_args(next(option for option in options(kind) if get_origin(option) is tuple))[0]
            return tuple(parse_value(items, _at_home(items, item, where), where) for item in text)
        return parse_value(kind, _at_home(kind, text, where), where) if isinstance(text, str) else text


def _at_home(kind: Any, text: str, where: str) -> str:
    """A path with the home folder in place of ``~``, which shells leave in ``--out=~/runs``; any other text itself."""
    if not is_place(kind):
        return text
    if not text:
        raise InputError(where, "be a path", "nothing")
    return os.path.expanduser(text)


def flag_of(name: str, kind: Any) -> str:
    """What the user types for a field: its flag, or the word that help has for an argument."""
    return _argument(kind) or _flag(kind).name or f"--{name.replace('_', '-')}"


def _split(argv: Sequence[str], own: set[str], *, takes_settings: bool) -> tuple[list[str], list[tuple[str, str]]]:
    """The arguments without ``--field.path value`` and ``--field.path=value``, and these as (path, value)."""
    rest, settings, tokens = [], [], iter(argv)
    for token in tokens:
        name, equals, value = token.partition("=")
        if not token.startswith("--") or token == "--" or name in own:
            rest.append(token)
            continue
        if not takes_settings:
            raise unknown_name(name, name.removeprefix("--"), [flag.removeprefix("--") for flag in own])
        if not equals:
            value = next(tokens, "--")
            if value.startswith("--"):
                raise InputError(name, "be followed by its value", "nothing" if value == "--" else value)
        settings.append((name.removeprefix("--"), value))
    return rest, settings


def _argument(kind: Any) -> str:
    """What help calls a field that is given by its place; nothing for any other."""
    return next((mark.metavar for mark in marks(kind) if isinstance(mark, Argument)), "")


def _flag(kind: Any) -> Flag:
    return next((mark for mark in marks(kind) if isinstance(mark, Flag)), Flag())


def _metavar(kind: Any, name: str) -> str:
    found = next(option for option in options(kind) if option is not type(None))
    if get_origin(found) is Literal:
        return "|".join(map(str, get_args(found)))
    if get_origin(found) is tuple:
        return name.upper().removesuffix("S")
    return "PATH" if is_place(kind) else {int: "N", float: "X"}.get(found, name.upper())


def _help(kind: Any, doc: str, default: Any) -> str:
    """The words below the field; in brackets its default and its range."""
    shown = "" if default in (MISSING, None, "", False, ()) else as_text(default)
    words = "; ".join(word for word in (shown, in_words(limits(kind))) if word)
    return f"{doc} [{words}]".replace("%", "%%") if words else doc.replace("%", "%%")
