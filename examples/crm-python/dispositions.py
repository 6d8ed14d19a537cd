"""How an answer, or the lack of one, becomes a disposition. Pure.

Nothing that may have had an effect may be called harmless: once an earlier request of the call has written something, or
the answer to a write is lost, only `unknown` is true. The hub alone decides when to try again.
"""

from typing import NamedTuple, Optional

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

LONGEST_CODE = 160
"""Longer codes are not codes."""


class Effect(NamedTuple):
    """What can have had an effect when an answer arrives, or fails to."""

    earlier: bool
    """An earlier request of the same call was a write that succeeded."""
    this: bool
    """The request in question is a write."""

    @property
    def any(self):
        return self.earlier or self.this


class Refusal(NamedTuple):
    """What the CRM says of a refusal, as far as it is fit to be kept: a code, never free text, and a JSON Pointer."""

    code: Optional[str] = None
    field: Optional[str] = None


def refused(code, field=None):
    """A refusal with its code, where that looks like one: printable ASCII without spaces, and not long."""
    fit = 0 < len(code) <= LONGEST_CODE and all("!" <= char <= "~" for char in code)
    return Refusal(code if fit else None, field)


def of_status(status, after_ms, effect, what, refusal=Refusal()):
    """What to make of a status that is no success. `what` names the request, for example `POST /Account`."""
    why = f"{what} answered {status}" + (f" {refusal.code}" if refusal.code else "")
    if status in (401, 403, 407):
        return Disposition_Unauthorized(why)
    if status in (408, 425, 429, 503) and effect.earlier:
        return Disposition_Unknown(why)
    if status in (408, 425, 429) or (status == 503 and after_ms is not None):
        return Disposition_Retry(Retry(after_ms, why))
    if status == 503:
        return Disposition_Unavailable(why)
    if status >= 500:
        return Disposition_Unknown(why) if effect.any else Disposition_Retry(Retry(after_ms, why))
    if 300 <= status < 400:
        return Disposition_Unavailable(f"{why}, a redirect, which is never followed; check the endpoint's url")
    return Disposition_Reject(Reject(why, refusal.field))


def of_failure(failure, effect, what):
    """What to make of a request without an answer."""
    match failure:
        case http.HttpFailure_UnknownEndpoint(why):
            return Disposition_Unavailable(why)
        case http.HttpFailure_Refused(why):
            return rejected(f"{what} was refused by the hub: {why}")
        case http.HttpFailure_Connect(why):
            why = f"{what}: no connection: {why}"
            return Disposition_Unknown(why) if effect.earlier else Disposition_Unavailable(why)
        case http.HttpFailure_TooLarge():
            why = f"{what} was answered with more than the hub allows"
            return Disposition_Unknown(why) if effect.any else rejected(why)
        case http.HttpFailure_Interrupted(why):
            return lost(f"{what} was interrupted: {why}", effect)
        case _:
            return lost(f"{what} was not answered in time", effect)


def of_nonsense(effect, what, why):
    """What to make of a success that can't be read, or lacks what has to be there."""
    return lost(f"{what} was answered with what makes no sense: {why}", effect)


def lost(why, effect):
    """What to make of an answer that is not there."""
    return Disposition_Unknown(why) if effect.any else Disposition_Retry(Retry(None, why))


def rejected(why):
    """It will never work as it is."""
    return Disposition_Reject(Reject(why, None))
