"""A practice's facts come in as CSV files: what was new, changed, known and refused is said, line by line."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests

from backend.schemas.kinds import KINDS, LISTS
from tests.cli.conftest import DOCTOR, Home
from tests.server import ADMIN, PASSWORD, Server, now, row, uuid7

INTERVAL = "019d62e5-7c60-7aaa-8c1d-3f2b5e6d7a90"
AT = "2026-04-06T09:00:00-04:00"
VISITS = "patient,id,at,specialty,status\n"
VISIT = f"p1,v1,{AT},family_medicine,scheduled\n"

# Kind -> a row, a later word about the same, and what is told of it (withdrawn where a row is all key).
ROUND_TRIPS: dict[str, tuple[dict[str, str], dict[str, str], str]] = {
    "threads": ({"thread": "t1", "patient": "p1"}, {"patient": "p2"}, "patient: changed"),
    "inquiries": (
        {"thread": "t1", "at": AT, "channel": "portal", "diagnoses": "J02.9, R05;I10"},
        {"diagnoses": "J02.9", "evaluative": "Y"},
        "diagnoses: J02.9 R05 I10 -> J02.9; evaluative: not said -> yes",
    ),
    "visits": (
        {"patient": "p1", "id": "v7", "at": AT, "specialty": "family_medicine", "status": "scheduled"},
        {"status": "completed"},
        "status: scheduled -> completed",
    ),
    "readings": ({"patient": "p1", "list": "visits", "read_at": AT}, {"withdrawn": "yes"}, "withdrawn"),
    "portal_readings": ({"list": "visits", "read_at": AT}, {"withdrawn": "yes"}, "withdrawn"),
    "consents": (
        {"patient": "p1", "at": "2026-01-05", "method": "verbal", "scope": "ctbs"},
        {"method": "written"},
        "method: verbal -> written",
    ),
    "coverage": (
        {"patient": "p1", "from": "2026-01-01", "type": "commercial", "covers": "TRUE"},
        {"covers": "no"},
        "covers: yes -> no",
    ),
    "residence": ({"patient": "p1", "state": "NY"}, {"state": "NJ"}, "state: NY -> NJ"),
    "face_to_face": (
        {"patient": "p1", "id": "f1", "date": "2025-09-18", "specialty": "cardiology", "face_to_face": "1"},
        {"clinician": DOCTOR},
        "clinician: changed",
    ),
    "global_periods": (
        {"patient": "p1", "surgery_date": "2026-03-01", "days": "90", "specialty": "surgery"},
        {"days": "10"},
        "days: 90 -> 10",
    ),
    "other_claims": (
        {"patient": "p1", "code": "99490", "month": "2026-04"},
        {"same_communication": "no"},
        "same_communication: not said -> no",
    ),
    "prior_evisits": (
        {"patient": "p1", "window_start": "2026-03-01", "family": "em"},
        {"status": "billed"},
        "status: not said -> billed",
    ),
    "enrolments": (
        {"patient": "p1", "program": "ccm", "from": "2026-01-01"},
        {"to": "2026-03-31"},
        "to: not said -> 2026-03-31",
    ),
    "notices": ({"patient": "p1", "at": AT}, {"withdrawn": "y"}, "withdrawn"),
    "claim_drafts": ({"patient": "p1", "on": "2026-04-08", "pos": "02"}, {"pos": "11"}, "pos: 02 -> 11"),
    "documentation": ({"thread": "t1", "permanently_stored": "yes"}, {"withdrawn": "true"}, "withdrawn"),
    "attested_storage": (
        {"portal": "medplum", "permanently_stored": "yes"},
        {"permanently_stored": "no"},
        "permanently_stored: yes -> no",
    ),
    "attested_evaluative": (
        {"thread": "t1", "evaluative": "yes", "attested_by": DOCTOR},
        {"evaluative": "0"},
        "evaluative: yes -> no",
    ),
    "attested_related": (
        {"thread": "t1", "visit_at": AT, "related": "n", "attested_by": DOCTOR},
        {"related": "yes"},
        "related: no -> yes",
    ),
    "attested_patient": (
        {"patient": "p1", "started_at": AT, "ended_at": "2026-12-31T23:00:00Z", "attested_by": DOCTOR},
        {"withdrawn": "yes"},
        "withdrawn",
    ),
    "attested_time": (
        {"interval": INTERVAL, "thread": "t1", "attested": "yes", "attested_by": DOCTOR},
        {"attested": "no"},
        "attested: yes -> no",
    ),
}


@pytest.fixture(scope="module")
def practice_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A practice with one doctor. Each test of a kind speaks of that kind only."""
    found = Home(tmp_path_factory.mktemp("home"))
    found.set_up()
    yield found


