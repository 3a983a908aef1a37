"""The numbers and closed word lists of protocol 1 (instants and lengths in milliseconds)."""

PROTOCOL = 1
"""The highest protocol that this server knows."""

ROWS_MAX = 500
BODY_MAX = 256 * 1024
"""Bytes of one request."""

DAY_MS = 86_400_000
INSTANT_MAX = 2**53 - 1
"""The largest whole number that a browser can say exactly."""

ACTIVITIES = (
    "review_inquiry",
    "review_records",
    "staff_discussion",
    "develop_plan",
    "order_or_prescribe",
    "communicate_online",
    "communicate_phone",
    "documentation",
    "scheduling",
    "refill_admin",
    "results_only",
    "idle",
)
ENDED_BY = (
    "hidden",
    "blur",
    "idle",
    "lock",
    "pause",
    "navigate",
    "limit",
    "clock",
    "crash",
    "close",
    "sign_out",
    "manual",
)
LONGEST_MS = 300_000
ENTRIES = {
    "measured": LONGEST_MS,
    "attested_reading": 180_000,  # what a clinician may say of one gap
    "linked_chart": LONGEST_MS,  # measured as well, only its thread is uncertain
    "manual": DAY_MS,
}
"""How an interval came to be -> the longest that such a row may be."""

ID_PATTERN = "[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
IDENTIFIER_LENGTH = 200
REASON_LENGTH = 500
IDLE_AFTER_SECONDS = (15, 300)
