import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.reports.as_csv import csv_chunks
from backend.reports.as_json import json_chunks
from backend.reports.columns import COLUMNS


def row(**changes):
    """An episode as `report_rows` gives it."""
    return {
        "episode_id": "0" * 32,
        "patient": "40118",
        "threads": [{"portal": "medplum", "thread": "t-1", "seconds": 480}],
        "clinicians": [{"id": "c1", "name": "Dr Moss", "credential": "MD", "seconds": 480}],
        "status": "hold",
        "eligible": False,
        "code": None,
        "projected_code": "99421",
        "family": "em",
        "blocking": [],
        "warnings": ["payer-coverage", "cost-sharing-notice"],
        "missing": [{"id": "patient-initiated", "asks": "Who started the exchange", "of": "staff", "until": None}],
        "hold_until": "2026-04-14",
        "reasons": [],
        "window_start": "2026-04-06",
        "window_end": "2026-04-12",
        "counted_seconds": 480,
        "counted_minutes": 8,
        "excluded": [{"seconds": 360, "reason": "staff"}, {"seconds": 30, "reason": "overlap"}],
        "date_of_service": "2026-04-06",
        "rendering_clinician": "c1",
        "rules_version": "em-2020",
        "settings": {},
        "changes": [],
        **changes,
    }


def table(rows):
    text = b"".join(csv_chunks(rows)).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_each_episode_is_one_line_under_the_columns_keys():
    [line] = table([row()])
    assert list(line) == [column.key for column in COLUMNS]
    assert line["counted_seconds"] == "480"
    assert line["excluded_seconds"] == "390"
    assert line["rendering_clinician"] == "Dr Moss"
    assert line["threads"] == "medplum t-1 480 s"
    assert line["warnings"] == "payer-coverage; cost-sharing-notice"
    assert line["code"] == ""


def test_excel_is_told_the_encoding_and_lines_end_as_it_expects():
    written = b"".join(csv_chunks([row(patient="Zoë")]))
    assert written.startswith(b"\xef\xbb\xbf")
    assert written.count(b"\r\n") == 2
    assert "Zoë" in written.decode("utf-8-sig")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", '=HYPERLINK("http://x")'])
def test_a_text_that_a_spreadsheet_would_run_is_only_text(text):
    [line] = table([row(patient=text)])
    assert line["patient"] == "'" + text


@given(st.text(st.characters(exclude_categories=["Cs"])), st.integers(0, 10**9))
def test_no_cell_starts_a_formula_and_every_value_comes_back(patient, seconds):
    [line] = table([row(patient=patient, counted_seconds=seconds)])
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) for cell in line.values())
    assert line["patient"].removeprefix("'") == patient.removeprefix("'")
    assert line["counted_seconds"] == str(seconds)


def test_the_report_is_written_piece_by_piece():
    taken = []

    def rows():
        for number in range(5000):
            taken.append(number)
            yield row()

    chunks = csv_chunks(rows())
    next(chunks), next(chunks)
    assert len(taken) < 2500


def test_no_episode_still_gives_the_header_and_an_empty_array():
    assert table([]) == []
    assert b"".join(csv_chunks([])).decode("utf-8-sig").startswith("episode_id,patient,")
    assert json.loads(b"".join(json_chunks([]))) == []


def test_json_is_an_array_of_the_same_objects():
    rows = [row(), row(patient="=1 é \u2028")]
    assert json.loads(b"".join(json_chunks(rows))) == rows


def test_a_rendering_clinician_who_is_not_among_the_clinicians_stays_an_id():
    assert table([row(rendering_clinician="c9")])[0]["rendering_clinician"] == "c9"
    assert table([row(rendering_clinician=None)])[0]["rendering_clinician"] == ""
