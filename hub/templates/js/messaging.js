// An adapter of the world `messaging-adapter`, made by `hub plugin new`.
//
// It speaks a small REST API that nobody has: put your product's requests in the place of these. The rules by which an
// answer becomes a disposition are in `rules.js`, and hold for any product.

import { Outside, failed } from "./outside.js";

export const messaging = {
  describe() {
    return {
      name: "{{name}}",
      version: "0.1.0",
      vendor: "your company",
      product: "your product",
      endpoints: ["api"],
      settings: [],
      functions: [
        { name: "send", repeat: "safe" },
      ],
    };
  },

  checkHealth() {
    new Outside().get("/health");
    return { ok: true, detail: undefined };
  },

  // This API knows the key, so that a repeat is safe. Where yours knows none, `describe` has to say `unsafe`.
  send(message, key) {
    const { email, phone } = message.to;
    const to = message.prefer === "sms" ? (phone ?? email) : (email ?? phone);
    if (to === undefined) {
      const why = "there is neither an e-mail address nor a phone number";
      throw failed({ tag: "reject", val: { why, field: "/to" } });
    }
    const values = message.variables.map(({ name, value }) => [
      name,
      typeof value.val === "bigint" ? Number(value.val) : value.val,
    ]);
    const body = {
      template: message.template,
      language: message.language,
      to,
      name: message.to.name,
      variables: Object.fromEntries(values),
    };
    const outside = new Outside();
    const sent = outside.write("post", "/messages", body, key);
    return { externalId: outside.text(sent, "id"), note: undefined };
  },
};
