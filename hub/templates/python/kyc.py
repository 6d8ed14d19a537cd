"""An adapter of the world `kyc-adapter`, made by `hub plugin new`.

It speaks a small REST API that nobody has: put your product's requests in the place of these. The rules by which an
answer becomes a disposition are in `outside.py`, and hold for any product.
"""

from wit_world import exports
from wit_world.exports.kyc import (
    Approval,
    Case,
    DocumentVerdict_Pending,
    DocumentVerdict_Refused,
    DocumentVerdict_Verified,
    Verdict_Approved,
    Verdict_Pending,
    Verdict_Rejected,
)
from wit_world.imports.http import Method
from wit_world.imports.types import Description, FunctionDescription, Health, RepeatSafety

from outside import Outside, segment, text


class Kyc(exports.Kyc):
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
                function("verify", RepeatSafety.SAFE),
                function("case-status", RepeatSafety.SAFE),
                function("submit-document", RepeatSafety.SAFE),
            ],
        )

    def check_health(self):
        Outside().get("/health")
        return Health(True, None)

    def verify(self, profile, documents, key):
        """This API knows the key, so that a repeat is safe. Where yours knows none, look first or say `unsafe`."""
        outside = Outside()
        kinds = [document.document_type for document in documents]
        body = {"reference": profile.reference, "name": profile.name, "documents": kinds}
        return verdict(outside.write(Method.POST, "/screenings", body, key), outside)

    def case_status(self, id):
        outside = Outside()
        return verdict(outside.get(f"/screenings/{segment(id)}"), outside)

    def submit_document(self, profile, document, content, key):
        outside = Outside()
        body = {
            "reference": profile.reference,
            "type": document.document_type,
            "sha256": document.digest,
            "size": len(content),
        }
        taken = outside.write(Method.POST, "/documents", body, key)
        match taken.get("status"):
            case "verified":
                return DocumentVerdict_Verified()
            case "pending":
                return DocumentVerdict_Pending()
            case "refused":
                return DocumentVerdict_Refused(str(taken.get("reason", "")))
        raise outside.nonsense()


def verdict(screening, outside):
    reasons = [reason for reason in screening.get("reasons", []) if isinstance(reason, str)]
    match screening.get("status"):
        case "approved":
            return Verdict_Approved(Approval(screening.get("expiresAt")))
        case "rejected":
            return Verdict_Rejected(reasons)
        case "review":
            return Verdict_Pending(Case(text(screening, "id", outside), reasons))
    raise outside.nonsense()
