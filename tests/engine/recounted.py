"""A quarter's figures by another path: a plain walk over the raw events of a state file, as JSON.

Nothing of drorch is used: neither its folds nor what it keeps beside the events.
"""

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

Body = dict[str, Any]
MINUTE = timedelta(minutes=1)


def when(text: str) -> datetime:
    return datetime.fromisoformat(text)


@dataclass
class Run:
    """A run as its raw events tell it."""

    id: str
    start: Body
    began: datetime
    ticks: float
    events: list[tuple[datetime, float, str, Body]] = field(default_factory=list)

    @property
    def kind(self) -> str:
        return self.start["plan"]["kind"]

    @property
    def name(self) -> str:
        return self.start["plan"]["name"]

    def of(self, kind: str) -> list[tuple[datetime, float, Body]]:
        return [(at, ticks, body) for at, ticks, found, body in self.events if found == kind]

    @property
    def outcome(self) -> str | None:
        ends = self.of("run.finished")
        return ends[0][2]["outcome"] if ends else None

    @property
    def finished_at(self) -> datetime | None:
        ends = self.of("run.finished")
        return ends[0][0] if ends else None

    def attempts(self, *steps: str) -> list[tuple[datetime, float, Body]]:
        return [one for one in self.of("attempt.finished") if one[2]["step"] in steps]


