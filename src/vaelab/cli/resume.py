"""`vaelab resume`: goes on with a run that was stopped, to the numbers of an uninterrupted one."""

from __future__ import annotations

_EXAMPLES = """\
example:
  vaelab resume runs/digits-1

A run that was stopped, by Ctrl-C, a crash or kill -9, goes on from its last whole checkpoint."""


def add(commands) -> None:
    """Declares the command."""
    parser = commands.add_parser("resume", help="go on with a run that was stopped", epilog=_EXAMPLES)
    parser.add_argument("run", metavar="RUN", help="the run folder")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")


def run(args) -> int:
    """Does it."""
    from vaelab.machine import keep_freed_memory

    keep_freed_memory()
    from vaelab.cli._notes import say_signs
    from vaelab.runs import resume

    done = resume(args.run, progress=not args.quiet)
    say_signs(done)
    if not args.quiet:
        print(f"Next: vaelab report {done.folder}")
    return 0
