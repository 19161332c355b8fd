"""From requirements of laws and standards to the evidence that a quarter has for them. Pure.

What a requirement asks is in its own text, and told in our words in the reports. Sources, as read in
November 2026: 45 CFR 164.308(a)(7) and 164.316(b); NIST SP 800-34 Rev. 1 and SP 800-53 Rev. 5; ISO
22301:2019 and SOC 2 by secondary sources; chapters R-22.1 and P-39.1 of Québec's statutes; Regulation
(EU) 2022/2554; Directive (EU) 2022/2555.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from drorch.core.controls_evidence import GAPS, SHOWN
from drorch.core.quarter_controls import Control, Framework
from drorch.core.quarter_document import QuarterDocument


@dataclass(frozen=True, slots=True)
class _Requirement:
    """Which facts of a quarter speak for it, which against it, and what neither does."""

    id: str
    framework: Framework
    section: str
    shown: tuple[str, ...]
    gaps: tuple[str, ...]
    not_shown: tuple[str, ...] = ()


_CFR = "45 CFR 164.308(a)(7)(ii)"
_PRACTICE = ("no-drill", "never-drilled", "no-runbook", "drill-not-passed")
_LEARNING = ("finding-without-action", "action-overdue", "runbook-changed")
_OWN_SHOWN, _OWN_GAPS = ("records-drilled",), ("records-undrilled",)
_BACKUP = ("backup-missed", "copy-over-rpo", "one-region")
_PLACES_SHOWN = (
    "copy-in-quebec",
    "copy-outside-papered",
    "target-in-quebec",
    "access-logged",
    "data-destroyed",
)
_PLACES_GAPS = (
    "copy-outside-unpapered",
    "copy-place-unknown",
    "target-outside-unpapered",
    "data-left",
)

REQUIREMENTS: Final = (
    _Requirement(
        "hipaa-backup", Framework.HIPAA, f"{_CFR}(A)",
        ("backup-done", "copy-within-rpo", "several-regions", "restore-test-passed"),
        (*_BACKUP, "never-restored"),
    ),
    _Requirement(
        "hipaa-recovery", Framework.HIPAA, f"{_CFR}(B)",
        ("drill-passed", "restore-whole", "runbook-proven"), _PRACTICE,
    ),
    _Requirement(
        "hipaa-emergency", Framework.HIPAA, f"{_CFR}(C)",
        ("drill-passed",), ("no-drill", "drill-not-passed"), ("emergency-mode",),
    ),
    _Requirement(
        "hipaa-testing", Framework.HIPAA, f"{_CFR}(D)",
        ("drill-ended", "restore-test-passed", "runbook-proven", "action-closed", *_OWN_SHOWN),
        (*_PRACTICE, *_LEARNING, *_OWN_GAPS),
    ),
    _Requirement(
        "hipaa-criticality", Framework.HIPAA, f"{_CFR}(E)",
        ("tier-named", "objective-named"), ("no-tier", "no-objective"), ("impact-analysis",),
    ),
    _Requirement(
        "hipaa-records", Framework.HIPAA, "45 CFR 164.316(b)",
        ("journal-entries", "kept-six-years"), ("kept-shorter", "not-sealed"), ("policies",),
    ),
    _Requirement(
        "nist-34-test", Framework.NIST, "SP 800-34 §3.5.1",
        ("drill-ended", "restore-whole", "runbook-proven"), (*_PRACTICE, *_LEARNING), ("areas",),
    ),
    _Requirement(
        "nist-34-exercise", Framework.NIST, "SP 800-34 §3.5.4",
        ("switched", "restore-test-passed"),
        ("no-switch", "drill-not-passed", "restore-test-failed"), ("impact-level",),
    ),
    _Requirement(
        "nist-53-cp-4", Framework.NIST, "SP 800-53 CP-4",
        ("drill-on-time", "drill-ended", "action-closed", *_OWN_SHOWN),
        ("drill-missed", *_PRACTICE, *_LEARNING, *_OWN_GAPS),
    ),
    _Requirement(
        "iso-22301", Framework.ISO_22301, "8.5",
        ("drill-ended", "drill-on-time", "action-closed"), ("drill-missed", *_PRACTICE, *_LEARNING),
        ("teamwork",),
    ),
    _Requirement(
        "soc-2-a1-2", Framework.SOC_2, "A1.2",
        ("backup-done", "copy-within-rpo", "several-regions", "check-passed"), _BACKUP,
        ("environment",),
    ),
    _Requirement(
        "soc-2-a1-3", Framework.SOC_2, "A1.3",
        ("drill-ended", "restore-test-passed", "restore-whole", *_OWN_SHOWN),
        (*_PRACTICE, "never-restored", "restore-test-failed", *_LEARNING, *_OWN_GAPS), ("key-people",),
    ),
    _Requirement(
        "quebec-health", Framework.QUEBEC_HEALTH, "R-22.1, s. 78", _PLACES_SHOWN, _PLACES_GAPS,
        ("assessment-content",),
    ),
    _Requirement(
        "quebec-private", Framework.QUEBEC_PRIVATE, "P-39.1, s. 17", _PLACES_SHOWN, _PLACES_GAPS,
        ("assessment-content",),
    ),
    _Requirement(
        "dora-11", Framework.DORA, "2022/2554, art. 11",
        ("drill-ended", "switched", "action-closed", *_OWN_SHOWN),
        ("no-switch", *_PRACTICE, *_LEARNING, *_OWN_GAPS),
        ("internal-audit",),
    ),
    _Requirement(
        "dora-12", Framework.DORA, "2022/2554, art. 12",
        ("backup-done", "restore-test-passed", "check-passed", "objective-reached"),
        (*_BACKUP, "never-restored", "objective-missed"), ("segregation",),
    ),
    _Requirement(
        "nis-2", Framework.NIS_2, "2022/2555, art. 21(2)(c)",
        ("backup-done", "drill-ended", "restore-test-passed", "access-logged", "action-closed"),
        (*_BACKUP, *_PRACTICE, *_LEARNING), ("crisis",),
    ),
)  # fmt: skip


def controls_of(
    document: QuarterDocument, frameworks: Sequence[Framework] = tuple(Framework)
) -> tuple[Control, ...]:
    """The requirements of these frameworks, with what the document has for and against each.

    What a requirement could be shown by and was not stands in it with a count of 0.
    """
    shown = {what: found(document) for what, found in SHOWN.items()}
    gaps = {what: found(document) for what, found in GAPS.items()}
    return tuple(
        Control(
            one.id,
            one.framework,
            one.section,
            tuple(shown[what] for what in one.shown),
            tuple(gaps[what] for what in one.gaps if gaps[what].count),
            one.not_shown,
        )
        for one in REQUIREMENTS
        if one.framework in frameworks
    )
