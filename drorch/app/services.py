"""Where services run: their home by the configuration, and where the last live run moved them."""

from datetime import datetime

from drorch.app.program import Program
from drorch.core.document import rfc3339
from drorch.core.facts import Known, ServiceActive
from drorch.core.model import Service, home_of
from drorch.core.values import Value


def services_document(program: Program) -> list[dict[str, Value]]:
    """Each service for `status`; `active` is the site where it runs, None if nobody said."""
    moved = {k.fact.service: k for k in program.journal.facts(ServiceActive, "")}
    return [
        _service(program, one, moved.get(one.name))
        for one in program.configuration.services.values()
    ]


def _service(
    program: Program, service: Service, moved: Known[ServiceActive] | None
) -> dict[str, Value]:
    home = home_of(program.configuration, service.name) or None
    away = moved is not None and moved.fact.failed_over
    active = home
    since: datetime | None = None
    if moved is not None:
        active, since = moved.fact.site or (None if away else home), moved.recorded_at
    return {
        "service": service.name,
        "tier": service.tier,
        "runbook": service.runbook,
        "home": home,
        "active": active,
        "failed_over": away,
        "since": rfc3339(since) if since else None,
        "run": moved.fact.run if moved else None,
    }
