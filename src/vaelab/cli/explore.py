"""`vaelab explore`: a run's latent space in the browser."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge, Le

from vaelab.cli._notes import say
from vaelab.cli._options import Argument, Flag, OnStage, naming
from vaelab.settings.ranges import PathText

if TYPE_CHECKING:
    from vaelab.explorer.view import View

EXAMPLES = """\
examples:
  vaelab explore runs/cells-1                            the held-out images, in the browser
  vaelab explore runs/cells-1 --on all                   all of them
  vaelab explore runs/cells-1 --on folder/               other images, read as the run's were
  vaelab explore runs/cells-1 runs/cells-2               two runs of the same images side by side
  vaelab explore runs/cells-1 --export page/             a copy as files, for those who may not run a server
  vaelab explore runs/cells-1 --no-browser --port 8642   on another machine; how to reach it is printed

A map of the codes; to each point its image, reconstruction and nearest neighbours in latent space; and what the model
draws at any place, with how dense the data are there. Codes are read from the run's results, or computed once and kept
there. It answers on this machine alone, and only whoever has the printed address with its token: share that, or reach
it by the printed ssh command. Ctrl-C stops it."""


@dataclass(frozen=True, kw_only=True)
class Options(OnStage):
    """Walk through a run's latent space, in the browser."""

    other: Annotated[PathText | None, Argument("RUN")] = None
    """Another run of the same images, shown beside it."""
    on: Annotated[str | None, Flag(metavar="PART|PATH")] = None
    """train, validation, test or all of the run's own images, or a folder or file of others; left out: the held-out
    ones."""
    port: Annotated[int | None, Ge(0), Le(65535)] = None
    """Where it listens; left out: 8642, or the first after it that is free."""
    no_browser: bool = False
    """Open no browser; the address is printed."""
    export: Annotated[PathText | None, Flag(metavar="FOLDER")] = None
    """Write a static copy into this new folder instead, which needs no server: open the index.html in it."""
    host: str = "127.0.0.1"
    """An address of this machine to listen at; any but 127.0.0.1 lets others in who have the token."""
    allow_host: Annotated[tuple[str, ...], Flag(metavar="NAME")] = ()
    """Other names under which it may be asked for, such as that of a proxy."""


SERVES = True


def run(options: Options) -> int:
    """Does it."""
    import webbrowser

    from vaelab.explorer.serve import Explorer
    from vaelab.machine import give_back_memory

    if options.export is not None:
        return _export(options, Path(options.export))
    with naming({"on": "--on", "host": "--host", "hosts": "--allow-host", "port": "--port"}):
        views = _views(options)
        explorer = Explorer(views, port=options.port, host=options.host, hosts=options.allow_host)
    _say_notes(views)
    if options.host not in ("127.0.0.1", "localhost", "::1"):
        say("whoever has this address and reaches this machine can look: it is not encrypted, so prefer ssh")
    print(explorer.url, flush=True)
    if not options.quiet:
        print(f"From another machine: {explorer.tunnel}", flush=True)
    if not options.no_browser:
        webbrowser.open(explorer.url)
    give_back_memory()
    explorer.serve()
    return 0


def _export(options: Options, folder: Path) -> int:
    """Writes the copy and prints where it lies."""
    from vaelab.explorer.export import check_target, export

    with naming({"on": "--on", "export": "--export"}):
        check_target(folder)
        views = _views(options)
        page = export(views, folder, progress=not options.quiet)
    _say_notes(views)
    print(page)
    if not options.quiet:
        print(f"{sum(file.stat().st_size for file in folder.rglob('*') if file.is_file()) / 1e6:,.1f} MB")
    return 0


def _views(options: Options) -> list[View]:
    from vaelab.explorer.pair import open_views
    from vaelab.runs.entries import load_all

    folders = [folder for folder in (options.run, options.other) if folder is not None]
    runs = load_all(folders, options.images, options.device)
    return open_views(runs, options.on, options.stage, progress=not options.quiet)


def _say_notes(views: list[View]) -> None:
    for note in dict.fromkeys(note for view in views for note in view.notes):
        say(note)