@pytest.fixture
def home(home: Home) -> Home:
    home.done("init")
    return home


def import_csv(home: Home, kind: str, text: str | bytes, *words: str) -> subprocess.CompletedProcess[bytes]:
    content = text if isinstance(text, bytes) else text.encode()
    return home.run("import", "csv", kind, "-", *words, stdin=content)


def imported(home: Home, kind: str, text: str | bytes, *words: str) -> list[str]:
    """What is printed of a file of which nothing is refused."""
    run = import_csv(home, kind, text, *words)
    assert (run.returncode, run.stderr.decode()) == (0, "")
    return run.stdout.decode().splitlines()


def refused(home: Home, kind: str, text: str | bytes, *words: str) -> str:
    """The one line of a file that is refused as a whole."""
    run = import_csv(home, kind, text, *words)
    assert (run.returncode, run.stdout) == (1, b"")
    [line] = run.stderr.decode().splitlines()
    return line.removeprefix("Error: ")


def counts(kind: str, *, new: int = 0, changed: int = 0, known: int = 0, refused: int = 0) -> str:
    return f"{kind}: {new} new, {changed} changed, {known} known, {refused} refused"


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_row_under_each_template_is_new_then_known_then_changed(practice_home: Home, kind: str) -> None:
    header = practice_home.done("import", "csv", kind, "--template")
    assert header == ",".join(KINDS[kind].columns) + "\n"

    def file(**cells: str) -> str:
        quoted = (f'"{cells.get(name, "")}"' for name in KINDS[kind].columns)
        return f"{header}{','.join(quoted)}\n"

    first, later, told = ROUND_TRIPS[kind]
    assert imported(practice_home, kind, file(**first)) == [counts(kind, new=1)]
    assert imported(practice_home, kind, file(**first)) == [counts(kind, known=1)]
    assert imported(practice_home, kind, file(**{**first, **later})) == [f"line 2: {told}", counts(kind, changed=1)]


def test_a_dry_run_says_what_would_become_of_each_row_and_keeps_nothing(home: Home) -> None:
    rows = VISITS + VISIT + VISIT.replace("scheduled", "completed")
    would_be = [
        "line 3: status: scheduled -> completed",
        "visits: 1 would be new, 1 would be changed, 0 known, 0 refused",
    ]
    for _ in range(2):
        assert imported(home, "visits", rows, "--dry-run") == would_be
    assert imported(home, "visits", VISITS + VISIT) == [counts("visits", new=1)]


def test_refused_rows_are_named_by_line_and_the_others_are_kept(home: Home, tmp_path: Path) -> None:
    file = tmp_path / "visits.csv"
    lines = [
        VISIT,
        "\n",
        'p2,"two\nlines","2026-04-06T09:00:00",family_medicine,\n',
        f"p3,v3,{AT},family_medicine,completed,more\n",
        ",,,,\n",
        f"p4,1.23457E+14,{AT},family_medicine,completed\n",
        f"p5,v5,{AT},family_medicine,perhaps\n",
        f"p6,v6,{AT},family_medicine\n",
    ]
    file.write_text(VISITS + "".join(lines))
    run = home.run("import", "csv", "visits", str(file))
    assert run.returncode == 1
    assert run.stdout.decode().splitlines() == [counts("visits", new=2, refused=4)]
    assert run.stderr.decode().splitlines() == [
        "line 4: at has no offset from UTC; write it as 2026-04-06T09:00:00-04:00",
        "line 6: has 6 cells, but the header has 5",
        "line 8: id was shortened by a spreadsheet; have its column formatted as text",
        "line 9: status is none of completed, cancelled, no_show, scheduled",
    ]
    assert home.run("import", "csv", "visits", str(file)).stdout.decode().splitlines() == [
        counts("visits", known=2, refused=4)
    ]


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (
            "patient,at,specialty,ward,colour\n",
            "no columns of visits: 'ward', 'colour'. The columns are portal, patient",
        ),
        ("patient,at,At,specialty\n", "names a column twice: 'at'"),
        ("patient,kind\n", "lacks a column that is needed: 'at', 'specialty'"),
        ("at,specialty\n", "lacks a column that is needed: 'patient'"),
        ("patient,,at,specialty\n", "no columns of visits: ''"),
        ("p1,2026-04-06,a,b,c,d,e,f\n", "'c' and 3 more"),
        ("", "The file is empty. The columns are portal, patient"),
        ("\n \n", "The file is empty"),
    ],
)
def test_a_header_that_does_not_fit_refuses_the_whole_file(practice_home: Home, header: str, said: str) -> None:
    line = refused(practice_home, "visits", header + ("p1,v1,x,y\n" if header.strip() else ""))
    assert said in line
    assert "needed are patient, at, specialty." in line


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ((VISITS + VISIT).encode() + "é,v2,,,\n".encode("latin-1"), "Line 3 is not UTF-8 text"),
        ((VISITS + VISIT).encode("utf-16"), "Line 1 is not UTF-8 text"),
        ((VISITS + VISIT).encode() + b"p\0,v2,,,\n", "Line 3 is not UTF-8 text"),
        (b"PK\x03\x04\x14\0\x06\0", "Line 1 is not UTF-8 text"),
        (
            (VISITS + VISIT).encode() + b'p2,"v2,,,\n\n\n',
            "Line 3 cannot be read as CSV: a quotation mark is not closed",
        ),
    ],
)
def test_of_a_file_that_breaks_off_nothing_is_kept(home: Home, content: bytes, said: str) -> None:
    assert said in refused(home, "visits", content)
    assert imported(home, "visits", VISITS + VISIT) == [counts("visits", new=1)]


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_a_file_as_excel_writes_it_is_read(home: Home, delimiter: str) -> None:
    rows = f"Patient,At,Specialty,Problem,,\np1,{AT},family_medicine,Knie – links,,\n,,,,,\n"
    excel = b"\xef\xbb\xbf" + rows.replace(",", delimiter).replace("\n", "\r\n").encode()
    assert imported(home, "visits", excel) == [counts("visits", new=1)]
    plain = f'patient,at,specialty,problem\n p1 , "{AT}",family_medicine,Knie – links\n'
    assert imported(home, "visits", plain) == [counts("visits", known=1)]


