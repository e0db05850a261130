"""Every command with each kind of odd input: done or refused, in one sentence, and nothing else on stderr.

Commands, their arguments and their flags are found in the catalogue, so that a new command is walked as it comes. To
try another kind of oddness, give it a line in one of the tables.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

import vaelab.cli
from vaelab.cli import commands, main
from vaelab.cli._options import Argument
from vaelab.cli._parser import flag_of
from vaelab.presets import digits
from vaelab.settings.fields import field_types, marks
from vaelab.settings.help import paths
from vaelab.settings.ranges import is_place

SENTENCE = re.compile(r"\S.* should .+, got .+")
CAUTION = re.compile(r"Note: .+\.|Left out: .+|  .+")
"""What stands on stderr when a command was done."""

FULL = "what is printed should have a place to go, got No space left on device.\n"
"""What stands on stderr when the disk is full that stdout goes to."""
TEXTS = ("", "-1", "0", "nan", "1e999", "9" * 40, "é\u03b1\u4e2d", "\udcff\udc80", "a\nb\x1b[31m", "~nobody/x")
"""What is typed in place of a number, a name or a choice."""
WORDS = ("", "~nobody-of-that-name/x", "a\nb\x1b[31m", "caf\udce9 \u03b1", "n" * 300, "/dev/null", "-")
"""What is typed in place of a path."""
MORE = ("--no-such", "--no-such=1", "-x", "one two many", "--seed", "--seed 1 --seed", "--é=\udcff", "--", "--quiet=1")
"""What is typed behind a sound command."""
FOR_EVER = {("guide", "steps", "9" * 40)}
"""A wish that is granted as far as time allows."""

QUICK = ["--training.num-steps=2", "--model.encoder=mlp", "--model.decoder=mlp", "--model.latent-dim=2",
         "--machine.tune=false", "--machine.threads=1"]  # fmt: skip
LEARNT = ["--training.num-steps=60", "--training.learning-rate=0.01", "--objective.rate-weight=0.01"]
"""With which the run's codes differ from image to image."""
SHORT = {"num_images": "12", "num_draws": "2", "num_samples": "2", "steps": "1", "components": "2-3",
         "num_targets": "2", "methods": "random-direction"}  # fmt: skip
"""Values with which a command is quick, where it has such a flag."""
SETTINGS = {
    "infer": ["--num-steps=2"],
    "train": QUICK,
    "resume": ["--training.num-steps=61"],
    "data synthesize": ["--num-images=3", "--size=16"],
}
OUTPUTS = {"output": ".csv", "plot": ".png", "out": "", "to": "", "export": ""}
"""The field of what is written -> how its name ends; some commands have their own."""
ENDINGS = {"compare": ".html", "data pack": "", "data synthesize": ".npz", "draw": ".png", "report": ".html"}

TABLES = {
    "missing values": b"image,z0,z1,kind\n0,1.5,,a\n1,,2.5,\n2,1,1,b\n",
    "text for numbers": b"image,z0,z1,kind\n0,one,2,a\n1,2,3,b\n",
    "no numbers": b"image,z0,z1\n0,inf,2\n1,1e308,1e308\n2,-1e308,5\n",
    "large numbers": b"image,z0,z1\n0,1e300,2\n1,1e308,1e308\n2,-1e308,5\n",
    "no such column": b"a,b\n1,2\n",
    "one row": b"image,z0,z1,kind\n0,1,2,a\n",
    "no rows": b"image,z0,z1\n",
    "ragged": b"image,z0,z1\n1,2\n1,2,3,4\n",
    "twice": b"z0,z0,image\n1,2,3\n",
    "all the same": b"image,z0,z1,kind\n" + b"3,1,2,a\n" * 5,
    "no such row": b"image,z0,z1\n-1,1,2\n99999999999999999999,1,2\n",
    "no text": b"\0\1\2",
    "odd names": "image,z0,z1,κ\x1b[31m,kind\n1,2,3,κ,κ\n2,2,5,κ,b\n".encode(),
    "other bytes": b"image,z0,z1\ncaf\xe9,1,2\n",
    "open quote": b'image,z0,z1\n"1,2,3\n',
    "semicolons": b"image;z0;z1;kind\n1;2,5;3;a\n2;2;5,5;b\n3;1;5,5;b\n",
}

