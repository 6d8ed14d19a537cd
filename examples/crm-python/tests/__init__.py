"""Native tests: the whole conversation with the CRM, against a scripted hub.

`wit_world` is what `componentize-py bindings` makes from `wit`.
"""

import typing

# The bindings import it from a later Python than the 3.10 that is enough here; nothing uses it.
if not hasattr(typing, "Self"):
    typing.Self = typing.TypeVar("Self")
