"""The explorer's server: its bytes are what Python computes, and nobody gets in from elsewhere."""

from __future__ import annotations

import io
import json
import re
import shutil
import socket
import zipfile
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile
import torch

from explorer_asks import array, ask, said
from explorer_runs import NASTY
from report_runs import digits_run
from vaelab.cli import main
from vaelab.errors import InputError
from vaelab.evaluation import project
from vaelab.explorer import explore
from vaelab.explorer.guard import BURST, MOST_BODY, Guard, Refused
from vaelab.explorer.pair import together
from vaelab.explorer.serve import Explorer
from vaelab.explorer.view import open_view
from vaelab.inference import Bending, decode_mean, embed, geodesics, reconstruct
from vaelab.runs import load
from vaelab.runs.claim import claimed


@pytest.fixture(scope="module")
def view(explored):
    return explored.app.runs[0].view


@pytest.fixture(scope="module")
def run(view):
    return view.run


def test_points_and_codes_are_those_of_the_run(explored, run):
    codes = embed(run, "test").loc
    rows = array(explored, "/run/0/rows")
    np.testing.assert_array_equal(rows, run.splits.test)
    np.testing.assert_array_equal(array(explored, "/run/0/points?map=z3,z1"), codes[:, [3, 1]])
    np.testing.assert_array_equal(array(explored, "/run/0/codes?at=5,0"), codes[[5, 0]])
    ours, theirs = array(explored, "/run/0/points?map=PCA"), project(codes, "PCA")
    np.testing.assert_allclose(np.abs(ours), np.abs(theirs), atol=1e-3)


def test_pixels_go_out_as_they_are_stored_and_as_python_decodes_them(explored, run, view):
    rows = run.splits.test[[4, 9]]
    stored = array(explored, "/run/0/pixels?at=4,9")
    assert stored.dtype == np.uint16
    np.testing.assert_array_equal(stored, run.dataset.collection.images[rows])
    drawn = array(explored, "/run/0/reconstruction?at=4,9")
    np.testing.assert_array_equal(drawn, run.intensity.invert(reconstruct(run, rows)))
    z = np.random.default_rng(0).normal(size=(3, view.latent_dim)).astype(np.float32)
    decoded = array(explored, "/run/0/decode", z.tobytes())
    np.testing.assert_array_equal(decoded, run.intensity.invert(decode_mean(run, torch.from_numpy(z))))
    assert array(explored, "/run/0/decode?side=16", z.tobytes()).shape == (3, 3, 16, 16)
    assert array(explored, "/run/0/thumbnails?at=0,1").shape == (2, 3, 32, 32)
    quantiles = array(explored, "/run/0/quantiles")
    every = run.dataset.collection.images[run.splits.test].astype(np.float64)
    np.testing.assert_allclose(
        quantiles[:, [0, 500, 1000]].T, np.quantile(every, [0, 0.5, 1], axis=(0, 2, 3)), rtol=0.02
    )


def test_columns_records_and_names_are_those_of_the_table(explored, run, view):
    about = said(explored, "/run/0/about")
    head = next(column for column in about["columns"] if column["name"] == "moa")
    kinds = [head["names"][i] for i in array(explored, "/run/0/column?name=moa")]
    assert kinds == view.table["moa"].tolist()
    assert about["num_images"] == len(run.splits.test)
    rates = [latent["rate"] for latent in about["latents"]]
    assert rates == sorted(rates, reverse=True)
    record = said(explored, "/run/0/record?at=3")
    assert dict(record["columns"])["filename"] == record["name"] == view.table["filename"][3]
    assert said(explored, f"/run/0/find?name={record['name']}")[0]["at"] == 3
    assert said(explored, f"/run/0/find?name=%23{view.rows[6]}")[0]["at"] == 6
    near = said(explored, "/run/0/near?count=3", view.codes.loc[8].tobytes())
    assert near["nearest"][0] | {"distance": 0.0} == {
        "at": 8,
        "row": int(view.rows[8]),
        "name": view.names()[8],
        "distance": 0.0,
    }


def test_what_was_measured_is_kept_and_read_back(explored, run):
    while ask(explored, "/run/0/column?name=mse")[0] == 202:
        pass
    values = array(explored, "/run/0/column?name=mse")
    again = open_view(load(run.folder))
    np.testing.assert_allclose(again.measured["mse"], values, rtol=1e-6)
    np.testing.assert_array_equal(again.codes.loc, explored.app.runs[0].view.codes.loc)


