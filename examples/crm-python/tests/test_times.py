"""Times as HTTP and EspoCRM write them."""

import unittest

from times import MOST_MS, http_date, retry_after_ms, rfc3339

DATE = "Sun, 06 Nov 1994 08:49:37 GMT"


class Times(unittest.TestCase):
    def test_retry_after_is_read_in_both_forms(self):
        self.assertEqual(retry_after_ms("120"), 120_000)
        self.assertEqual(retry_after_ms("Sun, 06 Nov 1994 08:50:07 GMT", DATE), 30_000)
        self.assertEqual(retry_after_ms("Sun, 06 Nov 1994 08:00:00 GMT", DATE), 0)
        self.assertIsNone(retry_after_ms("Sun, 06 Nov 1994 08:50:07 GMT"))

    def test_no_wait_is_beyond_what_the_contract_can_say(self):
        for seconds in ("9" * 18, "9" * 19, "9" * 5000):
            self.assertEqual(retry_after_ms(seconds), MOST_MS)

    def test_a_malformed_retry_after_says_nothing(self):
        for value in ("", "-1", "soon", "1.5", "12 s", "١٢", "Sun, 06 Nov 1994 08:61:07 GMT"):
            self.assertIsNone(retry_after_ms(value, DATE), value)

    def test_what_is_no_date_is_none(self):
        for text in ("", "yesterday", "Sun, 31 Feb 2026 00:00:00 GMT", "Sun, 06 Nox 1994 08:49:37 GMT"):
            self.assertIsNone(http_date(text), text)

    def test_the_times_of_the_crm_become_those_of_the_contract(self):
        self.assertEqual(rfc3339("2026-03-01 10:00:00"), "2026-03-01T10:00:00.000Z")
        self.assertEqual(rfc3339("0999-03-01 10:00:00"), "0999-03-01T10:00:00.000Z")
        for value in ("yesterday", "2026-13-01 10:00:00", "2026-03-01", None, 5):
            self.assertIsNone(rfc3339(value), value)
