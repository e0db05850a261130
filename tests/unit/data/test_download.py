"""Downloads: from a server, a folder, half-way on, damaged; nothing wrong is ever kept."""

from __future__ import annotations

import hashlib
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from vaelab.data import download as module
from vaelab.data.download import KNOWN, KnownSet, RemoteFile, download
from vaelab.errors import InputError

CONTENTS = {"a.bin": bytes(range(256)) * 4000, "b.bin": b"labels"}


class Server(SimpleHTTPRequestHandler):
    """Serves a folder; `ranges` and `cut` make it answer ranges, and stop half-way."""

    ranges = True
    cut = False
    asked: list[str | None] = []  # noqa: RUF012

    def do_GET(self):
        data = CONTENTS.get(self.path.rsplit("/", 1)[-1])
        wanted = self.headers.get("Range")
        self.asked.append(wanted)
        if data is None:
            self.send_error(404)
            return
        start = int(wanted[6:-1]) if wanted and self.ranges else 0
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        body = data[start:]
        self.wfile.write(body[: len(body) // 2] if self.cut and len(data) > 99 else body)

    def log_message(self, *_):
        pass


@pytest.fixture
def server(tmp_path, monkeypatch):
    Server.ranges, Server.cut, Server.asked = True, False, []
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Server, directory=str(tmp_path))) as http:
        thread = threading.Thread(target=http.serve_forever, args=(0.01,))
        thread.start()
        address = f"http://127.0.0.1:{http.server_port}/set"
        files = tuple(RemoteFile(n, hashlib.md5(c).hexdigest(), len(c)) for n, c in CONTENTS.items())
        monkeypatch.setitem(KNOWN, "toy", KnownSet(address, files, "a toy"))
        yield address
        http.shutdown()
        thread.join()


def whole(folder):
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == CONTENTS


def test_files_are_fetched_once(server, tmp_path):
    whole(download("toy", tmp_path / "out"))
    asked = len(Server.asked)
    whole(download("toy", tmp_path / "out", progress=True))
    assert len(Server.asked) == asked


@pytest.mark.parametrize("ranges", [True, False])
def test_an_interrupted_download_goes_on_or_starts_again(server, tmp_path, ranges):
    Server.cut, Server.ranges = True, ranges
    with pytest.raises(InputError):
        download("toy", tmp_path / "out")
    assert not (tmp_path / "out/a.bin").exists()
    (tmp_path / "out/a.bin.part").write_bytes(CONTENTS["a.bin"][:1000])
    Server.cut = False
    whole(download("toy", tmp_path / "out"))
    assert "bytes=1000-" in Server.asked


def test_a_foreign_beginning_is_thrown_away(server, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/a.bin.part").write_bytes(b"something else")
    whole(download("toy", tmp_path / "out"))


@pytest.mark.parametrize("as_address", [str, lambda path: path.as_uri()])
def test_a_local_folder_in_place_of_the_address(server, tmp_path, as_address):
    (tmp_path / "mirror").mkdir()
    for name, content in CONTENTS.items():
        (tmp_path / "mirror" / name).write_bytes(content)
    whole(download("toy", tmp_path / "out", address=as_address(tmp_path / "mirror")))
    assert Server.asked == []


def test_the_wrong_file_is_not_kept(server, tmp_path):
    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror/a.bin").write_bytes(b"something else")
    with pytest.raises(InputError, match=r"a.bin from .* should have the md5 sum .*Nothing was kept"):
        download("toy", tmp_path / "out", address=str(tmp_path / "mirror"))
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("address", ["http://127.0.0.1:9/", "http://[bad/", "http://no host/", "nowhere", "ftp://x/y"])
def test_an_address_without_the_files_is_one_clear_error(server, tmp_path, address):
    with pytest.raises(InputError, match=r"a.bin should be found at .*Give a mirror's address or a local folder") as e:
        download("toy", tmp_path / "out", address=address)
    assert "\n" not in str(e.value)


def test_a_missing_file_and_an_unknown_set(server, tmp_path, monkeypatch):
    with pytest.raises(InputError, match="did you mean mnist"):
        download("mnst", tmp_path)
    monkeypatch.delitem(CONTENTS, "a.bin")
    with pytest.raises(InputError, match="404"):
        download("toy", tmp_path / "out")
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="the download folder should be a folder that can be written"):
        download("toy", tmp_path / "file")


def test_too_long_an_answer_is_cut_off(server, tmp_path, monkeypatch):
    files = (RemoteFile("a.bin", "0" * 32, 100),)
    monkeypatch.setitem(KNOWN, "toy", KnownSet(server, files, "a toy"))
    sizes = []
    check = module._md5
    monkeypatch.setattr(module, "_md5", lambda path: sizes.append(path.stat().st_size) or check(path))
    with pytest.raises(InputError, match="md5"):
        download("toy", tmp_path / "out")
    assert max(sizes) == 101


def test_without_a_folder_it_goes_to_the_cache(server, tmp_path, monkeypatch):
    monkeypatch.setenv("VAELAB_CACHE", str(tmp_path / "cache"))
    assert download("toy") == tmp_path / "cache" / "downloads" / "toy"


def test_mnist_has_its_published_checksums(shared_data, tmp_path):
    whole = download("mnist", tmp_path / "mnist", address=str(shared_data / "mnist"))
    for file in KNOWN["mnist"].files:
        assert (whole / file.name).stat().st_size == file.size
