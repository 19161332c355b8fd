"""The statements as text. Made from journal/queries.py and between.py by `python -m drorch.journal.rendering`."""

from drorch.journal.connection import Statement

#: The revision of the schema they are for.
REVISION = "0005"

REVISION_FOUND = Statement(
    """SELECT alembic_version.version_num
FROM alembic_version""",
    """SELECT alembic_version.version_num
FROM alembic_version""",
)

INSERT_EVENT = Statement(
    """INSERT INTO events (run, seq, at, boot, ticks, kind, body, prev, hash) VALUES (:run, :seq, :at, :boot, :ticks, :kind, :body, :prev, :hash)""",
    """INSERT INTO events (run, seq, at, boot, ticks, kind, body, prev, hash) VALUES (%(run)s::VARCHAR, %(seq)s::INTEGER, %(at)s::VARCHAR, %(boot)s::VARCHAR, %(ticks)s, %(kind)s::VARCHAR, %(body)s::VARCHAR, %(prev)s::VARCHAR, %(hash)s::VARCHAR)""",
)

PAGE = Statement(
    """SELECT events.run, events.seq, events.at, events.boot, events.ticks, events.kind, events.body, events.prev, events.hash
FROM events
WHERE events.run = :run AND events.seq > :after ORDER BY events.seq
LIMIT :limit OFFSET 0""",
    """SELECT events.run, events.seq, events.at, events.boot, events.ticks, events.kind, events.body, events.prev, events.hash
FROM events
WHERE events.run = %(run)s::VARCHAR AND events.seq > %(after)s::INTEGER ORDER BY events.seq
LIMIT %(limit)s::BIGINT OFFSET 0""",
)

EVENTS = Statement(
    """SELECT events.run, events.seq, events.at, events.boot, events.ticks, events.kind, events.body, events.prev, events.hash
FROM events
WHERE events.run = :run ORDER BY events.seq""",
    """SELECT events.run, events.seq, events.at, events.boot, events.ticks, events.kind, events.body, events.prev, events.hash
FROM events
WHERE events.run = %(run)s::VARCHAR ORDER BY events.seq""",
)

EVENTS_TELLING = Statement(
    """SELECT events.run, events.seq, events.at, events.boot, events.ticks, events.kind, events.body, events.prev, events.hash
FROM events
WHERE (events.kind = :kind OR events.kind = :end) AND (events.body LIKE :one OR events.body LIKE :other) ORDER BY events.n""",
    """SELECT events.run, events.seq, events.at, events.boot, events.ticks, events.kind, events.body, events.prev, events.hash
FROM events
WHERE (events.kind = %(kind)s::VARCHAR OR events.kind = %(end)s::VARCHAR) AND (events.body LIKE %(one)s::VARCHAR OR events.body LIKE %(other)s::VARCHAR) ORDER BY events.n""",
)

INSERT_NUMBERED = Statement(
    """INSERT INTO events (n, run, seq, at, boot, ticks, kind, body, prev, hash) VALUES (:n, :run, :seq, :at, :boot, :ticks, :kind, :body, :prev, :hash)""",
    """INSERT INTO events (n, run, seq, at, boot, ticks, kind, body, prev, hash) VALUES (%(n)s::BIGINT, %(run)s::VARCHAR, %(seq)s::INTEGER, %(at)s::VARCHAR, %(boot)s::VARCHAR, %(ticks)s, %(kind)s::VARCHAR, %(body)s::VARCHAR, %(prev)s::VARCHAR, %(hash)s::VARCHAR)""",
)

NUMBERED_AFTER = Statement(
    """SELECT events.n, events.run, events.seq, events.at, events.boot, events.ticks, events.kind, events.body, events.prev, events.hash
FROM events
WHERE events.n > :after ORDER BY events.n
LIMIT :limit OFFSET 0""",
    """SELECT events.n, events.run, events.seq, events.at, events.boot, events.ticks, events.kind, events.body, events.prev, events.hash
FROM events
WHERE events.n > %(after)s::BIGINT ORDER BY events.n
LIMIT %(limit)s::BIGINT OFFSET 0""",
)

NUMBERED = Statement(
    """SELECT events.n, events.run, events.seq, events.at, events.boot, events.ticks, events.kind, events.body, events.prev, events.hash
FROM events
WHERE events.n = :n""",
    """SELECT events.n, events.run, events.seq, events.at, events.boot, events.ticks, events.kind, events.body, events.prev, events.hash
FROM events
WHERE events.n = %(n)s::BIGINT""",
)

LAST_NUMBER = Statement(
    """SELECT max(events.n) AS max_1
FROM events""",
    """SELECT max(events.n) AS max_1
FROM events""",
)

RUNS_WITH_EVENTS = Statement(
    """SELECT events.run
FROM events GROUP BY events.run ORDER BY min(events.n)""",
    """SELECT events.run
FROM events GROUP BY events.run ORDER BY min(events.n)""",
)

RUNS_WITHOUT_EVENTS = Statement(
    """SELECT runs.run
FROM runs
WHERE NOT (EXISTS (SELECT events.n
FROM events
WHERE events.run = runs.run))""",
    """SELECT runs.run
FROM runs
WHERE NOT (EXISTS (SELECT events.n
FROM events
WHERE events.run = runs.run))""",
)

INSERT_ENTRY = Statement(
    """INSERT INTO ledger (n, run, what, head, at, prev, hash) VALUES (:n, :run, :what, :head, :at, :prev, :hash)""",
    """INSERT INTO ledger (n, run, what, head, at, prev, hash) VALUES (%(n)s::BIGINT, %(run)s::VARCHAR, %(what)s::VARCHAR, %(head)s::VARCHAR, %(at)s::VARCHAR, %(prev)s::VARCHAR, %(hash)s::VARCHAR)""",
)

LAST_ENTRY = Statement(
    """SELECT ledger.n, ledger.run, ledger.what, ledger.head, ledger.at, ledger.prev, ledger.hash
FROM ledger ORDER BY ledger.n DESC
LIMIT 1 OFFSET 0""",
    """SELECT ledger.n, ledger.run, ledger.what, ledger.head, ledger.at, ledger.prev, ledger.hash
FROM ledger ORDER BY ledger.n DESC
LIMIT 1 OFFSET 0""",
)

FIRST_ENTRY = Statement(
    """SELECT ledger.n, ledger.run, ledger.what, ledger.head, ledger.at, ledger.prev, ledger.hash
FROM ledger ORDER BY ledger.n
LIMIT 1 OFFSET 0""",
    """SELECT ledger.n, ledger.run, ledger.what, ledger.head, ledger.at, ledger.prev, ledger.hash
FROM ledger ORDER BY ledger.n
LIMIT 1 OFFSET 0""",
)

ENTRIES = Statement(
    """SELECT ledger.n, ledger.run, ledger.what, ledger.head, ledger.at, ledger.prev, ledger.hash
FROM ledger ORDER BY ledger.n""",
    """SELECT ledger.n, ledger.run, ledger.what, ledger.head, ledger.at, ledger.prev, ledger.hash
FROM ledger ORDER BY ledger.n""",
)

