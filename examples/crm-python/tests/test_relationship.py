"""What the CRM knows of the relationship."""

import unittest

from componentize_py_types import Err
from wit_world.imports.types import Disposition_Retry

from relationship import score, summary
from session import Session

from .script import Script, answer, page


def script(*rest, **settings):
    return Script(
        page({"id": "1", "name": "Welcome call", "dateStart": "2026-03-01 10:00:00"}),
        page({"id": "2", "name": "Visit", "dateStart": "2026-04-01 09:00:00"}, {"id": "3"}),
        page({"id": "4", "name": None, "dateSent": "2026-03-15 08:30:00"}),
        answer(200, {"id": "66a1", "assignedUserName": "Ingrid Solheim"}),
        *rest,
        **settings,
    )


class Relationship(unittest.TestCase):
    def test_everything_is_gathered_newest_first(self):
        scripted = script(page({"id": "c"}, {"id": "d"}))
        found = summary(Session(scripted), "Account/66a1")
        self.assertEqual((found.owner, found.open_cases), ("Ingrid Solheim", 2))
        self.assertEqual(found.last_contact_at, "2026-04-01T09:00:00.000Z")
        self.assertEqual([(entry.channel, entry.subject) for entry in found.communications],
                         [("meeting", "Visit"), ("email", ""), ("call", "Welcome call")])
        self.assertEqual(found.feedback, [])
        lines = scripted.lines()
        self.assertEqual(
            lines[0],
            "GET /Account/66a1/calls?where[0][type]=equals&where[0][attribute]=status&where[0][value]=Held"
            "&select=name,dateStart&orderBy=dateStart&order=desc&maxSize=50",
        )
        self.assertEqual(
            lines[4],
            "GET /Account/66a1/cases?where[0][type]=notIn&where[0][attribute]=status&where[0][value][]=Closed"
            "&where[0][value][]=Rejected&where[0][value][]=Duplicate&select=id&maxSize=50",
        )

    def test_cases_are_counted_where_the_crm_does_not(self):
        self.assertEqual(summary(Session(script(page({"id": "c"}, total=-1))), "Account/66a1").open_cases, 1)

    def test_feedback_comes_from_the_link_that_the_settings_name(self):
        answers = page(
            {"createdAt": "2026-05-01 00:00:00", "score": 9, "description": "Good"},
            {"createdAt": "2026-04-01 00:00:00", "score": 11},
            {"score": 1},
        )
        found = summary(Session(script(page(), answers, feedback_link="surveys")), "Account/66a1").feedback
        self.assertEqual([(entry.score, entry.text) for entry in found], [(9, "Good"), (None, None)])

    def test_a_text_that_is_none_makes_no_sense(self):
        with self.assertRaises(Err) as raised:
            summary(Session(Script(page({"dateStart": 5}))), "Account/66a1")
        self.assertIsInstance(raised.exception.value, Disposition_Retry)

    def test_a_score_of_another_scale_is_none(self):
        self.assertEqual([score(value) for value in (0, 10, 8.5, 8.4)], [0, 10, 9, 8])
        for value in (-1, 10.5, float("nan"), True, "9", None):
            self.assertIsNone(score(value))
