"""Vaults: what one passphrase opens, and what else opens nothing."""

import json

import pytest

from drorch.sealing.vault import (
    NewerFormat,
    NotOpened,
    WrongPassphrase,
    new_vault,
    open_vault,
    seal,
    unseal,
)

PASSPHRASE = "un été à Québec"
NAME = "control-plane/aa/bb/segments/cc/0000000001"

#: Written once by drorch 0.1.0: what regions hold must be opened by every later version.
KEPT = (
    '{"format":1,"kdf":"scrypt","n":65536,"nonce":"000102030405060708090a0b","p":1,"r":8,'
    '"salt":"'
    + "11" * 32
    + '","sealed":"e1c0e9eff4e22972b90741d7d76fc5029070783d08a9e36c502495ae48e732ae97fd7c3d64de24b1b8c6bfc593dc385a"}'
)
KEPT_OBJECT = bytes.fromhex(
    "64726f726368533100000000000000000000000076209e149a0385bd0cd2a8f92efb118ddc09650850488d7f7a7badf9"
)


def test_what_regions_hold_is_opened_by_every_later_version():
    key = open_vault(KEPT.encode(), PASSPHRASE)
    assert key == bytes(range(32))
    assert unseal(key, NAME, KEPT_OBJECT) == b"rows"


@pytest.fixture(scope="module")
def vault():
    return new_vault(PASSPHRASE)


def test_a_vault_opens_with_its_passphrase_alone(vault):
    key, file = vault
    assert open_vault(file, PASSPHRASE) == key
    with pytest.raises(WrongPassphrase):
        open_vault(file, PASSPHRASE + " ")


def test_it_costs_what_is_documented_to_try_a_passphrase(vault):
    told = json.loads(vault[1])
    assert (told["n"], told["r"], told["p"]) == (65536, 8, 1)


def test_two_vaults_share_nothing(vault):
    key, file = new_vault(PASSPHRASE)
    assert key != vault[0]
    assert json.loads(file)["salt"] != json.loads(vault[1])["salt"]


@pytest.mark.parametrize("what", ["r", "salt", "sealed", "nonce"])
def test_a_changed_key_file_opens_nothing(vault, what):
    told = json.loads(vault[1])
    value = told[what]
    told[what] = 4 if what == "r" else ("0" if value[0] != "0" else "1") + value[1:]
    with pytest.raises(NotOpened):
        open_vault(json.dumps(told).encode(), PASSPHRASE)


@pytest.mark.parametrize(
    "other",
    [{"n": 1 << 30}, {"n": 1 << 17}, {"r": 16}, {"p": 2}, {"n": 1 << 15, "r": 1 << 20, "p": 9}],
    ids=["absurd", "twice", "wider", "longer", "all"],
)
def test_a_key_file_that_would_cost_too_much_is_not_tried(vault, other):
    with pytest.raises(NotOpened, match="cost"):
        open_vault(json.dumps(json.loads(vault[1]) | other).encode(), PASSPHRASE)


@pytest.mark.parametrize(
    "other",
    [
        {"n": 3},
        {"n": 0},
        {"r": 0},
        {"p": 0},
        {"p": -1},
        {"nonce": "00"},
        {"n": float("inf")},
        {"n": 1 << 19, "r": 1, "p": 1},
    ],
    ids=["odd", "none", "narrow", "never", "less", "nonce", "endless", "tall"],
)
def test_what_no_derivation_takes_is_no_key_file(vault, other):
    with pytest.raises(NotOpened, match="no key file"):
        open_vault(json.dumps(json.loads(vault[1]) | other).encode(), PASSPHRASE)


@pytest.mark.parametrize(
    "file", [b"", b"{}", b"[1]", b"x" * 5000, b'{"format": 1}', b"\xff", b"[" * 4000], ids=len
)
def test_what_is_no_key_file_is_none(file):
    with pytest.raises(NotOpened):
        open_vault(file, PASSPHRASE)


def test_a_newer_key_file_says_so(vault):
    newer = json.loads(vault[1]) | {"format": 2}
    with pytest.raises(NewerFormat):
        open_vault(json.dumps(newer).encode(), PASSPHRASE)


def test_what_was_sealed_opens_under_its_own_name_alone(vault):
    sealed = seal(vault[0], NAME, b"rows")
    assert unseal(vault[0], NAME, sealed) == b"rows"
    with pytest.raises(NotOpened):
        unseal(vault[0], NAME[:-1] + "2", sealed)
    with pytest.raises(NotOpened):
        unseal(bytes(32), NAME, sealed)


def test_every_byte_of_it_counts(vault):
    sealed = seal(vault[0], NAME, b"rows")
    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1
        with pytest.raises(NotOpened):
            unseal(vault[0], NAME, bytes(changed))
    for length in range(len(sealed)):
        with pytest.raises(NotOpened):
            unseal(vault[0], NAME, sealed[:length])


def test_a_newer_object_says_so(vault):
    sealed = seal(vault[0], NAME, b"rows")
    with pytest.raises(NewerFormat):
        unseal(vault[0], NAME, b"drorchS2" + sealed[8:])
