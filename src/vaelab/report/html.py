"""The pieces of HTML of which a report is made. Whatever comes from a user is escaped here."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Sequence
from html import escape

import numpy as np
from matplotlib.figure import Figure

from vaelab.plots import picture_png, svg


class Markup(str):
    """Text that is HTML already, and so isn't escaped again."""

    __slots__ = ()


Cell = str | tuple[str, str]
"""A cell's text, or (its text, its class); `Markup` for HTML."""


def chart(sheet: Figure, *, alt: str, title: str = "", note: str = "", kind: str = "") -> str:
    """A figure as inline SVG with its title and a note above; `kind` wide: it scrolls sideways on a phone."""
    width = int(sheet.get_figwidth() * 72)
    return (
        f'<figure class="{f"chart {kind}".rstrip()}" style="--width:{width}px">'
        + (f"<figcaption><b>{escape(title)}</b>{_note(note)}</figcaption>" if title or note else "")
        + f'<div role="img" aria-label="{escape(alt)}">{svg(sheet)}</div></figure>'
    )


def picture(pixels: np.ndarray, *, alt: str, scale: float, caption: str = "", kind: str = "tile") -> str:
    """An array of pixels as an image, each pixel drawn `scale` CSS pixels wide, with a caption below.

    Args:
        pixels: (height, width, 3 or 4) uint8.
        alt: What is seen, for those who don't see it.
        scale: CSS pixels per pixel.
        caption: Below the image.
        kind: The figure's class.
    """
    height, width, _ = pixels.shape
    data = base64.b64encode(picture_png(pixels)).decode()
    image = (
        f'<img src="data:image/png;base64,{data}" alt="{escape(alt)}" '
        f'width="{round(width * scale)}" height="{round(height * scale)}"{" class=smooth" if scale < 1 else ""}>'
    )
    below = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    return f'<figure class="{kind}">{image}{below}</figure>'


def tiles(figures: Iterable[str], *, label: str, width: int) -> str:
    """Small pictures, each so many CSS pixels wide, in rows that fit the page."""
    head = f'<div class="tiles" style="--tile:{width}px" role="group" aria-label="{escape(label)}">'
    return f"{head}{''.join(figures)}</div>"


def table(head: Sequence[Cell], rows: Iterable[Sequence[Cell]], *, caption: str, kind: str = "") -> str:
    """A table."""
    body = "".join(
        f"<tr>{''.join(_cell(c, 'th scope=row' if not i else 'td') for i, c in enumerate(row))}</tr>" for row in rows
    )
    top = "".join(_cell(c, "th scope=col") for c in head)
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption)}"><table class="{kind}">'
        f'<caption class="unseen">{escape(caption)}</caption>'
        f"<thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def fold(summary: str, inside: str, *, open_: bool = False) -> str:
    """What is shown when asked for; it opens without JavaScript."""
    return f"<details{' open' if open_ else ''}><summary>{escape(summary)}</summary>{inside}</details>"


def section(key: str, question: str, lead: str, *parts: str) -> str:
    """One question with its answer."""
    lead = f'<p class="lead">{escape(lead)}</p>' if lead else ""
    head = f'<section id="{key}" aria-labelledby="{key}-h"><h2 id="{key}-h">{escape(question)}</h2>'
    return f"{head}{lead}{''.join(parts)}</section>"


def heading(text: str) -> str:
    """A heading within a section."""
    return f"<h3>{escape(text)}</h3>"


def paragraph(text: str, kind: str = "") -> str:
    """A paragraph."""
    return f'<p class="{kind}">{escape(text)}</p>' if kind else f"<p>{escape(text)}</p>"


def prose(text: str) -> Markup:
    """Small text in which what stands between backticks is code."""
    inside = re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))
    return Markup(f"<small>{inside}</small>")


def _note(text: str) -> str:
    return f"<span>{escape(text)}</span>" if text else ""


def _cell(cell: Cell, tag: str) -> str:
    text, kind = cell if isinstance(cell, tuple) else (cell, "")
    inside = text if isinstance(text, Markup) else escape(text)
    name = f' class="{kind}"' if kind else ""
    return f"<{tag}{name}>{inside}</{tag.split()[0]}>"
