"""The files of docs/server: nginx and Caddy before a real server, the units and the container file by their linters."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from tests.browser import end_group, start_group, until
from tests.provider import SECRET_FROM, Person, heading, running
from tests.server import ADMIN, PASSWORD, Server, free_port, row

ROOT = Path(__file__).parents[2]
FILES = ROOT / "docs/server"
UNITS = ("threadtime.service", "threadtime-backup.service", "threadtime-backup.timer")
NGINX = "/usr/sbin/nginx"  # which is on root's path alone
MOST_EXPOSURE = 2.0
"""Of `systemd-analyze security`: 10 is a service without any protection."""


def run(*words: object) -> str:
    """What a program prints that has to succeed."""
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@dataclass
class Front:
    """A proxy in front of a server."""

    url: str
    plain: str
    certificate: Path
    server: Server

    def browser(self, **headers: str) -> requests.Session:
        """A client that trusts the practice's certificate, and sends these headers with each request."""
        made = requests.Session()
        made.trust_env = False  # what the machine trusts would go before the practice's own
        made.verify = str(self.certificate)
        made.headers.update(headers)
        return made

    def sign_in(self, browser: requests.Session, *, origin: str, password: str = PASSWORD) -> requests.Response:
        page = browser.get(f"{self.url}/sign-in", timeout=60).text
        [form_token] = re.findall(r'name="form_token" value="([^"]+)"', page)
        form = {"email": ADMIN, "password": password, "form_token": form_token}
        return browser.post(
            f"{self.url}/sign-in", data=form, headers={"Origin": origin}, timeout=60, allow_redirects=False
        )


@contextmanager
def nginx(folder: Path, names: dict[str, str], certificate: Path, key: Path) -> Iterator[None]:
    site = (FILES / "nginx.conf").read_text()
    site = site.replace("/etc/ssl/threadtime/fullchain.pem", str(certificate))
    site = site.replace("/etc/ssl/threadtime/privkey.pem", str(key))
    site = re.sub(r"listen (\[::\]:)?(\d+)", lambda found: f"listen {found[1] or '127.0.0.1:'}{names[found[2]]}", site)
    site = site.replace("127.0.0.1:8765", names["8765"]).replace("https://threadtime.example", names["site"])
    (folder / "site.conf").write_text(site.replace("threadtime.example", "localhost"))
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    paths = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in kinds)
    (folder / "nginx.conf").write_text(
        f"pid {folder}/pid;\nerror_log {folder}/error.log;\nevents {{}}\n"
        f"http {{\naccess_log off;\n{paths}include {folder}/site.conf;\n}}\n"
    )
    run(NGINX, "-t", "-c", folder / "nginx.conf")
    process = start_group([NGINX, "-c", str(folder / "nginx.conf"), "-g", "daemon off;"])
    try:
        yield
    finally:
        end_group(process)


