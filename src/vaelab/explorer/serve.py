"""The server: a socket, a token, and a thread where a notebook goes on meanwhile."""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import os
import re
import secrets
import socket
import threading
import time
from collections.abc import Iterable, Sequence
from html import escape

import uvicorn

from vaelab.errors import InputError
from vaelab.explorer.answers import Answers
from vaelab.explorer.app import App
from vaelab.explorer.guard import Guard
from vaelab.explorer.view import View

PORT = 8642
"""Where it listens unless that port is taken."""
_TRIED = 20
_FRAME_HEIGHT = 780


class Explorer:
    """A server of the explorer on some runs; in a notebook it shows itself in a frame.

    Args:
        views: What is shown.
        port: Where it listens; None: 8642, or the first port after it that is free; 0: any.
        host: The address of this machine at which it listens.
        hosts: Other names under which it may be asked for, such as that of a proxy.
        token: What whoever asks must know; None: a new one, as is wise. With an old one open pages go on.

    Raises:
        InputError: The port is taken, or the address is none of this machine.
    """

    def __init__(
        self,
        views: Sequence[View],
        *,
        port: int | None = None,
        host: str = "127.0.0.1",
        hosts: Iterable[str] = (),
        token: str | None = None,
    ):
        hosts = [_checked(name) for name in hosts]
        self.token, self.host = token or secrets.token_urlsafe(16), host
        self._socket = _listening(host, port)
        self.port: int = self._socket.getsockname()[1]
        beyond = not _is_home(host)
        names = [*hosts, *([socket.gethostname(), socket.getfqdn(), host] if beyond else [])]
        self.app = App([Answers(view) for view in views])
        config = uvicorn.Config(
            Guard(self.app.asgi, self.token, names, beyond=beyond),  # pyright: ignore[reportArgumentType]
            log_level="error", access_log=False, lifespan="off", server_header=False, date_header=False,
            limit_concurrency=256, timeout_keep_alive=20, proxy_headers=False,
            http="h11", ws="none", h11_max_incomplete_event_size=32 << 10,
        )  # fmt: skip
        self._server, self._thread = uvicorn.Server(config), None

    @property
    def url(self) -> str:
        """What to open in a browser; it ends in the token, without which nothing of the runs is shown."""
        name = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host
        return f"http://{f'[{name}]' if ':' in name else name}:{self.port}/?token={self.token}"

    @property
    def tunnel(self) -> str:
        """What to type on another machine, so that the same address works there."""
        user = os.environ.get("USER") or os.environ.get("LOGNAME") or "USER"
        return f"ssh -L {self.port}:127.0.0.1:{self.port} {user}@{socket.gethostname()}"

    def serve(self) -> None:
        """Answers until it is stopped with Ctrl-C."""
        threading.Thread(target=self.app.prepare, name="explorer: first answers", daemon=True).start()
        try:
            self._server.run(sockets=[self._socket])
        finally:
            self.app.close()

    def start(self) -> Explorer:
        """Answers in a thread of its own, from now on."""
        self._thread = threading.Thread(target=self.serve, name="explorer", daemon=True)
        self._thread.start()
        while not self._server.started and self._thread.is_alive():
            time.sleep(0.005)
        return self

    def stop(self) -> None:
        """Answers no more."""
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(5)
        self._socket.close()

    def __repr__(self) -> str:
        return f"<Explorer: {self.url}>"

    def _repr_html_(self) -> str:
        url = escape(self.url)
        return (
            f'<iframe src="{url}" title="vaelab explorer" width="100%" height="{_FRAME_HEIGHT}" '
            f'style="border: 1px solid #8884; border-radius: 8px"></iframe><a href="{url}">In a tab of its own</a>'
        )


def _listening(host: str, port: int | None) -> socket.socket:
    """A socket at the port, or at the first that is free."""
    failed: OSError | None = None
    if not host:
        raise InputError("host", "be an address of this machine", "nothing")
    for number in range(PORT, PORT + _TRIED) if port is None else [port]:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        opened = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # so that small answers go out at once
        with contextlib.suppress(OSError):
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            opened.bind((host, number))
            return opened
        except OSError as error:
            opened.close()
            failed = error
        except (OverflowError, ValueError, TypeError):  # no name that can be asked for
            opened.close()
            failed = socket.gaierror()
    if isinstance(failed, socket.gaierror) or (failed is not None and failed.errno == errno.EADDRNOTAVAIL):
        raise InputError("host", "be an address of this machine", repr(host))
    got = f"{port if port is not None else f'{PORT} to {PORT + _TRIED - 1}'} ({failed and failed.strerror})"
    raise InputError("port", "be free", got, "Choose another, or leave it out.")


def _checked(name: str) -> str:
    """A name of a host, which goes into a head line."""
    if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,250}[A-Za-z0-9])?", name):
        raise InputError("hosts", "be names of hosts, such as hub.example.org", repr(name)[:80])
    return name


def _is_home(host: str) -> bool:
    """Whether only this machine can reach the address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
