"""The page of the interface for devices, against the description it is made from and in a real Chromium."""

from __future__ import annotations

import pytest
import requests

from tests.web.chromium import chromium

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def page(shared_server, tmp_path_factory):
    with chromium(shared_server.url, tmp_path_factory.mktemp("profile")) as page:
        page.open("/sign-in")
        page.complaints(), page.requests()
        yield page


@pytest.mark.parametrize(("width", "dark"), [(1240, False), (390, True), (320, False)])
def test_it_has_no_barrier_and_asks_nobody_else(page, width, dark):
    page.look(width=width, dark=dark)
    page.open("/api/docs")
    page.driver.execute_script("document.querySelectorAll('details').forEach(each => { each.open = true })")
    assert page.barriers() == []
    assert page.overflow() == 0
    assert page.complaints() == []
    assert all(address.startswith(page.url) for address in page.requests())


def test_each_operation_and_each_field_of_the_description_stands_on_it(page):
    described = requests.get(f"{page.url}/api/openapi.json", timeout=10).json()
    page.look(width=1240, dark=False)
    page.open("/api/docs")
    operations = [f"{method.upper()} {path}" for path, each in described["paths"].items() for method in each]
    assert page.texts("section h2") == operations
    sent = page.texts("#post-api-v1-intervals > table tbody th")
    row = described["components"]["schemas"]["IntervalRow"]["properties"]
    assert sent == ["sent_at", "intervals", *row]
    assert page.texts("#post-api-v1-facts-visits > table caption") == ["What is sent", "VisitsRow", "VisitsWithdrawn"]