ENTRY_AT = Statement(
    """SELECT ledger.n, ledger.run, ledger.what, ledger.head, ledger.at, ledger.prev, ledger.hash
FROM ledger
WHERE ledger.n = :n""",
    """SELECT ledger.n, ledger.run, ledger.what, ledger.head, ledger.at, ledger.prev, ledger.hash
FROM ledger
WHERE ledger.n = %(n)s::BIGINT""",
)

ENTRIES_OF = Statement(
    """SELECT ledger.n, ledger.run, ledger.what, ledger.head, ledger.at, ledger.prev, ledger.hash
FROM ledger
WHERE ledger.run = :run""",
    """SELECT ledger.n, ledger.run, ledger.what, ledger.head, ledger.at, ledger.prev, ledger.hash
FROM ledger
WHERE ledger.run = %(run)s::VARCHAR""",
)

NOTED_WITHOUT_EVENTS = Statement(
    """SELECT DISTINCT ledger.run
FROM ledger
WHERE NOT (EXISTS (SELECT events.n
FROM events
WHERE events.run = ledger.run)) ORDER BY ledger.run""",
    """SELECT DISTINCT ledger.run
FROM ledger
WHERE NOT (EXISTS (SELECT events.n
FROM events
WHERE events.run = ledger.run)) ORDER BY ledger.run""",
)

INSERT_RUN = Statement(
    """INSERT INTO runs (run, kind, name, subject, mode, "trigger", "by", started_at, finished_at, state, outcome, dirty, seq, head, owner_host, owner_pid, owner_started, owner_boot, owner_token, in_flight, asked) VALUES (:run, :kind, :name, :subject, :mode, :trigger, :by, :started_at, :finished_at, :state, :outcome, :dirty, :seq, :head, :owner_host, :owner_pid, :owner_started, :owner_boot, :owner_token, :in_flight, :asked)""",
    """INSERT INTO runs (run, kind, name, subject, mode, trigger, by, started_at, finished_at, state, outcome, dirty, seq, head, owner_host, owner_pid, owner_started, owner_boot, owner_token, in_flight, asked) VALUES (%(run)s::VARCHAR, %(kind)s::VARCHAR, %(name)s::VARCHAR, %(subject)s::VARCHAR, %(mode)s::VARCHAR, %(trigger)s::VARCHAR, %(by)s::VARCHAR, %(started_at)s::VARCHAR, %(finished_at)s::VARCHAR, %(state)s::VARCHAR, %(outcome)s::VARCHAR, %(dirty)s, %(seq)s::INTEGER, %(head)s::VARCHAR, %(owner_host)s::VARCHAR, %(owner_pid)s::BIGINT, %(owner_started)s::BIGINT, %(owner_boot)s::VARCHAR, %(owner_token)s::VARCHAR, %(in_flight)s::INTEGER, %(asked)s::VARCHAR)""",
)

UPDATE_RUN = Statement(
    """UPDATE runs SET finished_at=:finished_at, state=:state, outcome=:outcome, dirty=:dirty, seq=:seq, head=:head, owner_host=:owner_host, owner_pid=:owner_pid, owner_started=:owner_started, owner_boot=:owner_boot, owner_token=:owner_token, in_flight=:in_flight, asked=:asked WHERE runs.run = :the_run""",
    """UPDATE runs SET finished_at=%(finished_at)s::VARCHAR, state=%(state)s::VARCHAR, outcome=%(outcome)s::VARCHAR, dirty=%(dirty)s, seq=%(seq)s::INTEGER, head=%(head)s::VARCHAR, owner_host=%(owner_host)s::VARCHAR, owner_pid=%(owner_pid)s::BIGINT, owner_started=%(owner_started)s::BIGINT, owner_boot=%(owner_boot)s::VARCHAR, owner_token=%(owner_token)s::VARCHAR, in_flight=%(in_flight)s::INTEGER, asked=%(asked)s::VARCHAR WHERE runs.run = %(the_run)s::VARCHAR""",
)

REPLACE_RUN = Statement(
    """UPDATE runs SET kind=:kind, name=:name, subject=:subject, mode=:mode, "trigger"=:trigger, "by"=:by, started_at=:started_at, finished_at=:finished_at, state=:state, outcome=:outcome, dirty=:dirty, seq=:seq, head=:head, owner_host=:owner_host, owner_pid=:owner_pid, owner_started=:owner_started, owner_boot=:owner_boot, owner_token=:owner_token, in_flight=:in_flight, asked=:asked WHERE runs.run = :the_run""",
    """UPDATE runs SET kind=%(kind)s::VARCHAR, name=%(name)s::VARCHAR, subject=%(subject)s::VARCHAR, mode=%(mode)s::VARCHAR, trigger=%(trigger)s::VARCHAR, by=%(by)s::VARCHAR, started_at=%(started_at)s::VARCHAR, finished_at=%(finished_at)s::VARCHAR, state=%(state)s::VARCHAR, outcome=%(outcome)s::VARCHAR, dirty=%(dirty)s, seq=%(seq)s::INTEGER, head=%(head)s::VARCHAR, owner_host=%(owner_host)s::VARCHAR, owner_pid=%(owner_pid)s::BIGINT, owner_started=%(owner_started)s::BIGINT, owner_boot=%(owner_boot)s::VARCHAR, owner_token=%(owner_token)s::VARCHAR, in_flight=%(in_flight)s::INTEGER, asked=%(asked)s::VARCHAR WHERE runs.run = %(the_run)s::VARCHAR""",
)

DELETE_RUN = Statement(
    """DELETE FROM runs WHERE runs.run = :run""",
    """DELETE FROM runs WHERE runs.run = %(run)s::VARCHAR""",
)

SEQ_OF_RUN = Statement(
    """SELECT runs.seq
FROM runs
WHERE runs.run = :run""",
    """SELECT runs.seq
FROM runs
WHERE runs.run = %(run)s::VARCHAR""",
)

STANDING = Statement(
    """SELECT runs.run, runs.kind, runs.name, runs.subject, runs.mode, runs."trigger", runs."by", runs.started_at, runs.finished_at, runs.state, runs.outcome, runs.dirty, runs.seq, runs.head, runs.owner_host, runs.owner_pid, runs.owner_started, runs.owner_boot, runs.owner_token, runs.in_flight, runs.asked
FROM runs
WHERE runs.run = :run""",
    """SELECT runs.run, runs.kind, runs.name, runs.subject, runs.mode, runs.trigger, runs.by, runs.started_at, runs.finished_at, runs.state, runs.outcome, runs.dirty, runs.seq, runs.head, runs.owner_host, runs.owner_pid, runs.owner_started, runs.owner_boot, runs.owner_token, runs.in_flight, runs.asked
FROM runs
WHERE runs.run = %(run)s::VARCHAR""",
)