RUNS = {
    "bad JSON": ("experiment.json", b"{"),
    "JSON of another kind": ("experiment.json", b"[1, 2]"),
    "JSON with NaN": ("experiment.json", b'{"seed": NaN}'),
    "JSON without end": ("experiment.json", b"[" * 100_000),
    "no text": ("experiment.json", b"\xff\xfe\xff"),
    "bad facts": ("data.json", b"{}"),
    "facts without end": ("data.json", b"[" * 100_000),
    "no facts": ("data.json", None),
    "damaged checkpoint": ("checkpoints/best.safetensors", b"\x08\0\0\0\0\0\0\0{}"),
    "empty checkpoint": ("checkpoints/best.safetensors", b""),
    "damaged last checkpoint": ("checkpoints/last.safetensors", b"text"),
    "no checkpoints": ("checkpoints", None),
    "no splits": ("splits.npz", None),
    "damaged splits": ("splits.npz", b"PK\3\4"),
    "damaged log": ("metrics.csv", b"\0\xff,\n"),
    "log of another kind": ("metrics.csv", b"a,b\n1,2\n"),
    "no log": ("metrics.csv", None),
    "empty log": ("metrics.csv", b""),
    "damaged environment": ("environment.json", b"[" * 100_000),
    "damaged results": ("results/any/scores.json", b"[" * 100_000),
    "results of another kind": ("results/any/scores.json", b"[1]"),
}
"""Kind of damage -> a file of a run, and what becomes of it."""


def walked(package=vaelab.cli, words=()):
    """(words that are typed, its settings class) of every command."""
    for name, module in commands(package).items():
        typed = (*words, name.replace("_", "-"))
        yield from walked(module, typed) if hasattr(module, "__path__") else [(" ".join(typed), module.Options)]


COMMANDS = dict(walked())


def fields(command):
    """Field -> type of what a command takes, but --quiet and the settings of others."""
    return {name: kind for name, kind in field_types(COMMANDS[command]).items() if name not in ("settings", "quiet")}


def argument(kind):
    """What help calls an argument; nothing for a flag."""
    return next((mark.metavar for mark in marks(kind) if isinstance(mark, Argument)), "")


def ending(command, name):
    """How the name of a command's output ends."""
    return ENDINGS.get(command, OUTPUTS[name])


# Odd places


def picture(place, seed=0, size=(8, 8)):
    """A file of random grey pixels."""
    place.parent.mkdir(parents=True, exist_ok=True)
    with open(place, "wb") as file:
        Image.fromarray(np.random.default_rng(seed).integers(0, 256, size, dtype=np.uint8)).save(file, "PNG")


