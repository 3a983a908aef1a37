"""The pages of pairing and of devices, without a browser."""

import pytest

from backend.desk import pairing
from backend.desk.devices import add_device
from backend.web.doors import now_ms
from tests.web.conftest import Visitor


@pytest.fixture
def doctor(visitor):
    visitor.sign_in("doctor@riverside.example")
    return visitor


def ask(store):
    return pairing.begin(store, device_name="<desk>", browser="Chromium on Linux", now=now_ms())


def test_a_clinicians_start_page_shows_their_devices_and_how_to_pair(doctor, store, practice):
    home = doctor.get("/")
    assert (home.status_code, home.location) == (303, "/devices")
    page = doctor.get("/devices").text
    assert "None yet" in page and 'href="/pair"' in page
    add_device(store, practice.practice_id, clinician_email="doctor@riverside.example", name="desk", now=now_ms())
    page = doctor.get("/devices").text
    assert "desk" in page and "not yet" in page and "Revoke" in page


def test_the_page_shows_device_browser_and_time_before_the_yes(doctor, store):
    asked = ask(store)
    form = {"code": asked.user_code.replace("-", " ").lower(), "form_token": doctor.proof("/pair")}
    page = doctor.post("/pair", form).text
    assert "&lt;desk&gt;" in page and "Chromium on Linux" in page and "less than a minute ago, New York time" in page
    assert asked.device_code not in page


def test_a_wrong_code_is_said_beside_the_field_and_can_be_changed(doctor):
    page = doctor.post("/pair", {"code": "BBBB-BBBB", "form_token": doctor.proof("/pair")})
    assert page.status_code == 404
    assert "No browser waits with this code" in page.text and 'value="BBBB-BBBB"' in page.text


@pytest.mark.parametrize("email", ["admin@riverside.example", "manager@riverside.example"])
def test_only_who_records_time_pairs(visitor, email):
    visitor.sign_in(email)
    assert visitor.get("/pair").status_code == 403


def test_an_answer_needs_the_forms_proof(doctor, store):
    asked = ask(store)
    assert doctor.post("/pair/answer", {"code": asked.user_code, "answer": "yes"}).status_code == 403


def test_anything_but_a_yes_is_a_no(doctor, store):
    asked = ask(store)
    form = {"code": asked.user_code, "answer": "YES ", "form_token": doctor.proof("/pair")}
    assert doctor.post("/pair/answer", form).location == "/devices?done=no"


def test_an_administrator_sees_whose_every_device_is_and_revokes_it(visitor, store, practice):
    for name in ("manager", "doctor"):
        email = f"{name}@riverside.example"
        add_device(store, practice.practice_id, clinician_email=email, name=f"{name}'s", now=now_ms())
    visitor.sign_in("admin@riverside.example")
    page = visitor.get("/devices").text
    assert "Devices of the practice" in page and "Rosa Lind" in page and "Robin Doe" in page
    address = page.split('href="/devices/')[1].split('"')[0]
    assert visitor.post(f"/devices/{address}", {"form_token": visitor.proof("/devices")}).status_code == 303
    assert "revoked" in visitor.get("/devices").text
    assert "This device is revoked" in visitor.get(f"/devices/{address}").text


def test_another_persons_device_is_not_there(app, doctor, store, practice):
    email = "manager@riverside.example"
    add_device(store, practice.practice_id, clinician_email=email, name="feed", now=now_ms())
    manager = Visitor(app.test_client())
    manager.sign_in(email)
    address = manager.get("/devices").text.split('href="/devices/')[1].split('"')[0]
    assert doctor.get(f"/devices/{address}").status_code == 404
    form = {"form_token": doctor.proof("/devices")}
    assert doctor.post(f"/devices/{address}", form).status_code == 404
