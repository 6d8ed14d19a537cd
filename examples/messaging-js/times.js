// Times as HTTP writes them. Pure: "now" is what an answer's `Date` says. Waits are `BigInt`s, as the contract's `u64` is.

const MOST_MS = 2n ** 64n - 1n;
const DIGITS_OF_MOST = 19;

// The one form that RFC 9110, section 5.6.7, lets a sender write.
const HTTP_DATE = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (\d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT)$/;

/** How long `Retry-After` (RFC 9110, section 10.2.3) asks to wait; where it names a moment, the answer's `Date` is needed. */
export function retryAfterMs(value, date = "") {
  const text = value.trim();
  if (/^[0-9]+$/.test(text)) {
    const ms = text.length > DIGITS_OF_MOST ? MOST_MS : BigInt(text) * 1000n;
    return ms < MOST_MS ? ms : MOST_MS;
  }
  const [until, now] = [httpDate(text), httpDate(date)];
  if (until === undefined || now === undefined) return undefined;
  return BigInt(Math.max(0, until - now));
}

/** An HTTP date, in milliseconds since 1970. */
export function httpDate(text) {
  const found = HTTP_DATE.exec(text.trim());
  if (found === null) return undefined;
  const time = Date.parse(found[1]);
  // A day that its month does not have is read as one of the next month, and then comes out as another day.
  const real = !Number.isNaN(time) && new Date(time).getUTCDate() === Number(found[1].slice(0, 2));
  return real ? time : undefined;
}
