"""Mutated files of a run, of the image cache and of the memory of choices: a right answer or one sentence.

pytest -m slow tests/oracle/test_fuzz_runs.py     # minutes; VAELAB_FUZZ=100 for fewer than 1,000 files
"""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import struct
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import vaelab
from fuzz_worker import Worker
from vaelab.presets.digits import digits
from vaelab.runs.question import ask
from vaelab.runs.results import measure
from vaelab.settings.text import override

MUTATIONS = int(os.environ.get("VAELAB_FUZZ", "1000"))
DEEP = "[" * 100_000
VALUES = (
    None, True, False, "", "x", "a\nb", "inf", "\ud800", "../../x", -1, 0, 1, 7, 1.5, 2**31, 10**12, 10**400, 1e308,
    -0.0, float("nan"), float("inf"), -float("inf"), [], {}, [[1]], [1, 2, 3], ["a"], {"a": 1}, {"kind": "mlp"}, [None],
    DEEP,
)  # fmt: skip
SETTINGS = [
    ("training.num_steps", "40"), ("training.validate_every", "10"), ("watching.log_every", "10"),
    ("machine.tune", "false"), ("machine.threads", "1"), ("model.latent_dim", "2"), ("model.encoder.hidden", "16"),
    ("model.decoder.hidden", "16"), ("data.condition", "label"),
]  # fmt: skip
MAY_CHANGE = {
    "experiment.json": {"run", "embedding", "feed", "results", "measured", "resumed"},
    "data.json": {"run", "embedding", "feed", "measured", "resumed"},
    "metrics.csv": {"metrics"},
    "scores.json": {"results", "measured"},
    "per_image.csv": {"measured"},
    "arrays.npz": {"measured"},
}
"""What a change of a file, as somebody may make it by hand, decides; of others nothing may change."""


