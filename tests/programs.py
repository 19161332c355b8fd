"""Programs that tests cannot do without: a test that is skipped proves nothing, so it fails."""

import pytest


def must_have(found: object, package: str) -> None:
    """Fail the test where what the system's package brings was not found."""
    if not found:
        pytest.fail(f"{package} is not installed; `make test` installs it", pytrace=False)
