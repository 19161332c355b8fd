"""The hospital's documents: reports, PDF and DICOM files by year and month, and their manifest.

It knows what such files look like from outside: names, sizes, and how far they compress. The
manifest SHA256SUMS lies among them, in the form that `sha256sum --check` reads.
"""

import hashlib
import os
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Final

from drorch.lab.hospital.chance import chance, hex_word
from drorch.lab.hospital.vocabulary import HOSPITAL, SENTENCES

MANIFEST: Final = "SHA256SUMS"

Written = Callable[[int], None]


class Kind(StrEnum):
    """What a document is; the value is the suffix of its file."""

    REPORT = "txt"
    PDF = "pdf"
    IMAGE = "dcm"


_TITLES: Final = {
    Kind.REPORT: ("note-d'évolution", "note-infirmière", "résumé-de-départ"),
    Kind.PDF: ("requête-d'examen", "consentement", "rapport-opératoire", "ordonnance"),
    Kind.IMAGE: ("radiographie", "échographie", "tomodensitométrie"),
}

#: Out of a hundred documents, and the logarithmic mean and spread of their sizes in bytes.
_SHARES: Final = {Kind.REPORT: 50, Kind.PDF: 38, Kind.IMAGE: 12}
_SIZES: Final = {Kind.REPORT: (8.7, 0.7), Kind.PDF: (10.4, 0.9), Kind.IMAGE: (13.0, 0.6)}


@dataclass(frozen=True, slots=True)
class Document:
    """A document to be written: where below the folder, its day, and about how many bytes."""

    path: str
    kind: Kind
    day: date
    size: int


def plan(
    draws: random.Random, first: int, count: int, since: date, until: date
) -> tuple[Document, ...]:
    """Documents numbered from `first`, their days in order from `since` to `until`."""
    days = sorted(draws.choices(range((until - since).days + 1), k=count))
    kinds = draws.choices(list(_SHARES), weights=list(_SHARES.values()), k=count)
    numbered = enumerate(zip(days, kinds, strict=True), first)
    return tuple(_document(draws, n, since + timedelta(days=day), k) for n, (day, k) in numbered)


def stretch(documents: Sequence[Document], total: int) -> tuple[Document, ...]:
    """The same documents, their images grown or shrunk until all make about `total` bytes."""
    images = sum(d.size for d in documents if d.kind is Kind.IMAGE)
    if not images:
        return tuple(documents)
    factor = max(0.02, (total - sum(d.size for d in documents) + images) / images)
    return tuple(
        Document(d.path, d.kind, d.day, int(d.size * factor) + 1) if d.kind is Kind.IMAGE else d
        for d in documents
    )


def rewritten(draws: random.Random, path: str, day: date) -> Document:
    """A document of that path as it is changed on a day: of another size, within its kind."""
    kind = Kind(path.rpartition(".")[2])
    return Document(path, kind, day, int(draws.lognormvariate(*_SIZES[kind])))


def write(
    folder: Path, documents: Iterable[Document], seed: int, written: Written
) -> dict[str, str]:
    """Write them below `folder`, two at a time; returns the SHA-256 (hex) of each path.

    `written` is told each file's size in bytes. Hashing and writing let the other thread go on; making the content does not. The content
    depends on the seed and the path alone.
    """

    def one(document: Document) -> tuple[str, str, int]:
        return document.path, *_write(folder / document.path, document, seed)

    digests = {}
    with ThreadPoolExecutor(max_workers=2) as pool:
        try:
            for path, digest, size in pool.map(one, documents):
                digests[path] = digest
                written(size)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return digests


def write_manifest(folder: Path, digests: Mapping[str, str]) -> str:
    """Write the manifest, sorted by path; returns its own SHA-256 (hex).

    Replaced at once, never half there: a backup may run at this moment.
    """
    text = "".join(f"{digests[path]}  {path}\n" for path in sorted(digests))
    fresh = folder / f".{MANIFEST}.new"
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(folder / MANIFEST)
    return hashlib.sha256(text.encode()).hexdigest()


def read_manifest(folder: Path) -> dict[str, str]:
    """The SHA-256 (hex) of each path, as the manifest says."""
    lines = (folder / MANIFEST).read_text(encoding="utf-8").splitlines()
    return {path: digest for digest, path in (line.split("  ", 1) for line in lines)}


def total_bytes(folder: Path, paths: Iterable[str]) -> int:
    """What these files are large together."""
    return sum((folder / path).stat().st_size for path in paths)