@dataclass
class Recount:
    """Of a quarter from the first local midnight of its first day."""

    runs: dict[str, Run]
    order: list[tuple[str, str, datetime, Body]]
    zone: ZoneInfo
    first: date
    after: date

    @classmethod
    def of(cls, file: Path, zone: ZoneInfo, first: date, after: date) -> "Recount":
        runs: dict[str, Run] = {}
        order = []
        with sqlite3.connect(file) as connection:
            rows = connection.execute("SELECT run, at, ticks, kind, body FROM events ORDER BY n")
            for run, at, ticks, kind, text in rows:
                body = json.loads(text)
                if kind == "run.started":
                    runs[run] = Run(run, body, when(at), ticks)
                runs[run].events.append((when(at), ticks, kind, body))
                order.append((run, kind, when(at), body))
        connection.close()
        return cls(runs, order, zone, first, after)

    def midnight(self, day: date) -> datetime:
        return datetime(day.year, day.month, day.day, tzinfo=self.zone).astimezone(UTC)

    @property
    def begin(self) -> datetime:
        return self.midnight(self.first)

    @property
    def end(self) -> datetime:
        return self.midnight(self.after)

    def inside(self, at: datetime) -> bool:
        return self.begin <= at < self.end

    def days(self) -> Iterator[date]:
        day = self.first
        while day < self.after:
            yield day
            day += timedelta(days=1)

    # --- work

    def work(self, job: str, due: Callable[[datetime], bool] | None) -> Counter[str]:
        """What came of a job's slots; `due` says whether the schedule has one at a minute: None, it
        is not known any more.
        """
        found: Counter[str] = Counter()
        for run, kind, _, body in self.order:
            if kind == "slot.taken" and body["job"] == job and self.inside(when(body["due_at"])):
                found["due"] += 1
                found["late" if body.get("late") else "on_time"] += 1
                outcome = self.runs[run].outcome
                found[{"passed": "done", None: "open"}.get(outcome, "failed")] += 1
            if kind == "slots.missed" and body["job"] == job:
                missed = self.missed(body, due)
                found["due"] += missed
                found["missed"] += missed
        return +found

    def missed(self, body: Body, due: Callable[[datetime], bool] | None) -> int:
        first, last = when(body["first_at"]), when(body["last_at"])
        if self.inside(first) and self.inside(last):
            return int(body["count"])
        if last < self.begin or first >= self.end:
            return 0
        if due is None:
            n = body["count"]
            each = [first + (last - first) * k / max(1, n - 1) for k in range(n)]
            return sum(self.inside(at) for at in each)
        count, at = 0, first
        while at <= last:
            count += self.inside(at) and due(at)
            at += MINUTE
        return count

    def by_hand(self, kind: str, name: str) -> Counter[str]:
        found: Counter[str] = Counter()
        for run in self.runs.values():
            own = (run.kind, run.name) == (kind, name) and self.inside(run.began)
            if own and run.start["trigger"] != "schedule" and run.outcome is not None:
                found["by_hand" if run.outcome == "passed" else "failed_by_hand"] += 1
        return found

    def last_good(self, kind: str, name: str) -> datetime | None:
        """When the last one that began in the quarter and passed ended; or else the one before."""
        good = [
            r for r in self.runs.values() if (r.kind, r.name, r.outcome) == (kind, name, "passed")
        ]
        ends = [r.finished_at for r in good if r.began < self.end and r.finished_at]
        return max(ends, default=None)

    # --- copies

    def newest(self, dataset: str, region: str) -> list[tuple[datetime, datetime | None]]:
        """After each event that tells of the place: of when the newest snapshot is that lies there."""
        there: dict[str, datetime] = {}
        found = []
        for _, kind, at, body in self.order:
            copies = body.get("copies", []) if kind == "attempt.finished" else []
            own = [c for c in copies if (c["dataset"], c["region"]) == (dataset, region)]
            for copy in own:
                if copy["fact"] in ("gone", "owed"):
                    there.pop(copy["snapshot"], None)
                else:
                    there.setdefault(copy["snapshot"], when(copy["snapshot_at"]))
            if own:
                found.append((at, max((t for t in there.values() if t <= at), default=None)))
        return found

    def ages(self, dataset: str, region: str, until: datetime) -> dict[str, Any]:
        """By looking at every day: how old the copy was just before each change, and at its end."""
        changes = self.newest(dataset, region)
        days: list[float | None] = []
        over = without = timedelta()
        rpo = self.rpo(dataset)
        for day in self.days():
            begin = self.midnight(day)
            end = min(self.midnight(day + timedelta(days=1)), until)
            moments = [begin, *(at for at, _ in changes if begin < at < end), end]
            worst = None
            for since, to in pairwise(moments):
                held = [newest for at, newest in changes if at <= since]
                if to <= since or not held:
                    continue
                if held[-1] is None:
                    if any(newest is not None for newest in held):
                        without += to - since
                    continue
                worst = max(to - held[-1], worst or to - held[-1])
                if rpo is not None and to - held[-1] > rpo:
                    over += min(to - since, to - held[-1] - rpo)
            days.append(None if worst is None else round(worst.total_seconds(), 3))
        known = [one for one in days if one is not None]
        return {
            "days_s": days,
            "worst_age_s": max(known, default=None),
            "over_rpo_s": round(over.total_seconds(), 3),
            "without_s": round(without.total_seconds(), 3),
        }

    def rpo(self, dataset: str) -> timedelta | None:
        """As the dataset's newest backup had it."""
        plans = [
            r.start["plan"] for r in self.runs.values() if (r.kind, r.name) == ("backup", dataset)
        ]
        seconds = plans[-1].get("objectives", {}).get("rpo")
        return None if seconds is None else timedelta(seconds=seconds)

    # --- drills

    def drills(self, first: datetime, after: datetime) -> list[Run]:
        return [r for r in self.runs.values() if r.kind == "drill" and first <= r.began < after]

    def unproven(self, service: str, runbook: str | None, objective: str) -> bool:
        """Whether no drill of the quarter set out to reach a service's objective."""
        plans = [run.start["plan"] for run in self.drills(self.begin, self.end)]
        own = [p for p in plans if p.get("service") == service or p["name"] == runbook]
        return not any(p.get("objectives", {}).get(objective) for p in own)

    @staticmethod
    def measured(run: Run) -> tuple[float | None, float]:
        """RTA (none where it did not pass) and RPA, in seconds."""
        first = run.start["plan"]["steps"][0]["id"]
        began = next(t for _, t, b in run.of("attempt.started") if b["step"] == first)
        verified = run.attempts("whole")
        rta = verified[-1][1] - began if run.outcome == "passed" else None
        restored = [b for _, _, b in run.attempts("restore") if b["verdict"] == "pass"]
        rpa = run.began - when(restored[0]["outputs"]["snapshot_at"]) if restored else None
        return rta, rpa.total_seconds() if rpa else None

    def losses(self, first: datetime, after: datetime) -> list[dict[str, Any]]:
        """Of each drill of the loss of drorch's own records what its raw events tell."""
        found = []
        for run in self.drills(first, after):
            steps = {s["do"]: s["id"] for s in run.start["plan"]["steps"]}
            if "plane.recover" not in steps:
                continue
            told = {
                do: next((b["outputs"] for _, _, b in run.attempts(id_) if "outputs" in b), {})
                for do, id_ in steps.items()
            }
            found.append(
                {
                    "run": run.id,
                    "outcome": run.outcome,
                    "behind_s": told["plane.compare"].get("behind_s"),
                    "events_behind": told["plane.compare"].get("events_behind"),
                    "first_restore_s": told["plane.restore"].get("since_s"),
                }
            )
        return found

    def restores(self) -> dict[str, str]:
        """By run, what became of what every restore brought back."""
        found = {}
        for run in self.runs.values():
            attempts = run.attempts("restore")
            if not self.inside(run.began) or not any(
                s["do"] in ("restore", "plane.restore") for s in run.start["plan"].get("steps", ())
            ):
                continue
            came = any(b["verdict"] == "pass" for _, _, b in attempts)
            removed = any(b["verdict"] == "pass" for _, _, b in run.attempts("remove"))
            to_remove = any(s["do"] == "files.remove" for s in run.start["plan"]["steps"])
            if not came:
                found[run.id] = "nothing"
            elif removed:
                found[run.id] = "destroyed"
            else:
                found[run.id] = ("left" if to_remove else "kept") if run.outcome else "open"
        return found

    def started(self) -> dict[str, int]:
        found: dict[str, int] = defaultdict(int)
        for run in self.runs.values():
            if self.inside(run.began):
                found[run.kind] += 1
        return found
