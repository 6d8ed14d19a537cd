"""What EspoCRM is sent of a client."""

import json
import unittest

import espo
from record import record
from session import Session

from .script import REFERENCE, Script, corporate, individual

FIELDS = espo.fields(Session(Script()))


class Record(unittest.TestCase):
    def test_a_company_is_an_account(self):
        expected = {
            "name": "Meridian Freight Ltd",
            "type": "Customer",
            "sicCode": "4941",
            "emailAddress": "ops@meridian.example",
            "phoneNumber": "+442079460000",
            "billingAddressStreet": "1 Quay\nFloor 2",
            "billingAddressCity": "London",
            "billingAddressState": None,
            "billingAddressPostalCode": "EC1A 1BB",
            "billingAddressCountry": "GB",
            "cClientReference": REFERENCE,
            "cClientVersion": 7,
            "cClientStatus": "active",
            "cClientSegment": "sme",
        }
        self.assertEqual(record(corporate(), FIELDS), expected)

    def test_a_person_is_a_contact_without_what_a_crm_need_not_know(self):
        made = record(individual(), FIELDS)
        self.assertEqual((made["firstName"], made["lastName"], made["addressCity"]), ("Jane", "Doe", "London"))
        text = json.dumps(made)
        self.assertNotIn("1980", text)
        self.assertNotIn("QQ123456C", text)

    def test_what_was_cleared_is_cleared_there(self):
        made = record(individual(address=None, email=None), FIELDS)
        for name in ("addressStreet", "addressCountry", "emailAddress"):
            self.assertIsNone(made[name])
            self.assertIn(name, made)

    def test_the_settings_name_the_fields(self):
        fields = espo.fields(Session(Script(reference_field="cHub", account_type=" Partner ", segment_field="  ")))
        made = record(corporate(), fields)
        self.assertEqual((made["cHub"], made["type"], made["cClientSegment"]), (REFERENCE, "Partner", "sme"))