def inside(value: Any) -> list[tuple[Any, Any]]:
    """(container, key) of everything in what a JSON file holds."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, inner in pairs for found in ((value, key), *inside(inner))]


def mutated_json(text: str, numbers: np.random.Generator) -> str:
    """A value replaced, removed, doubled or added, one to three times."""
    whole = json.loads(text)
    for _ in range(numbers.integers(1, 4)):
        places = inside(whole)
        if not places:
            break
        place, key = places[numbers.integers(len(places))]
        kind, value = numbers.integers(0, 10), VALUES[numbers.integers(len(VALUES))]
        if kind < 6:
            place[key] = value
        elif kind == 6:
            del place[key]
        elif kind == 7 and isinstance(place, list):
            place.append(value)
        elif kind == 7:
            place["x" if numbers.random() < 0.5 else f"{key}_"] = value
        elif isinstance(place[key], int | float):
            place[key] = place[key] * (-1 if numbers.random() < 0.5 else 3)
        else:
            other, name = places[numbers.integers(len(places))]
            place[key] = json.loads(json.dumps(other[name]))
    return json.dumps(whole, indent=1).replace(json.dumps(DEEP), DEEP)


def mutated_npz(data: bytes, numbers: np.random.Generator) -> bytes:
    """An array renamed, reshaped, of another type, longer, shorter, lost or with another value."""
    with np.load(io.BytesIO(data)) as file:
        arrays = {name: file[name] for name in file.files}
    name = list(arrays)[numbers.integers(len(arrays))]
    array, kind = arrays[name], numbers.integers(0, 10)
    types = (np.float64, np.float16, np.int8, np.uint64, np.complex64, bool, "U5", object)
    if kind == 0:
        arrays["x"] = arrays.pop(name)
    elif kind == 1:
        del arrays[name]
    elif kind == 2:
        arrays[name] = array.reshape(-1, 1) if array.ndim == 1 else array.ravel()
    elif kind == 3:
        arrays[name] = array.astype(types[numbers.integers(len(types))])
    elif kind == 4:
        arrays[name] = array[: len(array) // 2]
    elif kind == 5:
        arrays[name] = np.concatenate([array, array])
    elif kind == 6:
        arrays["x"] = array
    elif kind == 7:
        arrays[name] = array[:0]
    elif kind == 8:
        arrays[name] = np.array(3)
    else:
        lie = (
            (-1, 10**9, 2**62, 0)[numbers.integers(4)] if array.dtype.kind in "iu" else (np.nan, np.inf, 1e30)[kind % 3]
        )
        arrays[name] = array.copy()
        arrays[name].flat[numbers.integers(array.size)] = lie
    packed = io.BytesIO()
    np.savez(packed, **arrays)
    return packed.getvalue()


def mutated_tensors(data: bytes, numbers: np.random.Generator) -> bytes:
    """A checkpoint with another head, or another number among its weights."""
    (length,) = struct.unpack_from("<Q", data)
    head, body = data[8 : 8 + length].decode(), bytearray(data[8 + length :])
    kind = numbers.integers(0, 4)
    if kind == 0:
        head = mutated_json(head, numbers)
    elif kind == 1:
        whole = json.loads(head)
        whole["__metadata__"]["vaelab"] = mutated_json(whole["__metadata__"]["vaelab"], numbers).replace("NaN", "null")
        head = json.dumps(whole)
    elif kind == 2:
        at = 4 * int(numbers.integers(len(body) // 4))
        body[at : at + 4] = struct.pack("<f", (0.5, 1e30, np.nan, -np.inf)[numbers.integers(4)])
    else:
        head = head.replace("F32", ("I32", "U8", "F64", "BF16", "F8_E4M3", "BOOL")[numbers.integers(6)], 1)
    packed = head.encode("utf-8", "surrogatepass")
    return struct.pack("<Q", len(packed)) + packed + bytes(body)


def mutated_csv(text: str, numbers: np.random.Generator) -> str:
    """A table with another cell, fewer columns, or rows lost or doubled."""
    rows = list(csv.reader(io.StringIO(text)))
    row, column, kind = numbers.integers(len(rows)), numbers.integers(len(rows[0])), numbers.integers(0, 5)
    words = ("", "x", "nan", "1e999", "-1", '"', "\0", "1" * 200_000, "inf", "1.5")
    if kind < 2:
        rows[row][column] = words[numbers.integers(len(words))]
    elif kind == 2:
        rows = [[*line[:column], *line[column + 1 :]] for line in rows]
    elif kind == 3:
        del rows[row]
    else:
        rows.insert(row, rows[row])
    packed = io.StringIO()
    csv.writer(packed).writerows(rows)
    return packed.getvalue()


def mutated_bytes(data: bytes, numbers: np.random.Generator) -> bytes:
    """Bytes flipped, cut, removed, repeated or replaced."""
    body = bytearray(data)
    for _ in range(numbers.integers(1, 4)):
        at, kind = int(numbers.integers(max(1, len(body)))), numbers.integers(0, 6)
        if kind == 0:
            body[at : at + 1] = bytes([(body[at] if body else 0) ^ 1 << int(numbers.integers(8))])
        elif kind == 1:
            body = body[:at]
        elif kind == 2:
            del body[at : at + int(numbers.integers(1, 40))]
        elif kind == 3:
            body[at:at] = body[max(0, at - 50) : at]
        elif kind == 4:
            body[at : at + 4] = numbers.bytes(4)
        else:
            body[at : at + 8] = struct.pack("<Q", (0, 2**31, 2**63 - 1, 2**64 - 1)[numbers.integers(4)])
    return bytes(body)


def mutate(path: Path, numbers: np.random.Generator) -> None:
    """Damages a file in one way; a quarter of the time without regard to what it holds."""
    data, kind = path.read_bytes(), numbers.random()
    if kind < 0.02:
        return path.unlink()
    if kind < 0.04:
        data = b""
    elif kind < 0.06:
        data += data
    elif kind < 0.35 or path.suffix == ".npy":
        data = mutated_bytes(data, numbers)
    elif path.suffix == ".npz":
        data = mutated_npz(data, numbers)
    elif path.suffix == ".safetensors":
        data = mutated_tensors(data, numbers)
    else:
        change = mutated_json if path.suffix == ".json" else mutated_csv
        data = change(data.decode(), numbers).encode("utf-8", "surrogatepass")
    return path.write_bytes(data) and None


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    """A finished and measured run, images with their cache, and a memory of choices."""
    place = tmp_path_factory.mktemp("whole")
    run = vaelab.train(override(digits(), SETTINGS), place / "run", progress=False)
    measure(run, ask(run, num_images=40, num_samples=2), ["elbo", "rate", "mse"])
    (place / "images").mkdir()
    for i in range(6):
        pixels = np.random.default_rng(i).integers(0, 256, (12, 12)).astype(np.uint8)
        Image.fromarray(pixels).save(place / "images" / f"{i}.png")
    return place


@pytest.mark.slow
def test_mutated_runs_and_caches_give_the_right_answer_or_one_sentence(whole, tmp_path):
    shutil.copytree(whole / "run", tmp_path / "warm" / "run")
    worker = Worker(tmp_path / "errors", tmp_path / "warm" / "run")
    (whole / "cache").mkdir()
    right = {name: worker.judge(whole / name) for name in ("run", "images", "choices.json")}
    assert not any(verdict["refused"] for verdict in right.values())
    files = sorted(path.relative_to(whole) for path in whole.rglob("*") if path.is_file() and path.suffix != ".png")
    files = [path for path in files if path.name not in ("scores.csv", ".owner.json")]
    faults, counts = [], Counter()
    seed = int(os.environ.get("VAELAB_FUZZ_SEED", "0"))
    shutil.copytree(whole, tmp_path / "kept")
    for number in range(MUTATIONS):
        numbers, file = np.random.default_rng([seed, number]), files[number % len(files)]
        top = file.parts[0]
        what = whole / {"cache": "images"}.get(top, top)
        mutate(whole / file, numbers)
        damaged = (whole / file).read_bytes() if (whole / file).exists() else None
        verdict = worker.judge(what)
        known = right[what.name]["gives"]
        wrong, changed = "traceback" in verdict or verdict["megabytes"] > worker.most_megabytes, set()
        if not wrong:
            changed = {name for name, found in verdict["gives"].items() if found != known[name]}
            allowed = MAY_CHANGE.get(file.name, set()) if top == "run" else set()
            if file.name == "best.safetensors" and damaged is None:
                allowed = {"embedding", "measured", "resumed"}  # then the last are used
            wrong = bool(changed - allowed) or any("\n" in reason for reason in verdict["refused"].values())
            wrong |= top != "run" and bool(verdict["refused"])
            counts[f"{file.name}: {'refused' if verdict['refused'] else 'changed' if changed else 'the same'}"] += 1
        if wrong:
            kept = tmp_path / f"fault_{number}_{file.name}"
            kept.write_bytes(damaged or b"")
            faults.append({"number": number, "file": str(file), "changed": changed, **verdict})
            print(faults[-1], flush=True)
        shutil.rmtree(whole / top) if file.parts[1:] else (whole / top).unlink(missing_ok=True)
        (shutil.copytree if file.parts[1:] else shutil.copy2)(tmp_path / "kept" / top, whole / top)
    worker.stop()
    print(*sorted(counts.items()), sep="\n")
    assert not faults
    assert (tmp_path / "errors").read_text() == ""
    assert sum(counts.values()) == MUTATIONS
