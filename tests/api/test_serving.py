"""The server as a process: how it starts, what it refuses, how it stops, and what its log keeps."""

import socket
import threading
from types import SimpleNamespace

import pytest
import requests
from waitress.adjustments import Adjustments

from backend.config import Config
from backend.errors import CannotStart
from backend.listener import _Channel
from tests.browser import until
from tests.server import Server, now, row


def test_health_and_readiness_answer_without_a_token(server: Server) -> None:
    for path in ("/healthz", "/readyz"):
        answer = requests.get(server.url + path, timeout=10)
        assert (answer.status_code, answer.text) == (200, "ok\n")


def test_the_servers_figures_are_read_on_its_own_machine_and_name_nobody(practice: Server) -> None:
    practice.start()
    assert len(practice.post(row(thread="thr-kanari", patient="kanari")).json()["accepted"]) == 1
    requests.get(f"{practice.url}/kanari", timeout=10)
    answer = requests.get(f"{practice.url}/metrics", timeout=10)
    assert answer.status_code == 200 and answer.headers["Content-Type"].startswith("text/plain")
    for figure in (
        'threadtime_interval_rows_total{outcome="accepted"} 1.0',
        'threadtime_request_seconds_count{method="POST",route="/api/v1/intervals",status="200"} 1.0',
        'threadtime_request_seconds_count{method="GET",route="none",status="404"} 1.0',
        "threadtime_commit_seconds_count",
        "process_resident_memory_bytes",
    ):
        assert figure in answer.text
    assert "kanari" not in answer.text
    practice.stop()
    practice.start("--behind-proxy")
    through = requests.get(f"{practice.url}/metrics", headers={"X-Forwarded-For": "203.0.113.7"}, timeout=10)
    assert through.status_code == 403


def test_the_interface_describes_itself_in_openapi(server: Server) -> None:
    described = requests.get(f"{server.url}/api/openapi.json", timeout=10).json()
    assert described["openapi"].startswith("3.1")
    post = described["paths"]["/api/v1/intervals"]["post"]
    assert {"200", "400", "401", "403", "411", "413", "415", "422", "426", "503"} <= set(post["responses"])
    body = described["components"]["schemas"]["IntervalRow"]
    assert {"id", "portal", "activity", "started_at", "ended_at", "ended_by", "idle_after_seconds"} == set(
        body["required"]
    )
    assert body["additionalProperties"] is False


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_second_server_on_the_folder_is_refused_in_one_line(server: Server) -> None:
    refused = server.run("serve", "--port", "1")
    assert refused.returncode == 1
    assert refused.stdout == ""
    assert len(refused.stderr.strip().splitlines()) == 1
    assert "Another process serves" in refused.stderr
    assert server.is_ready()


def test_a_port_in_use_is_refused_in_one_line(server: Server, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = Server(tmp_path_factory.mktemp("other"))
    other.set_up()
    refused = other.run("serve", "--port", str(server.port))
    assert refused.returncode == 1
    assert len([line for line in refused.stderr.splitlines() if not line.startswith("{")]) == 1
    assert f"port {server.port}" in refused.stderr


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "practice.example", ""])
def test_a_host_outside_loopback_needs_a_proxy(host: str) -> None:
    from backend.app import serve

    with pytest.raises(CannotStart, match="--behind-proxy"):
        serve(Config(host=host))


def test_a_stop_finishes_the_requests_at_work_and_loses_nothing(server: Server) -> None:
    acknowledged: list[str] = []
    unanswered: list[str] = []
    begun = threading.Semaphore(0)

    def write() -> None:
        while True:
            rows = [row() for _ in range(20)]
            try:
                answer = server.post(*rows)
            except requests.RequestException:
                unanswered.extend(one["id"] for one in rows)
                return
            assert answer.status_code == 200
            acknowledged.extend(answer.json()["accepted"])
            begun.release()

    writers = [threading.Thread(target=write) for _ in range(8)]
    for writer in writers:
        writer.start()
    for _ in range(30):
        assert begun.acquire(timeout=30)
    server.stop()
    for writer in writers:
        writer.join()
    stored = [one["id"] for one in server.stored()]
    assert len(stored) == len(set(stored))
    assert set(acknowledged) <= set(stored) <= set(acknowledged) | set(unanswered)
    assert server.command("verify") is not None


def test_ctrl_c_stops_the_server_as_well(server: Server) -> None:
    import signal

    assert server.process is not None
    server.process.send_signal(signal.SIGINT)
    assert server.process.wait(timeout=30) == 0


def test_what_came_due_is_settled_without_anybody_asking(server: Server) -> None:
    server.post(row())
    until(lambda: any(line["event"] == "settled" for line in server.log_lines()), what="a settling in the log")


def test_a_device_whose_clock_is_off_is_marked(server: Server) -> None:
    exact, slow, fast = row(), row(), row()
    server.post(exact)
    server.post(slow, sent_at=now() - 121_000)
    server.post(fast, sent_at=now() + 125_000)
    found = server.query("SELECT interval_id, clock_off, clock_offset_ms FROM interval")
    stored = {one["interval_id"]: one for one in found}
    assert [stored[one["id"]]["clock_off"] for one in (exact, slow, fast)] == [0, 1, 1]
    assert 120_000 < stored[slow["id"]]["clock_offset_ms"] < 130_000
    assert -130_000 < stored[fast["id"]]["clock_offset_ms"] < -115_000


def test_the_log_keeps_routes_and_nothing_that_was_sent(server: Server) -> None:
    canary = "canary-4711"
    server.post(row(thread=canary, patient=canary))
    server.post(row(portal=canary, thread=f"{canary} "), {canary: canary})
    server.send(f'{{"{canary}": NaN}}'.encode())
    server.send(b"{}", token=canary)
    requests.get(f"{server.url}/{canary}?{canary}", headers={"X-Canary": canary, "Cookie": canary}, timeout=10)
    requests.request(canary.upper().replace("-", ""), f"{server.url}/api/v1/intervals", timeout=10)
    server.stop()
    text = server.log.read_text()
    assert canary not in text
    assert canary.upper().replace("-", "") not in text
    assert server.token not in text
    routes = [line["route"] for line in server.log_lines() if line["event"] == "request"]
    assert routes.count("/api/v1/intervals") >= 4
    assert None in routes


def test_the_loop_leaves_sending_to_a_thread_that_is_about_to_send() -> None:
    ours, theirs = socket.socketpair()
    channel = _Channel(SimpleNamespace(active_channels={}), ours, ("127.0.0.1", 0), Adjustments(), map={})
    channel.outbufs[-1].append(b"answer")
    channel.total_outbufs_len = 6
    sends, sent = threading.Event(), threading.Event()

    def send() -> None:
        with channel.outbuf_lock:
            sends.set()
            assert sent.wait(30)

    thread = threading.Thread(target=send)
    assert channel.writable()
    thread.start()
    try:
        assert sends.wait(30)
        assert not channel.writable()
        channel.will_close = True
        assert channel.writable(), "but it closes what is to be closed"
        channel.will_close = False
    finally:
        sent.set()
        thread.join()
    assert channel.writable(), "what is left is the loop's again"
    ours.close()
    theirs.close()
