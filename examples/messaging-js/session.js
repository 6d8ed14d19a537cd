// One call of the hub, over all the requests that it takes.
//
// A session remembers whether it has written anything: after a write no later failure may be called one without an effect.
// `hub` is the component's imports; tests put a script in their place.

import { failed, ofFailure, ofNonsense, ofStatus, rejected, unavailable } from "./dispositions.js";
import { retryAfterMs } from "./times.js";

/** The path of these segments, each percent-encoded (RFC 3986); one that would name another resource is rejected. */
export function below(...segments) {
  for (const segment of segments) {
    if (["", ".", ".."].includes(segment)) {
      throw failed(rejected(`an id is \`${segment}\`, which no path can carry; expected the outside system's own id`));
    }
  }
  return segments.map((segment) => `/${encoded(segment)}`).join("");
}

/** A form of `application/x-www-form-urlencoded`. A space as `%20` is read as one by every form parser, as `+` is. */
export function form(fields) {
  return fields.map(([name, value]) => `${encoded(name)}=${encoded(value)}`).join("&");
}

function encoded(text) {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** The requests of one call. */
export class Session {
  #hub;
  #written = false;

  constructor(hub) {
    this.#hub = hub;
  }

  /** A setting's text; nothing where it is not set or blank. */
  setting(name) {
    return this.#hub.setting(name)?.trim() || undefined;
  }

  /** A setting that is a table of texts. A malformed one is never replaced by a default. */
  table(name, expected) {
    const value = parsed(this.setting(name) ?? "{}");
    if (!isObject(value) || !Object.values(value).every((id) => typeof id === "string")) {
      throw failed(unavailable(`the setting \`${name}\` is malformed; expected ${expected}`));
    }
    return new Map(Object.entries(value));
  }

  get(endpoint, path) {
    return this.#send({ endpoint, method: "get", path, headers: [], body: undefined });
  }

  post(endpoint, path, mediaType, text) {
    const headers = [{ name: "content-type", value: mediaType }];
    return this.#send({ endpoint, method: "post", path, headers, body: new TextEncoder().encode(text) });
  }

  #send(request) {
    const effect = { earlier: this.#written, now: request.method !== "get" };
    const what = `${request.method.toUpperCase()} ${request.path}`;
    const headers = [{ name: "accept", value: "application/json" }, ...request.headers];
    const response = answered(this.#hub, { ...request, query: [], headers }, effect, what);
    const answer = new Answer(response, effect, what);
    this.#written = effect.earlier || (effect.now && answer.isSuccess);
    return answer;
  }
}

function answered(hub, request, effect, what) {
  try {
    return hub.send(request);
  } catch (error) {
    throw failed(ofFailure(error.payload, effect, what));
  }
}

/** An answer of any status, with what is needed to judge it. */
export class Answer {
  #response;
  #effect;

  constructor(response, effect, what) {
    this.#response = response;
    this.#effect = effect;
    this.what = what;
    this.status = response.status;
    this.isSuccess = response.status >= 200 && response.status < 300;
  }

  /** The first header of a name, in lower case. */
  header(name) {
    return this.#response.headers.find((header) => header.name.toLowerCase() === name)?.value;
  }

  /** The body as a JSON object; empty where it is none. */
  object() {
    const value = this.#json();
    return isObject(value) ? value : {};
  }

  /** The answer to a question of which only that it is one matters: others may answer with a page of theirs. */
  read() {
    if (this.#json() === undefined) throw this.nonsense(`no JSON in ${this.#response.body.length} bytes`);
  }

  /** A text of the body that has to be there. */
  text(name) {
    const value = this.object()[name];
    if (typeof value === "string" && value !== "") return value;
    throw this.nonsense(`no \`${name}\` in ${this.#response.body.length} bytes`);
  }

  /** What to throw about a success that lacks what has to be there. */
  nonsense(why) {
    return failed(ofNonsense(this.#effect, this.what, why));
  }

  #json() {
    try {
      return parsed(new TextDecoder("utf-8", { fatal: true }).decode(this.#response.body));
    } catch {
      return undefined;
    }
  }

  /** What to throw about this answer, taken as a failure. */
  failure(refusal) {
    const wait = this.header("retry-after");
    const afterMs = wait === undefined ? undefined : retryAfterMs(wait, this.header("date"));
    return failed(ofStatus(this.status, afterMs, this.#effect, this.what, refusal));
  }
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value) {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
