"""What the extension costs a page on which somebody works: little time and memory. The page is left alone, and nobody
but the server hears anything."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.story.clinician import HOST
from tests.story.road import Road

pytestmark = [pytest.mark.browser, pytest.mark.soak, pytest.mark.timeout(1800)]

SESSION_SECONDS = 600
NET_LOG = "net-log.json"
OURS = "chrome-extension://"

# Everything that changes in the page's document from now on.
WATCH = """
window.changes = [];
new MutationObserver((records) => window.changes.push(...records.map((one) => `${one.type} ${one.target.nodeName}`)))
  .observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
"""


def frames(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("children", ()):
        yield from frames(child)


@pytest.fixture
def flags(tmp_path: Path) -> list[str]:
    """The browser writes down each of its requests, the worker's too."""
    return [f"--log-net-log={tmp_path / NET_LOG}"]


def requests(net_log: Path) -> Iterator[tuple[str, str]]:
    """(which origin asked, which host) of each request. An event is a line; the last ones may not be there yet."""
    for line in net_log.read_text().splitlines():
        if line.endswith("},") and '"initiator":' in line:
            asked = json.loads(line.removesuffix(","))["params"]
            yield asked["initiator"], urlsplit(asked["url"]).netloc


@pytest.mark.parametrize("idle_after", [60])
def test_ten_minutes_of_work_cost_the_page_almost_nothing(road: Road, tmp_path: Path):
    at, protocol = road.clinician, road.chromium.protocol
    at.arrive("A")
    at.read(10)
    road.chromium.driver.execute_script(WATCH)
    protocol("HeapProfiler.enable")
    protocol("HeapProfiler.startSampling", samplingInterval=1024)
    protocol("Profiler.enable")
    protocol("Profiler.setSamplingInterval", interval=200)
    protocol("Profiler.start")
    at.read(SESSION_SECONDS)
    profile = protocol("Profiler.stop")["profile"]
    protocol("HeapProfiler.collectGarbage")
    heap = protocol("HeapProfiler.stopSampling")["profile"]

    ours = {node["id"] for node in profile["nodes"] if node["callFrame"]["url"].startswith(OURS)}
    spent = sum(delta for id_, delta in zip(profile["samples"], profile["timeDeltas"], strict=True) if id_ in ours)
    share = spent / (profile["endTime"] - profile["startTime"])
    held = sum(one["selfSize"] for one in frames(heap["head"]) if one["callFrame"]["url"].startswith(OURS))
    changes = road.chromium.driver.execute_script("return window.changes")
    asked = set(requests(tmp_path / NET_LOG))
    print(f"self time {share:.4%}, heap made meanwhile and still held {held / 1000:.0f} kB, changes {changes[:5]}")
    assert ours, "the profile knows nothing of the content scripts"
    assert share <= 0.001
    assert held <= 1_000_000
    assert changes == []
    assert {host for who, host in asked if who.startswith(OURS)} == {f"127.0.0.1:{road.relay.port}"}
    assert {host for who, host in asked if who == f"http://{HOST}"} == {HOST}, "content scripts speak as their page"
