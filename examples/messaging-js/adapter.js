// An adapter for SendGrid (e-mail) and Twilio (text messages), in JavaScript: the component's exports.
//
// Neither API has an idempotency key or a look-up, so that `send` is not to be repeated after an unknown outcome. Requests
// and settings are those of the adapter in `plugins/messaging`: the one can take the other's place.

import { send as exchange } from "backoffice:adapter/http@1.0.0";
import { get as setting } from "backoffice:adapter/settings@1.0.0";

import { SETTINGS, checkHealth, send } from "./route.js";
import { Session } from "./session.js";

const hub = { send: exchange, setting };

export const messaging = {
  describe() {
    return {
      name: "sendgrid-twilio-js",
      version: "0.1.0",
      vendor: "Clients Hub",
      product: "SendGrid and Twilio",
      endpoints: ["mail", "sms"],
      settings: SETTINGS,
      functions: [{ name: "send", repeat: "unsafe" }],
    };
  },

  checkHealth() {
    return checkHealth(new Session(hub));
  },

  send(message, key) {
    return send(new Session(hub), message, key);
  },
};
