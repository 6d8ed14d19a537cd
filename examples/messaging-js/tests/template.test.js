// What a message says.

import assert from "node:assert/strict";
import test from "node:test";

import { data, idOf, text } from "../template.js";
import { message } from "./script.js";

test("the nearest language wins", () => {
  const all = [["device-locked", "any"], ["device-locked.de", "de"], ["device-locked.de-at", "at"], ["welcome", "w"]];
  assert.equal(idOf(new Map(all), message()), "at");
  assert.equal(idOf(new Map(all.slice(0, 2)), message()), "de");
  assert.equal(idOf(new Map(all.slice(0, 1)), message()), "any");
  assert.equal(idOf(new Map(all.slice(3)), message()), undefined);
});

test("a text says what it is about, and nothing that a client wrote", () => {
  const variables = [...message().variables, { name: "who", value: { tag: "name", val: "Jane" } }];
  const expected = "A device of yours was locked.\nDevice: card-reader\nIf you did not expect this, please contact us.";
  assert.equal(text(message({}, { variables })), expected);
});

test("data go by the variables' names, numbers as numbers while they are exact", () => {
  const number = (name, val) => ({ name, value: { tag: "number", val } });
  const variables = [number("count", -3n), number("large", 2n ** 53n)];
  const expected = { name: "Jane Doe", language: "de-AT", template: "device-locked", count: -3, large: "9007199254740992" };
  assert.deepEqual(data(message({}, { variables })), expected);
});
