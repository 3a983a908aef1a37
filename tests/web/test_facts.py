from __future__ import annotations

from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from backend.desk.told import Read, Told, Word
from backend.schemas.kinds import KINDS, LISTS
from backend.web.facts import SHOWN_AT_ONCE, Known, known
from backend.words import FACT_FIELDS, FACTS

NEW_YORK = ZoneInfo("America/New_York")
AT = 1775475000000  # 6 April 2026, 07:30 in New York
SAID = "Rosa Lind, from a CSV file, 6 April 2026, 07:30"


def word(body, at=AT):
    return Word(body, "csv", "Rosa Lind", at)


def told(kind, *bodies, thread=None):
    """Bodies newest first."""
    latest, *before = [word(body) for body in bodies]
    return Told(kind, thread, kind == "attested_storage", latest, tuple(before))


def shown(*facts, read=(), approved_at=None) -> Known:
    return known(facts, {each.list: each for each in read}, zone=NEW_YORK, approved_at=approved_at)


def values(of: Known):
    return {group.name: [line.value for line in group.lines] for group in of.groups}


def read(name, *, counts=True):
    return Read(name, AT, counts, "csv", None, AT)


def test_values_are_in_words_and_say_by_whom_from_where_and_when():
    visit = {
        "at": "2026-04-03T13:00:00Z",
        "kind": "office_em",
        "specialty": "family_medicine",
        "status": "no_show",
        "related_to_inquiry": False,
        "diagnoses": ["J06.9", "R05.1"],
        "id": "enc-1",
    }
    [group] = shown(told("visits", visit)).groups
    assert group.name == "Visits"
    [line] = group.lines
    assert line.value == (
        "3 April 2026, 09:00; office visit; family medicine; the patient did not come; "
        "related to the messages: no; diagnoses J06.9, R05.1"
    )
    assert (line.said, line.thread, line.after_approval) == (SAID, None, False)


def test_a_text_that_somebody_wrote_is_shown_as_it_was_written():
    body = {"at": "2026-04-03T13:00:00Z", "problem": "left_knee"}
    assert values(shown(told("inquiries", body, thread=("medplum", "t1"))))["Inquiries"] == [
        "3 April 2026, 09:00; about left_knee"
    ]


def test_a_list_that_was_read_and_is_empty_says_so_and_one_that_was_not_says_that():
    page = shown(read=[read("visits"), read("consents", counts=False)])
    assert {group.name: group.read for group in page.groups} == {
        "Visits": ("None found, as of 6 April 2026, 07:30.", "the command line, from a CSV file, 6 April 2026, 07:30"),
        "Consents": (
            "Looked through as of 6 April 2026, 07:30, before these seven days: what came after is not known.",
            "the command line, from a CSV file, 6 April 2026, 07:30",
        ),
    }
    assert "surgeries" in page.unread and "visits" not in page.unread
    assert len(page.unread) == len(LISTS) - 2


def test_rows_alone_do_not_say_that_there_are_no_others():
    surgery = {"surgery_date": "2026-04-01", "days": 10, "specialty": "x"}
    [group] = shown(told("global_periods", surgery)).groups
    assert group.read == ("Not looked through yet: there may be others.", "")
    [group] = shown(told("global_periods", surgery), read=[read("global_periods")]).groups
    assert group.read is not None and group.read[0] == "Looked through as of 6 April 2026, 07:30."


def test_many_facts_of_one_kind_stay_readable():
    notices = [told("notices", {"at": f"2026-04-{day:02}T12:00:00Z"}) for day in range(1, 21)]
    [group] = shown(*notices).groups
    assert (len(group.lines), len(group.more)) == (SHOWN_AT_ONCE, 20 - SHOWN_AT_ONCE)
    [group] = shown(*notices[: SHOWN_AT_ONCE + 1]).groups
    assert (len(group.lines), len(group.more)) == (SHOWN_AT_ONCE + 1, 0)


def test_earlier_words_say_what_took_their_place():
    page = shown(told("residence", None, {"state": "NJ"}, {"state": "NY"}))
    assert page.groups == []
    assert [(each.value, each.fate) for each in page.earlier] == [
        ("NJ", f"withdrawn by {SAID}"),
        ("NY", f"replaced by {SAID}"),
    ]


def test_a_thread_names_no_other_patient():
    page = shown(told("threads", {"same_patient": True}, {"same_patient": False}, thread=("medplum", "t1")))
    assert values(page) == {"Whose the thread is": ["this patient"]}
    assert [each.value for each in page.earlier] == ["another patient"]


def test_what_came_after_the_approval_is_marked():
    [group] = shown(told("residence", {"state": "NY"}), approved_at=AT - 1).groups
    assert group.lines[0].after_approval


def test_every_kind_and_every_field_has_words():
    assert set(KINDS) <= set(FACTS)
    assert {field.name for kind in KINDS.values() for field in kind.fields} - {"list", "read_at", "patient"} <= set(
        FACT_FIELDS
    )


@given(kind=st.text(min_size=1, max_size=8), body=st.dictionaries(st.text(max_size=8), st.text(max_size=8)))
def test_a_kind_this_page_does_not_know_is_shown_by_its_own_words(kind, body):
    [group] = shown(told(kind, {**body, "tide": "high"})).groups
    assert "tide: high" in group.lines[0].value
