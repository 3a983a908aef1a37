"""An organisation's provider for signing in, in a process of its own, and people who sign in by it."""

from __future__ import annotations

import html
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.browser import end_group, start_group, until
from tests.server import ADMIN, PASSWORD, Server, free_port

ROOT = Path(__file__).parents[1]
SECRET_FROM = "THREADTIME_OIDC_CLIENT_SECRET"
NAME = "Riverside Health"


class Provider:
    """The running provider; `client_id` and `secret` once `register` has been called."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.host, self.port = host, free_port()
        self.url = f"http://{host}:{self.port}"
        self.client_id = self.secret = ""
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        environment = {**os.environ, "AUTHLIB_INSECURE_TRANSPORT": "1"}
        words = [sys.executable, "-m", "tests.provider_process", self.host, str(self.port)]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.process = start_group(words, cwd=ROOT, env=environment, **quiet)
        until(self._answers, seconds=60, what="the provider answering")

    def stop(self) -> None:
        if self.process is not None:
            end_group(self.process, signal.SIGKILL)
            self.process = None

    def _answers(self) -> bool:
        assert self.process is not None and self.process.poll() is None, "the provider ended"
        try:
            return requests.get(f"{self.url}/.well-known/openid-configuration", timeout=5).status_code == 200
        except requests.ConnectionError:
            return False

    def register(self, redirect: str) -> None:
        """Makes a client that may send browsers back to this address."""
        made = requests.post(f"{self.url}/oauth2/clients", json={"redirect_uris": [redirect]}, timeout=20).json()
        self.client_id, self.secret = made["client_id"], made["client_secret"]

    def lie(self, **how: Any) -> None:
        """From now on: `claims` replace some of the ID token's, `signed` is `other`, `none` or `secret`, `published`
        replaces some of what the provider says of itself, `error` stands in the place of the token. Nothing: the
        truth."""
        assert requests.post(f"{self.url}/lie", json=how, timeout=20).status_code == 204

    def answer(self, address: str, who: str | None) -> str:
        """What a person does there: says who they are, or (None) no. The address that the browser is sent back to."""
        form = {"action": "deny"} if who is None else {"sub": who}
        sent = requests.post(address, data=form, allow_redirects=False, timeout=20)
        assert sent.status_code == 302, sent.text
        return str(sent.headers["Location"])


class Person:
    """Somebody at a browser without scripts."""

    def __init__(self, url: str, provider: Provider) -> None:
        self.url, self.provider = url, provider
        self.browser = requests.Session()
        self.browser.headers["Origin"] = url

    def get(self, address: str) -> requests.Response:
        return self.browser.get(address if "://" in address else self.url + address, timeout=60)

    def send(self, address: str, *, page: str, **form: str) -> requests.Response:
        """Sends a form of a page."""
        [proof, *_] = re.findall(r'name="form_token" value="(\w+)"', self.get(page).text)
        return self.browser.post(self.url + address, data={"form_token": proof, **form}, timeout=60)

    def by_password(self, email: str = ADMIN, password: str = PASSWORD) -> requests.Response:
        return self.send("/sign-in", page="/sign-in", email=email, password=password)

    def to_provider(self, address: str = "/sign-in/with/riverside", *, page: str = "/sign-in", **form: str) -> str:
        """Presses the button; the provider's address that the browser goes on to."""
        return going(self.send(address, page=page, **form))

    def by_provider(self, who: str | None, *, after: str = "") -> requests.Response:
        """The whole way: the button, the provider, and back."""
        address = "/sign-in/with/riverside" + (f"?after={after}" if after else "")
        return self.get(self.provider.answer(self.to_provider(address), who))

    def link(self, who: str | None, password: str = PASSWORD) -> requests.Response:
        there = self.to_provider("/account/provider", page="/account", password=password)
        return self.get(self.provider.answer(there, who))

    def unlink(self) -> requests.Response:
        return self.send("/account/provider/unlink", page="/account")


def going(answer: requests.Response) -> str:
    """Where the page that goes on by itself goes on to."""
    found = re.search(r'http-equiv="refresh" content="0; url=([^"]+)"', answer.text)
    assert found, answer.text
    return html.unescape(found[1])


def heading(answer: requests.Response) -> str:
    found = re.search(r"<h1>(.*?)</h1>", answer.text)
    assert found, answer.text
    return html.unescape(found[1])


@contextmanager
def running(host: str = "127.0.0.1") -> Iterator[Provider]:
    """`host`: another address of loopback is another site to a browser."""
    made = Provider(host)
    made.start()
    try:
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with running() as made:
        yield made


def set_provider(server: Server, provider: Provider, *more: str) -> str:
    """Registers the server at the provider, as whoever runs it does; what the command printed."""
    provider.register(f"{server.url}/sign-in/back")
    server.environment[SECRET_FROM] = provider.secret
    words = ("--issuer", provider.url, "--client-id", provider.client_id, "--name", NAME, "--address", server.url)
    return server.command("oidc", "set", *words, *more)


@contextmanager
def serving(server: Server, provider: Provider) -> Iterator[Server]:
    """The server of a new practice, whose provider this is."""
    server.set_up()
    server.start()
    try:
        set_provider(server, provider)
        yield server
    finally:
        server.stop()


def seconds_ago(seconds: int) -> int:
    """An instant of a claim."""
    return int(time.time()) - seconds