def test_how_far_each_image_keeps_its_neighbours_is_counted_one_by_one(explored, run, view):
    about = said(explored, "/run/0/about")
    assert {"local_trustworthiness", "local_continuity"} <= {*about["on_demand"]}
    stored = run.dataset.collection.images[view.rows].astype(np.float64)
    lo, hi = (np.array(ends)[:, None, None] for ends in (run.intensity.lo, run.intensity.hi))
    pixels = np.clip((stored - lo) / (hi - lo), 0, 1).reshape(len(view), -1)
    codes, count, k = view.codes.loc.astype(np.float64), len(view), 10
    expected = {}
    for name, near, far in (("trustworthiness", codes, pixels), ("continuity", pixels, codes)):
        lost = np.zeros(count)
        for i in range(count):
            apart = [np.linalg.norm(space - space[i], axis=1) for space in (near, far)]
            first, other = (sorted(range(count), key=lambda j, d=d: (j != i, d[j])) for d in apart)
            lost[i] = sum(max(0, other.index(j) - k) for j in first[1 : k + 1])
        expected[f"local_{name}"] = 1 - lost / (k * (2 * count - 3 * k - 1) / 2)
    for name, values in expected.items():
        while ask(explored, f"/run/0/column?name={name}")[0] == 202:
            pass
        np.testing.assert_allclose(array(explored, f"/run/0/column?name={name}"), values, rtol=1e-5, atol=1e-6)
    middle = float(np.median(expected["local_continuity"]))
    chosen = array(explored, f"/run/0/chosen?query=local_continuity%20%3C%20{middle - 1e-4}")
    np.testing.assert_array_equal(chosen, expected["local_continuity"] < middle - 1e-4)


def test_later_questions_of_a_tab_overtake_those_that_wait(explored):
    turns = explored.app.turns
    turns.take("one", 5)
    assert turns.is_over("one", 4)
    assert not turns.is_over("one", 5)
    assert not turns.is_over("two", 1)
    body = np.zeros(10, "<f4").tobytes()
    assert ask(explored, "/run/0/decode?tab=one&turn=3", body)[0] == 409
    assert ask(explored, "/run/0/decode?tab=one&turn=6", body)[0] == 200


ODD = [
    ("/run/0/pixels", 400), ("/run/0/pixels?at=", 400), ("/run/0/pixels?at=-1", 400), ("/run/0/pixels?at=120", 400),
    ("/run/0/pixels?at=1e3", 400), ("/run/0/pixels?at=%D9%A3", 400), ("/run/0/pixels?at=" + "1," * 300 + "1", 400),
    ("/run/0/points?map=z0", 400), ("/run/0/points?map=z0,z99", 400), ("/run/0/points?map=../x", 400),
    ("/run/0/column?name=nothing", 400), ("/run/0/record?at=999999999999", 400), ("/run/7/about", 404),
    ("/run/0/chosen?query=moa", 400), ("/run/0/chosen", 400), ("/run/0/selection?name=..%2Fx", 400),
    ("/run/00000/about", 404), ("/run/x/about", 404), ("/run/0/nothing", 404), ("/run/0/decode", 405),
]  # fmt: skip


@pytest.mark.parametrize(("path", "status"), ODD)
def test_odd_questions_are_refused_in_a_sentence(explored, path, status):
    found, _, words = ask(explored, path)
    assert found == status
    assert b"Traceback" not in words
    assert len(words) < 600


@pytest.mark.parametrize("body", [b"", b"x", np.full(10, np.nan, "<f4").tobytes(), bytes(4 * 10 * 17)])
def test_odd_codes_are_refused(explored, body):
    assert ask(explored, "/run/0/decode", body)[0] == 400
    assert ask(explored, "/run/0/decode?side=0", bytes(40))[0] == 400
    assert ask(explored, "/run/0/decode?like=120", bytes(40))[0] == 400


# Who is let in


