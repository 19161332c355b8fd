"""`drorch retention`: which snapshots stay, which go, and why."""

from collections.abc import Mapping, Sequence
from typing import Any

import click

from drorch.cli.names import dataset_names, region_names
from drorch.cli.session import Session
from drorch.cli.tables import show_table
from drorch.cli.verb import Verbs
from drorch.cli.words import counted, moment, one_line

DATASETS = click.option(
    "--dataset",
    "datasets",
    metavar="NAME",
    multiple=True,
    shell_complete=dataset_names,
    help="Only this dataset; may be given again. Else all.",
)


@click.group(cls=Verbs, name="retention", help="Say which snapshots go and why; let them go.")
def command() -> None:
    """The group."""


@command.command("plan", help="What would go, and why each snapshot stays. Nothing is changed.")
@DATASETS
@click.pass_obj
def plan(session: Session, datasets: tuple[str, ...]) -> None:
    """Ask the regions what they hold, and judge it."""
    show_foreseen(session, datasets)


@command.command("apply", help="Let go what no rule keeps, in every region.")
@DATASETS
@click.option("--region", metavar="NAME", shell_complete=region_names, help="Only in this region.")
@click.option(
    "--prune/--no-prune",
    "prune",
    default=None,
    help="Free the space now, or not now; else when the dataset's `prune:` is due.",
)
@click.option(
    "--force-brake", "force", metavar="REASON", help="Let it go although the brake stops it."
)
@click.option("--dry-run", is_flag=True, help="Only say what would go, as `retention plan` does.")
@click.pass_obj
def apply(
    session: Session,
    datasets: tuple[str, ...],
    region: str | None,
    *,
    prune: bool | None,
    force: str | None,
    dry_run: bool,
) -> int:
    """A run for each dataset; nothing is deleted before the journal knows what will be."""
    from drorch.app import retention
    from drorch.app.backups import chosen
    from drorch.cli.batch import carry_each
    from drorch.core.errors import UsageError

    if force is not None and not force.strip():
        raise UsageError("the brake is not overridden without a reason", "say why after it")
    if dry_run:
        show_foreseen(session, datasets)
        return 0
    program = session.program
    wanted = chosen(program, datasets, everything=not datasets)
    return carry_each(
        session,
        retention.concerned(program, wanted, region),
        lambda chosen, carried: retention.let_go(
            program,
            chosen,
            region,
            prune={None: "due", True: "yes", False: "no"}[prune],
            force=force or "",
            control=carried.control,
            watchers=carried.watchers,
        ),
        listed=len(datasets) != 1,
    )


def show_foreseen(session: Session, datasets: Sequence[str]) -> None:
    """What retention would do now."""
    from drorch.app.backups import chosen
    from drorch.app.retention import foreseen

    program = session.program
    found = foreseen(program, chosen(program, datasets, everything=not datasets))
    if session.json:
        session.emit(found)
        return
    for document in found:
        for repository in document_repositories(document):
            _repository(session, document, repository)


def document_repositories(document: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """A dataset's repositories as the plan tells of them."""
    found: Sequence[Mapping[str, Any]] = document["repositories"]
    return found


def _repository(
    session: Session, document: Mapping[str, Any], repository: Mapping[str, Any]
) -> None:
    snapshots = repository["snapshots"]
    going = sum(s["decision"] == "forget" for s in snapshots)
    flags = " ".join(document["restic_flags"])
    session.paragraph(
        f"{document['dataset']} in {', '.join(repository['regions'])}: "
        f"{counted(len(snapshots), 'snapshot')}, of which {going} would go",
        f"  rules: {f'restic forget {flags}' if flags else 'none, all stay'} "
        f"({document['timezone']})",
        *_circumstances(document, repository),
    )
    show_table(
        session,
        ("snapshot", "time", "regions", "decision", "why"),
        [
            (
                s["snapshot"][:8],
                moment(s["time"], session.zone),
                ", ".join(s["regions"]),
                "stays" if s["decision"] == "keep" else "goes",
                "; ".join(s["reasons"]),
            )
            for s in snapshots
        ],
        empty="no snapshots",
    )


def _circumstances(document: Mapping[str, Any], repository: Mapping[str, Any]) -> list[str]:
    """What else is to be known before retention is applied."""
    told = [
        f"  no answer from {region}: {one_line(message)}"
        for region, message in repository["unreachable"].items()
    ]
    if document["prune"]:
        due = "due" if repository["prune_due"] else "not due yet"
        told.append(f"  space is freed {document['prune']}: {due}")
    if repository["braked"]:
        told.append(f"  braked: {repository['braked']}")
        told.append("    hint: let it go all the same with --force-brake REASON")
    return told
