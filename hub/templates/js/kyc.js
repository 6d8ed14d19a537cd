// An adapter of the world `kyc-adapter`, made by `hub plugin new`.
//
// It speaks a small REST API that nobody has: put your product's requests in the place of these. The rules by which an
// answer becomes a disposition are in `rules.js`, and hold for any product.

import { Outside, optional, segment } from "./outside.js";

export const kyc = {
  describe() {
    return {
      name: "{{name}}",
      version: "0.1.0",
      vendor: "your company",
      product: "your product",
      endpoints: ["api"],
      settings: [],
      functions: [
        { name: "verify", repeat: "safe" },
        { name: "case-status", repeat: "safe" },
        { name: "submit-document", repeat: "safe" },
      ],
    };
  },

  checkHealth() {
    new Outside().get("/health");
    return { ok: true, detail: undefined };
  },

  // This API knows the key, so that a repeat is safe. Where yours knows none, look first or say `unsafe`.
  verify(profile, documents, key) {
    const outside = new Outside();
    const kinds = documents.map((document) => document.documentType);
    const body = { reference: profile.reference, name: profile.name, documents: kinds };
    return verdict(outside.write("post", "/screenings", body, key), outside);
  },

  caseStatus(id) {
    const outside = new Outside();
    return verdict(outside.get(`/screenings/${segment(id)}`), outside);
  },

  submitDocument(profile, document, content, key) {
    const outside = new Outside();
    const body = {
      reference: profile.reference,
      type: document.documentType,
      sha256: document.digest,
      size: content.length,
    };
    const taken = outside.write("post", "/documents", body, key);
    switch (taken.status) {
      case "verified":
      case "pending":
        return { tag: taken.status };
      case "refused":
        return { tag: "refused", val: String(taken.reason ?? "") };
      default:
        throw outside.nonsense();
    }
  },
};

function verdict(screening, outside) {
  const reasons = (screening.reasons ?? []).filter((reason) => typeof reason === "string");
  switch (screening.status) {
    case "approved":
      return { tag: "approved", val: { expiresAt: optional(screening.expiresAt) } };
    case "rejected":
      return { tag: "rejected", val: reasons };
    case "review":
      return { tag: "pending", val: { id: outside.text(screening, "id"), reasons } };
    default:
      throw outside.nonsense();
  }
}
