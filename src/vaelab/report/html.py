"""Turns templates into HTML. Whatever stands between {{ and }} is escaped, unless it was made here."""

from __future__ import annotations

import base64
import re
from functools import cache
from importlib.metadata import version
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from matplotlib.figure import Figure

from vaelab import plots
from vaelab.report.pictures import Picture

POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'"
)
"""The browser itself refuses whatever would come from outside the file."""
_ENVIRONMENT = Environment(
    loader=PackageLoader("vaelab.report"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
"""Its templates are those in the folder beside this file; the macros of ``pieces.html`` are known in each."""


def html(template: str, **values: object) -> Markup:
    """The text of a template with these values.

    >>> html("<p>{{ name }}</p>", name="<script>")
    Markup('<p>&lt;script&gt;</p>')
    """
    return Markup(_compiled(template).render(values))


_compiled = cache(_ENVIRONMENT.from_string)
"""A page asks for the same few templates hundreds of times."""


def page(name: str, values: dict[str, object]) -> str:
    """A whole document that asks for nothing outside itself, from the template in the file of that name."""
    own = {"policy": POLICY, "version": version("vaelab"), "style": _own("report.css"), "script": _own("report.js")}
    return _ENVIRONMENT.get_template(name).render(own | values)


def _own(name: str) -> Markup:
    return Markup(files("vaelab.report").joinpath(name).read_text(encoding="utf-8"))


def _svg(sheet: Figure) -> Markup:
    return Markup(plots.svg(sheet))


def _source(picture: Picture) -> str:
    """The picture itself, in place of an address."""
    return f"data:image/png;base64,{base64.b64encode(plots.picture_png(picture.pixels)).decode()}"


def _prose(text: str) -> Markup:
    """Text in which what stands between backticks, one or two, is code."""
    return Markup(re.sub(r"(`+)([^`]+)\1", r"<code>\2</code>", str(escape(text))))


def _linked(text: str) -> Markup:
    """Text whose addresses are links; an address may hold parentheses that close again, as some DOIs do."""
    address = r",?\s*\(?(https?://(?:[^\s()]|\([^\s()]*\))+(?<![,;.]))\)?"
    return Markup(re.sub(address, r' <a href="\1">link</a>', str(escape(text))))


def _code(text: str) -> Markup:
    """A name or value in type of one width, which may be broken after dots, slashes and underscores."""
    broken = re.sub(r"([._/])", r"\1<wbr>", str(escape(text)))
    return Markup(f"<code>{broken}</code>")


_ENVIRONMENT.filters |= {"svg": _svg, "source": _source, "prose": _prose, "linked": _linked, "code": _code}
_PIECES = _ENVIRONMENT.get_template("pieces.html").module
_ENVIRONMENT.globals |= {name: value for name, value in vars(_PIECES).items() if not name.startswith("_")}
