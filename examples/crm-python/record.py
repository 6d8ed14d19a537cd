"""The record that EspoCRM takes: a pure function of the profile and the settings."""

from wit_world.imports.types import ClientKind, ClientStatus, Details_Corporate


def entity(kind):
    """The entity type of a kind of client."""
    return "Account" if kind == ClientKind.CORPORATE else "Contact"


def status(status):
    """The hub's name of a status, as the CRM is to show it."""
    return status.name.lower()


ARCHIVED = status(ClientStatus.ARCHIVED)


def record(profile, fields):
    """The whole record. Members without a value are null, which clears them.

    No birth date and no national id: a CRM has no business with them.
    """
    details = profile.details.value
    if isinstance(profile.details, Details_Corporate):
        own = {"name": profile.name, "type": fields.account_type, "sicCode": details.industry}
    else:
        own = {"firstName": details.given_name, "lastName": details.family_name}
    return {
        **own,
        "emailAddress": profile.email,
        "phoneNumber": profile.phone,
        **_address(profile),
        fields.reference: profile.reference,
        fields.version: profile.version,
        fields.status: status(profile.status),
        fields.segment: profile.segment,
    }


def _address(profile):
    prefix = "billingAddress" if profile.kind == ClientKind.CORPORATE else "address"
    address = profile.address
    lines = [line for line in (address.line1, address.line2) if line is not None] if address else []
    parts = {
        "Street": "\n".join(lines) or None,
        "City": address and address.city,
        "State": address and address.region,
        "PostalCode": address and address.postal_code,
        "Country": address and address.country,
    }
    return {f"{prefix}{name}": value for name, value in parts.items()}
