"""Upserts and archiving: what is asked, and what follows from what is answered."""

import unittest

from componentize_py_types import Err
from wit_world.imports import http
from wit_world.imports.types import (
    Disposition_Reject,
    Disposition_Retry,
    Disposition_Unknown,
    Receipt,
)

import contacts
from session import Session, below

from .script import REFERENCE, Script, answer, corporate, individual, page

LOOK_UP = (
    "GET /Account?where[0][type]=equals&where[0][attribute]=cClientReference"
    f"&where[0][value]={REFERENCE}&select=id,cClientVersion&maxSize=2"
)
SAVED = answer(200, {"id": "66a1"})


def found(version):
    return page({"id": "66a1", "cClientVersion": version})


def upserted(script, profile=None):
    return contacts.upsert(Session(script), profile or corporate())


class Upsert(unittest.TestCase):
    def fails(self, script, disposition):
        with self.assertRaises(Err) as raised:
            upserted(script)
        self.assertIsInstance(raised.exception.value, disposition)
        return raised.exception.value

    def test_an_absent_record_is_created(self):
        script = Script(page(), SAVED)
        self.assertEqual(upserted(script), Receipt("Account/66a1", None))
        self.assertEqual(script.lines(), [LOOK_UP, "POST /Account"])
        headers = {pair.name: pair.value for pair in script.seen[1].headers}
        self.assertEqual(headers["x-skip-duplicate-check"], "true")
        self.assertEqual(headers["content-type"], "application/json")

    def test_a_record_that_is_there_is_updated(self):
        script = Script(found(6), SAVED)
        self.assertEqual(upserted(script).note, "existed already")
        self.assertEqual(script.lines(), [LOOK_UP, "PUT /Account/66a1"])
        self.assertEqual(script.sent(1)["cClientVersion"], 7)
        self.assertIsNone(upserted(Script(found(6), SAVED), corporate(external_id="Account/66a1")).note)

    def test_a_newer_version_is_never_overwritten(self):
        script = Script(found(8))
        self.assertEqual(upserted(script), Receipt("Account/66a1", "has a newer version already"))
        self.assertEqual(len(script.seen), 1)

    def test_the_same_version_again_is_sent_again(self):
        script = Script(found(7), SAVED)
        upserted(script)
        self.assertEqual(len(script.seen), 2)

    def test_a_person_is_looked_for_among_contacts(self):
        script = Script(page(), SAVED)
        self.assertEqual(upserted(script, individual()).external_id, "Contact/66a1")
        self.assertEqual(script.lines()[1], "POST /Contact")

    def test_a_lost_creation_is_unknown(self):
        self.fails(Script(page(), http.HttpFailure_Interrupted("reset")), Disposition_Unknown)
        self.fails(Script(page(), answer(500, {})), Disposition_Unknown)

    def test_a_creation_answered_with_nonsense_is_unknown(self):
        for body in ({}, {"id": ""}, {"id": 5}, [1], "<html>", '{"id": "66', '{"id": "\\ud800"}'):
            self.fails(Script(page(), answer(200, body)), Disposition_Unknown)

    def test_a_look_up_answered_with_nonsense_is_not_an_absence(self):
        for body in ("<html>", "[]", {}, {"total": 0}, {"total": 0, "list": {}}, {"total": 1, "list": [5]}, "[" * 9999):
            script = Script(answer(200, body))
            self.fails(script, Disposition_Retry)
            self.assertEqual(len(script.seen), 1)

    def test_a_limit_says_when_to_come_again(self):
        date = "Sun, 06 Nov 1994 08:49:37 GMT"
        script = Script(answer(429, {}, retry_after="Sun, 06 Nov 1994 08:49:38 GMT", date=date))
        self.assertEqual(self.fails(script, Disposition_Retry).value.after_ms, 1000)

    def test_a_refusal_names_the_field_and_repeats_no_text(self):
        problem = {"messageTranslation": {"label": "validationFailure", "data": {"field": "emailAddress"}}}
        refused = self.fails(Script(page(), answer(400, problem)), Disposition_Reject).value
        self.assertEqual((refused.field, refused.why), ("/email", "POST /Account answered 400 validationFailure:emailAddress"))
        for body in ("<html>", {"messageTranslation": "x"}, {"messageTranslation": {"label": 5, "data": []}}):
            refused = self.fails(Script(page(), answer(400, body)), Disposition_Reject).value
            self.assertEqual((refused.field, refused.why), (None, "POST /Account answered 400"))


class Archive(unittest.TestCase):
    def test_archiving_sets_the_status(self):
        script = Script(SAVED, status_field="cState")
        self.assertEqual(contacts.archive(Session(script), "Account/66a1"), Receipt("Account/66a1", None))
        self.assertEqual((script.lines(), script.sent(0)), (["PUT /Account/66a1"], {"cState": "archived"}))

    def test_an_external_id_that_no_receipt_said_is_rejected(self):
        for malformed in ("66f", "Lead/66f", "Account/", "", "/", "Account/.."):
            with self.assertRaises(Err) as raised:
                contacts.archive(Session(Script()), malformed)
            self.assertIsInstance(raised.exception.value, Disposition_Reject)

    def test_a_segment_stays_one_segment(self):
        self.assertEqual(below("Account", "a b/c?d#e%é"), "/Account/a%20b%2Fc%3Fd%23e%25%C3%A9")
