"""DSSE: a signed payload with its type, in one small JSON (github.com/secure-systems-lab/dsse, v1).

The signature is over `DSSEv1 SP LEN(type) SP type SP LEN(payload) SP payload`, so nothing signed as
one kind of statement can be shown as another. One signature each, and one way to write it, so
that every byte of an envelope counts.
"""

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass

from drorch.core.codec import NotDecodable, canonical, parse
from drorch.core.values import Value
from drorch.sealing.keys import PrivateKey, PublicKey


class NotSealed(Exception):
    """An envelope is not one, or not of anybody who is trusted; says why, as a sentence's end."""


@dataclass(frozen=True, slots=True)
class Statement:
    """What somebody trusted has signed."""

    payload: bytes
    signer: PublicKey


def enveloped(payload: bytes, kind: str, key: PrivateKey) -> bytes:
    """The payload, signed as that type, as the bytes of a file."""
    signature = key.sign(pae(payload, kind))
    signed: Value = {"keyid": key.public.id, "sig": _text(signature)}
    envelope: Value = {"payload": _text(payload), "payloadType": kind, "signatures": [signed]}
    return canonical(envelope) + b"\n"


def unsealed(envelope: bytes, kind: str, trusted: Iterable[PublicKey]) -> Statement:
    """What it holds, if one of these signed it as that type; NotSealed otherwise."""
    try:
        value = parse(envelope)
    except NotDecodable as error:
        raise NotSealed(f"it is no envelope: {error}") from None
    match value:
        case {
            "payload": str(payload),
            "payloadType": str(said),
            "signatures": [{"keyid": str(keyid), "sig": str(signature), **extra}],
            **more,
        } if not extra and not more and canonical(value) + b"\n" == envelope:
            return _checked(_bytes(payload), said, kind, keyid, _bytes(signature), trusted)
        case _:
            raise NotSealed("it is not written as envelopes are")


def _checked(
    payload: bytes,
    said: str,
    kind: str,
    keyid: str,
    signature: bytes,
    trusted: Iterable[PublicKey],
) -> Statement:
    if said != kind:
        raise NotSealed(f"it is a seal of something else: {said}")
    signer = next((key for key in trusted if key.id == keyid), None)
    if signer is None:
        raise NotSealed(f"it is signed by a key that is not trusted here: {keyid[:16]}")
    if not signer.verifies(signature, pae(payload, kind)):
        raise NotSealed("its signature is wrong")
    return Statement(payload, signer)


def pae(payload: bytes, kind: str) -> bytes:
    """What is signed: DSSE's pre-authentication encoding."""
    return b"DSSEv1 %d %s %d %s" % (len(kind.encode()), kind.encode(), len(payload), payload)


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _bytes(text: str) -> bytes:
    """Strictly: of the ways to write the same bytes only one is taken."""
    try:
        content = base64.b64decode(text.encode(), validate=True)
    except (binascii.Error, ValueError):
        raise NotSealed("it is not written as envelopes are") from None
    if _text(content) != text:
        raise NotSealed("it is not written as envelopes are")
    return content
