"""Accounts: one-time links, who may touch whose, and the administrator who always stays."""

from dataclasses import dataclass

import pytest

from backend.auth import passwords
from backend.config import Config
from backend.desk import accounts, devices, links, people, signing
from backend.desk.own_account import begin_enrolment, confirm_enrolment, enrolment_of
from backend.errors import BadInput, Conflict, NotAllowed, NotFound, NotSignedIn
from backend.store.wall import stay_within
from tests.desk.world import PASSWORD, World, hilltop

NOW = 1_790_000_010_000
HOUR = 3_600_000
NEW = "cold tea on the stairs"
ADMIN = "manager@riverside.example"  # and administrator, as the first account is


@dataclass
class Office:
    """Riverside with its first account, which may everything, and a manager who is no administrator."""

    world: World
    admin: people.User
    manager: people.User

    @property
    def store(self):
        return self.world.store

    def enter(self, email=ADMIN, password=PASSWORD, now=NOW):
        return signing.sign_in(self.store, email=email, password=password, now=now)

    def invite(self, by=None, *, email="kim@riverside.example", roles=("staff",), now=NOW, credential=None):
        return accounts.invite(
            self.store,
            by or self.admin,
            email=email,
            name="Kim Park",
            roles=roles,
            credential=credential,
            specialty=None,
            now=now,
        )

    def join(self, email="kim@riverside.example", roles=("staff",)):
        """Somebody who was invited and has a password."""
        user, token = self.invite(email=email, roles=roles)
        links.use_link(self.store, token, NEW, NOW)
        return user

    def of(self, user, now=NOW):
        return accounts.account_of(self.store, self.world.id, user.user_id, now)

    def change(self, by, user, **changes):
        fields = {"name": user.name, "roles": user.roles, "credential": user.credential, "specialty": user.specialty}
        accounts.change_account(self.store, by, user.user_id, now=NOW, **fields | changes)

    def reset(self, user, by=None, *, second_factor=False, now=NOW):
        return accounts.reset_password(
            self.store, self.world.id, user.user_id, by=by, second_factor=second_factor, now=now
        )


@pytest.fixture
def office(riverside):
    with riverside.store.read() as connection:
        admin = people.user_of(people.rows.find_by_email(connection, ADMIN))
    user = people.new_user(riverside.id, email="office@riverside.example", name="Lee Office", roles=["manager"])
    riverside.store.write(lambda c: people.insert_user(c, user, password_hash=passwords.NOBODY, now=NOW))
    return Office(riverside, admin, user)


def test_somebody_invited_chooses_a_password_by_the_link_once(office):
    user, token = office.invite()
    assert (office.of(user).state, office.of(user).link_until) == ("waiting", NOW + 72 * HOUR)
    with pytest.raises(NotSignedIn):
        office.enter(user.email)
    assert links.look_at_link(office.store, token, NOW) == links.Link("Riverside", "Kim Park", user.email)
    links.use_link(office.store, token, NEW, NOW)
    assert office.enter(user.email, NEW).user == user
    assert (office.of(user).state, office.of(user).link_until) == ("active", None)
    with pytest.raises(NotFound, match="not valid any more"):
        links.use_link(office.store, token, NEW, NOW)


def test_a_link_is_valid_for_72_hours(office):
    user, token = office.invite()
    assert links.look_at_link(office.store, token, NOW + 72 * HOUR - 1)
    assert office.of(user, NOW + 72 * HOUR).link_until is None
    for verb in (links.look_at_link, lambda *words: links.use_link(words[0], words[1], NEW, words[2])):
        with pytest.raises(NotFound, match="older than three days"):
            verb(office.store, token, NOW + 72 * HOUR)


def test_a_bad_password_leaves_the_link(office):
    _, token = office.invite()
    for bad in ("short", "kim.park.2026", "riverside-2026"):
        with pytest.raises(BadInput):
            links.use_link(office.store, token, bad, NOW)
    links.use_link(office.store, token, NEW, NOW)


