"""An organisation with a key, and a run of it to be sealed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from drorch.app.program import Program
from drorch.sealing.keys import PrivateKey, new_key
from tests.fakes.facts import begun, stamped, started
from tests.unit.sealing.archive import Bundle, bundle_of, carry, organisation


@pytest.fixture(scope="module")
def key() -> PrivateKey:
    """The organisation's."""
    return new_key()


@pytest.fixture
def program(tmp_path: Path, key: PrivateKey) -> Iterator[Program]:
    """One finished run, one that goes on; the public key in a file."""
    (tmp_path / "key.pub").write_text(key.public.pem)
    found = organisation(tmp_path, key)
    carry(found)
    found.journal.begin("going", stamped(started("other"), begun()), lambda _: None)
    yield found
    found.journal.close()


@pytest.fixture
def bundle(program: Program) -> Bundle:
    """The run's bundle."""
    return bundle_of(program)