UNFINISHED_OF = Statement(
    """SELECT runs.run, runs.kind, runs.name, runs.subject, runs.mode, runs."trigger", runs."by", runs.started_at, runs.finished_at, runs.state, runs.outcome, runs.dirty, runs.seq, runs.head, runs.owner_host, runs.owner_pid, runs.owner_started, runs.owner_boot, runs.owner_token
FROM runs
WHERE runs.finished_at IS NULL AND runs.subject = :subject ORDER BY runs.run""",
    """SELECT runs.run, runs.kind, runs.name, runs.subject, runs.mode, runs.trigger, runs.by, runs.started_at, runs.finished_at, runs.state, runs.outcome, runs.dirty, runs.seq, runs.head, runs.owner_host, runs.owner_pid, runs.owner_started, runs.owner_boot, runs.owner_token
FROM runs
WHERE runs.finished_at IS NULL AND runs.subject = %(subject)s::VARCHAR ORDER BY runs.run""",
)

RUN = Statement(
    """SELECT runs.run, runs.kind, runs.name, runs.subject, runs.mode, runs."trigger", runs."by", runs.started_at, runs.finished_at, runs.state, runs.outcome, runs.dirty, runs.seq, runs.head, runs.owner_host, runs.owner_pid, runs.owner_started, runs.owner_boot, runs.owner_token
FROM runs
WHERE runs.run = :run""",
    """SELECT runs.run, runs.kind, runs.name, runs.subject, runs.mode, runs.trigger, runs.by, runs.started_at, runs.finished_at, runs.state, runs.outcome, runs.dirty, runs.seq, runs.head, runs.owner_host, runs.owner_pid, runs.owner_started, runs.owner_boot, runs.owner_token
FROM runs
WHERE runs.run = %(run)s::VARCHAR""",
)

RUNS_LIKE = Statement(
    """SELECT runs.run, runs.kind, runs.name, runs.subject, runs.mode, runs."trigger", runs."by", runs.started_at, runs.finished_at, runs.state, runs.outcome, runs.dirty, runs.seq, runs.head, runs.owner_host, runs.owner_pid, runs.owner_started, runs.owner_boot, runs.owner_token
FROM runs
WHERE (runs.run LIKE :beginning ESCAPE '/' OR runs.run LIKE :end ESCAPE '/') AND runs.run != :run ORDER BY runs.run
LIMIT 4 OFFSET 0""",
    """SELECT runs.run, runs.kind, runs.name, runs.subject, runs.mode, runs.trigger, runs.by, runs.started_at, runs.finished_at, runs.state, runs.outcome, runs.dirty, runs.seq, runs.head, runs.owner_host, runs.owner_pid, runs.owner_started, runs.owner_boot, runs.owner_token
FROM runs
WHERE (runs.run LIKE %(beginning)s::VARCHAR ESCAPE '/' OR runs.run LIKE %(end)s::VARCHAR ESCAPE '/') AND runs.run != %(run)s::VARCHAR ORDER BY runs.run
LIMIT 4 OFFSET 0""",
)

BEGINNING = Statement(
    """SELECT min(runs.started_at) AS min_1
FROM runs""",
    """SELECT min(runs.started_at) AS min_1
FROM runs""",
)

RUNS = Statement(
    """SELECT runs.run, runs.kind, runs.name, runs.subject, runs.mode, runs."trigger", runs."by", runs.started_at, runs.finished_at, runs.state, runs.outcome, runs.dirty, runs.seq, runs.head, runs.owner_host, runs.owner_pid, runs.owner_started, runs.owner_boot, runs.owner_token
FROM runs ORDER BY runs.started_at DESC, runs.run DESC
LIMIT :limit OFFSET 0""",
    """SELECT runs.run, runs.kind, runs.name, runs.subject, runs.mode, runs.trigger, runs.by, runs.started_at, runs.finished_at, runs.state, runs.outcome, runs.dirty, runs.seq, runs.head, runs.owner_host, runs.owner_pid, runs.owner_started, runs.owner_boot, runs.owner_token
FROM runs ORDER BY runs.started_at DESC, runs.run DESC
LIMIT %(limit)s::BIGINT OFFSET 0""",
)

RUNS_NAMED = Statement(
    """SELECT runs.run, runs.kind, runs.name, runs.subject, runs.mode, runs."trigger", runs."by", runs.started_at, runs.finished_at, runs.state, runs.outcome, runs.dirty, runs.seq, runs.head, runs.owner_host, runs.owner_pid, runs.owner_started, runs.owner_boot, runs.owner_token
FROM runs
WHERE runs.name = :name ORDER BY runs.started_at DESC, runs.run DESC
LIMIT :limit OFFSET 0""",
    """SELECT runs.run, runs.kind, runs.name, runs.subject, runs.mode, runs.trigger, runs.by, runs.started_at, runs.finished_at, runs.state, runs.outcome, runs.dirty, runs.seq, runs.head, runs.owner_host, runs.owner_pid, runs.owner_started, runs.owner_boot, runs.owner_token
FROM runs
WHERE runs.name = %(name)s::VARCHAR ORDER BY runs.started_at DESC, runs.run DESC
LIMIT %(limit)s::BIGINT OFFSET 0""",
)

RUNS_UNFINISHED = Statement(
    """SELECT runs.run, runs.kind, runs.name, runs.subject, runs.mode, runs."trigger", runs."by", runs.started_at, runs.finished_at, runs.state, runs.outcome, runs.dirty, runs.seq, runs.head, runs.owner_host, runs.owner_pid, runs.owner_started, runs.owner_boot, runs.owner_token
FROM runs
WHERE runs.finished_at IS NULL""",
    """SELECT runs.run, runs.kind, runs.name, runs.subject, runs.mode, runs.trigger, runs.by, runs.started_at, runs.finished_at, runs.state, runs.outcome, runs.dirty, runs.seq, runs.head, runs.owner_host, runs.owner_pid, runs.owner_started, runs.owner_boot, runs.owner_token
FROM runs
WHERE runs.finished_at IS NULL""",
)

TOOK = Statement(
    """SELECT runs.started_at, runs.finished_at
FROM runs
WHERE runs.name = :name AND runs.kind = :kind AND runs.outcome = :outcome ORDER BY runs.started_at DESC, runs.run DESC
LIMIT :limit OFFSET 0""",
    """SELECT runs.started_at, runs.finished_at
FROM runs
WHERE runs.name = %(name)s::VARCHAR AND runs.kind = %(kind)s::VARCHAR AND runs.outcome = %(outcome)s::VARCHAR ORDER BY runs.started_at DESC, runs.run DESC
LIMIT %(limit)s::BIGINT OFFSET 0""",
)

RUNS_UNFINISHED_NAMED = Statement(
    """SELECT runs.run, runs.kind, runs.name, runs.subject, runs.mode, runs."trigger", runs."by", runs.started_at, runs.finished_at, runs.state, runs.outcome, runs.dirty, runs.seq, runs.head, runs.owner_host, runs.owner_pid, runs.owner_started, runs.owner_boot, runs.owner_token
FROM runs
WHERE runs.finished_at IS NULL AND runs.name = :name ORDER BY runs.started_at DESC, runs.run DESC
LIMIT :limit OFFSET 0""",
    """SELECT runs.run, runs.kind, runs.name, runs.subject, runs.mode, runs.trigger, runs.by, runs.started_at, runs.finished_at, runs.state, runs.outcome, runs.dirty, runs.seq, runs.head, runs.owner_host, runs.owner_pid, runs.owner_started, runs.owner_boot, runs.owner_token
FROM runs
WHERE runs.finished_at IS NULL AND runs.name = %(name)s::VARCHAR ORDER BY runs.started_at DESC, runs.run DESC
LIMIT %(limit)s::BIGINT OFFSET 0""",
)

