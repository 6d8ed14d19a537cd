"""What the CRM knows of the relationship: who looks after the client, what is open, and when they last spoke."""

from wit_world.exports.crm import Communication, Feedback, RelationshipSummary

import espo
from session import below
from times import rfc3339

CHANNELS = (("calls", "call", "dateStart"), ("meetings", "meeting", "dateStart"), ("emails", "email", "dateSent"))
"""A link to communications: its name, what the contract calls the channel, and the field with the time."""

CLOSED = ("Closed", "Rejected", "Duplicate")
"""The states of a case in which nobody works on it any more."""

BEST_SCORE = 10
MOST_CASES = 2**32 - 1


def summary(session, external_id):
    """What the CRM knows now."""
    target = espo.target(external_id)
    found = communications(session, target)
    return RelationshipSummary(
        owner=owner(session, target),
        open_cases=open_cases(session, target),
        last_contact_at=found[0].at if found else None,
        communications=found,
        feedback=feedback(session, target, espo.fields(session).feedback_link),
    )


def owner(session, target):
    """The name of the user who looks after the client."""
    answer = session.get(below(*target), [("select", "assignedUserName")])
    return espo.optional(answer.object(espo.refusal), "assignedUserName", answer)


def open_cases(session, target):
    """EspoCRM counts, unless it was told not to for speed; then what one page shows is the least that is true."""
    query = [*espo.where("notIn", "status", *CLOSED), ("select", "id"), _page()]
    records, total = espo.page(session.get(below(*target, "cases"), query))
    return min(total if total >= 0 else len(records), MOST_CASES)


def communications(session, target):
    """The communication log, newest first."""
    everything = []
    for link, channel, time in CHANNELS:
        # What is only planned is no contact yet. An e-mail has no such state.
        held = [] if channel == "email" else espo.where("equals", "status", "Held")
        query = [*held, ("select", f"name,{time}"), ("orderBy", time), ("order", "desc"), _page()]
        answer = session.get(below(*target, link), query)
        for record in espo.page(answer)[0]:
            at = rfc3339(espo.optional(record, time, answer))
            if at is not None:
                everything.append(Communication(at, channel, espo.optional(record, "name", answer) or ""))
    everything.sort(key=lambda entry: entry.at, reverse=True)
    return everything[: espo.PAGE]


def feedback(session, target, link):
    """Answers to surveys, newest first, where the settings name a link to them."""
    if link is None:
        return []
    query = [("select", "createdAt,score,description"), ("orderBy", "createdAt"), ("order", "desc"), _page()]
    answer = session.get(below(*target, link), query)
    entries = []
    for record in espo.page(answer)[0]:
        at = rfc3339(espo.optional(record, "createdAt", answer))
        if at is not None:
            text = espo.optional(record, "description", answer)
            entries.append(Feedback(at, score(record.get("score")), text))
    return entries[: espo.PAGE]


def score(value):
    """0 to 10, rounded half up; nothing where the survey has another scale."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= BEST_SCORE:
        return None
    return int(value + 0.5)


def _page():
    return ("maxSize", str(espo.PAGE))
