"""The triggers that make tables append-only, as declared. A guard test compares them with the database's."""

from __future__ import annotations

APPEND_ONLY = (
    "posting",
    "transfer",
    "entry",
    "log_leaf",
    "log_checkpoint",
    "journal",
    "tax_check",
    "undertaking",
    "evaluation_rules",
    "agreement_version",
    "agreement_step",
    "year_end",
    "year_end_answer",
)
ENDS_ONCE = ("policy_version",)
"""Never deleted; of one only the day on which it ends changes, once: by the version that follows."""

POSTGRESQL_TRIGGERS = frozenset(
    f"{table}_{verb}" for table in APPEND_ONLY for verb in ("no_update", "no_delete", "no_truncate")
) | frozenset(f"{table}_{verb}" for table in ENDS_ONCE for verb in ("ends_once", "no_delete", "no_truncate"))
SQLITE_TRIGGERS = frozenset(
    f"{table}_{verb}" for table in APPEND_ONLY for verb in ("no_update", "no_delete", "no_replace")
) | frozenset(f"{table}_{verb}" for table in ENDS_ONCE for verb in ("ends_once", "no_delete", "no_replace"))


def declared_triggers(dialect: str) -> frozenset[str]:
    """Names of the triggers that a database of this dialect must have."""
    return POSTGRESQL_TRIGGERS if dialect == "postgresql" else SQLITE_TRIGGERS
