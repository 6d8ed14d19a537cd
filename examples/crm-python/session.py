"""One call of the hub, over all the requests that it takes.

A session remembers whether it has written anything: after a write no later failure may be called one without an effect.
"""

import json
from urllib.parse import quote

from componentize_py_types import Err
from wit_world.imports import http, settings
from wit_world.imports.http import Method

from dispositions import Effect, Refusal, of_failure, of_nonsense, of_status, rejected
from times import retry_after_ms


class Hub:
    """The real hub, through the component's imports. Tests put a script in its place."""

    def send(self, request):
        return http.send(request)

    def setting(self, name):
        return settings.get(name)


def below(*segments):
    """The path of these segments, each percent-encoded (RFC 3986); one that would name another resource is rejected."""
    for segment in segments:
        if segment in ("", ".", ".."):
            raise Err(rejected(f"an id is `{segment}`, which no path can carry; expected the CRM's own id"))
    return "".join(f"/{quote(segment, safe='')}" for segment in segments)


class Session:
    """The requests of one call."""

    def __init__(self, hub=None):
        self.hub = hub or Hub()
        self.written = False

    def setting(self, name, default=None):
        """A setting's text; the default where it is not set or blank."""
        return (self.hub.setting(name) or "").strip() or default

    def get(self, path, query=()):
        """Reads."""
        return self._send(Method.GET, path, query=query)

    def write(self, method, path, body, headers=()):
        """Writes."""
        return self._send(method, path, headers=headers, body=body)

    def _send(self, method, path, query=(), headers=(), body=None):
        effect = Effect(self.written, method not in (Method.GET, Method.HEAD))
        what = f"{method.name} {path}"
        headers = [("accept", "application/json"), *headers]
        if body is not None:
            headers.append(("content-type", "application/json"))
        content = None if body is None else json.dumps(body).encode()
        request = http.Request("api", method, path, _pairs(query), _pairs(headers), content)
        try:
            answer = Answer(self.hub.send(request), effect, what)
        except Err as failed:
            raise Err(of_failure(failed.value, effect, what)) from None
        self.written = effect.earlier or (effect.this and answer.is_success)
        return answer


class Answer:
    """An answer of any status, with what is needed to judge it."""

    def __init__(self, response, effect, what):
        self.response, self.effect, self.what = response, effect, what

    @property
    def is_success(self):
        return 200 <= self.response.status < 300

    def header(self, name):
        """The first header of a name, in lower case."""
        return next((header.value for header in self.response.headers if header.name.lower() == name), None)

    def try_object(self):
        """The body as a JSON object; empty where it is none."""
        try:
            value = json.loads(bytes(self.response.body).decode())
            # Half a surrogate pair is read by `loads`, and is no text that could be handed on.
            json.dumps(value, ensure_ascii=False).encode()
        except (ValueError, RecursionError):
            return {}
        return value if isinstance(value, dict) else {}

    def object(self, refusal=lambda answer: Refusal()):
        """The JSON object of a success. `refusal` finds what an answer that is none says of it."""
        if not self.is_success:
            wait = self.header("retry-after")
            after_ms = None if wait is None else retry_after_ms(wait, self.header("date"))
            raise Err(of_status(self.response.status, after_ms, self.effect, self.what, refusal(self)))
        value = self.try_object()
        if not value:
            raise self.nonsense(f"no JSON object in {len(self.response.body)} bytes")
        return value

    def nonsense(self, why):
        """What to raise about a success that lacks what has to be there."""
        return Err(of_nonsense(self.effect, self.what, why))


def _pairs(pairs):
    return [http.Pair(name, value) for name, value in pairs]
