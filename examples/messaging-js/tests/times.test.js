// Times as HTTP writes them.

import assert from "node:assert/strict";
import test from "node:test";

import { httpDate, retryAfterMs } from "../times.js";

const DATE = "Sun, 06 Nov 1994 08:49:37 GMT";

test("Retry-After is read in both forms", () => {
  assert.equal(retryAfterMs("120"), 120_000n);
  assert.equal(retryAfterMs("Sun, 06 Nov 1994 08:50:07 GMT", DATE), 30_000n);
  assert.equal(retryAfterMs("Sun, 06 Nov 1994 08:00:00 GMT", DATE), 0n);
  assert.equal(retryAfterMs("Sun, 06 Nov 1994 08:50:07 GMT"), undefined);
});

test("no wait is beyond what the contract can say", () => {
  for (const digits of [18, 19, 5000]) assert.equal(retryAfterMs("9".repeat(digits)), 2n ** 64n - 1n);
});

test("a malformed Retry-After says nothing", () => {
  for (const value of ["", "-1", "soon", "1.5", "12 s", "Sun, 06 Nov 1994 08:61:07 GMT"]) {
    assert.equal(retryAfterMs(value, DATE), undefined, value);
  }
});

test("what is no date is none", () => {
  for (const text of ["", "yesterday", "1994-11-06", "Sun, 31 Feb 2026 00:00:00 GMT", "Sun, 06 Nox 1994 08:49:37 GMT"]) {
    assert.equal(httpDate(text), undefined, text);
  }
});
