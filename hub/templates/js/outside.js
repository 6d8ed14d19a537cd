// The way to the outside system: requests through the hub.

import { send } from "backoffice:adapter/http@1.0.0";

import { judge, lost, noAnswer, segment } from "./rules.js";

export { segment };

/** A disposition as an export of a component throws it. */
export function failed(disposition) {
  return Object.assign(new Error(disposition.tag), { payload: disposition });
}

/** A text, where there is one. */
export function optional(value) {
  return typeof value === "string" ? value : undefined;
}

/** The requests of one call. */
export class Outside {
  #written = false;

  get(path, query = []) {
    return this.#send("get", path, query, undefined, undefined);
  }

  /** Writes, under the idempotency key of the delivery where the outside system knows one. */
  write(method, path, body, key = undefined) {
    return this.#send(method, path, [], key, body);
  }

  /** The members of a list. */
  items(path, query = []) {
    const { items } = this.get(path, query);
    if (!Array.isArray(items) || !items.every((item) => item !== null && typeof item === "object")) {
      throw this.nonsense();
    }
    return items;
  }

  /** A text that has to be there. */
  text(value, name) {
    if (typeof value[name] !== "string") throw this.nonsense();
    return value[name];
  }

  /** What to throw about an answer that lacks what has to be there. */
  nonsense() {
    return failed(lost("the answer makes no sense", this.#written));
  }

  #send(method, path, query, key, body) {
    const earlier = this.#written;
    const writes = method !== "get" && method !== "head";
    const headers = [{ name: "accept", value: "application/json" }];
    if (key !== undefined) headers.push({ name: "idempotency-key", value: key });
    if (body !== undefined) headers.push({ name: "content-type", value: "application/json" });
    const answer = exchanged(
      {
        endpoint: "api",
        method,
        path,
        query: query.map(([name, value]) => ({ name, value })),
        headers,
        body: body === undefined ? undefined : new TextEncoder().encode(JSON.stringify(body)),
      },
      earlier,
      writes,
    );
    if (answer.status < 200 || answer.status >= 300) {
      const after = answer.headers.find(({ name }) => name === "retry-after")?.value ?? "";
      const afterMs = /^[0-9]{1,9}$/.test(after) ? Number(after) * 1000 : undefined;
      throw failed(judge(answer.status, afterMs, earlier, writes));
    }
    this.#written = earlier || writes;
    if (writes && answer.body.length === 0) return {};
    return parsed(answer.body, earlier || writes);
  }
}

function exchanged(request, earlier, writes) {
  try {
    return send(request);
  } catch (error) {
    throw failed(noAnswer(error.payload, earlier, writes));
  }
}

function parsed(bytes, mayHaveEffect) {
  let value;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    value = undefined;
  }
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    throw failed(lost("the answer makes no sense", mayHaveEffect));
  }
  return value;
}