def odd_images(folder):
    """Makes images that are not as they should be; their places."""
    for i, name in enumerate((b"caf\xe9", "κύτταρο".encode(), b"a\nb\x1b[31m", b"-x", b"%s{}[bold]")):
        picture(Path(os.fsdecode(os.fsencode(folder) + b"/stra\xdfe \xce\xb1/" + name + b"/" + name + b".png")), i)
    for i in range(12):
        picture(folder / "mixed sizes" / f"{i}.png", i, (8, 8 + i % 2))
        picture(folder / "large" / f"{i}.png", i, (9, 9))
        picture(folder / "some damaged" / f"{i}.png", i)
    picture(folder / "one" / "a.png")
    whole = (folder / "one" / "a.png").read_bytes()
    for suffix in (".png", ".tif", ".jpg"):
        (folder / f"damaged {suffix}").mkdir()
        for name, data in (("half", whole[:60]), ("none", b""), ("text", b"II*\0" * 9)):
            (folder / f"damaged {suffix}" / f"{name}{suffix}").write_bytes(data)
            (folder / "some damaged" / f"{name}{suffix}").write_bytes(data)
    for name, data in {"half.npz": b"PK\3\4", "none.npz": b"", "half.npy": b"\x93NUMPY", "h.h5ad": b"\x89HDF"}.items():
        (folder / name).write_bytes(data)
    blank = np.full((12, 1, 8, 8), np.nan, np.float32)
    np.savez(folder / "nan.npz", images=blank)
    np.savez(folder / "objects.npz", images=np.array([{}], object))
    np.save(folder / "none.npy", np.zeros((0, 8, 8), np.uint8))
    np.save(folder / "flat.npy", np.zeros(5, np.uint8))
    tifffile.imwrite(folder / "nan.tif", blank[:, 0])
    (folder / "empty").mkdir()
    (folder / "file").write_text("no image")
    (folder / "loop").symlink_to(folder / "loop")
    (folder / "link to nothing").symlink_to(folder / "is not there")
    return [str(path) for path in folder.iterdir()] + [str(folder / "is not there"), str(folder / "file" / "x")]


def odd_runs(folder, run):
    """Makes runs that are not as they should be; their places."""
    for name, (file, data) in RUNS.items():
        place = Path(shutil.copytree(run, folder / name)) / file
        if data is not None:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
        elif place.is_dir():
            shutil.rmtree(place)
        else:
            place.unlink()
    moved = shutil.copytree(run, folder / "images moved") / "experiment.json"
    record = json.loads(moved.read_text())
    record["data"]["source"]["path"] = str(folder / "where they were")
    moved.write_text(json.dumps(record))
    return [str(path) for path in folder.iterdir()] + [str(folder), str(folder.parent / "codes.csv")]


def odd_outputs(folder, end):
    """Makes places where something cannot be written, or lies already."""
    (folder / f"folder{end}").mkdir(parents=True)
    (folder / f"folder{end}" / "mine").touch()
    (folder / f"file{end}").write_text("mine")
    (folder / f"loop{end}").symlink_to(folder / f"loop{end}")
    (folder / "locked").mkdir(mode=0o500)
    places = [f"file{end}", f"folder{end}", f"loop{end}", f"file{end}/x{end}", f"missing/x{end}", "other.ending"]
    places += [f"{word}{end}" for word in WORDS[2:5]] + [f"locked/x{end}"] * (os.geteuid() != 0)
    return [str(folder / place) for place in places] + ["", end, f"/proc/x{end}", f"~nobody-x/y{end}"]


# Trials


