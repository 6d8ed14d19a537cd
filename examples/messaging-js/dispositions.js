// How an answer, or the lack of one, becomes a disposition. Pure.
//
// Nothing that may have had an effect may be called harmless: once an earlier request of the call has written something, or
// the answer to a write is lost, only `unknown` is true. The hub alone decides when to try again.
//
// `effect` is what can have had one: `earlier`, an earlier request of the same call; `now`, the request in question.

/** Longer codes are not codes. */
const CODE = /^[!-~]{1,160}$/;

/** What an outside system says of a refusal, as far as it is fit to be kept: a code, never free text, and a JSON Pointer. */
export function refusal(code, field = undefined) {
  return { code: CODE.test(code) ? code : undefined, field };
}

/** What to make of a status that is no success. `what` names the request, for example `POST /v3/mail/send`. */
export function ofStatus(status, afterMs, effect, what, { code, field } = {}) {
  const why = code === undefined ? `${what} answered ${status}` : `${what} answered ${status} ${code}`;
  if ([401, 403, 407].includes(status)) return { tag: "unauthorized", val: why };
  // Nothing that this adapter writes can be repeated safely, and whoever stands before the outside system may answer in its
  // place once it has taken effect. A refusal of its own is told by 429, or by 503 with `Retry-After`.
  const redirected = status >= 300 && status < 400;
  const doubtful = redirected || status === 408 || (status >= 500 && !(status === 503 && afterMs !== undefined));
  if (effect.now && doubtful) return { tag: "unknown", val: why };
  if ([408, 425, 429, 503].includes(status) && effect.earlier) return { tag: "unknown", val: why };
  if ([408, 425, 429].includes(status) || (status === 503 && afterMs !== undefined)) return retry(why, afterMs);
  if (status === 503) return unavailable(why);
  if (status >= 500) return effect.earlier ? { tag: "unknown", val: why } : retry(why, afterMs);
  if (redirected) {
    return unavailable(`${why}, a redirect, which is never followed; check the endpoint's url`);
  }
  return rejected(why, field);
}

/** What to make of a request without an answer. */
export function ofFailure(failure, effect, what) {
  switch (failure?.tag) {
    case "unknown-endpoint":
      return unavailable(failure.val);
    case "refused":
      return rejected(`${what} was refused by the hub: ${failure.val}`);
    case "connect": {
      const why = `${what}: no connection: ${failure.val}`;
      return effect.earlier ? { tag: "unknown", val: why } : unavailable(why);
    }
    case "too-large": {
      const why = `${what} was answered with more than the hub allows`;
      return effect.earlier || effect.now ? { tag: "unknown", val: why } : rejected(why);
    }
    case "interrupted":
      return lost(`${what} was interrupted: ${failure.val}`, effect);
    default:
      return lost(`${what} was not answered in time`, effect);
  }
}

/** What to make of a success that can't be read, or lacks what has to be there. */
export function ofNonsense(effect, what, why) {
  return lost(`${what} was answered with what makes no sense: ${why}`, effect);
}

/** It will never work as it is. */
export function rejected(why, field = undefined) {
  return { tag: "reject", val: { why, field } };
}

/** The outside system can't be used as a whole, for example for want of a setting: no client is to blame. */
export function unavailable(why) {
  return { tag: "unavailable", val: why };
}

/** A disposition as an export of a component throws it. */
export function failed(disposition) {
  return Object.assign(new Error(disposition.tag), { payload: disposition });
}

function lost(why, effect) {
  return effect.earlier || effect.now ? { tag: "unknown", val: why } : retry(why, undefined);
}

function retry(why, afterMs) {
  return { tag: "retry", val: { afterMs, why } };
}
