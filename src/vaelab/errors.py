"""One sentence for one mistake: what a user reads when an input is refused."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

KNOWN_NAME = "be a known name"
"""What `unknown_name` asks for."""


class InputError(ValueError):
    """A refused input: ``<what> should <be>, got <got>. <The mend.>``

    The command line prints the sentence and exits with code 2; in Python it is a `ValueError`. A part names its field
    by itself, ``rate_weight``; whoever reads the part from a whole adds the path, with `within`.

    Args:
        what: The field, flag or file that is wrong, as the user wrote it, such as ``model.latent_dim``.
        should: What it should be, beginning with a verb, such as ``be at least 1``.
        got: What was given.
        mend: What to do about it: one short sentence, or nothing where the first half says it.

    >>> print(InputError("latent_dim", "be at least 1", 0, "Two latents draw well.").within("model"))
    model.latent_dim should be at least 1, got 0. Two latents draw well.
    """

    def __init__(self, what: str, should: str, got: object, mend: str = ""):
        super().__init__(f"{what} should {should}, got {got}. {mend}".rstrip())
        self.what, self.should, self.got, self.mend = what, should, got, mend

    def __reduce__(self) -> tuple:
        return type(self), (self.what, self.should, self.got, self.mend)

    def within(self, path: str) -> InputError:
        """The same, with the path of the part before its field."""
        return InputError(f"{path}.{self.what}", self.should, self.got, self.mend) if path else self


def printable(text: str) -> str:
    """The text on one line, control characters escaped.

    >>> print(printable("one\\ntwo"))
    one\\ntwo
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def one_line(error: Exception) -> str:
    """The first line of what an error says, or its name where it says nothing; at most 200 letters.

    >>> one_line(ValueError("no number\\nat all")), one_line(KeyError())
    ('no number', 'KeyError')
    """
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]


def unknown_name(what: str, name: str, known: Iterable[str]) -> InputError:
    """The error for a name that is not among those known, with the nearest one.

    >>> print(unknown_name("likelihood", "gausian", ["bernoulli", "gaussian"]))
    likelihood should be a known name, got 'gausian'. Known: bernoulli, gaussian; did you mean gaussian?
    """
    known = sorted(known)
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]}?" if near else "."
    return InputError(what, KNOWN_NAME, repr(name), f"Known: {', '.join(known)}{hint}")
