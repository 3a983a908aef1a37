"""Which device a request comes from."""

from flask import Request

from backend.desk.devices import Device, device_of
from backend.errors import NotSignedIn
from backend.store.database import Store


def device_of_request(store: Store, request: Request) -> Device:
    """The device whose token stands in `Authorization: Bearer`. NotSignedIn without one that the server knows."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise NotSignedIn("The request must carry a device token: Authorization: Bearer TOKEN.")
    device = device_of(store, token.strip())
    if device is None:
        raise NotSignedIn("The server does not know this device token; pair the device again.")
    return device