ENDED_COUNTED = Statement(
    """SELECT runs.kind, runs.name, runs.outcome, count(*) AS count_1, max(runs.finished_at || runs.started_at) AS max_1
FROM runs
WHERE runs.finished_at IS NOT NULL GROUP BY runs.kind, runs.name, runs.outcome""",
    """SELECT runs.kind, runs.name, runs.outcome, count(*) AS count_1, max(runs.finished_at || runs.started_at) AS max_1
FROM runs
WHERE runs.finished_at IS NOT NULL GROUP BY runs.kind, runs.name, runs.outcome""",
)

ENDED_AFTER = Statement(
    """SELECT runs.kind, runs.name, runs.outcome, 1, runs.finished_at || runs.started_at AS anon_1
FROM ledger JOIN runs ON runs.run = ledger.run
WHERE ledger.n > :after AND ledger.what = :what""",
    """SELECT runs.kind, runs.name, runs.outcome, 1, runs.finished_at || runs.started_at AS anon_1
FROM ledger JOIN runs ON runs.run = ledger.run
WHERE ledger.n > %(after)s::BIGINT AND ledger.what = %(what)s::VARCHAR""",
)

KINDS_ENDED_AFTER = Statement(
    """SELECT ledger.n, ledger.run, runs.kind
FROM ledger JOIN runs ON runs.run = ledger.run
WHERE ledger.n > :after AND ledger.what = :what AND ledger.at >= :since ORDER BY ledger.n""",
    """SELECT ledger.n, ledger.run, runs.kind
FROM ledger JOIN runs ON runs.run = ledger.run
WHERE ledger.n > %(after)s::BIGINT AND ledger.what = %(what)s::VARCHAR AND ledger.at >= %(since)s::VARCHAR ORDER BY ledger.n""",
)

INSERT_COPY = Statement(
    """INSERT INTO copies (dataset, region, snapshot, snapshot_at, files, bytes, owed, recorded_at, verified_at, restore_tested_at) VALUES (:dataset, :region, :snapshot, :snapshot_at, :files, :bytes, :owed, :recorded_at, :verified_at, :restore_tested_at)""",
    """INSERT INTO copies (dataset, region, snapshot, snapshot_at, files, bytes, owed, recorded_at, verified_at, restore_tested_at) VALUES (%(dataset)s::VARCHAR, %(region)s::VARCHAR, %(snapshot)s::VARCHAR, %(snapshot_at)s::VARCHAR, %(files)s::BIGINT, %(bytes)s::BIGINT, %(owed)s, %(recorded_at)s::VARCHAR, %(verified_at)s::VARCHAR, %(restore_tested_at)s::VARCHAR)""",
)

UPDATE_COPY = Statement(
    """UPDATE copies SET snapshot_at=:snapshot_at, files=:files, bytes=:bytes, owed=:owed, recorded_at=:recorded_at, verified_at=:verified_at, restore_tested_at=:restore_tested_at WHERE copies.dataset = :the_dataset AND copies.region = :the_region AND copies.snapshot = :the_snapshot""",
    """UPDATE copies SET snapshot_at=%(snapshot_at)s::VARCHAR, files=%(files)s::BIGINT, bytes=%(bytes)s::BIGINT, owed=%(owed)s, recorded_at=%(recorded_at)s::VARCHAR, verified_at=%(verified_at)s::VARCHAR, restore_tested_at=%(restore_tested_at)s::VARCHAR WHERE copies.dataset = %(the_dataset)s::VARCHAR AND copies.region = %(the_region)s::VARCHAR AND copies.snapshot = %(the_snapshot)s::VARCHAR""",
)

DELETE_OTHERS_OWED = Statement(
    """DELETE FROM copies WHERE copies.dataset = :dataset AND copies.region = :region AND copies.owed IS 1 AND copies.snapshot != :snapshot AND copies.snapshot_at <= :snapshot_at""",
    """DELETE FROM copies WHERE copies.dataset = %(dataset)s::VARCHAR AND copies.region = %(region)s::VARCHAR AND copies.owed IS true AND copies.snapshot != %(snapshot)s::VARCHAR AND copies.snapshot_at <= %(snapshot_at)s::VARCHAR""",
)

DELETE_COPIES = Statement(
    """DELETE FROM copies""",
    """DELETE FROM copies""",
)

COPY = Statement(
    """SELECT copies.dataset, copies.region, copies.snapshot, copies.snapshot_at, copies.files, copies.bytes, copies.owed, copies.recorded_at, copies.verified_at, copies.restore_tested_at
FROM copies
WHERE copies.dataset = :the_dataset AND copies.region = :the_region AND copies.snapshot = :the_snapshot""",
    """SELECT copies.dataset, copies.region, copies.snapshot, copies.snapshot_at, copies.files, copies.bytes, copies.owed, copies.recorded_at, copies.verified_at, copies.restore_tested_at
FROM copies
WHERE copies.dataset = %(the_dataset)s::VARCHAR AND copies.region = %(the_region)s::VARCHAR AND copies.snapshot = %(the_snapshot)s::VARCHAR""",
)

COPIES_OF = Statement(
    """SELECT copies.dataset, copies.region, copies.snapshot, copies.snapshot_at, copies.files, copies.bytes, copies.owed, copies.recorded_at, copies.verified_at, copies.restore_tested_at
FROM copies
WHERE copies.dataset = :dataset ORDER BY copies.snapshot_at DESC, copies.snapshot, copies.region""",
    """SELECT copies.dataset, copies.region, copies.snapshot, copies.snapshot_at, copies.files, copies.bytes, copies.owed, copies.recorded_at, copies.verified_at, copies.restore_tested_at
FROM copies
WHERE copies.dataset = %(dataset)s::VARCHAR ORDER BY copies.snapshot_at DESC, copies.snapshot, copies.region""",
)

COPIES = Statement(
    """SELECT copies.dataset, copies.region, copies.snapshot, copies.snapshot_at, copies.files, copies.bytes, copies.owed, copies.recorded_at, copies.verified_at, copies.restore_tested_at
FROM copies""",
    """SELECT copies.dataset, copies.region, copies.snapshot, copies.snapshot_at, copies.files, copies.bytes, copies.owed, copies.recorded_at, copies.verified_at, copies.restore_tested_at
FROM copies""",
)

