"""The rules in `outside.py`, without a sandbox: `bindings` has what componentize-py makes from `wit`."""

import typing
import unittest

# The bindings import it from a later Python than the 3.10 that is enough here; nothing uses it.
if not hasattr(typing, "Self"):
    typing.Self = typing.TypeVar("Self")

from wit_world.imports.types import Disposition_Retry, Disposition_Unavailable, Disposition_Unknown

from outside import judge, segment


class Rules(unittest.TestCase):
    def test_a_lost_write_is_never_called_harmless(self):
        self.assertIsInstance(judge(500, None, earlier=False, writes=False), Disposition_Retry)
        self.assertIsInstance(judge(500, None, earlier=False, writes=True), Disposition_Unknown)
        self.assertIsInstance(judge(429, 1000, earlier=True, writes=False), Disposition_Unknown)
        self.assertIsInstance(judge(503, None, earlier=False, writes=True), Disposition_Unavailable)

    def test_the_wait_that_was_asked_for_is_handed_on(self):
        self.assertEqual(judge(429, 7000, earlier=False, writes=True).value.after_ms, 7000)

    def test_a_segment_cannot_leave_its_path(self):
        self.assertEqual(segment("../a b"), "..%2Fa%20b")


if __name__ == "__main__":
    unittest.main()
