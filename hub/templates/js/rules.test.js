import assert from "node:assert/strict";
import test from "node:test";

import { judge, lost, segment } from "./rules.js";

test("a lost write is never called harmless", () => {
  assert.equal(judge(500, undefined, false, false).tag, "retry");
  assert.equal(judge(500, undefined, false, true).tag, "unknown");
  assert.equal(judge(429, 1000, true, false).tag, "unknown");
  assert.equal(lost("why", true).tag, "unknown");
});

test("the wait that was asked for is handed on", () => {
  assert.equal(judge(429, 7000, false, true).val.afterMs, 7000n);
});

test("a segment cannot leave its path", () => {
  assert.equal(segment("../a b"), "..%2Fa%20b");
});