@contextmanager
def caddy(folder: Path, names: dict[str, str], certificate: Path, key: Path) -> Iterator[None]:
    site = (FILES / "Caddyfile").read_text().replace("127.0.0.1:8765", names["8765"])
    site = site.replace("threadtime.example {", f"https://localhost:{names['443']} {{\n\ttls {certificate} {key}")
    options = f"{{\n\tadmin off\n\thttp_port {names['80']}\n}}\n"
    (folder / "Caddyfile").write_text(options + site)
    words = ["--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]
    run("caddy", "validate", "--adapter", "caddyfile", "--config", FILES / "Caddyfile")
    homes = {name: str(folder) for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME")}
    with (folder / "log").open("wb") as log:
        process = start_group(["caddy", "run", *words], stdout=log, stderr=log, env={**os.environ, **homes})
    try:
        yield
    finally:
        end_group(process)


PROXIES = {"nginx": nginx, "Caddy": caddy}


@pytest.fixture(params=PROXIES)
def front(request: pytest.FixtureRequest, practice: Server, tmp_path: Path) -> Iterator[Front]:
    certificate, key = tmp_path / "fullchain.pem", tmp_path / "privkey.pem"
    subject = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
        *subject, "-keyout", key, "-out", certificate)  # fmt: skip
    practice.start("--behind-proxy")
    secure, plain = free_port(), free_port()
    url = f"https://localhost:{secure}"
    names = {"443": str(secure), "80": str(plain), "8765": f"127.0.0.1:{practice.port}", "site": url}
    folder = tmp_path / "proxy"
    folder.mkdir()
    with PROXIES[request.param](folder, names, certificate, key):
        made = Front(url, f"http://localhost:{plain}", certificate, practice)
        until(lambda: answers(made), what="the proxy answering")
        yield made


def answers(front: Front) -> bool:
    try:
        return front.browser().get(f"{front.url}/readyz", timeout=5).status_code == 200
    except requests.ConnectionError:
        return False


def test_people_sign_in_and_devices_send_through_it(front: Front):
    browser = front.browser()
    answer = front.sign_in(browser, origin=front.url)
    assert answer.status_code == 303, answer.text
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-threadtime=")
    assert "; Secure; HttpOnly;" in cookie
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
    page = browser.get(f"{front.url}/episodes", timeout=60)
    assert page.status_code == 200
    assert page.url == f"{front.url}/episodes"
    sent = row()
    body = {"sent_at": sent["ended_at"], "intervals": [sent]}
    bearer = {"Authorization": f"Bearer {front.server.token}"}
    posted = front.browser().post(f"{front.url}/api/v1/intervals", json=body, headers=bearer, timeout=60)
    assert posted.json()["accepted"] == [sent["id"]]


def test_what_a_client_says_of_itself_is_not_believed(front: Front):
    said = {
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "https",
        "Forwarded": "for=6.6.6.6;host=evil.example",
    }
    forged = front.sign_in(front.browser(**said), origin="https://evil.example")
    assert forged.status_code == 403
    assert "was not sent from one of Threadtime" in forged.text
    tries = 0
    for number in range(60):
        browser = front.browser(**{"X-Forwarded-For": f"6.6.6.{number}"})
        tries += 1
        if front.sign_in(browser, origin=front.url, password="wrong horse battery").status_code == 429:
            break
    assert tries < 60, "each try passed for another client's"


def test_people_sign_in_by_their_organisations_provider_through_it(front: Front):
    with running() as provider:
        provider.register(f"{front.url}/sign-in/back")
        front.server.environment[SECRET_FROM] = provider.secret
        words = ("--issuer", provider.url, "--client-id", provider.client_id, "--address", front.url)
        front.server.command("oidc", "set", *words)
        person = Person(front.url, provider)
        person.browser = front.browser(Origin=front.url)
        person.by_password()
        assert "From now on you can sign in" in person.link("rosa").text
        visitor = Person(front.url, provider)
        visitor.browser = front.browser(Origin=front.url)
        there = visitor.to_provider()
        [cookie] = [each for each in visitor.browser.cookies if each.name.endswith("provider")]
        assert (cookie.name, cookie.secure) == ("__Host-threadtime-provider", True)
        assert visitor.get(provider.answer(there, "rosa")).url == f"{front.url}/episodes"
        # The same server behind a proxy that sets nothing: it takes its own address for the one that was asked.
        careless = Person(front.server.url, provider)
        careless.browser.headers.update({"Origin": front.url, "Sec-Fetch-Site": "same-origin"})
        answer = careless.send("/sign-in/with/riverside", page="/sign-in")
        assert (answer.status_code, heading(answer)) == (400, "This is not the address that Threadtime knows")
        assert f"{front.url} in your browser" in answer.text


def test_plain_http_is_sent_to_https_and_another_name_gets_nothing(front: Front):
    moved = requests.get(f"{front.plain}/episodes", timeout=60, allow_redirects=False)
    assert moved.status_code == 308
    assert moved.headers["Location"].startswith("https://localhost")
    port = front.url.rpartition(":")[2]
    with pytest.raises((requests.exceptions.SSLError, requests.ConnectionError)):
        requests.get(f"https://127.0.0.1:{port}/sign-in", verify=False, timeout=20)


def test_the_units_are_sound_and_give_the_server_little(tmp_path: Path):
    for name in UNITS:
        text = (FILES / name).read_text().replace("/opt/threadtime/.venv/bin/python", sys.executable)
        (tmp_path / name).write_text(text)
    run("systemd-analyze", "verify", *(tmp_path / name for name in UNITS))
    said = run("systemd-analyze", "security", "--offline=true", tmp_path / "threadtime.service")
    [exposure] = re.findall(r"Overall exposure level for \S+: ([\d.]+)", said)
    assert float(exposure) <= MOST_EXPOSURE, said


def test_the_container_file_is_sound():
    run(Path(sys.executable).with_name("hadolint"), FILES / "Containerfile")
