// An adapter of the world `core-banking-adapter`, made by `hub plugin new`.
//
// It speaks a small REST API that nobody has: put your product's requests in the place of these. The rules by which an
// answer becomes a disposition are in `rules.js`, and hold for any product.

import { Outside, optional, segment } from "./outside.js";

export const coreBanking = {
  describe() {
    return {
      name: "{{name}}",
      version: "0.1.0",
      vendor: "your company",
      product: "your product",
      endpoints: ["api"],
      settings: [],
      functions: [
        { name: "upsert-customer", repeat: "look-up" },
        { name: "close-customer", repeat: "safe" },
        { name: "list-accounts", repeat: "safe" },
      ],
    };
  },

  checkHealth() {
    new Outside().get("/health");
    return { ok: true, detail: undefined };
  },

  upsertCustomer(profile, key) {
    const outside = new Outside();
    const body = contents(profile);
    // Looked for before anything is created, so that a repeated delivery has one effect.
    const items = outside.items("/customers", [["reference", profile.reference]]);
    const found = items.find((item) => item.reference === profile.reference);
    if (found !== undefined) {
      const id = outside.text(found, "id");
      outside.write("put", `/customers/${segment(id)}`, body);
      return { externalId: id, note: "existed already" };
    }
    const created = outside.write("post", "/customers", body);
    return { externalId: outside.text(created, "id"), note: undefined };
  },

  closeCustomer(externalId, reason, key) {
    new Outside().write("put", `/customers/${segment(externalId)}/closed`, { closed: true, reason });
    return { externalId: externalId, note: undefined };
  },

  listAccounts(externalId) {
    const outside = new Outside();
    return outside.items(`/customers/${segment(externalId)}/accounts`).map((item) => ({
      id: outside.text(item, "id"),
      accountType: outside.text(item, "type"),
      currency: outside.text(item, "currency"),
      balance: outside.text(item, "balance"),
      available: optional(item.available),
      status: outside.text(item, "status"),
      iban: optional(item.iban),
      openedOn: optional(item.openedOn),
    }));
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
