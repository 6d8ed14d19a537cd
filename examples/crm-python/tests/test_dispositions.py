"""The rules by which an answer, or the lack of one, becomes a disposition."""

import unittest

from wit_world.imports import http

from dispositions import Effect, Refusal, of_failure, of_status, refused

READ, WRITE, AFTER_A_WRITE = Effect(False, False), Effect(False, True), Effect(True, False)


def name(disposition):
    return type(disposition).__name__.removeprefix("Disposition_").lower()


def row(status, after_ms=None):
    return [name(of_status(status, after_ms, effect, "x")) for effect in (READ, WRITE, AFTER_A_WRITE)]


class Statuses(unittest.TestCase):
    def test_statuses_become_dispositions(self):
        for status in (400, 404, 409, 422):
            self.assertEqual(row(status), ["reject"] * 3)
        for status in (401, 403, 407):
            self.assertEqual(row(status), ["unauthorized"] * 3)
        self.assertEqual(row(302), ["unavailable"] * 3)
        for status in (408, 425, 429):
            self.assertEqual(row(status), ["retry", "retry", "unknown"])
        self.assertEqual(row(503, 1000), ["retry", "retry", "unknown"])
        self.assertEqual(row(503), ["unavailable", "unavailable", "unknown"])
        for status in (500, 502, 504, 599):
            self.assertEqual(row(status), ["retry", "unknown", "unknown"])

    def test_the_wait_and_the_code_are_handed_on(self):
        retry = of_status(429, 7000, WRITE, "POST /Account", refused("busy")).value
        self.assertEqual((retry.after_ms, retry.why), (7000, "POST /Account answered 429 busy"))

    def test_free_text_is_no_code(self):
        for text in ("Jane Doe exists", "", "é", "x" * 161):
            self.assertEqual(refused(text), Refusal())


class Failures(unittest.TestCase):
    def row(self, failure):
        return [name(of_failure(failure, effect, "x")) for effect in (READ, WRITE, AFTER_A_WRITE)]

    def test_failures_become_dispositions(self):
        self.assertEqual(self.row(http.HttpFailure_TimedOut()), ["retry", "unknown", "unknown"])
        self.assertEqual(self.row(http.HttpFailure_Interrupted("reset")), ["retry", "unknown", "unknown"])
        self.assertEqual(self.row(http.HttpFailure_Connect("none")), ["unavailable", "unavailable", "unknown"])
        self.assertEqual(self.row(http.HttpFailure_TooLarge()), ["reject", "unknown", "unknown"])
        self.assertEqual(self.row(http.HttpFailure_Refused("path")), ["reject"] * 3)
        self.assertEqual(self.row(http.HttpFailure_UnknownEndpoint("api")), ["unavailable"] * 3)
