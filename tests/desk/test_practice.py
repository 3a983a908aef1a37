"""What a practice says of itself, and where its portals live."""

import pytest

from backend.desk.portals import add_portal, move_portal, portals_of
from backend.desk.practices import change_practice, set_up_of
from backend.errors import BadInput, Conflict, NotFound

NOW = 1_790_000_010_000


def change(world, *, name="Riverside", timezone="America/New_York", setting="office"):
    change_practice(world.store, world.id, name=name, timezone=timezone, setting=setting, by="b" * 32, now=NOW)


def test_the_zone_can_be_changed_until_something_is_recorded(riverside):
    change(riverside, name="River  Bend", timezone="America/Chicago")
    found = set_up_of(riverside.store, riverside.id)
    assert (found.name, found.timezone, found.zone_is_fixed) == ("River Bend", "America/Chicago", False)
    riverside.send(riverside.row("2026-04-06 09:00", 60, patient="7"))
    assert set_up_of(riverside.store, riverside.id).zone_is_fixed
    with pytest.raises(Conflict, match="time zone stays"):
        change(riverside, timezone="America/Denver")
    change(riverside, name="River Bend", timezone="America/Chicago")


def test_a_fact_alone_fixes_the_zone(riverside):
    riverside.ask(NOW, "t1", now=NOW)
    with pytest.raises(Conflict, match="time zone stays"):
        change(riverside, timezone="America/Denver")


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"name": " - "}, "a letter"), ({"timezone": "Mars/Base"}, "no time zone"), ({"setting": "spa"}, "office, rhc")],
)
def test_what_cannot_be_is_refused(riverside, changes, words):
    with pytest.raises(BadInput, match=words):
        change(riverside, **changes)


def test_another_kind_of_practice_has_its_patients_computed_again(riverside):
    riverside.send(riverside.row("2026-04-06 09:00", 300, patient="7"))
    riverside.report(NOW)
    change(riverside, setting="rhc")
    with riverside.store.read() as connection:
        assert [row[0] for row in connection.execute("SELECT due_at FROM patient WHERE reference = '7'")] == [0]


def test_portals_are_added_and_moved(riverside):
    add_portal(riverside.store, riverside.id, key="east", kind="medplum", origin="https://east.example/", now=NOW)
    move_portal(riverside.store, riverside.id, key="medplum", origin="https://west.example:8443", by="b" * 32, now=NOW)
    found = {each.key: (each.kind, each.origin) for each in portals_of(riverside.store, riverside.id)}
    assert found["east"] == ("medplum", "https://east.example")
    assert found["medplum"] == ("medplum", "https://west.example:8443")
    with pytest.raises(BadInput, match="no portal file"):
        add_portal(riverside.store, riverside.id, key="x", kind="fax", origin="https://x.example", now=NOW)
    with pytest.raises(BadInput, match="looks like"):
        move_portal(riverside.store, riverside.id, key="medplum", origin="west", by="b" * 32, now=NOW)
    with pytest.raises(NotFound):
        move_portal(riverside.store, riverside.id, key="north", origin="https://x.example", by="b" * 32, now=NOW)
