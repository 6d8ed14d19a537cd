"""An adapter of the world `crm-adapter`, made by `hub plugin new`.

It speaks a small REST API that nobody has: put your product's requests in the place of these. The rules by which an
answer becomes a disposition are in `outside.py`, and hold for any product.
"""

from wit_world import exports
from wit_world.exports.crm import RelationshipSummary
from wit_world.imports.http import Method
from wit_world.imports.types import Description, FunctionDescription, Health, Receipt, RepeatSafety

from outside import Outside, segment, text


class Crm(exports.Crm):
    def describe(self):
        function = FunctionDescription
        return Description(
            name="{{name}}",
            version="0.1.0",
            vendor="your company",
            product="your product",
            endpoints=["api"],
            settings=[],
            functions=[
                function("upsert-contact", RepeatSafety.LOOK_UP),
                function("archive-contact", RepeatSafety.SAFE),
                function("relationship", RepeatSafety.SAFE),
            ],
        )

    def check_health(self):
        Outside().get("/health")
        return Health(True, None)

    def upsert_contact(self, profile, key):
        outside = Outside()
        body = contents(profile)
        # Looked for before anything is created, so that a repeated delivery has one effect.
        for item in outside.items("/contacts", [("reference", profile.reference)]):
            if item.get("reference") == profile.reference:
                known = text(item, "id", outside)
                outside.write(Method.PUT, f"/contacts/{segment(known)}", body)
                return Receipt(known, "existed already")
        created = outside.write(Method.POST, "/contacts", body)
        return Receipt(text(created, "id", outside), None)

    def archive_contact(self, external_id, reason, key):
        Outside().write(Method.PUT, f"/contacts/{segment(external_id)}/archived", {"archived": True, "reason": reason})
        return Receipt(external_id, None)

    def relationship(self, external_id):
        outside = Outside()
        found = outside.get(f"/contacts/{segment(external_id)}/relationship")
        if not isinstance(found.get("openCases"), int):
            raise outside.nonsense()
        return RelationshipSummary(found.get("owner"), found["openCases"], None, [], [])


def contents(profile):
    return {
        "reference": profile.reference,
        "version": profile.version,
        "name": profile.name,
        "email": profile.email,
        "phone": profile.phone,
    }
