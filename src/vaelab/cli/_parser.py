"""The argument parser that refuses in one sentence."""

from __future__ import annotations

import argparse
from typing import NoReturn

from vaelab.errors import InputError


class Parser(argparse.ArgumentParser):
    """argparse, with examples kept as they are written, no guessed abbreviations, and InputError for each mistake."""

    def __init__(self, **options):
        super().__init__(formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False, **options)

    def error(self, message: str) -> NoReturn:
        """Raises InputError."""
        usage = " ".join(self.format_usage().removeprefix("usage: ").split())
        raise InputError("the command", f"read {usage}", f"a mistake: {message}", f"See {self.prog} --help.")


def split_settings(argv: list[str], own: set[str]) -> tuple[list[str], list[tuple[str, str]]]:
    """The arguments without ``--field.path value`` and ``--field.path=value``, and these as (path, value).

    Args:
        argv: The arguments of one command.
        own: The command's own flags, which are left where they stand.

    Raises:
        InputError: A field is not followed by its value.

    >>> split_settings(["mnist", "--out", "r", "--model.latent-dim", "3"], {"--out"})
    (['mnist', '--out', 'r'], [('model.latent-dim', '3')])
    """
    rest, settings, tokens = [], [], iter(argv)
    for token in tokens:
        name, equals, value = token.partition("=")
        if not token.startswith("--") or token == "--" or name in own:
            rest.append(token)
            continue
        if not equals:
            value = next(tokens, "--")
            if value.startswith("--"):
                raise InputError(name, "be followed by its value", "nothing" if value == "--" else value)
        settings.append((name.removeprefix("--"), value))
    return rest, settings
