"""Every benchmark, one after another; ``python -m benchmarks --quick`` only looks whether all of them run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent


def main() -> int:
    """Runs each script of this folder that has a `main`; gives the number of those that failed."""
    scripts = sorted(path.stem for path in FOLDER.glob("*.py") if "\ndef main(" in path.read_text())
    failed = [
        name
        for name in scripts
        if name != "__main__"
        and subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *sys.argv[1:]], check=False).returncode
    ]
    if failed:
        print(f"Failed: {', '.join(failed)}", file=sys.stderr)
    return len(failed)


if __name__ == "__main__":
    sys.exit(main())