STOCKS_COUNTED = Statement(
    """SELECT copies.dataset, copies.region, max(CASE WHEN (copies.owed IS 0) THEN copies.snapshot_at || copies.snapshot || ' ' || coalesce(CAST(copies.files AS TEXT), '') || ' ' || coalesce(CAST(copies.bytes AS TEXT), '') END) AS max_1, min(CASE WHEN (copies.owed IS 0) THEN copies.snapshot_at END) AS min_1, max(CASE WHEN (copies.owed IS 0) THEN copies.verified_at END) AS max_2, max(CASE WHEN (copies.owed IS 0) THEN copies.restore_tested_at END) AS max_3, max(CASE WHEN (copies.owed IS 1) THEN copies.snapshot_at || copies.recorded_at END) AS max_4
FROM copies GROUP BY copies.dataset, copies.region ORDER BY copies.dataset, copies.region""",
    """SELECT copies.dataset, copies.region, max(CASE WHEN (copies.owed IS false) THEN copies.snapshot_at || copies.snapshot || ' ' || coalesce(CAST(copies.files AS TEXT), '') || ' ' || coalesce(CAST(copies.bytes AS TEXT), '') END) AS max_1, min(CASE WHEN (copies.owed IS false) THEN copies.snapshot_at END) AS min_1, max(CASE WHEN (copies.owed IS false) THEN copies.verified_at END) AS max_2, max(CASE WHEN (copies.owed IS false) THEN copies.restore_tested_at END) AS max_3, max(CASE WHEN (copies.owed IS true) THEN copies.snapshot_at || copies.recorded_at END) AS max_4
FROM copies GROUP BY copies.dataset, copies.region ORDER BY copies.dataset, copies.region""",
)

STOCK_COUNTED = Statement(
    """SELECT copies.dataset, copies.region, max(CASE WHEN (copies.owed IS 0) THEN copies.snapshot_at || copies.snapshot || ' ' || coalesce(CAST(copies.files AS TEXT), '') || ' ' || coalesce(CAST(copies.bytes AS TEXT), '') END) AS max_1, min(CASE WHEN (copies.owed IS 0) THEN copies.snapshot_at END) AS min_1, max(CASE WHEN (copies.owed IS 0) THEN copies.verified_at END) AS max_2, max(CASE WHEN (copies.owed IS 0) THEN copies.restore_tested_at END) AS max_3, max(CASE WHEN (copies.owed IS 1) THEN copies.snapshot_at || copies.recorded_at END) AS max_4
FROM copies
WHERE copies.dataset = :the_dataset AND copies.region = :the_region GROUP BY copies.dataset, copies.region ORDER BY copies.dataset, copies.region""",
    """SELECT copies.dataset, copies.region, max(CASE WHEN (copies.owed IS false) THEN copies.snapshot_at || copies.snapshot || ' ' || coalesce(CAST(copies.files AS TEXT), '') || ' ' || coalesce(CAST(copies.bytes AS TEXT), '') END) AS max_1, min(CASE WHEN (copies.owed IS false) THEN copies.snapshot_at END) AS min_1, max(CASE WHEN (copies.owed IS false) THEN copies.verified_at END) AS max_2, max(CASE WHEN (copies.owed IS false) THEN copies.restore_tested_at END) AS max_3, max(CASE WHEN (copies.owed IS true) THEN copies.snapshot_at || copies.recorded_at END) AS max_4
FROM copies
WHERE copies.dataset = %(the_dataset)s::VARCHAR AND copies.region = %(the_region)s::VARCHAR GROUP BY copies.dataset, copies.region ORDER BY copies.dataset, copies.region""",
)

STOCKS = Statement(
    """SELECT stocks.dataset, stocks.region, stocks.snapshot, stocks.newest_at, stocks.oldest_at, stocks.verified_at, stocks.restore_tested_at, stocks.owed_at, stocks.owed_since, stocks.files, stocks.bytes
FROM stocks ORDER BY stocks.dataset, stocks.region""",
    """SELECT stocks.dataset, stocks.region, stocks.snapshot, stocks.newest_at, stocks.oldest_at, stocks.verified_at, stocks.restore_tested_at, stocks.owed_at, stocks.owed_since, stocks.files, stocks.bytes
FROM stocks ORDER BY stocks.dataset, stocks.region""",
)

STOCKS_OF = Statement(
    """SELECT stocks.dataset, stocks.region, stocks.snapshot, stocks.newest_at, stocks.oldest_at, stocks.verified_at, stocks.restore_tested_at, stocks.owed_at, stocks.owed_since, stocks.files, stocks.bytes
FROM stocks
WHERE stocks.dataset = :the_dataset ORDER BY stocks.dataset, stocks.region""",
    """SELECT stocks.dataset, stocks.region, stocks.snapshot, stocks.newest_at, stocks.oldest_at, stocks.verified_at, stocks.restore_tested_at, stocks.owed_at, stocks.owed_since, stocks.files, stocks.bytes
FROM stocks
WHERE stocks.dataset = %(the_dataset)s::VARCHAR ORDER BY stocks.dataset, stocks.region""",
)

INSERT_STOCK = Statement(
    """INSERT INTO stocks (dataset, region, snapshot, newest_at, oldest_at, verified_at, restore_tested_at, owed_at, owed_since, files, bytes) VALUES (:dataset, :region, :snapshot, :newest_at, :oldest_at, :verified_at, :restore_tested_at, :owed_at, :owed_since, :files, :bytes)""",
    """INSERT INTO stocks (dataset, region, snapshot, newest_at, oldest_at, verified_at, restore_tested_at, owed_at, owed_since, files, bytes) VALUES (%(dataset)s::VARCHAR, %(region)s::VARCHAR, %(snapshot)s::VARCHAR, %(newest_at)s::VARCHAR, %(oldest_at)s::VARCHAR, %(verified_at)s::VARCHAR, %(restore_tested_at)s::VARCHAR, %(owed_at)s::VARCHAR, %(owed_since)s::VARCHAR, %(files)s::BIGINT, %(bytes)s::BIGINT)""",
)

DELETE_STOCK = Statement(
    """DELETE FROM stocks WHERE stocks.dataset = :the_dataset AND stocks.region = :the_region""",
    """DELETE FROM stocks WHERE stocks.dataset = %(the_dataset)s::VARCHAR AND stocks.region = %(the_region)s::VARCHAR""",
)

DELETE_STOCKS = Statement(
    """DELETE FROM stocks""",
    """DELETE FROM stocks""",
)

DELETE_COPY = Statement(
    """DELETE FROM copies WHERE copies.dataset = :the_dataset AND copies.region = :the_region AND copies.snapshot = :the_snapshot""",
    """DELETE FROM copies WHERE copies.dataset = %(the_dataset)s::VARCHAR AND copies.region = %(the_region)s::VARCHAR AND copies.snapshot = %(the_snapshot)s::VARCHAR""",
)

INSERT_FACT = Statement(
    """INSERT INTO facts (word, dataset, region, subject, body, recorded_at) VALUES (:word, :dataset, :region, :subject, :body, :recorded_at)""",
    """INSERT INTO facts (word, dataset, region, subject, body, recorded_at) VALUES (%(word)s::VARCHAR, %(dataset)s::VARCHAR, %(region)s::VARCHAR, %(subject)s::VARCHAR, %(body)s::VARCHAR, %(recorded_at)s::VARCHAR)""",
)

