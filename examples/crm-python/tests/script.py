"""A hub that follows a script, and clients to hand over."""

import json
from dataclasses import replace

from componentize_py_types import Err
from wit_world.imports import http
from wit_world.imports.types import (
    Address,
    ClientKind,
    ClientStatus,
    Corporate,
    Details_Corporate,
    Details_Individual,
    Individual,
    Profile,
)

REFERENCE = "CL-01JD3Z8M5Q4T7N2V9XKB6R0WYE"


class Script:
    """Answers requests with what it was told, in order, and keeps them."""

    def __init__(self, *steps, **settings):
        self.steps, self.settings, self.seen = list(steps), settings, []

    def send(self, request):
        self.seen.append(request)
        step = self.steps.pop(0)
        if isinstance(step, http.Response):
            return step
        raise Err(step)

    def setting(self, name):
        return self.settings.get(name.replace("-", "_"))

    def lines(self):
        """The requests so far, as `METHOD path?name=value&…`, not encoded."""
        return [line(request) for request in self.seen]

    def sent(self, place):
        """The body of a request."""
        return json.loads(self.seen[place].body)


def line(request):
    query = "&".join(f"{pair.name}={pair.value}" for pair in request.query)
    return f"{request.method.name} {request.path}" + (f"?{query}" if query else "")


def answer(status, body, **headers):
    """An answer; a text is sent as it is, anything else as JSON."""
    content = body if isinstance(body, str) else json.dumps(body)
    pairs = [http.Pair(name.replace("_", "-"), value) for name, value in headers.items()]
    return http.Response(status, pairs, content.encode())


def page(*records, total=None):
    return answer(200, {"total": len(records) if total is None else total, "list": list(records)})


def individual(**changes):
    """An active individual client with everything set."""
    address = Address("1 Quay", "Floor 2", "London", None, "EC1A 1BB", "GB")
    profile = Profile(
        reference=REFERENCE,
        external_reference=None,
        organisation="acme",
        version=7,
        kind=ClientKind.INDIVIDUAL,
        status=ClientStatus.ACTIVE,
        name="Jane Doe",
        details=Details_Individual(Individual("Jane", "Doe", "1980-02-29", "GB", "QQ123456C")),
        email="ops@meridian.example",
        phone="+442079460000",
        address=address,
        segment="sme",
        language="en",
        tags=["priority"],
        assigned_to=[],
        external_id=None,
        created_at="2026-03-01T10:00:00.000Z",
        updated_at="2026-03-02T11:00:00.000Z",
    )
    return replace(profile, **changes)


def corporate(**changes):
    """An active corporate client with everything set."""
    company = Corporate("Meridian Freight Limited", "08123456", None, "GB123456789", "4941", "2012-04-03", [])
    kind, details = ClientKind.CORPORATE, Details_Corporate(company)
    return replace(individual(kind=kind, name="Meridian Freight Ltd", details=details), **changes)
