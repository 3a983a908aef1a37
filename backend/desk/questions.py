"""What only the clinician can say of an episode: each question with its answers, and the facts that each answer is.

The facts have the shape of `POST /api/v1/facts/{kind}`. Once they are said, the question is not asked again. "Not sure"
says nothing, so the question stays open; "Both" says what bills less, for time is not divided between two problems.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from backend.billing.case import Interval
from backend.billing.counted import Counted
from backend.billing.episodes import BuiltEpisode
from backend.billing.facts import relations_asked
from backend.billing.reading import instant_text
from backend.billing.spans import Span, cut, intersect
from backend.desk.delegations import Colleague
from backend.desk.history import History
from backend.words import VALUES, day_of_the_year, duration, local_time, named

TOGETHER = 20
"""How many intervals one answer is about at most."""

Said = dict[str, Any]
Question = dict[str, Any]
"""`{id, text, options: [{label, facts: [{kind, row}]}]}`"""


def questions(
    history: History, built: BuiltEpisode, counted: Counted, user_id: str, references: Mapping[str, str | None]
) -> list[Question]:
    """What this clinician is asked about an episode that is not approved. `references`: patient_id -> the portal's own
    identifier of the other patients who claim their time."""
    own = [each for each in built.intervals if each.clinician == user_id]
    threads = list(dict.fromkeys(each.thread for each in own if each.thread is not None))
    return [
        *_evaluated(history, built, threads),
        *_related(history, counted, threads),
        *_worked(history, counted, own),
        *_whose(history, counted, own, user_id, references),
    ]


def asked_for(colleague: Colleague, question: Question) -> Question:
    """What a colleague would be asked, asked of who answers for them: the same answers, as that colleague's word."""

    def theirs(said: Said) -> Said:
        return {"kind": said["kind"], "row": said["row"] | {"attested_by": colleague.email}}

    options = [
        {"label": option["label"], "facts": [theirs(each) for each in option["facts"]]}
        for option in question["options"]
    ]
    return {
        "id": f"{question['id']}:for:{colleague.user_id}",
        "text": f"For {colleague.name}: {question['text']}",
        "options": options,
    }


def _evaluated(history: History, built: BuiltEpisode, threads: Iterable[str]) -> Iterable[Question]:
    open_threads = {each.thread for each in built.inquiries if each.evaluative is None}
    for thread in threads:
        if thread in open_threads:
            about = {"portal": history.portal, "thread": thread}
            yield _asked(
                f"evaluative:{thread}",
                "Was a problem evaluated and managed on this thread, not only a result, a refill or an appointment?",
                ("Yes", [_said("attested_evaluative", **about, evaluative=True)]),
                ("No", [_said("attested_evaluative", **about, evaluative=False)]),
                ("Both", [_said("attested_evaluative", **about, evaluative=True)]),
            )


def _related(history: History, counted: Counted, threads: Collection[str]) -> Iterable[Question]:
    zone = ZoneInfo(history.practice.timezone)
    asked: set[str] = set()
    for visit, inquiry in relations_asked(counted):
        name = f"related:{visit.at}:{inquiry.thread}"
        if inquiry.thread is None or inquiry.thread not in threads or name in asked:
            continue
        asked.add(name)
        about = {"portal": history.portal, "thread": inquiry.thread, "visit_at": instant_text(visit.at)}
        same = [_said("attested_related", **about, related=True)]
        on = day_of_the_year(local_time(visit.at, zone).date())
        yield _asked(
            name,
            f"{named(VALUES, visit.kind, 'visit').capitalize()} on {on}: is this thread about the same problem?",
            ("Same", same),
            ("New", [_said("attested_related", **about, related=False)]),
            ("Both", same),
        )


def _worked(history: History, counted: Counted, own: Iterable[Interval]) -> Iterable[Question]:
    """Time that counts only by its clinician's word, which nobody has given: entries one by one, and time in the chart
    by thread and day, for it comes in many short intervals."""
    zone = ZoneInfo(history.practice.timezone)
    entries = counted.rules["parameters"]["entered_entries"]
    charts: dict[tuple[str | None, date], list[Interval]] = {}
    for each in own:
        if each.entry not in entries or each.attested is not None:
            continue
        begun = local_time(each.started_at, zone)
        if each.entry == "linked_chart":
            charts.setdefault((each.thread, begun.date()), []).append(each)
        else:
            what = f"entered by hand for {day_of_the_year(begun.date())}, {begun:%H:%M}: did you do this work yourself?"
            yield _time_asked([each], what)
    for (_, on), several in charts.items():
        for start in range(0, len(several), TOGETHER):
            part = several[start : start + TOGETHER]
            yield _time_asked(
                part, f"in the chart on {day_of_the_year(on)}, opened from this thread: was it work on this message?"
            )


def _time_asked(several: Sequence[Interval], what: str) -> Question:
    length = duration(sum(each.ended_at - each.started_at for each in several) // 1000)
    yes, no = (
        [_said("attested_time", interval=each.id, attested=attested) for each in several] for attested in (True, False)
    )
    return _asked(f"time:{several[0].id}", f"{length} {what}", ("Yes", yes), ("No", no))


def _whose(
    history: History, counted: Counted, own: Iterable[Interval], user_id: str, references: Mapping[str, str | None]
) -> Iterable[Question]:
    """Time that another patient claims too, and of which this clinician has not said whose it was."""
    if history.reference is None:
        return  # the word is about a patient, and nobody knows who this is
    zone = ZoneInfo(history.practice.timezone)
    spans = [(each.started_at, each.ended_at) for each in own if each.activity != "idle"]
    answered = history.known.own_spans().get(user_id, [])
    claims: dict[str, list[Span]] = {}
    for each in counted.case.other_patient_time or ():
        if each.clinician == user_id and not each.settled:
            claims.setdefault(each.patient, []).append((each.started_at, each.ended_at))
    for other, claimed in claims.items():
        shared = [part for each in intersect(spans, claimed) for part, said in cut(each, answered) if not said]
        for start, end in shared:
            between = {"portal": history.portal, "started_at": instant_text(start), "ended_at": instant_text(end)}
            this = _said("attested_patient", **between, patient=history.reference)
            options = [("This patient’s", [this])]
            if (reference := references.get(other)) is not None:
                that = _said("attested_patient", **between, patient=reference)
                options += [("The other’s", [that]), ("Both", [this, that])]
            begun = local_time(start, zone)
            moment = f"{day_of_the_year(begun.date())}, {begun:%H:%M:%S}"
            yield _asked(
                f"patient:{start}:{end}",
                f"{duration((end - start) // 1000)} from {moment} are claimed by another patient’s thread too: "
                "whose were they?",
                *options,
            )


def _asked(id_: str, text: str, *options: tuple[str, list[Said]]) -> Question:
    said = [*options, ("Not sure", [])]
    return {"id": id_, "text": text, "options": [{"label": label, "facts": facts} for label, facts in said]}


def _said(kind: str, **row: Any) -> Said:
    return {"kind": kind, "row": row}
