"""Every error that Threadtime raises on purpose.

    ThreadtimeError
    ├── BadInput            422  what was given cannot be used; the message says what to give instead
    ├── NotSignedIn         401  no session or token, or one that has ended
    ├── NotAllowed          403  signed in, and this is not theirs to do
    ├── ProviderTrouble     403  signing in by the organisation's provider came to nothing; `code` says why
    ├── NotFound            404  nothing here by that name, for this person
    ├── Conflict            409  it was already done otherwise
    ├── NotPaired           400  a browser asked for its token, and there is none; `code` says why (RFC 8628)
    ├── TooManyTries        429  wait `retry_after_seconds`
    ├── Busy                503  the store cannot do it now (its queue, its disk): wait `retry_after_seconds`
    └── CannotStart         (command line) the data folder, its key or its lock refuse
        ├── NoDataFolder
        ├── WrongKey
        ├── FolderInUse
        └── Damaged         the database or a backup is not whole

A message is one sentence for the person who reads it; it never holds a payload, a token, SQL or a path of a request.
The command line prints it on standard error and exits with 1; over HTTP it becomes a problem (RFC 9457) of `status`.
"""


class ThreadtimeError(Exception):
    """The root; `status` is the HTTP status that says the same, `code` a word for programs where they need one."""

    status = 400

    def __init__(self, message: str, *, retry_after_seconds: int | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.retry_after_seconds = retry_after_seconds


class BadInput(ThreadtimeError):
    status = 422


class NotSignedIn(ThreadtimeError):
    status = 401


class NotAllowed(ThreadtimeError):
    status = 403


class ProviderTrouble(ThreadtimeError):
    """`code`: unknown, deactivated, taken, lost, said_no, failed, not_accepted, unreachable, untrusted or proxy."""

    status = 403


class NotFound(ThreadtimeError):
    status = 404


class Conflict(ThreadtimeError):
    status = 409


class NotPaired(ThreadtimeError):
    status = 400


class TooManyTries(ThreadtimeError):
    status = 429


class Busy(ThreadtimeError):
    status = 503


class CannotStart(ThreadtimeError):
    status = 500


class NoDataFolder(CannotStart):
    pass


class WrongKey(CannotStart):
    pass


class FolderInUse(CannotStart):
    pass


class Damaged(CannotStart):
    pass