class Sound:
    """A word that is sound for every argument and flag that needs one, and odd places, made once."""

    def __init__(self, folder):
        self.folder, self.numbers = folder, itertools.count()
        for i in range(24):
            picture(folder / "images" / "ab"[i % 2] / f"{i}.png", i)
        for name in ("odd", "tables", "damaged"):
            (folder / name).mkdir()
        run, lines = folder / "run", [f"{i},{i % 7},{-i % 5},{'ab'[i % 2]}\n" for i in range(24)]
        (folder / "codes.csv").write_text("image,z0,z1,kind\n" + "".join(lines))
        for name, data in TABLES.items():
            (folder / "tables" / f"{name}.csv").write_bytes(data)
        self.words = {
            "RUN": run, "RUN|FOLDER": folder / "pair",
            "FILE": folder / "codes.csv", "ANCHORS.csv": folder / "codes.csv", "PATH": folder / "images",
            "PART": "reconstructions", "PRESET|FILE.json": "images", "data synthesize NAME": "rosettes",
            "data download NAME": "mnist", "--data": folder / "images", "--from": folder / "odd" / "empty",
            "STUDY|FILE.json": folder / "tiny.json", "study --only": "digits/seed-0",
            "measure --labels": "kind", "--label": "label", "explain --to": "b", "SHARDS": folder / "shards",
            "explore --export": None,
        }  # fmt: skip
        settings = dict(flag.removeprefix("--").split("=") for flag in QUICK)
        (folder / "tiny.json").write_text(json.dumps({"experiments": ["digits"], "settings": settings}))
        trained = ["train", "images", "--data", str(folder / "images"), "--out", str(run), *QUICK, *LEARNT]
        assert outcome(trained)[0] == 0
        assert outcome(["data", "pack", str(folder / "images"), "-o", str(folder / "shards")])[0] == 0
        for name in ("a", "b"):
            shutil.copytree(run, folder / "pair" / name)
        self.images, self.runs = odd_images(folder / "odd"), odd_runs(folder / "damaged", run)
        self.tables = [str(path) for path in (folder / "tables").iterdir()]

    def word(self, command, name, kind):
        """A sound word for a field; nothing where it is better left out."""
        typed = flag_of(name, kind)
        if name in OUTPUTS and f"{command} {typed}" not in self.words:
            return str(self.folder / f"new-{next(self.numbers)}{ending(command, name)}")
        return SHORT.get(name) or self.words.get(f"{command} {typed}") or self.words.get(typed)

    def argv(self, command, **changed):
        """A sound command, with another word for some of its fields."""
        kinds = fields(command)
        words = {name: changed.get(name, self.word(command, name, kind)) for name, kind in kinds.items()}
        places = [str(word) for name, word in words.items() if word is not None and argument(kinds[name])]
        flags = [
            f"{flag_of(name, kinds[name])}={word}"
            for name, word in words.items()
            if word is not None and not argument(kinds[name])
        ]
        quiet = ["--quiet"] * ("quiet" in field_types(COMMANDS[command]))
        return [*command.split(), *places, *flags, *quiet, *SETTINGS.get(command, [])]

    def files(self, command, what):
        """Odd things that lie where a command looks for what it is to read."""
        if what in ("RUN", "RUN|FOLDER"):
            return self.runs
        if what == "images":  # where a run's images have gone is read by the same code everywhere: a quarter for each
            return self.images[list(COMMANDS).index(command) % 4 :: 4]
        if what in ("FILE", "ANCHORS.csv"):
            return [*self.tables, *(path for path in self.images if os.path.isfile(path))]
        return [*self.images, *self.tables]

    def trials(self, command):
        """The command with each odd word in the place of each sound one, and with odd words behind."""
        for name, kind in fields(command).items():
            if kind is bool:
                continue
            if not is_place(kind):
                odd = TEXTS
            elif name in OUTPUTS:
                odd = odd_outputs(self.folder / f"{command} {name}", ending(command, name))
            else:
                odd = [*WORDS, *self.files(command, argument(kind) or name)]
            for word in odd:
                if (command, name, word) not in FOR_EVER:
                    yield self.argv(command, **{name: word})
        for more in MORE:
            yield [*self.argv(command), *more.split(" ")]


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    folder = tmp_path_factory.mktemp("odd")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VAELAB_CACHE", str(folder / "cache"))
        patch.setattr("vaelab.evaluation.classifier._FEWEST_STEPS", 2)
        patch.setattr("webbrowser.open", lambda url: True)
        patch.setattr("vaelab.explorer.serve.Explorer.serve", lambda explorer: explorer.stop())
        patch.chdir(folder)
        yield Sound(folder)


def outcome(argv, encoding="cp1252"):
    """(exit code, stdout, stderr) of a command that runs here, on a terminal of few letters."""
    streams = [io.TextIOWrapper(io.BytesIO(), encoding) for _ in range(2)]
    with contextlib.redirect_stdout(streams[0]), contextlib.redirect_stderr(streams[1]), warnings.catch_warnings():
        warnings.simplefilter("error")
        for kind in (DeprecationWarning, PendingDeprecationWarning, ResourceWarning, ImportWarning):
            warnings.simplefilter("ignore", kind)  # as Python does
        code = main(argv)
    for stream in streams:
        stream.flush()
    return code, *(stream.buffer.getvalue().decode(encoding) for stream in streams)


