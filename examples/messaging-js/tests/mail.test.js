// E-mail through SendGrid.

import assert from "node:assert/strict";
import test from "node:test";

import { mailOf, sendMail } from "../mail.js";
import { text } from "../template.js";
import { Script, answer, disposition, message } from "./script.js";

const FROM = { "mail-from": "bank@x.example" };
const TO_JANE = message({ email: "jane@x.example" });

function sent(script) {
  const session = script.session();
  return sendMail(session, mailOf(session), TO_JANE, "key-1");
}

const mistake = (field) => answer(400, { errors: [{ message: "Not valid: jane@", field, help: null }] });

test("without a template the text is our own, and the key goes along", () => {
  const script = new Script(FROM, answer(202, "", { "x-message-id": "m-1" }));
  assert.deepEqual(sent(script), { externalId: "m-1", note: "email" });
  assert.deepEqual(script.lines(), ["POST mail /v3/mail/send"]);
  assert.deepEqual(JSON.parse(script.sent(0)), {
    from: { email: "bank@x.example" },
    categories: ["device-locked"],
    subject: "A device of yours was locked",
    content: [{ type: "text/plain", value: text(TO_JANE) }],
    personalizations: [{ to: [{ email: "jane@x.example", name: "Jane Doe" }], custom_args: { delivery_key: "key-1" } }],
  });
});

test("what is no acceptance is no receipt", () => {
  for (const body of ["<html>", { unexpected: null }]) {
    assert.equal(disposition(() => sent(new Script(FROM, answer(200, body)))).tag, "unknown");
  }
});

test("a template is filled with the variables", () => {
  const settings = { ...FROM, "mail-from-name": "The Bank", "mail-templates": '{"device-locked": "d-42"}' };
  const script = new Script(settings, answer(202, ""));
  assert.equal(sent(script).externalId, "key-1");
  const body = JSON.parse(script.sent(0));
  assert.deepEqual([body.template_id, body.from.name], ["d-42", "The Bank"]);
  assert.equal(body.personalizations[0].dynamic_template_data.device, "card-reader");
  assert.ok(!("subject" in body) && !("content" in body));
});

test("a wrong address is rejected without repeating it", () => {
  const rejected = disposition(() => sent(new Script(FROM, mistake("personalizations.0.to.0.email"))));
  assert.equal(rejected.tag, "reject");
  assert.equal(rejected.val.field, "/to/email");
  assert.ok(!rejected.val.why.includes("jane"));
});

test("a refusal that can't be read is still one", () => {
  for (const body of ["<html>", "null", { errors: "x" }, { errors: [null, { field: 5 }] }]) {
    const rejected = disposition(() => sent(new Script(FROM, answer(400, body))));
    assert.deepEqual(rejected, { tag: "reject", val: { why: "POST /v3/mail/send answered 400", field: undefined } });
  }
});

test("a wrong setting holds all messages and rejects none", () => {
  for (const field of ["from.email", "template_id"]) {
    assert.equal(disposition(() => sent(new Script(FROM, mistake(field)))).tag, "unavailable");
  }
  for (const malformed of ["d-42", "[]", '{"welcome": 5}']) {
    const held = disposition(() => sent(new Script({ ...FROM, "mail-templates": malformed })));
    assert.equal(held.tag, "unavailable");
    assert.match(held.val, /mail-templates/);
  }
});

test("what may have been sent is unknown", () => {
  for (const step of [{ tag: "timed-out" }, answer(500, {})]) {
    assert.equal(disposition(() => sent(new Script(FROM, step))).tag, "unknown");
  }
});

test("a limit says when to come again", () => {
  const date = "Sun, 06 Nov 1994 08:49:37 GMT";
  const headers = { "Retry-After": "Sun, 06 Nov 1994 08:49:39 GMT", Date: date };
  const retry = disposition(() => sent(new Script(FROM, answer(429, {}, headers))));
  assert.deepEqual([retry.tag, retry.val.afterMs], ["retry", 2000n]);
});
