"""`python -m vaelab` is the command `vaelab`."""

from __future__ import annotations

import sys

from vaelab.cli import main

if __name__ == "__main__":
    sys.exit(main())
