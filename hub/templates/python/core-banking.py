"""An adapter of the world `core-banking-adapter`, made by `hub plugin new`.

It speaks a small REST API that nobody has: put your product's requests in the place of these. The rules by which an
answer becomes a disposition are in `outside.py`, and hold for any product.
"""

from wit_world import exports
from wit_world.exports.core_banking import Account
from wit_world.imports.http import Method
from wit_world.imports.types import Description, FunctionDescription, Health, Receipt, RepeatSafety

from outside import Outside, segment, text


class CoreBanking(exports.CoreBanking):
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
                function("upsert-customer", RepeatSafety.LOOK_UP),
                function("close-customer", RepeatSafety.SAFE),
                function("list-accounts", RepeatSafety.SAFE),
            ],
        )

    def check_health(self):
        Outside().get("/health")
        return Health(True, None)

    def upsert_customer(self, profile, key):
        outside = Outside()
        body = contents(profile)
        # Looked for before anything is created, so that a repeated delivery has one effect.
        for item in outside.items("/customers", [("reference", profile.reference)]):
            if item.get("reference") == profile.reference:
                known = text(item, "id", outside)
                outside.write(Method.PUT, f"/customers/{segment(known)}", body)
                return Receipt(known, "existed already")
        created = outside.write(Method.POST, "/customers", body)
        return Receipt(text(created, "id", outside), None)

    def close_customer(self, external_id, reason, key):
        Outside().write(Method.PUT, f"/customers/{segment(external_id)}/closed", {"closed": True, "reason": reason})
        return Receipt(external_id, None)

    def list_accounts(self, external_id):
        outside = Outside()
        items = outside.items(f"/customers/{segment(external_id)}/accounts")
        return [
            Account(
                id=text(item, "id", outside),
                account_type=text(item, "type", outside),
                currency=text(item, "currency", outside),
                balance=text(item, "balance", outside),
                available=item.get("available"),
                status=text(item, "status", outside),
                iban=item.get("iban"),
                opened_on=item.get("openedOn"),
            )
            for item in items
        ]


def contents(profile):
    return {
        "reference": profile.reference,
        "version": profile.version,
        "name": profile.name,
        "email": profile.email,
        "phone": profile.phone,
    }
