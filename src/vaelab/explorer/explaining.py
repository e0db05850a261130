"""The endpoints about what was explained; they stand with the others in `vaelab.explorer.app`.

Under ``run/K/``; NAME is that of a folder in RUN/explanations:

GET  explanations                            JSON: what was explained, of which images, with warnings and confounders
GET  explained?name=NAME&at=PLACE            JSON: what was wanted at each step, and what the classifier says
GET  series?name=NAME&of=METHOD&at=PLACE     float32 (step, channel, height, width), in stored units; 16 steps and
                                             sides of 64 pixels at most
GET  saliency?name=NAME&of=KIND&at=PLACE     float32 (height, width): how much each pixel matters, 0 or more
"""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from vaelab.explorer.answers import Answers
from vaelab.explorer.raw import places, raw


class Explaining:
    """See the module."""

    def __init__(self):
        self.get = {
            "explanations": self.explanations, "explained": self.explained, "series": self.series,
            "saliency": self.saliency,
        }  # fmt: skip

    async def explanations(self, of: Answers, _: Request) -> Response:
        """See the module."""
        return JSONResponse(await run_in_threadpool(of.explanations.known))

    async def explained(self, of: Answers, request: Request) -> Response:
        """See the module."""
        return JSONResponse(
            await run_in_threadpool(of.explanations.of, _name(request), places(request, len(of.view))[0])
        )

    async def series(self, of: Answers, request: Request) -> Response:
        """See the module."""
        return raw(await run_in_threadpool(of.explanations.series, *_which(of, request)))

    async def saliency(self, of: Answers, request: Request) -> Response:
        """See the module."""
        return raw(await run_in_threadpool(of.explanations.saliency, *_which(of, request)))


def _name(request: Request) -> str:
    return request.query_params.get("name", "")[:200]


def _which(of: Answers, request: Request) -> tuple[str, str, int]:
    return _name(request), request.query_params.get("of", "")[:200], places(request, len(of.view))[0]
