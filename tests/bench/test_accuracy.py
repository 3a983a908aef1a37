"""The table of accuracy is whole at a small size; how good the stopwatch is, accuracy.test.js judges."""

from rich.console import Console

from tests.bench.accuracy import WAYS, figures, table


def test_every_way_of_counting_is_measured_on_the_same_days():
    found = figures(3)
    assert found["days"] == 3
    assert set(found["ways"]) == set(WAYS)
    assert found["ways"]["visible"]["total"] > found["ways"]["no_idle"]["total"] > found["ways"]["ours"]["total"]


def test_the_table_has_a_row_for_each_way():
    console = Console(width=200, record=True)
    console.print(table(2))
    text = console.export_text()
    assert [words for words in WAYS.values() if words not in text] == []