DELETE_FACT = Statement(
    """DELETE FROM facts WHERE facts.word = :the_word AND facts.dataset = :the_dataset AND facts.region = :the_region AND facts.subject = :the_subject""",
    """DELETE FROM facts WHERE facts.word = %(the_word)s::VARCHAR AND facts.dataset = %(the_dataset)s::VARCHAR AND facts.region = %(the_region)s::VARCHAR AND facts.subject = %(the_subject)s::VARCHAR""",
)

DELETE_FACTS = Statement(
    """DELETE FROM facts""",
    """DELETE FROM facts""",
)

FACTS_OF = Statement(
    """SELECT facts.word, facts.dataset, facts.region, facts.subject, facts.body, facts.recorded_at
FROM facts
WHERE facts.word = :word AND facts.dataset = :dataset ORDER BY facts.region, facts.subject""",
    """SELECT facts.word, facts.dataset, facts.region, facts.subject, facts.body, facts.recorded_at
FROM facts
WHERE facts.word = %(word)s::VARCHAR AND facts.dataset = %(dataset)s::VARCHAR ORDER BY facts.region, facts.subject""",
)

FACTS_SAYING = Statement(
    """SELECT facts.word, facts.dataset, facts.region, facts.subject, facts.body, facts.recorded_at
FROM facts
WHERE facts.word = :word AND facts.dataset = :dataset AND facts.body LIKE :said ORDER BY facts.region, facts.subject""",
    """SELECT facts.word, facts.dataset, facts.region, facts.subject, facts.body, facts.recorded_at
FROM facts
WHERE facts.word = %(word)s::VARCHAR AND facts.dataset = %(dataset)s::VARCHAR AND facts.body LIKE %(said)s::VARCHAR ORDER BY facts.region, facts.subject""",
)

SUBJECTS_SAYING = Statement(
    """SELECT facts.subject, facts.recorded_at
FROM facts
WHERE facts.word = :word AND facts.dataset = '' AND facts.region = :region AND facts.body LIKE :said""",
    """SELECT facts.subject, facts.recorded_at
FROM facts
WHERE facts.word = %(word)s::VARCHAR AND facts.dataset = '' AND facts.region = %(region)s::VARCHAR AND facts.body LIKE %(said)s::VARCHAR""",
)

FACTS_OF_ALL = Statement(
    """SELECT facts.word, facts.dataset, facts.region, facts.subject, facts.body, facts.recorded_at
FROM facts
WHERE facts.word = :word ORDER BY facts.dataset, facts.region, facts.subject""",
    """SELECT facts.word, facts.dataset, facts.region, facts.subject, facts.body, facts.recorded_at
FROM facts
WHERE facts.word = %(word)s::VARCHAR ORDER BY facts.dataset, facts.region, facts.subject""",
)

FACTS = Statement(
    """SELECT facts.word, facts.dataset, facts.region, facts.subject, facts.body, facts.recorded_at
FROM facts""",
    """SELECT facts.word, facts.dataset, facts.region, facts.subject, facts.body, facts.recorded_at
FROM facts""",
)

DATASETS_WITH_FACTS = Statement(
    """SELECT DISTINCT facts.dataset
FROM facts
WHERE facts.word = :word""",
    """SELECT DISTINCT facts.dataset
FROM facts
WHERE facts.word = %(word)s::VARCHAR""",
)

FORGOTTEN_HELD = Statement(
    """SELECT copies.dataset, copies.region, facts.recorded_at
FROM copies, facts
WHERE facts.word = :word AND facts.dataset = copies.dataset AND facts.region = '' AND facts.subject = copies.snapshot""",
    """SELECT copies.dataset, copies.region, facts.recorded_at
FROM copies, facts
WHERE facts.word = %(word)s::VARCHAR AND facts.dataset = copies.dataset AND facts.region = '' AND facts.subject = copies.snapshot""",
)

INSERT_SLOT = Statement(
    """INSERT INTO slots (job, first_at, last_at, count, fate, why, run) VALUES (:job, :first_at, :last_at, :count, :fate, :why, :run)""",
    """INSERT INTO slots (job, first_at, last_at, count, fate, why, run) VALUES (%(job)s::VARCHAR, %(first_at)s::VARCHAR, %(last_at)s::VARCHAR, %(count)s::BIGINT, %(fate)s::VARCHAR, %(why)s::VARCHAR, %(run)s::VARCHAR)""",
)

DELETE_SLOTS_BY = Statement(
    """DELETE FROM slots WHERE slots.run = :run""",
    """DELETE FROM slots WHERE slots.run = %(run)s::VARCHAR""",
)

SLOTS = Statement(
    """SELECT slots.job, slots.first_at, slots.last_at, slots.count, slots.fate, slots.why, slots.run
FROM slots
WHERE slots.last_at >= :since ORDER BY slots.last_at DESC, slots.job DESC, slots.run DESC
LIMIT :limit OFFSET 0""",
    """SELECT slots.job, slots.first_at, slots.last_at, slots.count, slots.fate, slots.why, slots.run
FROM slots
WHERE slots.last_at >= %(since)s::VARCHAR ORDER BY slots.last_at DESC, slots.job DESC, slots.run DESC
LIMIT %(limit)s::BIGINT OFFSET 0""",
)

SLOTS_OF = Statement(
    """SELECT slots.job, slots.first_at, slots.last_at, slots.count, slots.fate, slots.why, slots.run
FROM slots
WHERE slots.job = :job AND slots.last_at >= :since ORDER BY slots.first_at DESC, slots.run DESC
LIMIT :limit OFFSET 0""",
    """SELECT slots.job, slots.first_at, slots.last_at, slots.count, slots.fate, slots.why, slots.run
FROM slots
WHERE slots.job = %(job)s::VARCHAR AND slots.last_at >= %(since)s::VARCHAR ORDER BY slots.first_at DESC, slots.run DESC
LIMIT %(limit)s::BIGINT OFFSET 0""",
)

NEWEST_SLOTS = Statement(
    """SELECT slots.job, slots.first_at, slots.last_at, slots.count, slots.fate, slots.why, slots.run
FROM jobs LEFT OUTER JOIN slots ON jobs.job = slots.job AND jobs.accounted_at = slots.last_at""",
    """SELECT slots.job, slots.first_at, slots.last_at, slots.count, slots.fate, slots.why, slots.run
FROM jobs LEFT OUTER JOIN slots ON jobs.job = slots.job AND jobs.accounted_at = slots.last_at""",
)

SLOTS_OFF = Statement(
    """SELECT slots.job, slots.first_at, slots.last_at, slots.count, slots.fate, slots.why, slots.run, jobs.accounted_at
FROM slots JOIN jobs ON jobs.job = slots.job
WHERE slots.last_at >= :since AND slots.fate != :fate""",
    """SELECT slots.job, slots.first_at, slots.last_at, slots.count, slots.fate, slots.why, slots.run, jobs.accounted_at
FROM slots JOIN jobs ON jobs.job = slots.job
WHERE slots.last_at >= %(since)s::VARCHAR AND slots.fate != %(fate)s::VARCHAR""",
)

