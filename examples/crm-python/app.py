"""An adapter for EspoCRM, in Python: the component's exports.

An `Account` stands for a corporate client, a `Contact` for an individual one, found by a custom field that holds the hub's
reference. EspoCRM has no idempotency key, so that the delivery's key goes nowhere: every function looks before it acts, or
is the same done twice. Requests, fields and settings are those of the adapter in `plugins/crm`: the one can take the
other's place, and finds what that has made.
"""

from wit_world import exports
from wit_world.imports.types import Description, FunctionDescription, RepeatSafety

import contacts
import espo
import relationship
from session import Session


class Crm(exports.Crm):
    """What the hub calls."""

    def describe(self):
        function = FunctionDescription
        return Description(
            name="espocrm-python",
            version="0.1.0",
            vendor="Clients Hub",
            product="EspoCRM",
            endpoints=["api"],
            settings=list(espo.SETTINGS),
            functions=[
                function("upsert-contact", RepeatSafety.LOOK_UP),
                function("archive-contact", RepeatSafety.SAFE),
                function("relationship", RepeatSafety.SAFE),
            ],
        )

    def check_health(self):
        return espo.check_health(Session())

    def upsert_contact(self, profile, key):
        return contacts.upsert(Session(), profile)

    def archive_contact(self, external_id, reason, key):
        return contacts.archive(Session(), external_id)

    def relationship(self, external_id):
        return relationship.summary(Session(), external_id)
