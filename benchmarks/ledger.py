"""What a benchmark leaves behind: a table on the screen, and a dated record with the machine it was measured on."""

from __future__ import annotations

import datetime
import json
import os
import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

FOLDER = Path(__file__).parent / "results"
_PACKAGES = ("vaelab", "torch", "numpy", "pillow", "pythae")


def machine() -> dict[str, Any]:
    """The hardware and the versions that a number depends on."""
    import torch

    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    return {
        "processor": _cpuinfo("model name") or platform.processor(),
        "cores": os.cpu_count(),
        "instructions": [name for name in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if name in _cpuinfo("flags")],
        "gpu": gpu,
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": {name: found for name in _PACKAGES if (found := _version(name))},
    }


def keep(name: str, rows: Sequence[dict[str, Any]], *, quick: bool = False) -> None:
    """Appends the rows, with date and machine, to ``results/<name>.json``; a quick look is shown but not kept."""
    if quick:
        print("A quick look: not kept.")
        return
    path = FOLDER / f"{name}.json"
    records = json.loads(path.read_text()) if path.exists() else []
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    records.append({"date": now, "machine": machine(), "rows": list(rows)})
    FOLDER.mkdir(exist_ok=True)
    path.write_text(json.dumps(records, indent=1) + "\n")
    print(f"Kept in benchmarks/results/{path.name}.")


def show(title: str, rows: Sequence[dict[str, Any]]) -> None:
    """Prints rows of the same keys as a table."""
    table = Table(title=title, title_justify="left")
    for key in rows[0]:
        table.add_column(key, justify="left" if isinstance(rows[0][key], str) else "right")
    for row in rows:
        table.add_row(*(_text(value) for value in row.values()))
    Console(width=Console(width=999).measure(table).maximum).print(table)


def against(ours: float, theirs: float, floor: float, aim: float) -> dict[str, object]:
    """The ratio of two speeds beside what it must reach and what it is hoped to reach."""
    ratio = ours / theirs
    reached = "aim" if ratio >= aim else "floor" if ratio >= floor else "no"
    return {"ratio": round(ratio, 2), "floor": floor, "aim": aim, "reached": reached}


def _text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return "" if value is None else str(value)


def _cpuinfo(field: str) -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return ""
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(field)), "")


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
