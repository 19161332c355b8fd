"""Nothing of a channel's address that could be a key is told, whatever it looks like."""

import pytest

from drorch.notify.addresses import without_secrets


@pytest.mark.parametrize(
    ("address", "said", "told"),
    [
        (
            "mailtos://user:Sesame.2026x@mail.example/",
            "login with Sesame.2026x refused by mail.example",
            "login with *** refused by mail.example",
        ),
        (
            "sendgrid://SG.abcdef.ghijkl:me@x.example",
            "SG.abcdef.ghijkl is unknown",
            "*** is unknown",
        ),
        (
            "https://host.example/ping/a.b-c",
            "cannot call https://host.example/ping/a.b-c",
            "cannot call ***",
        ),
        ("slack://TokenA/TokenB/TokenC", "TokenB is no token", "*** is no token"),
    ],
)
def test_keys_are_covered_and_hosts_are_not(address, said, told):
    assert without_secrets(said, address) == told