def test_a_file_with_a_header_alone_says_nothing(home: Home) -> None:
    assert imported(home, "visits", VISITS) == [counts("visits")]


def test_a_later_row_withdraws_what_was_said(home: Home) -> None:
    consent = "patient,at,scope,method\np1,2026-01-05,ctbs,verbal\n"
    assert imported(home, "consents", consent) == [counts("consents", new=1)]
    withdrawn = "patient,at,scope,withdrawn\np1,2026-01-05,ctbs,YES\n"
    assert imported(home, "consents", withdrawn) == ["line 2: withdrawn", counts("consents", changed=1)]
    assert imported(home, "consents", withdrawn) == [counts("consents", known=1)]


def test_the_portal_of_rows_that_name_none_can_be_said(home: Home) -> None:
    home.done("portal", "add", "--key", "north", "--kind", "medplum", "--origin", "https://north.example")
    run = import_csv(home, "visits", VISITS + VISIT)
    assert run.stderr.decode() == "line 2: portal is missing; there are medplum, north\n"
    assert imported(home, "visits", VISITS + VISIT, "--portal", "north") == [counts("visits", new=1)]
    named = f"portal,{VISITS}medplum,{VISIT},{VISIT}"
    assert imported(home, "visits", named, "--portal", "north") == [counts("visits", new=1, known=1)]
    storage = "permanently_stored\nyes\n"
    run = import_csv(home, "attested_storage", storage)
    assert (run.returncode, run.stderr) == (1, b"line 2: portal is missing; there are medplum, north\n")
    assert imported(home, "attested_storage", storage, "--portal", "north") == [counts("attested_storage", new=1)]


READ_AT = ("--read-at", "2026-04-20T08:00:00-04:00")


def test_a_list_is_said_to_be_whole_as_of_an_instant(home: Home) -> None:
    dry = imported(home, "visits", VISITS + VISIT, *READ_AT, "--dry-run")
    assert dry[0] == "visits: the list would be said to be whole, for every patient of the portal"
    reading = "list,read_at\nvisits,2026-04-20T12:00:00Z\n"
    assert imported(home, "portal_readings", reading, "--dry-run")[-1].startswith("portal_readings: 1 would be new")
    assert imported(home, "visits", VISITS + VISIT, *READ_AT) == [
        "visits: the list is said to be whole, for every patient of the portal",
        counts("visits", new=1),
    ]
    assert imported(home, "portal_readings", reading) == [counts("portal_readings", known=1)]


def test_a_list_of_which_a_row_was_refused_is_not_said_to_be_whole(home: Home) -> None:
    run = import_csv(home, "visits", VISITS + VISIT + "p2,v2,yesterday,family_medicine,\n", *READ_AT)
    assert run.returncode == 1
    assert run.stdout.decode().splitlines() == [counts("visits", new=1, refused=1)]
    assert run.stderr.decode().splitlines() == [
        "line 3: at is not an instant such as 2026-04-06T09:00:00-04:00",
        "visits: not said to be read, for what was refused is missing",
    ]
    assert imported(home, "portal_readings", "list,read_at\nvisits,2026-04-20T12:00:00Z\n") == [
        counts("portal_readings", new=1)
    ]