@pytest.mark.parametrize("token", ["", "x", "é".encode().decode("latin-1")])
def test_without_the_token_nothing_of_a_run_is_shown(explored, token):
    for path in ("/run/0/about", "/run/0/pixels?at=0"):
        assert ask(explored, path, token=token)[0] == 403
    assert ask(explored, "/", token=token)[0] == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8642", "127.0.0.1.evil.example", "localhost@evil.example", "10.0.0.7", "", "[::1"],
)
def test_a_name_that_somebody_else_points_here_is_refused(explored, host):
    for path in ("/", "/run/0/about"):
        assert ask(explored, path, Host=host)[0] in (400, 403)


def test_the_names_of_this_machine_are_taken_at_any_port(explored):
    for host in ("localhost", "localhost:9000", "127.0.0.1:1", "[::1]:80"):
        assert ask(explored, "/run/0/about", Host=host)[0] == 200


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1:1", "http://localhost", "file://"]
)
def test_pages_of_other_origins_are_refused(explored, origin):
    assert ask(explored, "/run/0/decode", bytes(40), Origin=origin)[0] == 403
    assert ask(explored, "/run/0/about", Origin=origin, method="OPTIONS")[0] == 403
    own = f"http://127.0.0.1:{explored.port}"
    assert ask(explored, "/run/0/decode", bytes(40), Origin=own)[0] == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_requests_that_browsers_call_foreign_are_refused(explored, site):
    assert ask(explored, "/run/0/about", Sec_Fetch_Site=site)[0] == 403
    assert ask(explored, "/run/0/about", Sec_Fetch_Site="same-origin")[0] == 200


PATHS = [
    "/../app.py", "/..%2fapp.py", "/%2e%2e/app.py", "/page/../../app.py", "//etc/passwd", "/main.js/../../app.py",
    "/..\\app.py", "/etc/passwd", "/%00", "/run/0/../../app.py",
]  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_no_path_leads_out_of_the_page(explored, path):
    status, _, content = ask(explored, path)
    assert status == 404
    assert b"import" not in content


def raw_answer(explorer, content, most=400):
    with socket.create_connection(("127.0.0.1", explorer.port), timeout=10) as opened:
        opened.sendall(content)
        try:
            return opened.recv(most)
        except ConnectionResetError:
            return b""


def head(explorer, *lines, first="GET /run/0/about HTTP/1.1"):
    given = [first, "Host: 127.0.0.1", f"X-Vaelab-Token: {explorer.token}", "Connection: close", *lines]
    return ("\r\n".join(given) + "\r\n\r\n").encode()


def test_heads_and_bodies_have_a_size(explored):
    assert b" 414 " in raw_answer(explored, head(explored, first=f"GET /run/0/find?name={'x' * 9000} HTTP/1.1"))
    assert b" 431 " in raw_answer(explored, head(explored, f"X-Long: {'x' * 33_000}"))
    post = "POST /run/0/decode HTTP/1.1"
    assert b" 413 " in raw_answer(explored, head(explored, f"Content-Length: {MOST_BODY + 1}", first=post))
    assert b" 413 " in raw_answer(explored, head(explored, "Content-Length: 99999999999999999999", first=post))
    piece = b"10000\r\n" + bytes(0x10000) + b"\r\n"
    assert b" 413 " in raw_answer(explored, head(explored, "Transfer-Encoding: chunked", first=post) + piece * 5)


