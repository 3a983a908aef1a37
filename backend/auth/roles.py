"""Who may what. A person with several roles has the union of their rights; what is not written here is refused."""

from collections.abc import Iterable
from typing import Literal, get_args

Role = Literal["clinician", "staff", "manager", "biller", "auditor", "admin"]
ROLES: tuple[str, ...] = get_args(Role)

Right = Literal[
    "see episodes",
    "see own episodes",
    "take reports",
    "record time",
    "hold a device",
    "name a colleague",
    "manage people",
    "manage administrators",
    "set up the practice",
    "set the rules",
    "see devices",
    "see all devices",
    "read the audit",
    "take the audit",
]

_RIGHTS: dict[Right, frozenset[Role]] = {
    "see episodes": frozenset({"manager"}),
    "see own episodes": frozenset({"clinician", "staff"}),
    "take reports": frozenset({"manager"}),
    "record time": frozenset({"clinician", "staff"}),
    "hold a device": frozenset({"clinician", "staff", "manager", "biller"}),
    "name a colleague": frozenset({"clinician"}),
    "manage people": frozenset({"manager", "admin"}),
    "manage administrators": frozenset({"admin"}),
    "set up the practice": frozenset({"manager", "admin"}),
    "set the rules": frozenset({"manager", "admin"}),
    "see devices": frozenset({"clinician", "staff", "manager", "biller", "admin"}),
    "see all devices": frozenset({"admin"}),
    "read the audit": frozenset({"manager", "auditor", "admin"}),
    "take the audit": frozenset({"auditor"}),
}


def may(roles: Iterable[str], right: Right) -> bool:
    return not _RIGHTS[right].isdisjoint(roles)
