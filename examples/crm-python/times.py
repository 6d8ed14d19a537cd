"""Times as HTTP, EspoCRM and the contract write them. Pure: "now" is what an answer's `Date` says.

Patterns are made when the component is built: at run time there is no file to load a module from.
"""

import re
from datetime import datetime, timezone

MOST_MS = 2**64 - 1
DIGITS_OF_MOST = 19
_SECONDS = re.compile(r"[0-9]+", re.ASCII)
_HTTP_DATE = re.compile(
    r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (\d{2}) ([A-Z][a-z]{2}) (\d{4}) (\d{2}):(\d{2}):(\d{2}) GMT", re.ASCII
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_ESPO = re.compile(r"(\d{4})-(\d{2})-(\d{2}) (\d{2}):(\d{2}):(\d{2})", re.ASCII)


def retry_after_ms(value, date=None):
    """How long `Retry-After` (RFC 9110, section 10.2.3) asks to wait; where it names a moment, the answer's `Date` is needed."""
    value = value.strip()
    if _SECONDS.fullmatch(value):
        return min(int(value) * 1000, MOST_MS) if len(value) <= DIGITS_OF_MOST else MOST_MS
    until, now = http_date(value), http_date(date or "")
    if until is None or now is None:
        return None
    return max(0, int((until - now).total_seconds() * 1000))


def http_date(text):
    """An HTTP date (RFC 9110, section 5.6.7). The two obsolete forms are not read."""
    found = _HTTP_DATE.fullmatch(text.strip())
    if found is None or found[2] not in _MONTHS:
        return None
    month = _MONTHS.index(found[2]) + 1
    return _moment(found[3], month, found[1], found[4], found[5], found[6])


def rfc3339(text):
    """`2026-03-01 10:00:00`, as EspoCRM writes UTC → `2026-03-01T10:00:00.000Z`; nothing where it is no time."""
    found = _ESPO.fullmatch(text) if isinstance(text, str) else None
    moment = _moment(*found.groups()) if found else None
    return moment and moment.isoformat().removesuffix("+00:00") + ".000Z"


def _moment(*parts):
    try:
        return datetime(*(int(part) for part in parts), tzinfo=timezone.utc)
    except ValueError:
        return None
