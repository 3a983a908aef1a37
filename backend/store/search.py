"""Finding episodes by what a person types."""

from backend.store.connection import Connection


def by_reference(connection: Connection, practice_id: int, begins: str, limit: int) -> list[str]:
    """Ids of the standing episodes, newest first, of patients whose reference begins so, whatever its case."""
    return _ids(
        connection,
        "SELECT episode_id FROM episode JOIN patient USING (practice_id, patient_id)"
        " WHERE practice_id = ? AND lower(reference) LIKE lower(?) ESCAPE '\\' AND gone_at IS NULL"
        " ORDER BY window_start DESC, episode_id DESC LIMIT ?",
        (practice_id, _escaped(begins) + "%", limit),
    )


def by_clinician(connection: Connection, practice_id: int, part: str, limit: int) -> list[str]:
    """The same, of episodes with counted time of somebody whose name has this part."""
    return _ids(
        connection,
        "SELECT episode_id FROM episode WHERE practice_id = ?1 AND EXISTS ("
        " SELECT 1 FROM json_each(shares, '$.clinicians') AS share JOIN user"
        " ON user.practice_id = ?1 AND user.user_id = share.value ->> 0"
        " WHERE CAST(share.value ->> 1 AS BIGINT) > 0 AND lower(user.name) LIKE lower(?2) ESCAPE '\\')"
        " AND gone_at IS NULL ORDER BY window_start DESC, episode_id DESC LIMIT ?3",
        (practice_id, f"%{_escaped(part)}%", limit),
    )


def by_code(connection: Connection, practice_id: int, code: str, limit: int) -> list[str]:
    """The same, of episodes whose suggested or projected code this is."""
    return _ids(
        connection,
        "SELECT episode_id FROM episode WHERE practice_id = ?1 AND gone_at IS NULL"
        " AND ?2 IN (json_extract(summary, '$.code'), json_extract(summary, '$.projected_code'))"
        " ORDER BY window_start DESC, episode_id DESC LIMIT ?3",
        (practice_id, code, limit),
    )


def _ids(connection: Connection, sql: str, values: tuple[object, ...]) -> list[str]:
    return [row[0] for row in connection.execute(sql, values)]


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
