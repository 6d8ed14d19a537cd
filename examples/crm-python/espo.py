"""What every request to EspoCRM has in common: the names of fields, lists with filters, and how its refusals read."""

from typing import NamedTuple, Optional

from componentize_py_types import Err
from wit_world.imports.types import Health

from dispositions import refused, rejected
from session import below

SETTINGS = ("reference-field", "version-field", "status-field", "segment-field", "account-type", "feedback-link")

PAGE = 50
"""The contract's bound on a list. EspoCRM's own, by default, is 200."""


class Fields(NamedTuple):
    """The names of the custom fields, and what else the settings say."""

    reference: str
    version: str
    status: str
    segment: str
    account_type: str
    feedback_link: Optional[str]


def fields(session):
    """Reads the settings."""
    return Fields(
        reference=session.setting("reference-field", "cClientReference"),
        version=session.setting("version-field", "cClientVersion"),
        status=session.setting("status-field", "cClientStatus"),
        segment=session.setting("segment-field", "cClientSegment"),
        account_type=session.setting("account-type", "Customer"),
        feedback_link=session.setting("feedback-link"),
    )


def target(external_id):
    """Takes the external id of a receipt apart, into the type and id of a record."""
    entity, _, record = external_id.partition("/")
    if entity not in ("Account", "Contact") or not record:
        raise Err(rejected("the external id is malformed; expected `Account/ID` or `Contact/ID`"))
    return entity, record


def where(kind, attribute, *values):
    """A condition on a list, as query parameters."""
    name = "where[0][value]" if kind == "equals" else "where[0][value][]"
    return [("where[0][type]", kind), ("where[0][attribute]", attribute), *((name, value) for value in values)]


def page(answer):
    """The records of a list, and how many there are in all: −1 or −2 where EspoCRM was told not to count."""
    found = answer.object(refusal)
    total, records = found.get("total"), found.get("list")
    if type(total) is not int or not isinstance(records, list):
        raise answer.nonsense("it has no `total` and `list`")
    if not all(isinstance(record, dict) for record in records):
        raise answer.nonsense("the list has what is no record")
    return records, total


def optional(record, name, answer):
    """A text of a record, where it has one."""
    value = record.get(name)
    if value is not None and not isinstance(value, str):
        raise answer.nonsense(f"`{name}` is no text")
    return value


def check_health(session):
    """One cheap question that needs a working credential."""
    answer = session.get(below("App", "user"))
    answer.object(refusal)
    return Health(True, None)


def refusal(answer):
    """The label of the message and the field, where EspoCRM answers with a body. `X-Status-Reason` is free text and stays out."""
    translation = _object(answer.try_object().get("messageTranslation"))
    label = translation.get("label") if isinstance(translation.get("label"), str) else ""
    field = _object(translation.get("data")).get("field")
    if not isinstance(field, str):
        return refused(label)
    return refused(f"{label}:{field}" if label else "", pointer(field))


def pointer(field):
    """Where the profile keeps what EspoCRM calls by this name, as a JSON Pointer."""
    return _POINTERS.get(field) or ("/address" if "ddress" in field else None)


_POINTERS = {
    "name": "/name",
    "firstName": "/individual/givenName",
    "lastName": "/individual/familyName",
    "emailAddress": "/email",
    "phoneNumber": "/phone",
    "sicCode": "/corporate/industry",
}


def _object(value):
    return value if isinstance(value, dict) else {}
