"""Every word under which something is said to be wrong, how grave it is, and what people read of it.

The one place for them: the configuration's `when`, `status` and messages take theirs from here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final


class Severity(StrEnum):
    """How grave an alarm is: a promise is broken, or will be if nobody sees to it."""

    CRITICAL = "critical"
    WARNING = "warning"


class AlarmWord(StrEnum):
    """What can be wrong."""

    RPO_BREACHED = "rpo.breached"
    RPO_FORESEEN = "rpo.foreseen"
    COPY_MISSING = "copy.missing"
    COPY_OWED = "copy.owed"
    COPY_DELETED = "copy.deleted"
    COPIES_TOO_FEW = "copies.too-few"
    RESIDENCY_BROKEN = "residency.broken"
    OBJECT_DAMAGED = "object.damaged"
    OBJECT_QUARANTINED = "object.quarantined"
    CHECK_OVERDUE = "check.overdue"
    SCRUB_OVERDUE = "scrub.overdue"
    RESTORE_TEST_OVERDUE = "restore-test.overdue"
    DRILL_OVERDUE = "drill.overdue"
    ACTION_OVERDUE = "action.overdue"
    RUNBOOK_NOT_READY = "runbook.not-ready"
    LOCK_NEVER_EXTENDED = "lock.never-extended"
    LOCK_UNLOCKED = "lock.unlocked"
    LOCK_LAPSED = "lock.lapsed"
    LOCK_LAPSING = "lock.lapsing"
    LOCK_STALE = "lock.stale"
    KEY_OWED = "key.owed"
    KEY_ROTATION_OPEN = "key.rotation-open"
    KEY_OLD = "key.old"
    GUARD_TRIPPED = "guard.tripped"
    RETENTION_BRAKED = "retention.braked"
    PRUNE_OWED = "prune.owed"
    EVIDENCE_OWED = "evidence.owed"
    EVIDENCE_UNSEALED = "evidence.unsealed"
    RUN_FAILED = "run.failed"
    RUN_INTERRUPTED = "run.interrupted"
    RUN_WAITING = "run.waiting"
    OBJECTIVE_MISSED = "objective.missed"
    SLOT_MISSED = "slot.missed"
    SLOT_LATE = "slot.late"
    REGION_LOST = "region.lost"
    CHANNEL_FAILING = "channel.failing"
    CONFIGURATION_REFUSED = "configuration.refused"
    CONTROL_PLANE_BEHIND = "control-plane.behind"
    CONTROL_PLANE_SPLIT = "control-plane.split"
    JOURNAL_FAILING = "journal.failing"
    DAEMON_DOWN = "daemon.down"


#: In a rule's `when`: every alarm there is, and those to come.
ALL: Final = "all"
#: In a rule's `when`: a good run; it says nothing is wrong, and raises no alarm.
PASSED: Final = "run.passed"

#: What a rule may name.
EVENT_WORDS: Final = (ALL, *(word.value for word in AlarmWord), PASSED)

_CRITICAL = frozenset(
    {
        AlarmWord.RPO_BREACHED,
        AlarmWord.COPY_MISSING,
        AlarmWord.COPY_DELETED,
        AlarmWord.RESIDENCY_BROKEN,
        AlarmWord.OBJECT_DAMAGED,
        AlarmWord.OBJECT_QUARANTINED,
        AlarmWord.LOCK_UNLOCKED,
        AlarmWord.LOCK_LAPSED,
        AlarmWord.GUARD_TRIPPED,
        AlarmWord.RUN_FAILED,
        AlarmWord.CONTROL_PLANE_SPLIT,
        AlarmWord.JOURNAL_FAILING,
        AlarmWord.DAEMON_DOWN,
    }
)

#: What is read of each, by language.
HEADLINES: Final[Mapping[AlarmWord, Mapping[str, str]]] = {
    AlarmWord.RPO_BREACHED: {"en": "RPO breached", "fr": "RPO non tenu"},
    AlarmWord.RPO_FORESEEN: {
        "en": "RPO about to be breached",
        "fr": "RPO sur le point de ne plus être tenu",
    },
    AlarmWord.COPY_MISSING: {"en": "no copy", "fr": "aucune copie"},
    AlarmWord.COPY_OWED: {"en": "copy owed", "fr": "copie due"},
    AlarmWord.COPY_DELETED: {"en": "copy deleted", "fr": "copie supprimée"},
    AlarmWord.COPIES_TOO_FEW: {"en": "too few copies", "fr": "trop peu de copies"},
    AlarmWord.RESIDENCY_BROKEN: {
        "en": "data outside its residency",
        "fr": "données hors de leur territoire",
    },
    AlarmWord.OBJECT_DAMAGED: {"en": "damaged objects", "fr": "objets endommagés"},
    AlarmWord.OBJECT_QUARANTINED: {"en": "strange objects", "fr": "objets étrangers"},
    AlarmWord.CHECK_OVERDUE: {"en": "check overdue", "fr": "vérification en retard"},
    AlarmWord.SCRUB_OVERDUE: {"en": "scrub overdue", "fr": "relecture en retard"},
    AlarmWord.RESTORE_TEST_OVERDUE: {
        "en": "restore test overdue",
        "fr": "essai de restauration en retard",
    },
    AlarmWord.DRILL_OVERDUE: {"en": "drill overdue", "fr": "exercice en retard"},
    AlarmWord.ACTION_OVERDUE: {
        "en": "corrective action overdue",
        "fr": "mesure corrective en retard",
    },
    AlarmWord.RUNBOOK_NOT_READY: {
        "en": "runbook not ready",
        "fr": "procédure de reprise pas prête",
    },
    AlarmWord.LOCK_NEVER_EXTENDED: {
        "en": "object locks never extended",
        "fr": "verrous d'objets jamais prolongés",
    },
    AlarmWord.LOCK_UNLOCKED: {"en": "object locks missing", "fr": "verrous d'objets absents"},
    AlarmWord.LOCK_LAPSED: {"en": "object locks lapsed", "fr": "verrous d'objets échus"},
    AlarmWord.LOCK_LAPSING: {
        "en": "object locks about to lapse",
        "fr": "verrous d'objets bientôt échus",
    },
    AlarmWord.LOCK_STALE: {"en": "stale lock", "fr": "verrou périmé"},
    AlarmWord.KEY_OWED: {"en": "revoked key still there", "fr": "clé révoquée encore présente"},
    AlarmWord.KEY_ROTATION_OPEN: {
        "en": "change of password unfinished",
        "fr": "changement de mot de passe inachevé",
    },
    AlarmWord.KEY_OLD: {"en": "key too old", "fr": "clé trop ancienne"},
    AlarmWord.GUARD_TRIPPED: {"en": "suspicious backup", "fr": "sauvegarde suspecte"},
    AlarmWord.RETENTION_BRAKED: {
        "en": "mass deletion stopped",
        "fr": "suppression massive arrêtée",
    },
    AlarmWord.PRUNE_OWED: {"en": "deletion owed", "fr": "suppression due"},
    AlarmWord.EVIDENCE_OWED: {"en": "evidence owed", "fr": "éléments de preuve dus"},
    AlarmWord.EVIDENCE_UNSEALED: {
        "en": "evidence not sealed",
        "fr": "éléments de preuve non scellés",
    },
    AlarmWord.RUN_FAILED: {"en": "run failed", "fr": "exécution échouée"},
    AlarmWord.RUN_INTERRUPTED: {"en": "run interrupted", "fr": "exécution interrompue"},
    AlarmWord.RUN_WAITING: {
        "en": "run waits for a person",
        "fr": "une exécution attend quelqu'un",
    },
    AlarmWord.OBJECTIVE_MISSED: {"en": "objective missed", "fr": "objectif manqué"},
    AlarmWord.SLOT_MISSED: {"en": "scheduled work missed", "fr": "travail prévu manqué"},
    AlarmWord.SLOT_LATE: {"en": "scheduled work late", "fr": "travail prévu en retard"},
    AlarmWord.REGION_LOST: {"en": "region lost", "fr": "région perdue"},
    AlarmWord.CHANNEL_FAILING: {
        "en": "notification channel failing",
        "fr": "canal d'avertissement en panne",
    },
    AlarmWord.CONFIGURATION_REFUSED: {
        "en": "configuration refused",
        "fr": "configuration refusée",
    },
    AlarmWord.DAEMON_DOWN: {"en": "daemon down", "fr": "service arrêté"},
    AlarmWord.CONTROL_PLANE_BEHIND: {
        "en": "drorch's records not copied",
        "fr": "registres de drorch non copiés",
    },
    AlarmWord.CONTROL_PLANE_SPLIT: {
        "en": "two control planes",
        "fr": "deux plans de contrôle",
    },
    AlarmWord.JOURNAL_FAILING: {"en": "journal cannot be written", "fr": "journal inutilisable"},
}


def severity_of(what: str) -> Severity:
    """How grave a word is; one that is not known here is a warning."""
    return Severity.CRITICAL if what in _CRITICAL else Severity.WARNING


def headline(what: str, language: str) -> str:
    """What people read of a word; the word itself, if it is not known here."""
    said = next((words for word, words in HEADLINES.items() if word == what), {})
    return said.get(language) or said.get("en") or what


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that is wrong now: `what` and `subject` together name it.

    `once`: it tells of something that happened (at `since`), which does not go on.
    """

    what: str
    subject: str
    since: datetime | None
    message: str
    hint: str = ""
    once: bool = False

    @property
    def severity(self) -> Severity:
        """How grave it is."""
        return severity_of(self.what)


@dataclass(frozen=True, slots=True)
class AlarmTold:
    """What was last told of an alarm over a channel: that it stands, or (`cleared`) no more.

    `since` is the alarm's. `times`: so often in a row it was raised anew soon after it had been
    cleared. `once`: it told of something that happened.
    """

    channel: str
    what: str
    subject: str
    since: datetime | None = None
    times: int = 1
    cleared: bool = False
    once: bool = False


@dataclass(frozen=True, slots=True)
class ChannelTried:
    """What became of the last message over a channel; `why` is empty where it was taken.

    One that does not take them has failed since `failing_since`, so many `times` in a row.
    """

    channel: str
    why: str = ""
    hint: str = ""
    failing_since: datetime | None = None
    times: int = 0


@dataclass(frozen=True, slots=True)
class RunEnded:
    """How the newest run of its kind and name ended. `good`: it passed and missed no objective.

    `missed` names the objectives it did not meet, `why` says what failed, as a sentence's end.
    """

    kind: str
    name: str
    run: str
    good: bool
    outcome: str
    missed: tuple[str, ...] = ()
    why: str = ""
