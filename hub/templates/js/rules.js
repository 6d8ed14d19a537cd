// What an answer, or the lack of one, means for the delivery.
//
// Nothing that may have had an effect may be called harmless: once a request of a call has changed something, or its own
// answer is lost, only `unknown` is true.

/** What an answer means that is no success. */
export function judge(status, afterMs, earlier, writes) {
  const why = `it answered ${status}`;
  if ([401, 403, 407].includes(status)) return { tag: "unauthorized", val: why };
  if ([408, 425, 429, 503].includes(status) && earlier) return { tag: "unknown", val: why };
  if ([408, 425, 429].includes(status) || (status === 503 && afterMs !== undefined)) return retry(why, afterMs);
  if (status === 503) return { tag: "unavailable", val: why };
  if (status >= 500) return lost(why, earlier || writes);
  if (status >= 300 && status < 400) {
    return { tag: "unavailable", val: `${why}, a redirect; check the endpoint's url` };
  }
  return { tag: "reject", val: { why, field: undefined } };
}

/** What it means that there is no answer that could be read. */
export function lost(why, mayHaveEffect) {
  return mayHaveEffect ? { tag: "unknown", val: why } : retry(why, undefined);
}

/** What a failure to get any answer means. */
export function noAnswer(failure, earlier, writes) {
  switch (failure?.tag) {
    case "unknown-endpoint":
      return { tag: "unavailable", val: failure.val };
    case "refused":
      return { tag: "reject", val: { why: failure.val, field: undefined } };
    case "connect":
      return { tag: earlier ? "unknown" : "unavailable", val: failure.val };
    default:
      return lost("there was no answer that could be read", earlier || writes);
  }
}

function retry(why, afterMs) {
  return { tag: "retry", val: { afterMs: afterMs === undefined ? undefined : BigInt(afterMs), why } };
}

/** A part of a path, percent-encoded (RFC 3986). */
export function segment(text) {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}