@pytest.mark.parametrize("token", ["", "x", "tl_1_" + "a" * 43, "tl_9_" + "a" * 43, "ts_1_" + "a" * 43])
def test_what_is_no_link_opens_nothing(office, token):
    with pytest.raises(NotFound):
        links.look_at_link(office.store, token, NOW)


def test_a_reset_ends_the_password_the_sessions_and_the_link_before(office):
    user, first = office.invite()
    links.use_link(office.store, first, NEW, NOW)
    token, _ = office.enter(user.email, NEW)
    second = office.reset(user, office.manager)
    third = office.reset(user, office.manager)
    assert people.session(office.store, token, NOW, Config()) is None
    with pytest.raises(NotSignedIn):
        office.enter(user.email, NEW)
    with pytest.raises(NotFound):
        links.use_link(office.store, second, NEW, NOW)
    links.use_link(office.store, third, "warm tea on the stairs", NOW)
    assert office.enter(user.email, "warm tea on the stairs")


def test_a_reset_lifts_a_lock_and_keeps_the_second_factor_unless_asked(office):
    from backend.auth import totp

    user = office.join()
    token, _ = office.enter(user.email, NEW)
    begin_enrolment(office.store, user, password=NEW, now=NOW)
    secret = enrolment_of(office.store, user).secret.replace(" ", "")
    confirm_enrolment(office.store, user, token, code=totp.code(secret, NOW // 30_000), now=NOW)
    for _ in range(10):
        with pytest.raises(NotSignedIn):
            office.enter(user.email, "a wrong password")
    assert office.of(user).locked_until
    links.use_link(office.store, office.reset(user, office.admin), NEW, NOW)
    assert office.of(user).locked_until is None
    assert isinstance(office.enter(user.email, NEW), signing.CodeAsked)
    links.use_link(office.store, office.reset(user, office.admin, second_factor=True), NEW, NOW)
    assert office.enter(user.email, NEW).user == user


def test_deactivation_ends_sessions_devices_and_links_at_once(office):
    user = office.join()
    token, _ = office.enter(user.email, NEW)
    device = devices.add_device(office.store, office.world.id, clinician_email=user.email, name="desk", now=NOW)
    accounts.deactivate(office.store, office.manager, user.user_id, NOW)
    assert people.session(office.store, token, NOW, Config()) is None
    assert devices.device_of(office.store, device) is None
    with pytest.raises(NotSignedIn):
        office.enter(user.email, NEW)
    with pytest.raises(Conflict, match="reactivate it first"):
        office.reset(user, office.admin)
    accounts.reactivate(office.store, office.manager, user.user_id, NOW)
    assert office.enter(user.email, NEW)
    assert devices.device_of(office.store, device) is None, "a device is added anew"


def test_a_link_of_somebody_deactivated_is_over(office):
    user, token = office.invite()
    accounts.deactivate(office.store, office.admin, user.user_id, NOW)
    accounts.reactivate(office.store, office.admin, user.user_id, NOW)
    with pytest.raises(NotFound):
        links.use_link(office.store, token, NEW, NOW)


def test_the_last_administrator_who_can_sign_in_stays_one(office):
    waiting, _ = office.invite(email="second@riverside.example", roles=("admin",))
    for refused in (
        lambda: accounts.deactivate(office.store, office.admin, office.admin.user_id, NOW),
        lambda: office.change(office.admin, office.admin, roles=("manager",)),
    ):
        with pytest.raises(Conflict, match="only administrator who can sign in"):
            refused()
    links.use_link(office.store, office.reset(waiting), NEW, NOW)
    accounts.deactivate(office.store, waiting, office.admin.user_id, NOW)
    with pytest.raises(Conflict, match="only administrator"):
        accounts.deactivate(office.store, office.admin, waiting.user_id, NOW)


def test_a_manager_touches_no_administrator_and_makes_nobody_one(office):
    admin, kim = office.admin, office.join()
    for refused in (
        lambda: accounts.deactivate(office.store, office.manager, admin.user_id, NOW),
        lambda: accounts.reactivate(office.store, office.manager, admin.user_id, NOW),
        lambda: office.reset(admin, office.manager),
        lambda: office.change(office.manager, admin, roles=("manager",)),
        lambda: office.change(office.manager, kim, roles=("admin",)),
        lambda: office.change(office.manager, office.manager, roles=("manager", "admin")),
        lambda: office.invite(office.manager, email="new@riverside.example", roles=("admin",)),
    ):
        with pytest.raises(NotAllowed, match="Only an administrator"):
            refused()
    assert office.enter().user == admin, "and nothing has happened"


def test_nobody_resets_their_own_password_by_a_link(office):
    with pytest.raises(BadInput, match="Your account"):
        office.reset(office.admin, office.admin)


def test_roles_hold_from_the_next_request(office):
    user = office.join()
    token, _ = office.enter(user.email, NEW)
    office.change(office.manager, user, roles=("manager", "biller"), name="  Kim   Parker ")
    found = people.session(office.store, token, NOW, Config()).user
    assert (found.roles, found.name) == (("manager", "biller"), "Kim Parker")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"roles": ()}, "at least one role"),
        ({"roles": ("owner",)}, "no role"),
        ({"roles": ("clinician",)}, "needs a credential"),
        ({"name": " "}, "A name has"),
        ({"credential": "M" * 61}, "at most 60"),
    ],
)
def test_what_cannot_be_is_refused_with_what_to_give(office, changes, words):
    with pytest.raises(BadInput, match=words):
        office.change(office.admin, office.join(), **changes)


