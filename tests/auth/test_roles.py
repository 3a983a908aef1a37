import pytest

from backend.auth.roles import ROLES, may


def test_a_manager_sees_episodes_and_takes_reports():
    assert may(["manager"], "see episodes")
    assert may(["manager"], "take reports")


@pytest.mark.parametrize("role", sorted(set(ROLES) - {"manager"}))
def test_no_other_role_sees_the_episodes_of_the_whole_practice(role):
    assert not may([role], "see episodes")
    assert not may([role], "take reports")


def test_several_roles_give_the_union_of_their_rights():
    assert may(["admin", "manager"], "see episodes")


def test_no_role_and_an_unknown_role_open_nothing():
    assert not may([], "manage people")
    assert not may(["owner"], "manage people")
