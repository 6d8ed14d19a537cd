// Which channel a message takes.

import assert from "node:assert/strict";
import test from "node:test";

import { checkHealth, send } from "../route.js";
import { below } from "../session.js";
import { Script, answer, disposition, message } from "./script.js";

const BOTH = { "mail-from": "bank@x.example", "sms-account-sid": "AC1", "sms-from": "+15005550006" };
const TAKEN = answer(202, { sid: "SM1" }, { "x-message-id": "m-1" });
const [EMAIL, PHONE] = [{ email: "jane@x.example" }, { phone: "+447900000000" }];

function note(settings, to, prefer) {
  return send(new Script(settings, TAKEN).session(), message(to, { prefer }), "k").note;
}

test("the preferred channel is taken where the recipient has it", () => {
  assert.equal(note(BOTH, { ...EMAIL, ...PHONE }, "email"), "email");
  assert.equal(note(BOTH, { ...EMAIL, ...PHONE }, "sms"), "sms");
  assert.equal(note(BOTH, EMAIL, "sms"), "email");
  assert.equal(note(BOTH, PHONE, "email"), "sms");
});

test("a channel that is not in use is passed over", () => {
  assert.equal(note({ "mail-from": "bank@x.example" }, { ...EMAIL, ...PHONE }, "sms"), "email");
});

test("nobody to write to is rejected, and nothing to write with is not their fault", () => {
  const nobody = disposition(() => send(new Script(BOTH).session(), message(), "k"));
  assert.deepEqual([nobody.tag, nobody.val.field], ["reject", "/to"]);
  const nothing = disposition(() => send(new Script({ "mail-from": "  " }).session(), message(EMAIL), "k"));
  assert.equal(nothing.tag, "unavailable");
  assert.match(nothing.val, /mail-from/);
});

test("every channel in use is asked for its health", () => {
  const script = new Script(BOTH, answer(200, {}), answer(200, {}));
  assert.deepEqual(checkHealth(script.session()), { ok: true, detail: undefined });
  assert.deepEqual(script.lines(), ["GET mail /v3/scopes", "GET sms /2010-04-01/Accounts/AC1.json"]);
  assert.equal(disposition(() => checkHealth(new Script({}).session())).tag, "unavailable");
});

test("a segment stays one segment", () => {
  assert.equal(below("Accounts", "a b/c?d#e%é"), "/Accounts/a%20b%2Fc%3Fd%23e%25%C3%A9");
  assert.equal(disposition(() => below("Accounts", "..")).tag, "reject");
});