def test_another_credential_has_the_episodes_decided_again(office):
    world = office.world
    world.send(world.row("2026-04-06 09:00", 300, patient="7"))
    now = NOW
    [before] = world.report(now)
    doctor = accounts.account_of(office.store, world.id, world.devices["doctor"].user_id, NOW).user
    office.change(office.manager, doctor, credential="PT")
    [after] = world.report(now + 1000)
    assert (before["family"], after["family"]) == ("em", "nonphysician")


def test_nobody_reaches_into_another_practice(office):
    hilltop(office.store, now=NOW)
    with office.store.read() as connection:
        boss = people.user_of(people.rows.find_by_email(connection, "boss@hilltop.example"))
    kim = office.join()
    assert [each.user.name for each in accounts.accounts_of(office.store, boss.practice_id, NOW)] == ["Boss"]
    for reach in (
        lambda: accounts.account_of(office.store, boss.practice_id, kim.user_id, NOW),
        lambda: accounts.deactivate(office.store, boss, kim.user_id, NOW),
        lambda: accounts.reactivate(office.store, boss, kim.user_id, NOW),
        lambda: office.change(boss, kim, name="Mine"),
        lambda: accounts.reset_password(
            office.store, boss.practice_id, kim.user_id, by=boss, second_factor=False, now=NOW
        ),
    ):
        with pytest.raises(NotFound):
            reach()
    assert office.of(kim).state == "active"
    with pytest.raises(Conflict, match="already signs in"):
        office.invite(boss, email=kim.email)


def test_the_command_line_resets_anybody_and_says_when_there_is_nobody(office):
    found, token = accounts.reset_by_email(office.store, " Manager@Riverside.example", second_factor=True, now=NOW)
    assert found == office.admin
    links.use_link(office.store, token, NEW, NOW)
    assert office.enter(password=NEW)
    with pytest.raises(NotFound, match="Nobody signs in"):
        accounts.reset_by_email(office.store, "nobody@riverside.example", second_factor=False, now=NOW)


def test_an_address_of_another_practice_is_in_use_also_for_who_sees_this_one_alone(office):
    hilltop(office.store, now=NOW)
    stay_within(office.world.id)
    try:
        with pytest.raises(Conflict, match="already signs in"):
            office.invite(email="boss@hilltop.example")
    finally:
        stay_within(None)
