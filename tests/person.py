"""Somebody at the pages of a running server, by plain requests: keeps the cookie, sends forms with their proof."""

from __future__ import annotations

import re

import requests

from tests.server import PASSWORD, Server


class Person:
    """Signed in from the start; the password is that of everybody in a `Server`."""

    def __init__(self, server: Server, email: str) -> None:
        self.server = server
        self.session = requests.Session()
        assert self.post("/sign-in", "/sign-in", email=email, password=PASSWORD).status_code == 200

    def get(self, address: str) -> requests.Response:
        return self.session.get(self.server.url + address, timeout=30)

    def post(self, page: str, address: str, **form: str) -> requests.Response:
        found = re.search(r'name="form_token" value="([0-9a-f]{64})"', self.get(page).text)
        assert found, "no form on the page"
        headers = {"Origin": self.server.url}
        data = {**form, "form_token": found[1]}
        return self.session.post(self.server.url + address, data=data, headers=headers, timeout=30)

    def answer(self, code: str, answer: str) -> requests.Response:
        return self.post("/pair", "/pair/answer", code=code, answer=answer)