SLOTS_BY = Statement(
    """SELECT slots.job, slots.first_at, slots.last_at, slots.count, slots.fate, slots.why, slots.run
FROM slots
WHERE slots.run = :run ORDER BY slots.job, slots.first_at""",
    """SELECT slots.job, slots.first_at, slots.last_at, slots.count, slots.fate, slots.why, slots.run
FROM slots
WHERE slots.run = %(run)s::VARCHAR ORDER BY slots.job, slots.first_at""",
)

SLOTS_WITHOUT_EVENTS = Statement(
    """SELECT DISTINCT slots.run
FROM slots
WHERE NOT (EXISTS (SELECT events.n
FROM events
WHERE events.run = slots.run))""",
    """SELECT DISTINCT slots.run
FROM slots
WHERE NOT (EXISTS (SELECT events.n
FROM events
WHERE events.run = slots.run))""",
)

SLOTS_COUNTED = Statement(
    """SELECT slots.job, slots.fate, sum(slots.count) AS sum_1
FROM slots GROUP BY slots.job, slots.fate""",
    """SELECT slots.job, slots.fate, sum(slots.count) AS sum_1
FROM slots GROUP BY slots.job, slots.fate""",
)

SLOTS_AFTER = Statement(
    """SELECT slots.job, slots.fate, slots.count
FROM ledger JOIN slots ON slots.run = ledger.run
WHERE ledger.n > :after AND ledger.what = :what""",
    """SELECT slots.job, slots.fate, slots.count
FROM ledger JOIN slots ON slots.run = ledger.run
WHERE ledger.n > %(after)s::BIGINT AND ledger.what = %(what)s::VARCHAR""",
)

EVENTS_OF_SCHEDULES = Statement(
    """SELECT events.run, events.seq, events.at, events.boot, events.ticks, events.kind, events.body, events.prev, events.hash
FROM events
WHERE events.kind = :taken OR events.kind = :missed OR events.kind = :seen ORDER BY events.n""",
    """SELECT events.run, events.seq, events.at, events.boot, events.ticks, events.kind, events.body, events.prev, events.hash
FROM events
WHERE events.kind = %(taken)s::VARCHAR OR events.kind = %(missed)s::VARCHAR OR events.kind = %(seen)s::VARCHAR ORDER BY events.n""",
)

INSERT_JOB = Statement(
    """INSERT INTO jobs (job, accounted_at) VALUES (:job, :accounted_at)""",
    """INSERT INTO jobs (job, accounted_at) VALUES (%(job)s::VARCHAR, %(accounted_at)s::VARCHAR)""",
)

UPDATE_JOB = Statement(
    """UPDATE jobs SET accounted_at=:accounted_at WHERE jobs.job = :the_job""",
    """UPDATE jobs SET accounted_at=%(accounted_at)s::VARCHAR WHERE jobs.job = %(the_job)s::VARCHAR""",
)

DELETE_JOBS = Statement(
    """DELETE FROM jobs""",
    """DELETE FROM jobs""",
)

JOBS = Statement(
    """SELECT jobs.job, jobs.accounted_at
FROM jobs""",
    """SELECT jobs.job, jobs.accounted_at
FROM jobs""",
)

JOB = Statement(
    """SELECT jobs.job, jobs.accounted_at
FROM jobs
WHERE jobs.job = :job""",
    """SELECT jobs.job, jobs.accounted_at
FROM jobs
WHERE jobs.job = %(job)s::VARCHAR""",
)

POSTED = Statement(
    """SELECT posted.run, posted.kind, posted.body
FROM posted ORDER BY posted.id""",
    """SELECT posted.run, posted.kind, posted.body
FROM posted ORDER BY posted.id""",
)

POST = Statement(
    """INSERT INTO posted (run, kind, body) VALUES (:run, :kind, :body)""",
    """INSERT INTO posted (run, kind, body) VALUES (%(run)s::VARCHAR, %(kind)s::VARCHAR, %(body)s::VARCHAR)""",
)

REQUESTS = Statement(
    """SELECT posted.id, posted.kind, posted.body
FROM posted
WHERE posted.run = :run AND posted.id > :after ORDER BY posted.id""",
    """SELECT posted.id, posted.kind, posted.body
FROM posted
WHERE posted.run = %(run)s::VARCHAR AND posted.id > %(after)s::BIGINT ORDER BY posted.id""",
)

CLEAR_REQUESTS = Statement(
    """DELETE FROM posted WHERE posted.run = :run""",
    """DELETE FROM posted WHERE posted.run = %(run)s::VARCHAR""",
)

CLEAR_REQUESTS_UP_TO = Statement(
    """DELETE FROM posted WHERE posted.run = :run AND posted.id <= :upto""",
    """DELETE FROM posted WHERE posted.run = %(run)s::VARCHAR AND posted.id <= %(upto)s::BIGINT""",
)

RUNS_COUNTED = Statement(
    """SELECT runs.kind, runs.name, runs."trigger", runs.outcome, count(*) AS count_1, max(CASE WHEN (runs.outcome = :good) THEN runs.finished_at END) AS max_1
FROM runs
WHERE runs.started_at >= :since AND runs.started_at < :until GROUP BY runs.kind, runs.name, runs."trigger", runs.outcome""",
    """SELECT runs.kind, runs.name, runs.trigger, runs.outcome, count(*) AS count_1, max(CASE WHEN (runs.outcome = %(good)s::VARCHAR) THEN runs.finished_at END) AS max_1
FROM runs
WHERE runs.started_at >= %(since)s::VARCHAR AND runs.started_at < %(until)s::VARCHAR GROUP BY runs.kind, runs.name, runs.trigger, runs.outcome""",
)

RUNS_OF_KIND = Statement(
    """SELECT runs.run, runs.kind, runs.name, runs.subject, runs.mode, runs."trigger", runs."by", runs.started_at, runs.finished_at, runs.state, runs.outcome, runs.dirty, runs.seq, runs.head, runs.owner_host, runs.owner_pid, runs.owner_started, runs.owner_boot, runs.owner_token
FROM runs
WHERE runs.kind = :kind AND runs.started_at >= :since AND runs.started_at < :until ORDER BY runs.started_at, runs.run""",
    """SELECT runs.run, runs.kind, runs.name, runs.subject, runs.mode, runs.trigger, runs.by, runs.started_at, runs.finished_at, runs.state, runs.outcome, runs.dirty, runs.seq, runs.head, runs.owner_host, runs.owner_pid, runs.owner_started, runs.owner_boot, runs.owner_token
FROM runs
WHERE runs.kind = %(kind)s::VARCHAR AND runs.started_at >= %(since)s::VARCHAR AND runs.started_at < %(until)s::VARCHAR ORDER BY runs.started_at, runs.run""",
)

