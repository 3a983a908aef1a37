"""What every portal file reads on pages of its kind, in a real browser.

The pages are our own and minimal, with the addresses, frames and attributes that the file was made from. Names and
texts stand in them, and none of them may be taken for anything.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.browser import Chromium, Desktop
from tests.portals.shells import StaticPortal, serving

PAGES = Path(__file__).parent
EXTENSION = Path(__file__).parents[2] / "extension"
KINDS = ("openemr", "openemr-mail", "oscar", "roundcube", "ottehr", "openmrs", "bahmni", "spruce")

READ = (
    (EXTENSION / "content/page.js").read_text("utf-8")
    + """
const found = threadtime.page.read(JSON.parse(arguments[0]), location, document);
return found && JSON.stringify(found);
"""
)

UUID = "6f1c2b3a-0a0b-4c0d-8e0f-0123456789ab"
MESSAGES = "/interface/main/messages/messages.php"
ORG = "/org/entity_1RJ8VSP7ND800"
MAIL = "/portal/messaging/messages.php"

Said = tuple[str, str | None, str | None, str] | None
REVIEW = "review_inquiry"
RECORDS = "review_records"
ORDER = "order_or_prescribe"
ONLINE = "communicate_online"

CASES: list[tuple[str, str, Said]] = [
    ("openemr", f"{MESSAGES}?showall=no&begin=0&task=edit&noteid=5&", ("thread", "5", "17", REVIEW)),
    ("openemr", f"{MESSAGES}?task=edit&noteid=6", ("thread", "6", "18", REVIEW)),
    ("openemr", f"{MESSAGES}?task=edit&noteid=7", ("thread", "7", None, REVIEW)),
    ("openemr", f"{MESSAGES}?task=edit&noteid=8", ("thread", "8", None, REVIEW)),
    ("openemr", f"{MESSAGES}?showall=no&saved=5", ("thread", "5", "17", REVIEW)),
    ("openemr", f"{MESSAGES}?task=addnew", None),
    ("openemr", MESSAGES, None),
    ("openemr", f"{MESSAGES}?task=delete&noteid=5", None),
    ("openemr", "/interface/patient_file/summary/demographics.php?set_pid=17", ("chart", None, "17", RECORDS)),
    ("openemr", "/interface/patient_file/summary/demographics.php", None),
    ("openemr", "/controller.php?prescription&list&id=17", ("prescribing", None, "17", ORDER)),
    ("openemr", "/controller.php?prescription&edit&id=&pid=17", ("prescribing", None, "17", ORDER)),
    ("openemr", "/controller.php?prescription&edit&id=3", None),
    ("openemr", "/interface/main/calendar/index.php?pid=17&task=edit&noteid=5", None),
    ("openemr", "/interface/login/login.php", None),
    ("openemr-mail", f"{MAIL}?state=detail", ("thread", "31", None, REVIEW)),
    ("openemr-mail", f"{MAIL}?state=reply", ("thread", "31", None, ONLINE)),
    ("openemr-mail", f"{MAIL}?state=new", None),
    ("openemr-mail", MAIL, None),
    ("openemr-mail", "/portal/patient/provider", None),
    ("oscar", "/oscarMessenger/ViewMessage.do?messageID=555&boxType=0&linked=123", ("thread", "555", "123", REVIEW)),
    ("oscar", "/oscarMessenger/ViewMessage.do?messageID=555&linked=123+124", ("thread", "555", None, REVIEW)),
    ("oscar", "/oscarMessenger/ViewMessage.do?messageID=555", ("thread", "555", None, REVIEW)),
    ("oscar", "/messenger/ViewMessage.jsp?boxType=0&linked=123", ("thread", "555", "123", REVIEW)),
    ("oscar", "/oscarMessenger/HandleMessages.do", None),
    ("oscar", "/oscarMessenger/DisplayMessages.jsp?boxType=1", None),
    (
        "oscar",
        "/demographic/demographiccontrol.jsp?demographic_no=123&displaymode=edit",
        ("chart", None, "123", RECORDS),
    ),
    ("oscar", "/oscarEncounter/IncomingEncounter.do?demographicNo=123&reason=x", ("chart", None, "123", RECORDS)),
    ("oscar", "/oscarRx/choosePatient.do?providerNo=9&demographicNo=123", ("prescribing", None, "123", ORDER)),
    ("oscar", "/oscarRx/choosePatient.do?providerNo=9", None),
    ("roundcube", "/?_task=mail&_uid=41&_mbox=INBOX&_action=show", ("thread", "41", None, REVIEW)),
    ("roundcube", "/?_task=mail&_uid=41&_mbox=INBOX&_framed=1&_action=preview", ("thread", "41", None, REVIEW)),
    ("roundcube", "/?_task=mail&_uid=41&_mbox=Patients%2FDoe-kanari75&_action=show", None),
    ("roundcube", "/?_task=mail&_action=compose&_id=47", ("compose", None, None, ONLINE)),
    ("roundcube", "/?_task=mail&_mbox=INBOX", None),
    ("roundcube", "/?_task=settings", None),
    ("roundcube", "/?_task=mail&_action=get&_uid=41&_mbox=INBOX&_part=2", None),
    ("ottehr", f"/patient/{UUID}", ("chart", None, UUID, RECORDS)),
    ("ottehr", f"/patient/{UUID}/docs", ("chart", None, UUID, RECORDS)),
    ("ottehr", f"/visit/{UUID}", None),
    ("ottehr", f"/in-person/{UUID}/progress-note", None),
    ("ottehr", "/patients", None),
    ("openmrs", f"/openmrs/spa/patient/{UUID}/chart/Patient%20Summary", ("chart", None, UUID, RECORDS)),
    ("openmrs", f"/openmrs/spa/patient/{UUID}/chart", ("chart", None, UUID, RECORDS)),
    ("openmrs", f"/openmrs/spa/patient/{UUID}/chart/Orders", ("orders", None, UUID, ORDER)),
    ("openmrs", f"/openmrs/spa/patient/{UUID}/chart/Medications", ("prescribing", None, UUID, ORDER)),
    ("openmrs", f"/openmrs/spa/patient/{UUID}/edit", None),
    ("openmrs", "/openmrs/spa/home", None),
    (
        "bahmni",
        f"/bahmni/clinical/#/default/patient/{UUID}/dashboard?encounterUuid=x",
        ("chart", None, UUID, RECORDS),
    ),
    ("bahmni", f"/bahmni/clinical/index.html#/default/patient/{UUID}/dashboard/orders", ("orders", None, UUID, ORDER)),
    (
        "bahmni",
        f"/bahmni/clinical/#/a/patient/{UUID}/dashboard/treatment?tab=x",
        ("prescribing", None, UUID, ORDER),
    ),
    (
        "bahmni",
        f"/bahmni/clinical/#/a/patient/{UUID}/dashboard/concept-set-group/observations",
        ("chart", None, UUID, "documentation"),
    ),
    ("bahmni", "/bahmni/clinical/#/default/patient/search", None),
    ("bahmni", f"/bahmni/registration/#/patient/{UUID}", None),
    (
        "spruce",
        f"{ORG}/contact/entity_0E5QDGJC03000",
        ("chart", None, "entity_0E5QDGJC03000", RECORDS),
    ),
    ("spruce", f"{ORG}/thread/t_2GUJ4SUTDD800/message/ti_2NE1B9AI0BO02", None),
    ("spruce", f"{ORG}/inbox", None),
]


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    """A browser without the extension, for which KIND.localhost shows the pages of that kind."""
    with ExitStack() as stack:
        hosts = {f"{kind}.localhost": stack.enter_context(serving(PAGES / kind, StaticPortal)) for kind in KINDS}
        desktop = stack.enter_context(Desktop())
        profile = tmp_path_factory.mktemp("profile")
        yield stack.enter_context(Chromium(desktop, profile, extension=None, hosts=hosts))


def test_every_kind_but_medplum_has_pages_here():
    shipped = {path.stem for path in (EXTENSION / "portals").glob("*.json")}
    assert shipped == {*KINDS, "medplum"} == {"medplum", *(kind for kind, _, _ in CASES)}


@pytest.mark.browser
@pytest.mark.parametrize(("kind", "address", "said"), CASES, ids=[f"{kind} {path}" for kind, path, _ in CASES])
def test_a_page_is_read_by_its_portal_file_or_not_recognised(chromium: Chromium, kind: str, address: str, said: Said):
    chromium.driver.get("about:blank")
    chromium.driver.get(f"http://{kind}.localhost{address}")
    text = chromium.driver.execute_script(READ, (EXTENSION / f"portals/{kind}.json").read_text("utf-8"))
    found = json.loads(text) if text else None
    assert (found and (found["kind"], found["thread"], found["patient"], found["activity"])) == said
    assert "kanari" not in (text or "")
