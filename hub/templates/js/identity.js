// An adapter of the world `identity-adapter`, made by `hub plugin new`.
//
// It speaks a small REST API that nobody has: put your product's requests in the place of these. The rules by which an
// answer becomes a disposition are in `rules.js`, and hold for any product.

import { Outside, optional, segment } from "./outside.js";

export const identity = {
  describe() {
    return {
      name: "{{name}}",
      version: "0.1.0",
      vendor: "your company",
      product: "your product",
      endpoints: ["api"],
      settings: [],
      functions: [
        { name: "provision", repeat: "look-up" },
        { name: "update", repeat: "safe" },
        { name: "disable", repeat: "safe" },
        { name: "list-devices", repeat: "safe" },
        { name: "set-device-state", repeat: "safe" },
        { name: "transfer-device", repeat: "safe" },
        { name: "reset-pin", repeat: "safe" },
      ],
    };
  },

  checkHealth() {
    new Outside().get("/health");
    return { ok: true, detail: undefined };
  },

  provision(profile, key) {
    const outside = new Outside();
    const body = contents(profile);
    // Looked for before anything is created, so that a repeated delivery has one effect.
    const items = outside.items("/users", [["reference", profile.reference]]);
    const found = items.find((item) => item.reference === profile.reference);
    if (found !== undefined) {
      const id = outside.text(found, "id");
      outside.write("put", `/users/${segment(id)}`, body);
      return { externalId: id, note: "existed already" };
    }
    const created = outside.write("post", "/users", body);
    return { externalId: outside.text(created, "id"), note: undefined };
  },

  update(externalId, profile, key) {
    new Outside().write("put", `/users/${segment(externalId)}`, contents(profile));
    return { externalId: externalId, note: undefined };
  },

  disable(externalId, reason, key) {
    new Outside().write("put", `/users/${segment(externalId)}/disabled`, { disabled: true, reason });
    return { externalId: externalId, note: undefined };
  },

  listDevices(externalId) {
    const outside = new Outside();
    return outside.items(`/users/${segment(externalId)}/devices`).map((item) => device(item, outside));
  },

  setDeviceState(deviceId, state, key) {
    new Outside().write("put", `/devices/${segment(deviceId)}/state`, { active: state.active, locked: state.locked, reason: state.reason });
    return { externalId: deviceId, note: undefined };
  },

  transferDevice(deviceId, from, to, key) {
    new Outside().write("put", `/devices/${segment(deviceId)}/owner`, { from, to, active: false });
    return { externalId: deviceId, note: undefined };
  },

  // This API knows the key, so that a repeat is safe. Where yours knows none, `describe` has to say `unsafe`.
  resetPin(deviceId, key) {
    const outside = new Outside();
    const made = outside.write("post", `/devices/${segment(deviceId)}/pin-resets`, {}, key);
    return { id: outside.text(made, "id"), expiresAt: optional(made.expiresAt) };
  },
};

const KINDS = ["mobile", "token", "card-reader", "pos"];

function device(item, outside) {
  if (typeof item.active !== "boolean" || typeof item.locked !== "boolean") throw outside.nonsense();
  const kind = outside.text(item, "type");
  return {
    id: outside.text(item, "id"),
    deviceType: KINDS.includes(kind) ? kind : "browser",
    model: optional(item.model),
    label: optional(item.label),
    active: item.active,
    locked: item.locked,
    enrolledAt: optional(item.enrolledAt),
  };
}

function contents(profile) {
  return {
    reference: profile.reference,
    version: Number(profile.version),
    name: profile.name,
    email: profile.email,
    phone: profile.phone,
    active: profile.status === "active",
  };
}
