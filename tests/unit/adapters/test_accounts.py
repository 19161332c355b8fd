"""Who we are: the account by the kernel, whatever the environment claims."""

import os
import pwd

import pytest

from drorch.adapters.ownership import groups_of, this_owner


@pytest.fixture
def account(monkeypatch):
    def become(uid: int, **environment: str) -> str:
        monkeypatch.setattr(os, "getuid", lambda: uid)
        for name in ("SUDO_UID", "USER", "LOGNAME"):
            monkeypatch.delenv(name, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return this_owner("token").user

    return become


def test_the_environment_makes_nobody_another(account):
    """Pain 6: an identity that anybody can set is none."""
    nobody = pwd.getpwnam("nobody").pw_uid
    assert account(nobody, USER="root", LOGNAME="root", SUDO_UID="0") == "nobody"
    assert account(0, USER="alice") == "root"


def test_behind_sudo_is_the_one_who_called_it(account):
    nobody = pwd.getpwnam("nobody").pw_uid
    assert account(0, SUDO_UID=str(nobody)) == "nobody"
    assert account(0, SUDO_UID="junk") == "root"


def test_an_account_without_a_name_is_its_number(account):
    assert account(4_000_000_001) == "4000000001"


def test_groups():
    assert "root" in groups_of("root")
    assert groups_of("no-such-account") == frozenset()
