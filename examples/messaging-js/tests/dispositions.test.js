// The rules by which an answer, or the lack of one, becomes a disposition.

import assert from "node:assert/strict";
import test from "node:test";

import { ofFailure, ofNonsense, ofStatus, refusal } from "../dispositions.js";

const EFFECTS = [
  { earlier: false, now: false },
  { earlier: false, now: true },
  { earlier: true, now: false },
];

const row = (status, afterMs) => EFFECTS.map((effect) => ofStatus(status, afterMs, effect, "x").tag);
const failures = (failure) => EFFECTS.map((effect) => ofFailure(failure, effect, "x").tag);
const three = (tag) => [tag, tag, tag];

test("statuses become dispositions", () => {
  for (const status of [400, 404, 409, 422]) assert.deepEqual(row(status), three("reject"));
  for (const status of [401, 403, 407]) assert.deepEqual(row(status), three("unauthorized"));
  assert.deepEqual(row(302), ["unavailable", "unknown", "unavailable"]);
  assert.deepEqual(row(408), ["retry", "unknown", "unknown"]);
  for (const status of [425, 429]) assert.deepEqual(row(status), ["retry", "retry", "unknown"]);
  assert.deepEqual(row(503, 1000n), ["retry", "retry", "unknown"]);
  assert.deepEqual(row(503), ["unavailable", "unknown", "unknown"]);
  for (const status of [500, 502, 504, 599]) assert.deepEqual(row(status), ["retry", "unknown", "unknown"]);
});

test("failures become dispositions", () => {
  assert.deepEqual(failures({ tag: "timed-out" }), ["retry", "unknown", "unknown"]);
  assert.deepEqual(failures({ tag: "interrupted", val: "reset" }), ["retry", "unknown", "unknown"]);
  assert.deepEqual(failures({ tag: "connect", val: "none" }), ["unavailable", "unavailable", "unknown"]);
  assert.deepEqual(failures({ tag: "too-large" }), ["reject", "unknown", "unknown"]);
  assert.deepEqual(failures({ tag: "refused", val: "path" }), three("reject"));
  assert.deepEqual(failures({ tag: "unknown-endpoint", val: "mail" }), three("unavailable"));
});

test("what makes no sense is judged by what was asked", () => {
  const tags = EFFECTS.map((effect) => ofNonsense(effect, "x", "y").tag);
  assert.deepEqual(tags, ["retry", "unknown", "unknown"]);
});

test("the wait and the code are handed on", () => {
  const retry = ofStatus(429, 7000n, EFFECTS[1], "POST /v3/mail/send", refusal("busy"));
  assert.deepEqual(retry, { tag: "retry", val: { afterMs: 7000n, why: "POST /v3/mail/send answered 429 busy" } });
});

test("free text is no code", () => {
  for (const text of ["Jane Doe exists", "", "é", "x".repeat(161)]) assert.equal(refusal(text).code, undefined);
});
