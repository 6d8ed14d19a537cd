"""An adapter of the world `identity-adapter`, made by `hub plugin new`.

It speaks a small REST API that nobody has: put your product's requests in the place of these. The rules by which an
answer becomes a disposition are in `outside.py`, and hold for any product.
"""

from wit_world import exports
from wit_world.exports.identity import Device, DeviceType, PinReset
from wit_world.imports.http import Method
from wit_world.imports.types import (
    ClientStatus,
    Description,
    FunctionDescription,
    Health,
    Receipt,
    RepeatSafety,
)

from outside import Outside, segment, text


class Identity(exports.Identity):
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
                function("provision", RepeatSafety.LOOK_UP),
                function("update", RepeatSafety.SAFE),
                function("disable", RepeatSafety.SAFE),
                function("list-devices", RepeatSafety.SAFE),
                function("set-device-state", RepeatSafety.SAFE),
                function("transfer-device", RepeatSafety.SAFE),
                function("reset-pin", RepeatSafety.SAFE),
            ],
        )

    def check_health(self):
        Outside().get("/health")
        return Health(True, None)

    def provision(self, profile, key):
        outside = Outside()
        body = contents(profile)
        # Looked for before anything is created, so that a repeated delivery has one effect.
        for item in outside.items("/users", [("reference", profile.reference)]):
            if item.get("reference") == profile.reference:
                known = text(item, "id", outside)
                outside.write(Method.PUT, f"/users/{segment(known)}", body)
                return Receipt(known, "existed already")
        created = outside.write(Method.POST, "/users", body)
        return Receipt(text(created, "id", outside), None)

    def update(self, external_id, profile, key):
        Outside().write(Method.PUT, f"/users/{segment(external_id)}", contents(profile))
        return Receipt(external_id, None)

    def disable(self, external_id, reason, key):
        Outside().write(Method.PUT, f"/users/{segment(external_id)}/disabled", {"disabled": True, "reason": reason})
        return Receipt(external_id, None)

    def list_devices(self, external_id):
        outside = Outside()
        return [device(item, outside) for item in outside.items(f"/users/{segment(external_id)}/devices")]

    def set_device_state(self, device_id, state, key):
        body = {"active": state.active, "locked": state.locked, "reason": state.reason}
        Outside().write(Method.PUT, f"/devices/{segment(device_id)}/state", body)
        return Receipt(device_id, None)

    def transfer_device(self, device_id, from_, to, key):
        Outside().write(Method.PUT, f"/devices/{segment(device_id)}/owner", {"from": from_, "to": to, "active": False})
        return Receipt(device_id, None)

    def reset_pin(self, device_id, key):
        """This API knows the key, so that a repeat is safe. Where yours knows none, `describe` has to say `unsafe`."""
        outside = Outside()
        made = outside.write(Method.POST, f"/devices/{segment(device_id)}/pin-resets", {}, key)
        return PinReset(text(made, "id", outside), made.get("expiresAt"))


KINDS = {
    "mobile": DeviceType.MOBILE,
    "token": DeviceType.TOKEN,
    "card-reader": DeviceType.CARD_READER,
    "pos": DeviceType.POS,
}


def device(item, outside):
    kind = KINDS.get(text(item, "type", outside), DeviceType.BROWSER)
    if not isinstance(item.get("active"), bool) or not isinstance(item.get("locked"), bool):
        raise outside.nonsense()
    return Device(
        id=text(item, "id", outside),
        device_type=kind,
        model=item.get("model"),
        label=item.get("label"),
        active=item["active"],
        locked=item["locked"],
        enrolled_at=item.get("enrolledAt"),
    )


def contents(profile):
    return {
        "reference": profile.reference,
        "version": profile.version,
        "name": profile.name,
        "email": profile.email,
        "phone": profile.phone,
        "active": profile.status == ClientStatus.ACTIVE,
    }
