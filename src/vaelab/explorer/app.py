"""The endpoints. All are relative, so that the page works behind a tunnel or a proxy with a path of its own.

Under ``run/K/``, K being the place of the run among those that are shown:

GET  about                       JSON: names, counts, shapes, scalings, latents, columns, maps; names of all `runs`
GET  rows                        int32 (image,): each image's row in its collection
GET  points?map=NAME             float32 (image, 2): PCA, z0,z3, t-SNE; 202 while a projection is being made
GET  column?name=NAME            float32 (image,) numbers, or int32 (image,) categories; 202 while it is being measured
GET  codes?at=PLACES             float32 (image, latent): the posteriors' means
GET  pixels?at=PLACES            (image, channel, height, width) as stored
GET  reconstruction?at=PLACES    float32, likewise, in the units of the stored pixels
GET  thumbnails?at=PLACES        as stored, sides of 32 pixels at most
GET  quantiles                   float32 (channel, 1001): stored values at 0 %, 0.1 %, ... 100 % of the pixels
GET  record?at=PLACE             JSON: the image's name, row and columns
GET  find?name=TEXT              JSON: images by name or #row
POST decode?like=PLACE&side=N    body: float32 codes -> float32 (code, channel, height, width), in stored units;
                                 with tab=ID&turn=N, 409 where the tab has asked anew before this was begun
POST way?kind=KIND&steps=N           body: two codes -> float32 (step, latent): codes from one to the other; KIND is
                                     straight or geodesic; 202 while a geodesic is searched for; like=PLACE as above
POST keep_way?name=NAME&kind=KIND&from=WORDS&to=WORDS  body: its two codes; GET ways gives all that are kept, as JSON
POST film?channels=SETTINGS          body: codes -> GIF of what the model draws there, there and back; like=PLACE too
POST near?count=N                body: one float32 code -> JSON: nearest images, and how sparse the data are there

``run/K-STAGE/`` is the same of another stage of the run's model; 202 while that is being opened. What draws (decode,
reconstruction, way, film) takes ``under=COLUMN=VALUE``, once for each column of the model's condition that is to be
another than the image's own.

PLACES are ``0,5,7``: places among the images shown. Arrays go out as `vaelab.explorer.raw` says. What is asked about
selections stands in `vaelab.explorer.choosing`, about explanations in `vaelab.explorer.explaining`.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, TypeVar

import anyio
import numpy as np
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from vaelab.errors import InputError
from vaelab.explorer.answers import Answers
from vaelab.explorer.bundle import page_files
from vaelab.explorer.choosing import Choosing
from vaelab.explorer.conditions import asked_under
from vaelab.explorer.explaining import Explaining
from vaelab.explorer.jobs import Jobs
from vaelab.explorer.pair import run_names
from vaelab.explorer.raw import codes, place, places, raw
from vaelab.explorer.ways import MOST_STEPS, composed, film, keep_way, kept_ways, way

T = TypeVar("T")
Endpoint = Callable[[Answers, Request], Awaitable[Response]]

_KINDS = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
_AT_ONCE = 2
"""Threads that ask the model at the same time."""
_MOST_TABS, _MOST_NEAR = 64, 32


class Turns:
    """Which question of each tab is the last: of several that wait, only that one is worth an answer."""

    def __init__(self):
        self._last = OrderedDict[str, int]()

    def take(self, tab: str, turn: int) -> None:
        """Notes a question."""
        self._last[tab] = max(turn, self._last.get(tab, 0))
        self._last.move_to_end(tab)
        while len(self._last) > _MOST_TABS:
            self._last.popitem(last=False)

    def is_over(self, tab: str, turn: int) -> bool:
        """Whether the tab has asked anew since."""
        return self._last.get(tab, turn) > turn


class App:
    """The endpoints on some runs.

    Args:
        runs: What can be asked of each.
    """

    def __init__(self, runs: Sequence[Answers]):
        self.runs, self.measuring, self.projecting, self.turns = runs, Jobs(), Jobs(), Turns()
        self._stages: dict[str, Answers] = {}
        self._decoding, choosing = anyio.CapacityLimiter(_AT_ONCE), Choosing(self.measuring)
        get = choosing.get | Explaining().get | {
            "about": self.about, "rows": self.rows, "points": self.points, "column": self.column, "codes": self.codes,
            "pixels": self.pixels, "reconstruction": self.reconstruction, "thumbnails": self.thumbnails,
            "quantiles": self.quantiles, "record": self.record, "ways": self.ways, "find": self.find,
        }  # fmt: skip
        post = choosing.post | {
            "decode": self.decode, "near": self.near, "way": self.way, "keep_way": self.keep_way, "film": self.film,
        }  # fmt: skip
        data = [
            Route(f"/run/{{k}}/{name}", partial(self._answer, endpoint), methods=[method])
            for method, endpoints in (("GET", get), ("POST", post))
            for name, endpoint in endpoints.items()
        ]
        self.asgi = Starlette(routes=[*_page(), *data])

    def prepare(self) -> None:
        """Computes what pages ask for first; what cannot be had is said to whoever asks for it."""
        for of in self.runs:
            with contextlib.suppress(InputError):
                of.prepare()

    def close(self) -> None:
        """Begins nothing more that takes long."""
        self.measuring.close()
        self.projecting.close()

    async def _answer(self, endpoint: Endpoint, request: Request) -> Response:
        """Of the run that is named; a refused input is one sentence."""
        k, _, stage = request.path_params["k"].partition("-")
        if not (k.isascii() and k.isdecimal() and len(k) < 3 and int(k) < len(self.runs)):
            return PlainTextResponse("There is no such run.", 404)
        of = self.runs[int(k)]
        if stage and stage not in of.view.run.stages:
            return PlainTextResponse("There is no such stage.", 404)
        try:
            found = await self._at_stage(of, f"{int(k)}-{stage}", stage)
            return found if isinstance(found, Response) else await endpoint(found, request)
        except InputError as error:
            return PlainTextResponse(str(error), 400)

    async def _at_stage(self, of: Answers, name: str, stage: str) -> Answers | Response:
        """The same images by a stage of the model, opened when it is first asked for and then kept."""
        if stage in ("", of.view.stage):
            return of
        if name not in self._stages:
            done, found = await run_in_threadpool(self.measuring.get, name, partial(of.at_stage, stage))
            if not done:
                return PlainTextResponse("It is being opened.", 202, {"Retry-After": "1"})
            self._stages[name] = found
        return self._stages[name]

    async def about(self, of: Answers, _: Request) -> Response:
        """See the module."""
        names = run_names([each.view for each in self.runs])
        return JSONResponse({**await run_in_threadpool(of.about), "runs": names})

    async def rows(self, of: Answers, _: Request) -> Response:
        """See the module."""
        return raw(of.view.rows.astype(np.int32))

    async def points(self, of: Answers, request: Request) -> Response:
        """See the module."""
        name = request.query_params.get("map", "")
        if not of.maps.is_slow(name):
            return raw((await run_in_threadpool(of.maps.points, name)).astype(np.float32))
        found = await self._slow(self.projecting, request, name, partial(of.maps.points, name))
        return found if isinstance(found, Response) else raw(found.astype(np.float32))

    async def column(self, of: Answers, request: Request) -> Response:
        """See the module."""
        name = request.query_params.get("name", "")
        if name not in of.columns.on_demand():
            return raw(of.columns.column(name).values)
        found = await self._slow(self.measuring, request, name, partial(of.columns.column, name))
        return found if isinstance(found, Response) else raw(found.values)

    async def codes(self, of: Answers, request: Request) -> Response:
        """See the module."""
        return raw(of.view.codes.loc[places(request, len(of.view), of.view.latent_dim)].astype(np.float32))

    async def pixels(self, of: Answers, request: Request) -> Response:
        """See the module."""
        wanted = places(request, len(of.view), _numbers(of))
        return raw(await run_in_threadpool(of.view.stored, wanted))

    async def reconstruction(self, of: Answers, request: Request) -> Response:
        """See the module."""
        wanted, under = places(request, len(of.view), _numbers(of)), asked_under(request, of.view)
        return raw(await self._of_model(of.view.reconstructed, wanted, under))

    async def thumbnails(self, of: Answers, request: Request) -> Response:
        """See the module."""
        return raw(await run_in_threadpool(of.thumbnails.of, places(request, len(of.view))))

    async def quantiles(self, of: Answers, _: Request) -> Response:
        """See the module."""
        return raw(await run_in_threadpool(lambda: of.quantiles))

    async def record(self, of: Answers, request: Request) -> Response:
        """See the module."""
        return JSONResponse(of.record(places(request, len(of.view))[0]))

    async def find(self, of: Answers, request: Request) -> Response:
        """See the module."""
        return JSONResponse(await run_in_threadpool(of.find, request.query_params.get("name", "")[:500]))

    async def decode(self, of: Answers, request: Request) -> Response:
        """See the module."""
        asked = request.query_params
        tab, turn, side = asked.get("tab", "")[:40], _whole(asked, "turn", 2**53, 0), _whole(asked, "side", 4096, None)
        like, under = place(asked.get("like"), len(of.view)), asked_under(request, of.view)
        z = codes(await request.body(), of.view.latent_dim, _numbers(of))
        if turn:
            self.turns.take(tab, turn)
        found = await self._of_model(
            lambda: None if turn and self.turns.is_over(tab, turn) else of.decoded(z, like, under, side)
        )
        return raw(found) if found is not None else PlainTextResponse("A later question came.", 409)

    async def way(self, of: Answers, request: Request) -> Response:
        """See the module."""
        asked, body = request.query_params, await request.body()
        kind, steps = asked.get("kind", ""), _whole(asked, "steps", MOST_STEPS, 9)
        like, ends = place(asked.get("like"), len(of.view)), codes(body, of.view.latent_dim)
        under = asked_under(request, of.view)
        if len(ends) != 2 or steps < 2:
            raise InputError("a way", "have two ends and two steps or more", f"{len(ends)} and {steps}")
        find = partial(way, of.view, ends, kind, steps, like, under)
        if kind != "geodesic":
            return raw(find())
        name = f"way {steps} {like} {under} {hashlib.sha256(body).hexdigest()}"
        found = await self._slow(self.measuring, request, name, find)
        return found if isinstance(found, Response) else raw(found)

    async def ways(self, of: Answers, _: Request) -> Response:
        """See the module."""
        return JSONResponse(await run_in_threadpool(kept_ways, of.view))

    async def keep_way(self, of: Answers, request: Request) -> Response:
        """See the module."""
        asked, ends = request.query_params, codes(await request.body(), of.view.latent_dim)
        name, kind, words = asked.get("name", ""), asked.get("kind", ""), [asked.get("from", ""), asked.get("to", "")]
        await run_in_threadpool(keep_way, of.view, name, kind, ends, words)
        return await self.ways(of, request)

    async def film(self, of: Answers, request: Request) -> Response:
        """See the module."""
        z = codes(await request.body(), of.view.latent_dim, _numbers(of))
        like, settings = place(request.query_params.get("like"), len(of.view)), request.query_params.get("channels", "")
        drawn = await self._of_model(of.view.decoded, z, like, asked_under(request, of.view))
        return Response(await run_in_threadpool(lambda: film(composed(drawn, settings))), media_type="image/gif")

    async def near(self, of: Answers, request: Request) -> Response:
        """See the module."""
        count = _whole(request.query_params, "count", _MOST_NEAR, 8)
        z = codes(await request.body(), of.view.latent_dim)[0]
        return JSONResponse(await run_in_threadpool(of.near, z, count))

    async def _of_model(self, ask: Callable[..., T], *what: Any) -> T:
        return await anyio.to_thread.run_sync(ask, *what, limiter=self._decoding)

    async def _slow(self, jobs: Jobs, request: Request, name: str, compute: Callable[[], T]) -> T | Response:
        """What takes long: done, or 202, after which the page asks again."""
        done, found = await run_in_threadpool(jobs.get, f"{request.path_params['k']} {name}", compute)
        return found if done else PlainTextResponse("It is being made.", 202, {"Retry-After": "1"})


def _numbers(of: Answers) -> int:
    """Pixels times channels of an image."""
    return int(np.prod(of.view.run.facts.image_shape))


def _whole(asked: Any, name: str, most: int, default: Any) -> Any:
    """A whole number from 1 on."""
    text = asked.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) < 18 and 1 <= int(text) <= most):
        raise InputError(name, f"be from 1 to {most}", repr(text)[:80])
    return int(text)


def _page() -> list[Route]:
    """The page's files, each under its own name, held in memory: no path that a request names is ever opened."""
    found = page_files()
    routes = [_file(f"/{name}", name, content) for name, content in found.items()]
    return [_file("/", "index.html", found["index.html"]), *routes]


def _file(path: str, name: str, content: str) -> Route:
    kind = _KINDS[name.rpartition(".")[2]]

    async def give(_: Request) -> Response:
        return Response(content, media_type=kind, headers={"Cache-Control": "no-cache"})

    return Route(path, give, methods=["GET"])