def test_hosts_that_are_given_twice_or_not_at_all_are_refused(explored):
    assert b" 400 " in raw_answer(explored, head(explored, "Host: localhost"))
    assert b" 400 " in raw_answer(explored, b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")


def test_too_many_requests_are_told_to_wait(monkeypatch):
    async def nothing(scope, receive, send):
        pass

    monkeypatch.setattr("time.monotonic", lambda: 100.0)
    guard = Guard(nothing, "token")
    for _ in range(int(BURST)):
        guard._count()
    with pytest.raises(Refused, match="Too many requests") as refused:
        guard._count()
    assert refused.value.status == 429
    monkeypatch.setattr("time.monotonic", lambda: 101.0)
    guard._count()


def test_every_answer_forbids_what_the_page_does_not_need(explored):
    for path in ("/", "/page.js", "/run/0/about", "/nothing"):
        _, headers, _ = ask(explored, path)
        policy = headers["content-security-policy"]
        assert "default-src 'none'; script-src 'self';" in policy
        assert "unsafe" not in policy
        assert "evil" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert "access-control-allow-origin" not in headers
        assert "set-cookie" not in headers


def test_texts_of_the_table_go_out_as_json_and_the_page_asks_for_nothing_elsewhere(explored):
    _, headers, _ = ask(explored, f"/run/0/find?name={NASTY.replace(' ', '%20')[:8]}")
    assert headers["content-type"] == "application/json"
    for path in ("/", *(route.path for route in explored.app.asgi.routes if route.path.endswith((".js", ".css")))):
        text = ask(explored, path)[2].decode()
        assert not [word for word in ("https://", "//cdn", "innerHTML", "eval(") if word in text], path


# Selections


def bits(*selections):
    return b"".join(np.packbits(mask, bitorder="little").tobytes() for mask in selections)


def test_selections_are_averaged_and_written_as_they_are_stored(explored, run, view):
    chosen = array(explored, "/run/0/chosen?query=concentration%20%3E%201").astype(bool)
    np.testing.assert_array_equal(chosen, view.table["concentration"] > 1)
    stored = run.dataset.collection.images[view.rows]
    means = array(explored, "/run/0/average", bits(chosen, ~chosen))
    np.testing.assert_allclose(means, [stored[chosen].mean(0), stored[~chosen].mean(0)], rtol=1e-6)
    centres = array(explored, "/run/0/centre", bits(chosen, ~chosen))
    np.testing.assert_allclose(centres[1], view.codes.loc[~chosen].mean(0), rtol=1e-4, atol=1e-6)
    table = pd.read_csv(io.BytesIO(ask(explored, "/run/0/ids", bits(chosen))[2]))
    np.testing.assert_array_equal(table["row"], view.rows[chosen])
    assert table["filename"].tolist() == view.table["filename"][chosen].tolist()
    with zipfile.ZipFile(io.BytesIO(ask(explored, "/run/0/archive", bits(chosen))[2])) as archive:
        names = archive.namelist()
        assert len({*names}) == chosen.sum()
        assert not [name for name in names if "/" in name or "<" in name or ".." in name]
        np.testing.assert_array_equal(tifffile.imread(io.BytesIO(archive.read(names[3]))), stored[chosen][3])


def test_two_selections_differ_in_what_they_were_chosen_by(explored, view):
    first = view.codes.loc[:, 2] > np.median(view.codes.loc[:, 2])
    body = bits(first, np.ones(len(view), bool))
    while (answer := ask(explored, "/run/0/compare", body))[0] == 202:
        pass
    assert answer[0] == 400  # all of the first are in the second, too
    body = bits(first, ~first)
    while (answer := ask(explored, "/run/0/compare", body))[0] == 202:
        pass
    found = json.loads(answer[2])
    assert found["counts"] == [first.sum(), (~first).sum()]
    own = next(line for line in found["lines"] if line["name"] == "z2")
    z = view.codes.loc[:, 2].astype(np.float64)
    assert own["shown"]
    assert own["difference"] == pytest.approx((z[first].mean() - z[~first].mean()) / z.std(), rel=1e-5)
    assert {line["group"] for line in found["lines"]} >= {"latent", "column", "feature"}
    shown = {line["name"]: line["first"] - line["second"] for line in found["lines"]}
    assert shown["dose"] == pytest.approx(view.table["dose"][first].mean() - view.table["dose"][~first].mean())


def test_a_kept_selection_is_a_column_of_the_run_and_of_nobody_elses_files(explored, run, view):
    source = Path(run.experiment.data.source.path)
    before, mask = source.read_bytes(), view.codes.loc[:, 0] > np.median(view.codes.loc[:, 0])
    assert ask(explored, "/run/0/keep?name=right", bits(mask))[0] == 200
    assert ask(explored, "/run/0/keep?name=right", bits(~mask))[0] == 400
    for name in ("moa", "../right", "mse", "z0"):
        assert ask(explored, f"/run/0/keep?name={name}", bits(mask))[0] == 400
    try:
        np.testing.assert_array_equal(array(explored, "/run/0/selection?name=right"), mask)
        assert said(explored, "/run/0/selections") == [{"name": "right", "count": int(mask.sum())}]
        np.testing.assert_array_equal(array(explored, "/run/0/chosen?query=right%20%3D%20yes"), mask)
        assert source.read_bytes() == before
        again = load(run.folder)
        assert again.hash == run.hash
        column = again.dataset.collection.table["right"]
        assert column[view.rows[mask]].eq("yes").all()
        assert column.drop(index=view.rows).isna().all()
        assert again.dataset.content_hash == run.dataset.content_hash
        scores = main(["evaluate", str(run.folder), "--labels", "right", "--metrics", "probe_accuracy", "--quiet"])
        assert scores == 0
    finally:
        (run.folder / "columns" / "right.csv").unlink()


def test_a_way_is_the_geodesic_that_python_finds(explored, run, view):
    ends = view.codes.loc[[3, 40]]
    straight = array(explored, "/run/0/way?kind=straight&steps=4", ends.tobytes())
    np.testing.assert_allclose(straight, np.linspace(ends[0], ends[1], 4), rtol=1e-5, atol=1e-6)
    while (answer := ask(explored, "/run/0/way?kind=geodesic&steps=4", ends.tobytes()))[0] == 202:
        pass
    z = torch.from_numpy(ends)
    expected = geodesics(run, z[:1], z[1:], Bending(num_steps=200), num_points=7).points[0, ::2]
    found = np.frombuffer(answer[2], "<f4").reshape(4, -1)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
    channels = "0" + "_1~ff0000~0~65535" * 3
    film = ask(explored, f"/run/0/film?channels={channels}", straight.tobytes())
    assert film[0] == 200
    assert film[2].startswith(b"GIF89a")
    kept = said(explored, "/run/0/keep_way?name=out&kind=straight&from=here&to=there", ends.tobytes())
    assert kept == said(explored, "/run/0/ways")
    assert (kept[0]["name"], kept[0]["words"]) == ("out", ["here", "there"])
    np.testing.assert_array_equal(np.array(kept[0]["ends"], np.float32), ends)
    for odd in ("name=out&kind=straight", "name=b&kind=round", "name=../b&kind=straight"):
        assert ask(explored, f"/run/0/keep_way?{odd}", ends.tobytes())[0] == 400
    (run.folder / "ways" / "out.json").unlink()
    assert ask(explored, "/run/0/way?kind=round", ends.tobytes())[0] == 400
    assert ask(explored, "/run/0/way?kind=straight", ends[:1].tobytes())[0] == 400


# Runs as they may be


def test_a_run_of_a_study_is_called_by_its_member_and_its_seed(run):
    assert replace(run, folder=Path("study") / "plain" / f"seed-{run.experiment.seed}").called == "plain, seed 0"
    assert replace(run, folder=Path("study") / "plain" / "seed-7").called == "seed-7"  # it has another seed
    assert run.called == run.folder.name


def test_a_run_that_still_trains_says_so(run):
    assert not open_view(run).notes
    with claimed(run.folder):
        assert "still training" in open_view(run).notes[0]


def test_a_run_whose_images_are_gone_shows_the_codes_that_were_kept(run, view, tmp_path):
    lost = load(run.folder, images=tmp_path / "nowhere.npz")
    found = open_view(lost)
    assert found.images is None
    assert "nowhere" in found.notes[0]
    np.testing.assert_array_equal(found.codes.loc, view.codes.loc)
    explorer = explore(lost, port=0)
    try:
        assert said(explorer, "/run/0/about")["images"] is False
        assert ask(explorer, "/run/0/pixels?at=0")[0] == 400
        assert ask(explorer, "/run/0/decode", bytes(40))[0] == 200
    finally:
        explorer.stop()


def test_other_images_and_all_images_can_be_shown(run, view):
    every = open_view(run, "all")
    assert len(every) == run.facts.num_images
    assert set(every.table["split"]) == {"train", "validation", "test"}
    others = open_view(run, run.experiment.data.source.path)  # pyright: ignore[reportAttributeAccessIssue]
    np.testing.assert_allclose(others.codes.loc[run.splits.test], view.codes.loc, atol=1e-5)
    with pytest.raises(InputError, match="did you mean test"):
        open_view(run, "tset")


def test_what_the_explorer_draws_does_not_change_when_the_run_is_trained_on(run):
    found, z = open_view(run), np.zeros((1, 10), np.float32)
    before = found.decoded(z)
    with torch.no_grad():
        for weights in run.model.parameters():
            weights.add_(1.0)
    try:
        np.testing.assert_array_equal(found.decoded(z), before)
    finally:
        with torch.no_grad():
            for weights in run.model.parameters():
                weights.sub_(1.0)


def test_two_runs_show_the_same_images_or_are_refused(explored_pair, view, tmp_path, capsys):
    first, second = (answers.view for answers in explored_pair.app.runs)
    assert said(explored_pair, "/run/0/about")["runs"] == ["run", "another"]
    alone = (~np.isin(first.rows, second.rows)).sum()
    assert f"{alone} by run alone, {alone} by another alone" in said(explored_pair, "/run/1/about")["notes"][0]
    assert array(explored_pair, "/run/1/codes?at=0").shape == (1, 4)
    with pytest.raises(InputError, match="the runs should show images in common, got none"):
        together([view, replace(view, rows=view.rows + 1000)])
    assert len(together([view, view])[0].notes) == 0
    others = digits_run(tmp_path)
    assert main(["explore", str(first.run.folder), str(others.folder), "--no-browser", "--quiet"]) == 2
    assert re.match(r"the images of \S+digits should be those of \S+run", capsys.readouterr().err)


def test_a_run_without_a_checkpoint_is_refused(run, tmp_path, capsys):
    shutil.copytree(run.folder, tmp_path / "begun", ignore=shutil.ignore_patterns("*.safetensors", "results"))
    for words in (["begun"], [str(run.folder), "begun"], ["begun", "--export", "page"]):
        places = [str(tmp_path / word) if word in ("begun", "page") else word for word in words]
        assert main(["explore", *places, "--no-browser", "--quiet"]) == 2
        assert "begun should hold a checkpoint, got none." in capsys.readouterr().err
    assert not (tmp_path / "page").exists()


def test_a_port_that_is_taken_is_refused_by_its_flag(explored, run, capsys):
    assert main(["explore", str(run.folder), "--port", str(explored.port), "--no-browser", "--quiet"]) == 2
    assert capsys.readouterr().err.startswith("--port should be free, got")
    assert main(["explore", str(run.folder), "--host", "203.0.113.9", "--no-browser", "--quiet"]) == 2
    assert "--host should be an address of this machine" in capsys.readouterr().err


def test_odd_names_of_hosts_are_refused_and_sound_ones_taken(view):
    for name in ("a\r\nx: y", "", "ü.example", "a b", "*"):
        with pytest.raises(InputError, match="hosts should be names"):
            Explorer([view], port=0, hosts=[name])
    explorer = Explorer([view], port=0, hosts=["hub.example.org"]).start()
    try:
        assert ask(explorer, "/run/0/rows", Host="hub.example.org")[0] == 200
        assert ask(explorer, "/run/0/rows", Host="other.example.org")[0] == 403
    finally:
        explorer.stop()


def test_a_notebook_shows_it_in_a_frame(explored):
    assert f'<iframe src="{explored.url.replace("&", "&amp;")}"' in explored._repr_html_()
    assert explored.tunnel.startswith(f"ssh -L {explored.port}:127.0.0.1:{explored.port} ")


def test_five_images_can_be_shown(view):
    codes = replace(view.codes, loc=view.codes.loc[:5], scale=view.codes.scale[:5])
    own = {"rows": view.rows[:5], "table": view.table.iloc[:5], "measured": view.measured.iloc[:5], "question": None}
    few = replace(view, codes=codes, **own)
    explorer = Explorer([few], port=0).start()
    try:
        assert array(explorer, "/run/0/points?map=PCA").shape == (5, 2)
        assert len(said(explorer, "/run/0/near?count=8", bytes(40))["nearest"]) == 5
        assert ask(explorer, "/run/0/points?map=t-SNE")[0] == 400
    finally:
        explorer.stop()


def test_the_page_is_one_script_that_holds_every_module(explored):
    _, _, page = ask(explored, "/")
    assert re.findall(r'<script[^>]* src="([^"]+)">', page.decode()) == ["page.js"]
    script = ask(explored, "/page.js")[2].decode()
    place = Path(str(files("vaelab.explorer"))) / "page"
    names = sorted(path.name for path in place.glob("*.js"))
    assert sorted(re.findall(r'^modules\["(\w+\.js)"\] = ', script, re.MULTILINE)) == names
    assert ask(explored, "/main.js")[0] == 404
