"""Facts: what a person says or a feed brings. Each is a row of its own that nobody changes; the latest word counts."""

from typing import Any

from backend.billing.case import Practice
from backend.billing.translate import FactsError, case_from_json
from backend.desk.history import IN_CASE, facts_object, inquiry_of, instant_text
from backend.errors import BadInput, NotFound
from backend.store import Connection, Store, facts, intervals, patients, practices

OF_PORTAL = {"attested_storage": ("permanently_stored",)}
"""Kinds said once for a whole portal -> the fields of their body."""
OF_THREAD = {"attested_evaluative": ("evaluative",), "attested_interval": ("interval", "attested")}
"""Kinds said about a thread -> the fields of their body."""
KINDS = (*IN_CASE, *OF_PORTAL, *OF_THREAD)


def resolve_thread(
    store: Store, practice_id: int, *, portal: str, thread: str, patient: str, by: str | None, now: int
) -> None:
    """Says whose a thread is. Its rows that name no patient go with it, and so do its inquiries; an approved episode
    keeps what it holds. BadInput: the practice has no such portal."""

    def work(connection: Connection) -> None:
        patient_id = _patient(connection, practice_id, portal, patient, now)
        patients.thread_patients(connection, practice_id, [(portal, thread)], now)
        facts.insert(
            connection,
            practice_id,
            kind="thread_patient",
            body={},
            patient_id=patient_id,
            portal=portal,
            thread=thread,
            source="person" if by else "command",
            by=by,
            recorded_at=now,
        )
        changed = patients.move_thread(connection, practice_id, (portal, thread))
        patients.mark_due(connection, practice_id, changed)

    store.write(work)


def learn_inquiry(
    store: Store,
    practice_id: int,
    *,
    portal: str,
    thread: str,
    at: int,
    initiated_by: str | None,
    channel: str | None,
    source: str,
    by: str | None,
    now: int,
    **others: Any,
) -> None:
    """Says when a patient asked, by whom and how it came; `others` are further fields of the case schema's inquiry.

    The latest word about one (thread, instant) counts. BadInput: a field that the case schema does not allow.
    """
    body = {"at": instant_text(at), "initiated_by": initiated_by, "channel": channel, **others}

    def work(connection: Connection) -> None:
        practice = _practice(connection, practice_id)
        try:
            inquiry_of(practice, thread, body)
        except FactsError as error:
            raise BadInput(f"The inquiry cannot be used: {error}.") from None
        _say(connection, practice_id, "inquiry", body, portal=portal, thread=thread, source=source, by=by, now=now)

    store.write(work)


def learn_fact(
    store: Store,
    practice_id: int,
    *,
    kind: str,
    portal: str,
    body: Any,
    source: str,
    by: str | None,
    now: int,
    patient: str | None = None,
    thread: str | None = None,
) -> None:
    """Says one fact about a patient, a thread or a whole portal, as its kind demands.

    A kind of `history.IN_CASE` is about a patient and its body stands in the words of the case schema; a list is said
    as a whole (an empty one: somebody looked and found none), and the one said last counts. BadInput: an unknown
    kind, what it is about is missing, or a body that the case schema does not allow.
    """
    if kind not in KINDS:
        raise BadInput(f"There is no kind of fact {kind[:50]!r}; there are {', '.join(KINDS)}.")
    about_patient, about_thread = kind in IN_CASE, kind in OF_THREAD
    if (patient is not None) != about_patient or (thread is not None) != about_thread:
        about = "a patient" if about_patient else "a thread" if about_thread else "a whole portal"
        raise BadInput(f"A fact of the kind {kind} is about {about}.")

    def work(connection: Connection) -> None:
        if about_patient:
            _check_in_case(_practice(connection, practice_id), kind, body)
        else:
            _check_fields(connection, practice_id, kind, body)
        _say(
            connection,
            practice_id,
            kind,
            body,
            portal=portal,
            patient=patient,
            thread=thread,
            source=source,
            by=by,
            now=now,
        )

    store.write(work)


def _say(
    connection: Connection,
    practice_id: int,
    kind: str,
    body: Any,
    *,
    portal: str,
    source: str,
    by: str | None,
    now: int,
    patient: str | None = None,
    thread: str | None = None,
) -> None:
    """Stores the fact and has everybody whom it concerns computed again."""
    _check_portal(connection, practice_id, portal)
    patient_id = None if patient is None else _patient(connection, practice_id, portal, patient, now)
    if thread is not None:
        concerned = list(patients.thread_patients(connection, practice_id, [(portal, thread)], now).values())
    else:
        concerned = [] if patient_id is None else [patient_id]
    if not concerned:
        patients.mark_portal_due(connection, practice_id, portal)
    facts.insert(
        connection,
        practice_id,
        kind=kind,
        body=body,
        patient_id=patient_id,
        portal=portal,
        thread=thread,
        source=source,
        by=by,
        recorded_at=now,
    )
    patients.mark_due(connection, practice_id, concerned)


def _check_in_case(practice: Practice, kind: str, body: Any) -> None:
    try:
        case_from_json(facts_object(practice, "-", {kind: body}))
    except FactsError as error:
        raise BadInput(f"The fact cannot be used: {error}.") from None


def _check_fields(connection: Connection, practice_id: int, kind: str, body: Any) -> None:
    fields = (OF_PORTAL | OF_THREAD)[kind]
    if not isinstance(body, dict) or set(body) != set(fields):
        raise BadInput(f"A fact of the kind {kind} says {', '.join(fields)}.")
    *_, answer = fields
    if body[answer] is not None and not isinstance(body[answer], bool):
        raise BadInput(f"{answer} is true, false or null.")
    if "interval" in fields and not intervals.known(connection, practice_id, [body["interval"]]):
        raise NotFound("There is no interval by that id.")


def _practice(connection: Connection, practice_id: int) -> Practice:
    row = practices.by_id(connection, practice_id)
    return Practice(row["key"], row["timezone"], row["setting"])


def _check_portal(connection: Connection, practice_id: int, portal: str) -> None:
    known = practices.portal_keys(connection, practice_id)
    if portal not in known:
        raise BadInput(f"There is no portal {portal[:50]!r}; the practice has {', '.join(sorted(known))}.")


def _patient(connection: Connection, practice_id: int, portal: str, reference: str, now: int) -> str:
    _check_portal(connection, practice_id, portal)
    return patients.patient_ids(connection, practice_id, [(portal, reference)], now)[portal, reference]
