"""Questions to the explorer's server, as the page asks them."""

from __future__ import annotations

import http.client
import json

import numpy as np


def ask(explorer, path, body=None, *, token=None, method=None, **headers):
    """(status, headers, bytes) of one request."""
    opened = http.client.HTTPConnection("127.0.0.1", explorer.port, timeout=30)
    sent = {"X-Vaelab-Token": explorer.token if token is None else token} | {
        k.replace("_", "-"): v for k, v in headers.items()
    }
    opened.request(method or ("GET" if body is None else "POST"), path, body, sent)
    answer = opened.getresponse()
    found = answer.status, dict(answer.headers), answer.read()
    opened.close()
    return found


def array(explorer, path, body=None):
    """The array of an answer in bytes."""
    status, headers, content = ask(explorer, path, body)
    assert status == 200, content
    shape = [int(each) for each in headers["x-shape"].split(",")]
    return np.frombuffer(content, np.dtype(headers["x-type"]).newbyteorder("<")).reshape(shape)


def said(explorer, path, body=None):
    """The JSON of an answer."""
    status, _, content = ask(explorer, path, body)
    assert status == 200, content
    return json.loads(content)
