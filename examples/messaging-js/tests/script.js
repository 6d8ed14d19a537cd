// A hub that follows a script, and messages to hand over.

import assert from "node:assert/strict";

import { Session } from "../session.js";

/** Answers requests with what it was told, in order, and keeps them. */
export class Script {
  seen = [];
  #steps;
  #settings;

  constructor(settings, ...steps) {
    this.#settings = settings;
    this.#steps = steps;
  }

  send(request) {
    this.seen.push(request);
    const step = this.#steps.shift();
    assert.ok(step, "the script has no step left");
    if (step.status !== undefined) return step;
    throw Object.assign(new Error(step.tag), { payload: step });
  }

  setting(name) {
    return this.#settings[name];
  }

  /** A session with this hub. */
  session() {
    return new Session(this);
  }

  /** The requests so far, as `METHOD endpoint path`. */
  lines() {
    return this.seen.map(({ method, endpoint, path }) => `${method.toUpperCase()} ${endpoint} ${path}`);
  }

  /** The body of a request. */
  sent(place) {
    return new TextDecoder().decode(this.seen[place].body);
  }
}

/** An answer; a text is sent as it is, anything else as JSON. */
export function answer(status, body, headers = {}) {
  const content = typeof body === "string" ? body : JSON.stringify(body);
  const pairs = Object.entries(headers).map(([name, value]) => ({ name, value }));
  return { status, headers: pairs, body: new TextEncoder().encode(content) };
}

/** A message to somebody with these addresses. */
export function message(to = {}, changes = {}) {
  return {
    template: "device-locked",
    language: "de-AT",
    prefer: "email",
    to: { name: "Jane Doe", email: undefined, phone: undefined, ...to },
    variables: [{ name: "device", value: { tag: "device-type", val: "card-reader" } }],
    ...changes,
  };
}

/** What a call throws, as the hub is told. */
export function disposition(call) {
  try {
    call();
  } catch (error) {
    assert.ok(error.payload, error);
    return error.payload;
  }
  return assert.fail("it did not fail");
}
