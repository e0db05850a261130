"""The endpoints about selections; they stand with the others in `vaelab.explorer.app`.

Under ``run/K/``; MASKS are one or two masks of the images shown, a bit for each, the lowest first, each in whole bytes:

GET  selections                      JSON: names of those that are kept with the run, and counts
GET  selection?name=NAME             uint8 (image,): one of them
GET  chosen?query=TEXT               uint8 (image,): by a query on columns, see `vaelab.explorer.query`
POST keep?name=NAME                  body: a mask -> JSON: the columns' heads, with the new one
POST centre                          body: MASKS -> float32 (selection, latent): the codes' means
POST average                         body: MASKS -> float32 (selection, channel, height, width): mean images, as stored
POST compare                         body: two masks -> JSON: in what they differ; 202 while it is being measured
POST ids                             body: a mask -> CSV: row, image, columns
POST archive                         body: a mask -> ZIP of TIFF files, as stored
"""

from __future__ import annotations

import hashlib
from functools import partial

import numpy as np
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from vaelab.explorer.answers import Answers
from vaelab.explorer.jobs import Jobs
from vaelab.explorer.raw import raw
from vaelab.explorer.selections import masks


class Choosing:
    """See the module.

    Args:
        jobs: Where comparisons are made.
    """

    def __init__(self, jobs: Jobs):
        self._jobs = jobs
        self.get = {"selections": self.selections, "selection": self.selection, "chosen": self.chosen}
        self.post = {
            "keep": self.keep, "centre": self.centre, "average": self.average, "compare": self.compare,
            "ids": self.ids, "archive": self.archive,
        }  # fmt: skip

    async def selections(self, of: Answers, _: Request) -> Response:
        """See the module."""
        return JSONResponse(of.selections.known())

    async def selection(self, of: Answers, request: Request) -> Response:
        """See the module."""
        return raw(of.selections.named(request.query_params.get("name", "")).astype(np.uint8))

    async def chosen(self, of: Answers, request: Request) -> Response:
        """See the module."""
        found = await run_in_threadpool(of.selections.chosen, request.query_params.get("query", ""))
        return raw(found.astype(np.uint8))

    async def keep(self, of: Answers, request: Request) -> Response:
        """See the module."""
        (mask,) = masks(await request.body(), len(of.view), most=1)
        await run_in_threadpool(of.selections.keep, request.query_params.get("name", ""), mask)
        return JSONResponse(of.column_heads())

    async def centre(self, of: Answers, request: Request) -> Response:
        """See the module."""
        return raw(of.selections.centres(masks(await request.body(), len(of.view))))

    async def average(self, of: Answers, request: Request) -> Response:
        """See the module."""
        return raw(await run_in_threadpool(of.selections.averages, masks(await request.body(), len(of.view))))

    async def compare(self, of: Answers, request: Request) -> Response:
        """See the module."""
        body = await request.body()
        first, second = masks(body, len(of.view), least=2)
        name = f"{request.path_params['k']} {hashlib.sha256(body).hexdigest()}"
        compare = partial(of.selections.compare, first, second)
        done, found = await run_in_threadpool(self._jobs.get, name, compare)
        return JSONResponse(found) if done else PlainTextResponse("It is being made.", 202, {"Retry-After": "1"})

    async def ids(self, of: Answers, request: Request) -> Response:
        """See the module."""
        (mask,) = masks(await request.body(), len(of.view), most=1)
        return Response(await run_in_threadpool(of.selections.ids, mask), media_type="text/csv")

    async def archive(self, of: Answers, request: Request) -> Response:
        """See the module."""
        (mask,) = masks(await request.body(), len(of.view), most=1)
        return Response(await run_in_threadpool(of.selections.archive, mask), media_type="application/zip")
