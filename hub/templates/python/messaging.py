"""An adapter of the world `messaging-adapter`, made by `hub plugin new`.

It speaks a small REST API that nobody has: put your product's requests in the place of these. The rules by which an
answer becomes a disposition are in `outside.py`, and hold for any product.
"""

from componentize_py_types import Err
from wit_world import exports
from wit_world.imports.http import Method
from wit_world.imports.types import (
    Description,
    Disposition_Reject,
    FunctionDescription,
    Health,
    Receipt,
    Reject,
    RepeatSafety,
)

from outside import Outside, text


class Messaging(exports.Messaging):
    def describe(self):
        function = FunctionDescription
        return Description(
            name="{{name}}",
            version="0.1.0",
            vendor="your company",
            product="your product",
            endpoints=["api"],
            settings=[],
            functions=[
                function("send", RepeatSafety.SAFE),
            ],
        )

    def check_health(self):
        Outside().get("/health")
        return Health(True, None)

    def send(self, message, key):
        """This API knows the key, so that a repeat is safe. Where yours knows none, `describe` has to say `unsafe`."""
        email, phone = message.to.email, message.to.phone
        to = (phone or email) if message.prefer.name == "SMS" else (email or phone)
        if to is None:
            raise Err(Disposition_Reject(Reject("there is neither an e-mail address nor a phone number", "/to")))
        body = {
            "template": message.template.name.lower().replace("_", "-"),
            "language": message.language,
            "to": to,
            "name": message.to.name,
            "variables": {variable.name: variable.value.value for variable in message.variables},
        }
        outside = Outside()
        sent = outside.write(Method.POST, "/messages", body, key)
        return Receipt(text(sent, "id", outside), None)
