"""`vaelab data list`: what images there are to be had."""

from __future__ import annotations

from dataclasses import dataclass

from vaelab.settings.ranges import Settings

EXAMPLES = """\
example:
  vaelab data list"""


@dataclass(frozen=True, kw_only=True)
class Options(Settings):
    """Kinds of sources, sets to fetch, collections to generate."""


def run(options: Options) -> int:
    """Does it."""
    from vaelab.catalogue import members
    from vaelab.cli.data._generated import generated, lines
    from vaelab.data import Source
    from vaelab.data.download import KNOWN

    print("Generated or built in (vaelab data synthesize NAME, --data.source NAME):")
    print(lines({name: cls.__doc__ for name, cls in generated().items()}))
    print("\nTo fetch (vaelab data download NAME):")
    print(lines({name: known.about for name, known in KNOWN.items()}))
    print("\nRead from files (--data PATH finds the kind out; --data.source NAME sets it):")
    print(lines({name: cls.__doc__ for name, cls in members(Source).items() if name not in generated()}))
    return 0