FIRST_OF_NAME = Statement(
    """SELECT runs.started_at, runs.run
FROM runs
WHERE runs.name = :name AND runs.kind = :kind ORDER BY runs.started_at, runs.run
LIMIT 1 OFFSET 0""",
    """SELECT runs.started_at, runs.run
FROM runs
WHERE runs.name = %(name)s::VARCHAR AND runs.kind = %(kind)s::VARCHAR ORDER BY runs.started_at, runs.run
LIMIT 1 OFFSET 0""",
)

LAST_OF_NAME = Statement(
    """SELECT runs.started_at, runs.run
FROM runs
WHERE runs.name = :name AND runs.kind = :kind AND runs.started_at < :until ORDER BY runs.started_at DESC, runs.run DESC
LIMIT 1 OFFSET 0""",
    """SELECT runs.started_at, runs.run
FROM runs
WHERE runs.name = %(name)s::VARCHAR AND runs.kind = %(kind)s::VARCHAR AND runs.started_at < %(until)s::VARCHAR ORDER BY runs.started_at DESC, runs.run DESC
LIMIT 1 OFFSET 0""",
)

INSERT_POINT = Statement(
    """INSERT INTO points (dataset, region, at, newest_at) VALUES (:dataset, :region, :at, :newest_at)""",
    """INSERT INTO points (dataset, region, at, newest_at) VALUES (%(dataset)s::VARCHAR, %(region)s::VARCHAR, %(at)s::VARCHAR, %(newest_at)s::VARCHAR)""",
)

INSERT_POINT_FOUND = Statement(
    """INSERT INTO points (dataset, region, at, newest_at) SELECT :dataset AS anon_1, :region AS anon_2, :at AS anon_3, max(copies.snapshot_at) AS max_1
FROM copies
WHERE copies.dataset = :dataset AND copies.region = :region AND copies.owed IS 0 AND copies.snapshot_at <= :at""",
    """INSERT INTO points (dataset, region, at, newest_at) SELECT %(dataset)s::VARCHAR AS anon_1, %(region)s::VARCHAR AS anon_2, %(at)s::VARCHAR AS anon_3, max(copies.snapshot_at) AS max_1
FROM copies
WHERE copies.dataset = %(dataset)s::VARCHAR AND copies.region = %(region)s::VARCHAR AND copies.owed IS false AND copies.snapshot_at <= %(at)s::VARCHAR""",
)

DELETE_POINT = Statement(
    """DELETE FROM points WHERE points.dataset = :the_dataset AND points.region = :the_region AND points.at = :the_at""",
    """DELETE FROM points WHERE points.dataset = %(the_dataset)s::VARCHAR AND points.region = %(the_region)s::VARCHAR AND points.at = %(the_at)s::VARCHAR""",
)

DELETE_POINTS = Statement(
    """DELETE FROM points""",
    """DELETE FROM points""",
)

POINTS = Statement(
    """SELECT points.dataset, points.region, points.at, points.newest_at
FROM points ORDER BY points.dataset, points.region, points.at""",
    """SELECT points.dataset, points.region, points.at, points.newest_at
FROM points ORDER BY points.dataset, points.region, points.at""",
)

NEXT_PLACE = Statement(
    """SELECT points.dataset, points.region
FROM points
WHERE (points.dataset, points.region) > (:dataset, :region) ORDER BY points.dataset, points.region
LIMIT 1 OFFSET 0""",
    """SELECT points.dataset, points.region
FROM points
WHERE (points.dataset, points.region) > (%(dataset)s::VARCHAR, %(region)s::VARCHAR) ORDER BY points.dataset, points.region
LIMIT 1 OFFSET 0""",
)

POINTS_BETWEEN = Statement(
    """SELECT points.at, points.newest_at
FROM points
WHERE points.dataset = :the_dataset AND points.region = :the_region AND points.at >= :since AND points.at < :until ORDER BY points.at""",
    """SELECT points.at, points.newest_at
FROM points
WHERE points.dataset = %(the_dataset)s::VARCHAR AND points.region = %(the_region)s::VARCHAR AND points.at >= %(since)s::VARCHAR AND points.at < %(until)s::VARCHAR ORDER BY points.at""",
)

POINT_BEFORE = Statement(
    """SELECT points.at, points.newest_at
FROM points
WHERE points.dataset = :the_dataset AND points.region = :the_region AND points.at < :since ORDER BY points.at DESC
LIMIT 1 OFFSET 0""",
    """SELECT points.at, points.newest_at
FROM points
WHERE points.dataset = %(the_dataset)s::VARCHAR AND points.region = %(the_region)s::VARCHAR AND points.at < %(since)s::VARCHAR ORDER BY points.at DESC
LIMIT 1 OFFSET 0""",
)

FIRST_POINT = Statement(
    """SELECT points.at, points.newest_at
FROM points
WHERE points.dataset = :the_dataset AND points.region = :the_region AND points.newest_at IS NOT NULL ORDER BY points.at
LIMIT 1 OFFSET 0""",
    """SELECT points.at, points.newest_at
FROM points
WHERE points.dataset = %(the_dataset)s::VARCHAR AND points.region = %(the_region)s::VARCHAR AND points.newest_at IS NOT NULL ORDER BY points.at
LIMIT 1 OFFSET 0""",
)

SLOTS_DONE = Statement(
    """SELECT slots.job, slots.fate, runs.outcome, sum(slots.count) AS sum_1
FROM slots LEFT OUTER JOIN runs ON runs.run = slots.run
WHERE slots.last_at >= :since AND slots.first_at >= :since AND slots.last_at < :until GROUP BY slots.job, slots.fate, runs.outcome""",
    """SELECT slots.job, slots.fate, runs.outcome, sum(slots.count) AS sum_1
FROM slots LEFT OUTER JOIN runs ON runs.run = slots.run
WHERE slots.last_at >= %(since)s::VARCHAR AND slots.first_at >= %(since)s::VARCHAR AND slots.last_at < %(until)s::VARCHAR GROUP BY slots.job, slots.fate, runs.outcome""",
)

SLOTS_MISSED = Statement(
    """SELECT slots.job, slots.why, sum(slots.count) AS sum_1
FROM slots
WHERE slots.last_at >= :since AND slots.first_at >= :since AND slots.last_at < :until AND slots.fate = :fate GROUP BY slots.job, slots.why""",
    """SELECT slots.job, slots.why, sum(slots.count) AS sum_1
FROM slots
WHERE slots.last_at >= %(since)s::VARCHAR AND slots.first_at >= %(since)s::VARCHAR AND slots.last_at < %(until)s::VARCHAR AND slots.fate = %(fate)s::VARCHAR GROUP BY slots.job, slots.why""",
)

SLOTS_ACROSS = Statement(
    """SELECT slots.job, slots.first_at, slots.last_at, slots.count, slots.fate, slots.why, slots.run
FROM slots
WHERE slots.last_at >= :border AND slots.first_at < :border""",
    """SELECT slots.job, slots.first_at, slots.last_at, slots.count, slots.fate, slots.why, slots.run
FROM slots
WHERE slots.last_at >= %(border)s::VARCHAR AND slots.first_at < %(border)s::VARCHAR""",
)
