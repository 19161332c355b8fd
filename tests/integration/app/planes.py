"""Premises whose control plane lies in the regions, and machines that it is recovered onto."""

import shutil
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from drorch.actions.places import bucket_of
from drorch.app import backups
from drorch.app.plane import whole
from drorch.app.plane.copying import PATIENT, Copier, Pace, folder_of
from drorch.app.plane.now import copy_now
from drorch.app.plane.recovered import Wish
from drorch.app.plane.recovering import recover
from drorch.app.plane.segments import vault_folder
from drorch.app.plane.standing import read_standing
from drorch.app.program import Program
from drorch.app.runs import Control
from drorch.core.model import Region
from drorch.core.plane import plane_regions
from drorch.storage.client import Credentials
from tests.fakes.clock import FakeClock
from tests.integration.app.premises import PASSWORD
from tests.integration.app.quick_keys import made_quick, quicken_in

#: Whatever the machine's pace: nothing here is about how long it takes.
WAITING = Pace(within=120.0, going_on=60.0, patience=PATIENT, insist=True)


def quicken_plane(program):
    """Make the password of the whole states' repository quick to try; see quick_keys."""
    vault = read_standing(folder_of(program.configuration)).vault
    home = f"{vault_folder(vault.plane, vault.name)}/repository"
    first, *others = (bucket_of(program.tools, r) for r in plane_regions(program.configuration))
    quicken_in(first, home, PASSWORD, *others)


class Plane:
    """Premises whose regions' keys come from the environment, as on a machine that was empty."""

    def __init__(self, premises, *, quick=True):
        self.premises = premises
        #: Whether a whole state's repository gets a password that is quick to try.
        self.quick = quick
        secrets = premises.folder / "lab" / "secrets"
        self.keys = {
            f"{region}_{part}".upper(): (secrets / f"{region}-{part}").read_text().strip()
            for region in premises.regions
            for part in ("id", "secret")
        }
        for region in premises.regions:
            for part in ("id", "secret"):
                named = {"env": f"{region}_{part}".upper()}
                premises.configuration["secrets"][f"{region}-{part}"] = named
        premises.configuration["services"] = {
            "ehr": {"tier": 1, "datasets": ["docs"], "runbook": "bring-back"}
        }
        premises.save()
        (premises.folder / "runbooks" / "bring-back.yaml").write_text(
            "# by heart\nrunbook: bring-back\nsteps:\n"
            "  - {step: back, do: restore, with: {dataset: docs, to: back}}\n"
        )
        (premises.folder / "password").write_text(f"{PASSWORD}\n")

    @contextmanager
    def program(self):
        """In this process, with the keys of every region."""
        with self.premises.program() as program, pytest.MonkeyPatch.context() as patch:
            program.environment.update(self.keys)
            if self.quick:
                patch.setattr(whole, "initialise", made_quick)
            yield program

    def back_up(self, *, copied=True):
        """One more run; the snapshot."""
        with self.program() as program:
            docs = [program.dataset("docs")]
            (view,) = backups.back_up(program, docs, control=Control())
            assert view.exit_code == 0
            if copied:
                Copier(program, WAITING).copy()
        return view.document["steps"][0]["outputs"]["snapshot"]

    def copy_now(self, *, days=0, told=None, force=""):
        """New rows and a whole state, so many days from now."""
        with self.program() as program:
            if days:
                now = program.clock.now().at
                program.__dict__["clock"] = FakeClock(now + timedelta(days=days))
            say = told.append if told is not None else lambda _: None
            return copy_now(program, say, force=force)

    def cli(self, *words, **environment):
        return self.premises.cli(*words, **(self.keys | environment))

    def recover(self, name, to, *, keys=(), password=PASSWORD, ready=lambda _: None, **how):
        """Recover on a machine that knows this region's keys, and those of `keys`."""
        known = {k: v for k, v in self.keys.items() if k.split("_")[0].lower() in keys}
        own = (self.keys[f"{name}_{part}".upper()] for part in ("id", "secret"))
        place = Region("(given)", self.premises.regions[name].endpoint, "drorch", "ZZ")
        wish = Wish(
            place,
            Credentials(*own),
            password,
            self.to(to),
            restic=str(self.premises.binary),
            environment=self.premises.environment | known,
        )
        return recover(replace(wish, **how), ready)

    def recover_line(self, region, to, *more, password="password", wrap=()):
        known = {k: v for k, v in self.keys.items() if k.split("_")[0].lower() == region}
        line = [
            *("recover", "--endpoint", self.premises.regions[region].endpoint),
            *("--bucket", "drorch", "--to", str(self.to(to))),
            *("--access-key-env", f"{region}_id".upper()),
            *("--secret-key-env", f"{region}_secret".upper()),
            *("--password-file", str(self.premises.folder / password)),
        ]
        return self.premises.cli(*line, *more, wrap=wrap, **known)

    def to(self, name):
        return self.premises.folder / "recovered" / name

    def objects(self, region):
        top = self.premises.regions[region].bucket / "control-plane"
        return sorted(p for p in top.rglob("*") if p.is_file()) if top.is_dir() else []

    def segments(self, region):
        return [p for p in self.objects(region) if "segments" in p.parts]

    def runs(self, folder=None):
        """The runs of a journal, but for that of a recovery."""
        where = (folder or self.premises.folder) / "drorch.yaml"
        program = Program.open(where, {"PATH": "/usr/bin:/bin"})
        try:
            return [row.run for row in program.journal.rows() if row.kind != "recover"]
        finally:
            program.journal.close()

    def seen_anew(self):
        """Regions' servers remember what they have listed."""
        self.premises.down()
        self.premises._rise(list(self.premises.regions))

    def forget_everything(self):
        """The site is gone: nothing but the regions and the safe is left."""
        for name in ("drorch.yaml", "runbooks", "var", "src"):
            path = self.premises.folder / name
            shutil.rmtree(path) if path.is_dir() else path.unlink()
