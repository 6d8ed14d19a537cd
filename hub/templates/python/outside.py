"""The way to the outside system: requests through the hub, and what their answers mean for the delivery.

Nothing that may have had an effect may be called harmless: once a request of a call has changed something, or its own
answer is lost, only `unknown` is true.
"""

import json
from urllib.parse import quote

from componentize_py_types import Err
from wit_world.imports import http
from wit_world.imports.types import (
    Disposition_Reject,
    Disposition_Retry,
    Disposition_Unauthorized,
    Disposition_Unavailable,
    Disposition_Unknown,
    Reject,
    Retry,
)


def segment(text):
    """A part of a path, percent-encoded (RFC 3986)."""
    return quote(text, safe="")


def text(value, name, outside):
    """A text that has to be there."""
    if not isinstance(value.get(name), str):
        raise outside.nonsense()
    return value[name]


def judge(status, after_ms, earlier, writes):
    """What an answer means that is no success."""
    why = f"it answered {status}"
    if status in (401, 403, 407):
        return Disposition_Unauthorized(why)
    if status in (408, 425, 429, 503) and earlier:
        return Disposition_Unknown(why)
    if status in (408, 425, 429) or (status == 503 and after_ms is not None):
        return Disposition_Retry(Retry(after_ms, why))
    if status == 503:
        return Disposition_Unavailable(why)
    if status >= 500:
        return lost(why, earlier or writes)
    if 300 <= status < 400:
        return Disposition_Unavailable(f"{why}, a redirect; check the endpoint's url")
    return Disposition_Reject(Reject(why, None))


def lost(why, may_have_effect):
    """What the lack of an answer that can be read means."""
    return Disposition_Unknown(why) if may_have_effect else Disposition_Retry(Retry(None, why))


def no_answer(failure, earlier, writes):
    """What a failure to get any answer means."""
    if isinstance(failure, http.HttpFailure_UnknownEndpoint):
        return Disposition_Unavailable(failure.value)
    if isinstance(failure, http.HttpFailure_Refused):
        return Disposition_Reject(Reject(failure.value, None))
    if isinstance(failure, http.HttpFailure_Connect):
        return Disposition_Unknown(failure.value) if earlier else Disposition_Unavailable(failure.value)
    return lost("there was no answer that could be read", earlier or writes)


class Outside:
    """The requests of one call."""

    def __init__(self):
        self.written = False

    def get(self, path, query=()):
        return self._send(http.Method.GET, path, query, None, None)

    def items(self, path, query=()):
        """The members of a list."""
        found = self.get(path, query).get("items")
        if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
            raise self.nonsense()
        return found

    def write(self, method, path, body, key=None):
        """Writes, under the idempotency key of the delivery where the outside system knows one."""
        return self._send(method, path, (), key, body)

    def nonsense(self):
        """What to raise about an answer that lacks what has to be there."""
        return Err(lost("the answer makes no sense", self.written))

    def _send(self, method, path, query, key, body):
        earlier, writes = self.written, method not in (http.Method.GET, http.Method.HEAD)
        headers = [http.Pair("accept", "application/json")]
        if key is not None:
            headers.append(http.Pair("idempotency-key", key))
        content = None
        if body is not None:
            headers.append(http.Pair("content-type", "application/json"))
            content = json.dumps(body).encode()
        query = [http.Pair(name, value) for name, value in query]
        try:
            answer = http.send(http.Request("api", method, path, query, headers, content))
        except Err as failed:
            raise Err(no_answer(failed.value, earlier, writes)) from None
        if not 200 <= answer.status < 300:
            after = next((header.value for header in answer.headers if header.name == "retry-after"), "")
            after_ms = int(after) * 1000 if after.isascii() and after.isdigit() else None
            raise Err(judge(answer.status, after_ms, earlier, writes))
        self.written = earlier or writes
        if writes and not answer.body:
            return {}
        try:
            value = json.loads(bytes(answer.body))
        except ValueError:
            raise Err(lost("the answer makes no sense", earlier or writes)) from None
        if not isinstance(value, dict):
            raise Err(lost("the answer makes no sense", earlier or writes))
        return value