def _document(draws: random.Random, number: int, day: date, kind: Kind) -> Document:
    title = draws.choice(_TITLES[kind])
    path = f"{day:%Y/%m}/{number:06d}-{title}.{kind}"
    return Document(path, kind, day, int(draws.lognormvariate(*_SIZES[kind])))


def _write(path: Path, document: Document, seed: int) -> tuple[str, int]:
    draws = chance(seed, document.path, document.day)
    pieces = _CONTENTS[document.kind](draws, document)
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb", buffering=0) as file:
        _write_all(file.fileno(), pieces)
        moment = datetime.combine(document.day, time(12), UTC).timestamp()
        os.utime(file.fileno(), (moment, moment))
    return digest.hexdigest(), sum(len(piece) for piece in pieces)


def _write_all(handle: int, pieces: Sequence[bytes]) -> None:
    if os.writev(handle, pieces) == sum(len(piece) for piece in pieces):
        return
    # A nearly full disk takes a part: once more from the start, and it says what is wrong.
    os.ftruncate(handle, 0)
    os.lseek(handle, 0, os.SEEK_SET)
    view = memoryview(b"".join(pieces))
    while view:
        view = view[os.write(handle, view) :]


@cache
def _encoded_sentences() -> tuple[bytes, ...]:
    return tuple(sentence.encode() for sentence in SENTENCES)


def _report(draws: random.Random, document: Document) -> list[bytes]:
    heading = f"{HOSPITAL}\nDossier {hex_word(draws, 12)}, le {document.day}\n\n".encode()
    sentences = _encoded_sentences()
    body = b"\n".join(draws.choices(sentences, k=1 + document.size // 75))
    return [heading, body, b"\n"]


def _pdf(draws: random.Random, document: Document) -> list[bytes]:
    """A file that a PDF reader opens: one page of text, and a scan that only takes up room."""
    line = f"{HOSPITAL}, {document.day}, dossier {hex_word(draws, 12)}"
    text = f"BT /F1 11 Tf 50 780 Td ({line}) Tj ET".encode("cp1252")
    fonts = b"/Resources << /Font << /F1 5 0 R >> >>"
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 842] /Contents 4 0 R %s >>" % fonts,
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(text), text),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        b"<< /Type /EmbeddedFile /Length %d >>\nstream\n%s\nendstream"
        % (document.size, draws.randbytes(document.size)),
    )
    pieces, offsets, at = [b"%PDF-1.4\n"], [], 9
    for number, body in enumerate(objects, 1):
        offsets.append(at)
        pieces.append(b"%d 0 obj\n%s\nendobj\n" % (number, body))
        at += len(pieces[-1])
    pieces.append(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    pieces += [b"%010d 00000 n \n" % offset for offset in offsets]
    pieces.append(b"trailer\n<< /Size %d /Root 1 0 R >>\n" % (len(objects) + 1))
    pieces.append(b"startxref\n%d\n%%%%EOF\n" % at)
    return pieces


def _image(draws: random.Random, document: Document) -> list[bytes]:
    """DICOM Part 10 in outline: preamble, a few elements, and pixels of 16 bits, 8 of them noise.

    Half of the bytes can be pressed out, as in uncompressed radiographs.
    """
    pixels = bytearray(2 * (document.size // 2 + 1))
    pixels[::2] = draws.randbytes(len(pixels) // 2)
    header = bytes(128) + b"DICM"
    elements = (
        _element(0x0008, 0x0060, b"CS", b"DX"),
        _element(0x0008, 0x0080, b"LO", HOSPITAL.encode()),
        _element(0x0010, 0x0020, b"LO", hex_word(draws, 12).encode()),
        _element(0x0028, 0x0100, b"US", (16).to_bytes(2, "little")),
    )
    length = len(pixels).to_bytes(4, "little")
    return [header, *elements, b"\xe0\x7f\x10\x00OW\x00\x00" + length, bytes(pixels)]


def _element(group: int, number: int, kind: bytes, value: bytes) -> bytes:
    """A data element with explicit representation, little endian (DICOM PS3.5, 7.1.2)."""
    padded = value + b" " * (len(value) % 2)
    tag = group.to_bytes(2, "little") + number.to_bytes(2, "little")
    return tag + kind + len(padded).to_bytes(2, "little") + padded


_CONTENTS: Final[Mapping[Kind, Callable[[random.Random, Document], list[bytes]]]] = {
    Kind.REPORT: _report,
    Kind.PDF: _pdf,
    Kind.IMAGE: _image,
}
