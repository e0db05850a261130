"""A local web app on runs: latent space as a map, its images, and what the model draws at any place of it.

What it shows is read from a run's results, or computed once and kept there; what is new is asked of a frozen copy of
the model. The server stands in `serve`, who is let in in `guard`, the endpoints in `app`, and the page, hand-written
and without anything from elsewhere, in the folder ``page``.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from vaelab.explorer.pair import open_views
from vaelab.explorer.serve import Explorer
from vaelab.runs import Run, load

__all__ = ["Explorer", "explore"]


def explore(
    run: Run | Path | str,
    other: Run | Path | str | None = None,
    *,
    on: str | None = None,
    stage: str | None = None,
    port: int | None = None,
    hosts: Iterable[str] = (),
) -> Explorer:
    """A walk through a run's latent space, in the browser; as the last line of a notebook's cell it is shown there.

    A map of the images' codes, each with its image, reconstruction and nearest neighbours in latent space, and what
    the model draws at any place, beside how dense the data are there. It answers on this machine alone, in a thread of
    its own, until `stop`.

    Args:
        run: The run, or its folder.
        other: Another run of the same images, which is shown beside it: the same images in both maps.
        on: train, validation, test or all of its own images, or a folder or file of others; None: the held-out ones.
        stage: Of a two-stage model: first or second; None: the second.
        port: Where it listens; None: 8642, or the first after it that is free.
        hosts: Other names under which it may be asked for, such as that of a proxy.

    Raises:
        InputError: There are no such images, the runs' images are not the same, or the port is taken.
    """
    runs = [each if isinstance(each, Run) else load(each) for each in (run, other) if each is not None]
    return Explorer(open_views(runs, on, stage), port=port, hosts=hosts).start()
