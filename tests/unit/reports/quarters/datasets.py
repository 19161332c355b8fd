"""The hospital's datasets: their copies, and the work done for them."""

from collections.abc import Iterator
from datetime import timedelta
from random import Random

from drorch.core.quarter_datasets import CopyQuarter, DatasetQuarter, Missed, Standing, Work
from tests.unit.reports.quarters.moments import DAY, DAYS, END, HOUR, at

#: Dataset, tier, site, services, RPO, schedule, regions by role.
DATASETS = (
    ("ehr-documents", 1, "montreal", ("ehr",), HOUR / 2, "*/15 * * * *", "mqt"),
    ("ehr-db", 1, "montreal", ("ehr",), HOUR / 2, "every 15m", "mq"),
    ("ehr-audit", 1, "montreal", ("ehr",), HOUR, "every 30m", "mq"),
    ("pacs-images", 2, "montreal", ("imaging",), 4 * HOUR, "every 2h", "mqt"),
    ("pacs-db", 2, "montreal", ("imaging",), HOUR, "every 30m", "mq"),
    ("lab-results", 2, "quebec", ("laboratory",), HOUR, "hourly", "qm"),
    ("lab-instruments", 2, "quebec", ("laboratory",), 24 * HOUR, "daily at 02:00", "qm"),
    ("pharmacy-db", 2, "montreal", ("ehr", "laboratory"), HOUR, "every 30m", "mq"),
    ("intranet", 3, "montreal", ("office",), 24 * HOUR, "daily at 02:00", "mq"),
    ("mail-archive", 3, "montreal", ("office",), 24 * HOUR, "daily at 01:00", "mt"),
    ("research-images", 3, "quebec", (), 7 * DAY, "weekly on sun at 03:00", "qt"),
    ("old-fileserver", 3, "quebec", (), None, "", "q"),
)
REGIONS = {"m": ("mtl", "CA-QC"), "q": ("qc", "CA-QC"), "t": ("tor", "CA-ON")}


def _copies(n: int) -> Iterator[CopyQuarter]:
    name, _, _, _, rpo, _, regions = DATASETS[n]
    random = Random(n)
    usual = rpo or 24 * HOUR
    for m, letter in enumerate(regions):
        region, jurisdiction = REGIONS[letter]
        days: list[timedelta | None] = [
            timedelta(seconds=round(usual.total_seconds() * random.uniform(0.45, 0.9)))
            for _ in DAYS
        ]
        if region == "tor":  # dead for three days in November
            for day, worst in ((36, 26 * HOUR), (37, 50 * HOUR), (38, 61 * HOUR)):
                days[day] = worst
        if name == "pacs-db":
            days[62] = 5 * HOUR
        if name == "research-images":  # it entered in the middle
            days[:45] = [None] * 45
        if name == "old-fileserver":  # it left
            days[20:] = [timedelta(days=n) for n in range(1, len(DAYS) - 19)]
        known = {n: d for n, d in enumerate(days) if d is not None}
        on = max(known, key=lambda one: known[one])
        over = rpo is not None and known[on] > rpo
        yield CopyQuarter(
            region=region,
            role="left" if name == "old-fileserver" else ("mirror" if m else "primary"),
            jurisdiction=jurisdiction,
            rpo=rpo,
            rpo_met=None if rpo is None else not over,
            worst_age=known[on],
            worst_at=at(10, 1, 23) + on * DAY,
            over_rpo=(known[on] - rpo) if over and rpo else timedelta(),
            without=timedelta(),
            broken_at=at(10, 1, 23) + on * DAY - (known[on] - rpo) if over and rpo else None,
            days=tuple(days),
            first_at=at(11, 15, 3) if name == "research-images" else at(7, 1, 0, 15),
            newest_at=END - usual / 2,
            age=usual / 2,
            owed=name == "mail-archive" and region == "tor",
            owed_since=END - 5 * HOUR if name == "mail-archive" and region == "tor" else None,
            verified_at=at(12, 27, 5),
            restore_tested_at=None if n in (9, 10, 11) or m else at(12, 27, 6),
        )


def all_datasets() -> Iterator[DatasetQuarter]:
    for n, (name, tier, site, services, rpo, schedule, _) in enumerate(DATASETS):
        due = {"*/15 * * * *": 8836, "every 15m": 8836, "every 30m": 4418, "every 2h": 1105}.get(
            schedule, {"hourly": 2209, "": 38, "weekly on sun at 03:00": 7}.get(schedule, 92)
        )
        missed, failed = due // 400, due // 800 + (n == 4)
        late = due // 300
        why = (
            Missed("no daemon was running", missed - missed // 3),
            Missed("the run before was under way", missed // 3),
        )
        weekly = name not in ("research-images", "old-fileserver")
        yield DatasetQuarter(
            dataset=name,
            standing={"research-images": Standing.ENTERED, "old-fileserver": Standing.LEFT}.get(
                name, Standing.STAYED
            ),
            configured=name != "old-fileserver",
            tier=None if name == "old-fileserver" else tier,
            site=None if name == "old-fileserver" else site,
            services=services,
            rpo=rpo,
            residency=() if name == "old-fileserver" else ("CA-QC",),
            first_at=at(11, 15, 3) if name == "research-images" else at(7, 1),
            last_at=at(10, 21, 2) if name == "old-fileserver" else END - HOUR / 4,
            backups=Work(
                schedule,
                due,
                due - late - missed,
                late,
                missed,
                due - missed - failed,
                failed,
                by_hand=n % 3,
                last_at=at(10, 21, 2) if name == "old-fileserver" else END - HOUR / 4,
                missed_why=tuple(one for one in why if one.count),
            ),
            checks=Work("weekly", 13, 13, done=13, last_at=at(12, 27, 5)) if weekly else Work(),
            scrubs=Work("30d", 92, 91, 1, done=92, last_at=at(12, 31, 1)) if weekly else Work(),
            restore_tests=(
                Work("weekly", 13, 12, 0, 1, 11, 1, 0, 1, 0, at(12, 27, 6), why[:1])
                if n == 4
                else Work("weekly", 13, 13, done=13, last_at=at(12, 27, 6))
                if n < 9
                else Work()
            ),
            copies=tuple(_copies(n)),
        )
