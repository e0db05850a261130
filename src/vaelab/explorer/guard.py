"""Nobody gets in from elsewhere: what every request must bring before anything is done for it.

The page itself holds nothing of a run, so it is given to whoever names a host that is ours; what lies under ``run/``
asks for the token besides. There are no cookies, so that no other page can ask in a user's name.
"""

from __future__ import annotations

import hmac
import ipaddress
import time
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

HOME = ("localhost", "127.0.0.1", "::1")
"""Names of this machine to itself."""
MOST_BODY, MOST_TARGET, MOST_HEAD = 256 << 10, 8 << 10, 32 << 10
"""Bytes of a request's body, of its path with the query, and of its other head lines."""
PER_SECOND, BURST = 300.0, 600.0
"""Requests that are answered each second in the long run, and at once."""
TOKEN = b"x-vaelab-token"


class Refused(Exception):
    """A request that is not let in, with the status that says why."""

    def __init__(self, status: int, why: str):
        super().__init__(why)
        self.status, self.why = status, why


class Guard:
    """Lets a request through to the app if it comes from where it may, in the size and at the rate that it may.

    Args:
        app: What answers.
        token: What requests for data must bring, in the header ``X-Vaelab-Token``.
        hosts: Names beside those of this machine to itself under which the server may be asked.
        beyond: Whether it listens beyond this machine, where its addresses, as numbers, are names of it too.
    """

    def __init__(self, app: App, token: str, hosts: Iterable[str] = (), *, beyond: bool = False):
        self.app, self.token, self.beyond = app, token.encode(), beyond
        self.hosts = {*HOME, *(host.lower() for host in hosts)}
        self._headers = [(name.encode(), value.encode()) for name, value in _headers(self.hosts).items()]
        self._tokens, self._asked = BURST, time.monotonic()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self.app(scope, receive, send)
        if scope["type"] != "http":
            return await send({"type": "websocket.close", "code": 1008})

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = {name.lower() for name, _ in message["headers"]}
                message["headers"] += [header for header in self._headers if header[0] not in own]
            await send(message)

        try:
            self._check(scope)
            receive = await _whole(receive)
        except Refused as error:
            return await _say(error, with_headers)
        return await self.app(scope, receive, with_headers)

    def _check(self, scope: Scope) -> None:
        headers: dict[bytes, list[bytes]] = {}
        for name, value in scope["headers"]:
            headers.setdefault(name.lower(), []).append(value)
        host = self._host(headers.get(b"host", []))
        is_data = scope["path"].startswith("/run/")
        for origin in headers.get(b"origin", []):
            if urlsplit(origin.decode("latin-1")).netloc.lower() != host:
                raise Refused(403, "This was asked by a page of another origin.")
        if is_data and not {*headers.get(b"sec-fetch-site", [])} <= {b"same-origin", b"none"}:
            raise Refused(403, "This was asked by a page of another site.")
        if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > MOST_TARGET:
            raise Refused(414, "The address is too long.")
        if sum(len(name) + len(value) for name, value in scope["headers"]) > MOST_HEAD:
            raise Refused(431, "The head is too long.")
        if is_data and not any(hmac.compare_digest(given, self.token) for given in headers.get(TOKEN, [])):
            raise Refused(403, "Open the address that was printed: it ends in a token.")
        for size in headers.get(b"content-length", []):
            if not size.isdigit() or int(size) > MOST_BODY:
                raise Refused(413, "That is too much.")
        self._count()

    def _host(self, given: list[bytes]) -> str:
        """The host that was asked for, with its port: a name that somebody else may point here is none of ours."""
        if len(given) != 1:
            raise Refused(400, "Host should be there once.")
        host = given[0].decode("latin-1").lower()
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            name = ""
        if name not in self.hosts and not (self.beyond and _is_address(name)):
            raise Refused(403, "This server does not go by that name; see --allow-host.")
        return host

    def _count(self) -> None:
        """Takes one of the requests that there may be now."""
        now = time.monotonic()
        self._tokens = min(BURST, self._tokens + (now - self._asked) * PER_SECOND)
        self._asked = now
        if self._tokens < 1:
            raise Refused(429, "Too many requests; wait a moment.")
        self._tokens -= 1


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


async def _whole(receive: Receive) -> Receive:
    """The body, read as far as it may be long, whatever its head says; then what else comes."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > MOST_BODY:
            raise Refused(413, "That is too much.")
    given = False

    async def give() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return give


def _headers(hosts: Iterable[str]) -> dict[str, str]:
    """What every answer says to the browser: nothing from elsewhere runs, loads or frames this, and nothing is kept.

    A notebook on this machine may show it in a frame.
    """
    framed = " ".join(f"http://{name}:* https://{name}:*" for name in sorted(hosts) if ":" not in name)
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
        f"base-uri 'none'; form-action 'none'; frame-ancestors 'self' {framed}"
    )
    return {
        "content-security-policy": policy,
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cross-origin-resource-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
        "permissions-policy": "camera=(), microphone=(), geolocation=()",
        "cache-control": "no-store",
    }


async def _say(error: Refused, send: Send) -> None:
    body = error.why.encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    if error.status == 429:
        headers.append((b"retry-after", b"1"))
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