def complaint(argv):
    """What is wrong with the way a command ends; nothing where all is well."""
    try:
        code, _, said = outcome(argv)
    except (Exception, SystemExit) as error:  # that is what is looked for
        return f"{type(error).__name__}: {error}: {argv}"
    return judged(code, said, argv)


def judged(code, said, argv):
    """What is wrong with an exit code and with what was said on stderr."""
    if code == 2:
        fine = len(said.splitlines()) == 1 and SENTENCE.fullmatch(said.strip())
    else:
        fine = code == 0 and all(CAUTION.fullmatch(line) for line in said.splitlines())
    return "" if fine else f"exit code {code}, {said!r}: {argv}"


@pytest.mark.parametrize("step", [pytest.param(10, id="a tenth"), pytest.param(1, id="all", marks=pytest.mark.slow)])
@pytest.mark.parametrize("command", COMMANDS)
def test_odd_words_are_answered_in_one_sentence(command, step, sound):
    code, _, said = outcome(sound.argv(command))
    assert code == 0 or (command == "data download" and "be found at" in said), said
    assert not list(filter(None, map(complaint, itertools.islice(sound.trials(command), 0, None, step))))


@pytest.mark.parametrize("step", [pytest.param(3, id="a third"), pytest.param(1, id="all", marks=pytest.mark.slow)])
def test_odd_values_of_every_setting_are_answered_in_one_sentence(step, sound):
    typed = [
        ["train", "digits", "--print", f"--{path}={text}"]
        for i, path in enumerate(paths(digits()))
        for text in ("", "nan", "9" * 40)[i % step :: step]
    ]
    assert not list(filter(None, map(complaint, typed)))


def process(argv, stdout=subprocess.PIPE, **environment):
    """(exit code, stdout, stderr) of a command that runs as a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "vaelab", *map(os.fsencode, argv)],
        stdout=stdout, stderr=subprocess.PIPE, env={**os.environ, **environment}, timeout=120,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr.decode("cp1252", "backslashreplace")


def test_a_terminal_of_few_letters_and_a_notebooks_drawing(sound):
    code, _, said = process(["data", "info", sound.images[0]], PYTHONIOENCODING="cp1252")
    argv = ["draw", str(sound.words["RUN"]), "curves", "-o", str(sound.folder / "curves.png"), "--quiet"]
    drawn = process(argv, MPLBACKEND="module://matplotlib_inline.backend_inline")
    assert not judged(code, said, "info")
    assert (drawn[0], drawn[2]) == (0, "")


@pytest.mark.parametrize("argv", [["--help"], ["beta"], ["measure", "codes.csv", "--labels=kind"]])
def test_a_reader_that_has_seen_enough_and_a_full_disk(argv, sound):
    """Exit code 0 for the first, as nothing went wrong; 2 for the second."""
    for said, expected in ((closed_pipe(), (0, "")), (open("/dev/full", "w"), (2, FULL))):  # noqa: SIM115
        with said, contextlib.redirect_stdout(said), contextlib.redirect_stderr(io.StringIO()) as errors:
            assert (main(argv), errors.getvalue()) == expected


def test_a_process_with_nowhere_to_print_says_nothing_else_at_its_end():
    with closed_pipe() as closed, open("/dev/full", "w") as full:
        assert process(["--help"], stdout=closed)[::2] == (0, "")
        assert process(["--help"], stdout=full)[::2] == (2, FULL)


def closed_pipe():
    """The end of a pipe that nobody reads."""
    read, write = os.pipe()
    os.close(read)
    return os.fdopen(write, "w")
