"""The measures of counting hold together at a small size; how long anything takes is not judged here."""

from tests.bench.counting import measure


def test_every_measure_of_counting_is_taken_and_its_answers_agree(tmp_path):
    rows = measure(tmp_path, [2000, 4000], rounds=1)
    assert [what for what, *_ in rows] == [
        "union of 4,000 intervals in 200 episodes, plain file",
        "the same, encrypted file",
        "recomputation with every exclusion, plain file",
        "the same, encrypted file",
        "one determination on counted facts",
        "union, each of 2,000 intervals",
        "union, each of 4,000 intervals",
        "recount, each of 2,000 intervals",
        "recount, each of 4,000 intervals",
    ]
