// An adapter of the world `crm-adapter`, made by `hub plugin new`.
//
// It speaks a small REST API that nobody has: put your product's requests in the place of these. The rules by which an
// answer becomes a disposition are in `rules.js`, and hold for any product.

import { Outside, optional, segment } from "./outside.js";

export const crm = {
  describe() {
    return {
      name: "{{name}}",
      version: "0.1.0",
      vendor: "your company",
      product: "your product",
      endpoints: ["api"],
      settings: [],
      functions: [
        { name: "upsert-contact", repeat: "look-up" },
        { name: "archive-contact", repeat: "safe" },
        { name: "relationship", repeat: "safe" },
      ],
    };
  },

  checkHealth() {
    new Outside().get("/health");
    return { ok: true, detail: undefined };
  },

  upsertContact(profile, key) {
    const outside = new Outside();
    const body = contents(profile);
    // Looked for before anything is created, so that a repeated delivery has one effect.
    const items = outside.items("/contacts", [["reference", profile.reference]]);
    const found = items.find((item) => item.reference === profile.reference);
    if (found !== undefined) {
      const id = outside.text(found, "id");
      outside.write("put", `/contacts/${segment(id)}`, body);
      return { externalId: id, note: "existed already" };
    }
    const created = outside.write("post", "/contacts", body);
    return { externalId: outside.text(created, "id"), note: undefined };
  },

  archiveContact(externalId, reason, key) {
    new Outside().write("put", `/contacts/${segment(externalId)}/archived`, { archived: true, reason });
    return { externalId: externalId, note: undefined };
  },

  relationship(externalId) {
    const outside = new Outside();
    const found = outside.get(`/contacts/${segment(externalId)}/relationship`);
    if (!Number.isInteger(found.openCases)) throw outside.nonsense();
    return {
      owner: optional(found.owner),
      openCases: found.openCases,
      lastContactAt: undefined,
      communications: [],
      feedback: [],
    };
  },
};

function contents(profile) {
  return {
    reference: profile.reference,
    version: Number(profile.version),
    name: profile.name,
    email: profile.email,
    phone: profile.phone,
  };
}