def test_of_whose_list_it_is_nothing_is_kept_until_it_is_clear(home: Home) -> None:
    home.done("portal", "add", "--key", "north", "--kind", "medplum", "--origin", "https://north.example")
    named = f"portal,{VISITS}medplum,{VISIT}"
    assert refused(home, "visits", named, *READ_AT) == "--read-at: portal is missing; there are medplum, north."
    assert imported(home, "visits", named) == [counts("visits", new=1)]
    assert "for every patient of the portal" in imported(home, "visits", named, *READ_AT, "--portal", "medplum")[0]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("coverage", "-", *READ_AT), f"--read-at is for lists: {', '.join(LISTS)}."),
        (("visits", "-", "--read-at", "2026-04-20"), "is not an instant with its offset"),
        (("visits", "-", "--read-at", "2999-01-01T00:00:00Z"), "--read-at lies in the future."),
        (("vistis", "-"), f"is not one of {', '.join(map(repr, KINDS))}."),
        (("visits",), "FILE is missing"),
        (("visits", "no-such-file.csv"), "no-such-file.csv"),
    ],
)
def test_wrong_usage_has_its_own_exit_code(practice_home: Home, words: tuple[str, ...], said: str) -> None:
    assert said in practice_home.refused("import", "csv", *words, code=2)


def test_a_template_needs_no_data_folder(tmp_path: Path) -> None:
    bare = Home(tmp_path)
    assert bare.done("import", "csv", "residence", "--template") == "portal,patient,state,withdrawn\n"
    assert "init" in bare.refused("import", "csv", "residence", "-", stdin=b"patient,state\np1,NY\n")


# From files alone, beside a running server, an episode becomes reportable.

DAY = timedelta(days=1)


def files_for(thread: str, patient: str, asked: datetime) -> dict[str, str]:
    """What a commercial payer's episode needs beside its recorded time."""
    return {
        "inquiries": f"thread,at,initiated_by,channel,evaluative\n{thread},{asked.isoformat()},patient,portal,yes\n",
        "coverage": f"patient,type,covers\n{patient},commercial,yes\n",
        "face_to_face": "patient,date,specialty,face_to_face\n"
        f"{patient},{(asked - 200 * DAY).date()},family_medicine,yes\n",
        "documentation": f"thread,permanently_stored,content_attested\n{thread},yes,yes\n",
    }


WHOLE_LISTS = ("visits", "consents", "global_periods", "other_claims", "enrolments")


def ready(server: Server) -> str:
    """What the running server's page says about the episodes that are ready."""
    with requests.Session() as visitor:
        page = visitor.get(f"{server.url}/sign-in", timeout=30).text
        [proof] = re.findall(r'name="form_token" value="([0-9a-f]{64})"', page)
        form = {"email": ADMIN, "password": PASSWORD, "form_token": proof}
        visitor.post(f"{server.url}/sign-in", data=form, headers={"Origin": server.url}, timeout=30)
        return visitor.get(f"{server.url}/episodes?status=reportable", timeout=30).text


def test_an_episode_becomes_reportable_by_files_alone_and_the_running_server_sees_it(
    server: Server, tmp_path: Path
) -> None:
    server.add_user("md@practice.example", "clinician", "--credential", "MD", "--specialty", "family_medicine")
    token = server.add_device("md@practice.example")
    worked = (datetime.now(UTC) - 20 * DAY).replace(hour=16, minute=0, second=0, microsecond=0)
    begun = int(worked.timestamp() * 1000)
    five = 300_000
    rows = [row(id=uuid7(at), started_at=at, ended_at=at + five) for at in (begun, begun + five, begun + 2 * five)]
    assert len(server.post(*rows, token=token, sent_at=now()).json()["accepted"]) == 3
    [before] = server.report()
    assert (before["status"], before["code"]) == ("hold", None)
    assert "One episode is ready to bill" not in ready(server)

    for kind, text in files_for("thr-aaaa-0001", "123", worked - timedelta(hours=1)).items():
        file = tmp_path / f"{kind}.csv"
        file.write_text(text)
        assert server.command("import", "csv", kind, str(file)) == counts(kind, new=1) + "\n"
    for kind in WHOLE_LISTS:
        file = tmp_path / f"{kind}.csv"
        file.write_text(server.command("import", "csv", kind, "--template"))
        said = server.command("import", "csv", kind, str(file), "--read-at", datetime.now(UTC).isoformat())
        assert said.splitlines()[-1] == counts(kind)

    assert "One episode is ready to bill" in ready(server)
    [after] = server.report()
    assert (after["status"], after["code"], after["episode_id"]) == ("reportable", "99422", before["episode_id"])
    assert server.command("verify") == "No problem found.\n"
