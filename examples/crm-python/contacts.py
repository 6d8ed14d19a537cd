"""Accounts and contacts: found by reference, created, brought up to date, marked as archived."""

from wit_world.imports.http import Method
from wit_world.imports.types import Receipt

import espo
from record import ARCHIVED, entity, record
from session import below


def upsert(session, profile):
    """Creates the record, or brings it up to this version. It is looked for first, so that a repeat has one effect."""
    fields = espo.fields(session)
    kind, body = entity(profile.kind), record(profile, fields)
    found = look_up(session, fields, kind, profile.reference)
    if found is None:
        # Another client may well have the same name: EspoCRM's own search for duplicates would refuse it.
        headers = [("x-skip-duplicate-check", "true")]
        return receipt(kind, saved(session.write(Method.POST, below(kind), body, headers)))
    known, version = found
    if version > profile.version:
        return receipt(kind, known, "has a newer version already")
    saved(session.write(Method.PUT, below(kind, known), body))
    return receipt(kind, known, "existed already" if profile.external_id is None else None)


def look_up(session, fields, kind, reference):
    """The id of the record with this reference, and the version that it carries (0 where it carries none)."""
    query = [*espo.where("equals", fields.reference, reference), ("select", f"id,{fields.version}"), ("maxSize", "2")]
    answer = session.get(below(kind), query)
    records, _ = espo.page(answer)
    if not records:
        return None
    version = records[0].get(fields.version)
    return _id(records[0], answer), version if type(version) is int and version >= 0 else 0


def archive(session, external_id):
    """Marks the record as archived. What is so already stays so."""
    kind, known = espo.target(external_id)
    saved(session.write(Method.PUT, below(kind, known), {espo.fields(session).status: ARCHIVED}))
    return receipt(kind, known)


def saved(answer):
    """The id of the record that was written."""
    return _id(answer.object(espo.refusal), answer)


def receipt(kind, known, note=None):
    """EspoCRM's ids don't say their type, so that the external id does."""
    return Receipt(f"{kind}/{known}", note)


def _id(found, answer):
    known = found.get("id")
    if not isinstance(known, str) or not known:
        raise answer.nonsense("the record has no id")
    return known
