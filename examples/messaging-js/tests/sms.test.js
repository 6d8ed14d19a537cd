// Text messages through Twilio.

import assert from "node:assert/strict";
import test from "node:test";

import { sendSms, smsOf } from "../sms.js";
import { Script, answer, disposition, message } from "./script.js";

const FROM = { "sms-account-sid": "AC1", "sms-from": "+15005550006" };
const PATH = "/2010-04-01/Accounts/AC1/Messages.json";

function sent(script, changes = {}) {
  const session = script.session();
  return sendSms(session, smsOf(session), message({ phone: "+447900000000" }, changes));
}

const problem = (code, status = 400) => answer(status, { code, message: "Invalid 'To': +447900000000", status });

test("a text is a form", () => {
  const script = new Script(FROM, answer(201, { sid: "SM1", status: "queued" }));
  assert.deepEqual(sent(script), { externalId: "SM1", note: "sms" });
  assert.deepEqual(script.lines(), [`POST sms ${PATH}`]);
  const form = script.sent(0);
  assert.ok(form.startsWith("To=%2B447900000000&From=%2B15005550006&Body=A%20device%20of%20yours%20was%20locked."), form);
  const types = script.seen[0].headers.filter(({ name }) => name === "content-type").map(({ value }) => value);
  assert.deepEqual(types, ["application/x-www-form-urlencoded"]);
});

test("services and contents have fields of their own, whose values are texts", () => {
  const settings = { ...FROM, "sms-from": "MG7", "sms-templates": '{"device-locked": "HX9"}' };
  const script = new Script(settings, answer(201, { sid: "SM1" }));
  sent(script, { variables: [{ name: "count", value: { tag: "number", val: 3n } }] });
  const form = new URLSearchParams(script.sent(0));
  assert.deepEqual([form.get("MessagingServiceSid"), form.get("ContentSid"), form.has("Body")], ["MG7", "HX9", false]);
  assert.equal(JSON.parse(form.get("ContentVariables")).count, "3");
});

test("a number that is none is rejected without repeating it", () => {
  const rejected = disposition(() => sent(new Script(FROM, problem(21211))));
  assert.deepEqual(rejected, { tag: "reject", val: { why: `POST ${PATH} answered 400 21211`, field: "/to/phone" } });
});

test("a wrong sender is no client's fault", () => {
  assert.equal(disposition(() => sent(new Script(FROM, problem(21606)))).tag, "unavailable");
  assert.equal(disposition(() => sent(new Script(FROM, problem(20003, 401)))).tag, "unauthorized");
});

test("an answer without an id is unknown", () => {
  for (const body of [{}, { sid: "" }, { sid: 5 }, "<html>", '{"sid": "SM', "[]"]) {
    assert.equal(disposition(() => sent(new Script(FROM, answer(201, body)))).tag, "unknown");
  }
});
