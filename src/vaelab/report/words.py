"""Numbers in plain words."""

from __future__ import annotations

import math

import numpy as np

from vaelab.metrics import Score, interval_of_means

MINUS, TIMES = "\N{MINUS SIGN}", "\N{MULTIPLICATION SIGN}"


def number(value: float, *, near: float | None = None, digits: int = 4) -> str:
    """A number to read: to so many digits, or to two digits of its uncertainty `near`.

    >>> number(-97.4312, near=0.5), number(0.01234), number(12345.6), number(3.0)
    ('\N{MINUS SIGN}97.43', '0.01234', '12,346', '3.000')
    """
    if not math.isfinite(value):
        return {math.inf: "\N{INFINITY}", -math.inf: f"{MINUS}\N{INFINITY}"}.get(value, "not a number")
    if near:
        places = max(0, 1 - math.floor(math.log10(abs(near))))
    elif value:
        places = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    else:
        places = 0
    if places > 7:
        return f"{value:.3g}".replace("-", MINUS)
    return f"{value:,.{places}f}".replace("-", MINUS)


def value_of(score: Score) -> str:
    """The value of a score, to the digits that its interval supports."""
    whole = all(float(value).is_integer() for value in (score.value, *(score.interval or ())))
    if whole and abs(score.value) < 1e9:
        return f"{score.value:,.0f}".replace("-", MINUS)
    if score.interval and score.interval[1] > score.interval[0]:
        return number(score.value, near=(score.interval[1] - score.interval[0]) / 2)
    return number(score.value)


def ceiling_of(score: Score) -> str:
    """The value that a score's estimate cannot pass, or nothing."""
    if score.ceiling is None:
        return ""
    return f"{score.ceiling:,.0f}" if float(score.ceiling).is_integer() else number(score.ceiling, digits=3)


def interval_of(score: Score) -> str:
    """The 95 % interval of a score, or nothing."""
    if not score.interval:
        return ""
    low, high = score.interval
    if all(float(end).is_integer() for end in (low, high, score.value)):
        return f"{low:,.0f} to {high:,.0f}"
    near = (high - low) / 2 or None
    return f"{number(low, near=near)} to {number(high, near=near)}"


def differs(differences: np.ndarray) -> str:
    """By how much paired numbers differ in the mean, with its 95 % interval, or that no difference is seen.

    >>> differs(np.full(10, -2.0)), differs(np.array([-1.0, 1.0, -1.0, 1.0]))
    ('lower by 2.000', 'not seen to be other (\N{MINUS SIGN}1.0 to 1.0)')
    """
    mean, ends = float(np.mean(differences)), interval_of_means(np.asarray(differences, np.float64))
    low, high = ends or (mean, mean)
    near = (high - low) / 2 or None
    if low <= 0 <= high:
        return f"not seen to be other ({number(low, near=near)} to {number(high, near=near)})"
    low, high = sorted((abs(low), abs(high)))
    within = f" ({number(low, near=near)} to {number(high, near=near)})" if near else ""
    return f"{'higher' if mean > 0 else 'lower'} by {number(abs(mean), near=near)}{within}"


def duration(seconds: float) -> str:
    """The time in words; no line ends between a number and its unit.

    >>> [duration(seconds).replace("\\N{NO-BREAK SPACE}", "_") for seconds in (3.2, 134, 7384)]
    ['3.2_s', '2_min 14_s', '2_h 3_min']
    """
    if seconds < 59.95:
        return f"{seconds:.1f}\N{NO-BREAK SPACE}s"
    minutes, rest = divmod(round(seconds), 60)
    large, small, units = (minutes, rest, ("min", "s")) if minutes < 60 else (minutes // 60, minutes % 60, ("h", "min"))
    return f"{large}\N{NO-BREAK SPACE}{units[0]} {small}\N{NO-BREAK SPACE}{units[1]}"


def plural(count: int, noun: str) -> str:
    """
    >>> plural(1, "latent"), plural(5000, "image")
    ('1 latent', '5,000 images')
    """
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def size_of(image_shape: tuple[int, int, int], channels: tuple[str, ...]) -> str:
    """
    >>> size_of((3, 64, 64), ("DNA", "actin", "tubulin"))
    '64 \N{MULTIPLICATION SIGN} 64 pixels in 3 channels (DNA, actin, tubulin)'
    """
    _, height, width = image_shape
    named = any(not name.isdigit() for name in channels)
    inside = "one channel" if len(channels) == 1 else f"{len(channels)} channels"
    names = f" ({', '.join(channels)})" if named else ""
    return f"{height} {TIMES} {width} pixels in {inside}{names}"


def plain(value: object) -> str:
    """A setting's value as text.

    >>> plain(None), plain(True), plain((8, 16)), plain("")
    ('none', 'true', '8, 16', 'empty')
    """
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple | list):
        return ", ".join(map(plain, value)) or "empty"
    return str(value) or "empty"
