"""What requirements ask, what can support them and what is missing, in words of our own.

Each requirement is told in short, for a reader who has its text at hand. Nothing here says that one
is met.
"""

from drorch.reports.language import later

FRAMEWORKS = {
    "hipaa": later("HIPAA Security Rule (United States: covered entities, business associates)"),
    "nist": later("NIST (United States: federal systems, and whoever follows it)"),
    "iso-22301": later("ISO 22301:2019, as told by secondary sources"),
    "soc-2": later("SOC 2, Trust Services Criteria for availability"),
    "quebec-health": later("Québec, health bodies: chapter R-22.1"),
    "quebec-private": later(
        "Québec, private sector: chapter P-39.1; not for health information that R-22.1 covers"
    ),
    "dora": later("DORA (European Union: financial entities)"),
    "nis-2": later("NIS2 (European Union: essential and important entities)"),
}
#: Those that are cited otherwise in another language.
SECTIONS = {
    "R-22.1, s. 78": later("R-22.1, s. 78"),
    "P-39.1, s. 17": later("P-39.1, s. 17"),
}
ASKS = {
    "hipaa-backup": later("A data backup plan: exact copies of health data that can be retrieved."),
    "hipaa-recovery": later("A disaster recovery plan: procedures that bring lost data back."),
    "hipaa-emergency": later(
        "An emergency mode operation plan: what protects health data goes on in an emergency."
    ),
    "hipaa-testing": later(
        "Plans are tested and revised from time to time (addressable; no interval is set)."
    ),
    "hipaa-criticality": later(
        "How critical applications and data are to the other plans (addressable)."
    ),
    "hipaa-records": later("Records of what has to be documented, kept for six years."),
    "nist-34-test": later(
        "The plan is tested with objectives and criteria; results are recorded, and lessons change the plan."
    ),
    "nist-34-exercise": later(
        "For a high impact, a full exercise that moves to the other place; backups are tested."
    ),
    "nist-53-cp-4": later(
        "The plan is tested at a set interval, results are reviewed, corrections are begun."
    ),
    "iso-22301": later(
        "Exercises at planned intervals and after changes, with reports that lead to actions."
    ),
    "soc-2-a1-2": later("Backups and a recovery infrastructure that are kept up and watched."),
    "soc-2-a1-3": later(
        "Recovery procedures are tested; so is whether backups are whole and complete."
    ),
    "quebec-health": later(
        "Before health information is communicated or kept outside Québec: an assessment of privacy factors, adequate protection, a written agreement."
    ),
    "quebec-private": later(
        "Before personal information is communicated or kept outside Québec: an assessment of privacy factors, adequate protection, a written agreement."
    ),
    "dora-11": later(
        "Plans are tested at least yearly and after changes, moves to redundant capacity included."
    ),
    "dora-12": later(
        "Backups by criticality; restoring is tested from time to time, on systems apart from the source."
    ),
    "nis-2": later("Business continuity: backups, recovery after a disaster, crisis management."),
}
SHOWN = {
    "backup-done": later("backups that passed"),
    "check-passed": later("checks of repositories that passed"),
    "copy-within-rpo": later("copies that stayed within their RPO"),
    "several-regions": later("datasets with copies in several regions"),
    "restore-test-passed": later("restore tests that passed"),
    "restore-whole": later("restores that passed"),
    "drill-ended": later("drills, failovers and failbacks on record"),
    "drill-passed": later("drills, failovers and failbacks that passed"),
    "drill-on-time": later("scheduled drills that were begun"),
    "switched": later("failovers that passed, live or in isolation"),
    "runbook-proven": later("runbooks unchanged since they last passed a drill"),
    "objective-reached": later("drills that met what was promised of RTO and RPO"),
    "action-closed": later("corrective actions closed"),
    "tier-named": later("services with a tier"),
    "objective-named": later("services with RTO and RPO"),
    "journal-entries": later("entries of the ledger, each with the hash of the one before"),
    "kept-six-years": later("kept for at least six years, as configured"),
    "copy-in-quebec": later("copies in Québec"),
    "copy-outside-papered": later("copies outside Québec with assessment and agreement named"),
    "target-in-quebec": later("exercises’ targets in Québec"),
    "access-logged": later("restores in the access log"),
    "data-destroyed": later("restored data destroyed where it was to be"),
    "records-drilled": later("drills of the loss of drorch’s own records that passed"),
}
GAPS = {
    "backup-missed": later("backups missed or failed"),
    "drill-missed": later("scheduled drills missed"),
    "restore-test-failed": later("restore tests failed or missed"),
    "no-drill": later("no drill was carried out in this quarter"),
    "records-undrilled": later("the loss of drorch’s own records was not drilled in this quarter"),
    "no-switch": later("no exercise at the other place is on record in this quarter"),
    "not-sealed": later("nothing is sealed by a signature"),
    "kept-shorter": later("a retention of six years is not configured"),
    "copy-over-rpo": later("copies over their RPO"),
    "one-region": later("datasets with a copy in fewer than two regions"),
    "never-restored": later("datasets never restored"),
    "never-drilled": later("services never drilled"),
    "no-runbook": later("services without a runbook"),
    "drill-not-passed": later("drills that did not pass"),
    "objective-missed": later("drills that missed RTO or RPO"),
    "runbook-changed": later("runbooks changed since, or never proven"),
    "finding-without-action": later("findings without a corrective action"),
    "action-overdue": later("corrective actions overdue"),
    "no-tier": later("services without a tier"),
    "no-objective": later("services without RTO or RPO"),
    "copy-outside-unpapered": later(
        "copies outside Québec without assessment and agreement, whatever their residency allows"
    ),
    "copy-place-unknown": later("copies in a region without a named jurisdiction"),
    "target-outside-unpapered": later(
        "exercises’ targets outside Québec, or not known, without assessment and agreement"
    ),
    "data-left": later("restores whose data was left behind"),
}
#: Gaps that are a sentence of their own, without a count.
UNCOUNTED = frozenset({"no-drill", "records-undrilled", "no-switch", "not-sealed", "kept-shorter"})
#: Gaps that are told with the first few names; those of others are long, and stand in their sections.
NAMED = frozenset(
    {
        "copy-over-rpo",
        "one-region",
        "never-restored",
        "never-drilled",
        "no-runbook",
        "runbook-changed",
        "action-overdue",
        "no-tier",
        "no-objective",
        "copy-outside-unpapered",
    }
)
NOT_SHOWN = {
    "emergency-mode": later("how work goes on in an emergency: its procedures are not drorch’s"),
    "impact-analysis": later("the analysis behind tiers and objectives, and who approved it"),
    "policies": later("policies and procedures themselves, and that they are reviewed"),
    "areas": later(
        "notification, connectivity, performance and the return: each run’s report says which were tested"
    ),
    "impact-level": later("the impact level of the system, which decides what is asked"),
    "teamwork": later("competence and teamwork of those who took part"),
    "environment": later("protection of the premises, and their monitoring"),
    "key-people": later("exercises without key people"),
    "assessment-content": later(
        "what assessment and agreement say: drorch knows their references only"
    ),
    "internal-audit": later("the review by independent internal audit"),
    "segregation": later(
        "that restored systems are apart from their source: see each run’s report"
    ),
    "crisis": later("crisis management"),
}
