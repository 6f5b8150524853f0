"""Packed pixels: chunks follow from the segments, and going back leaves what was before."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from SkullGANLib.data import packed_pixels
from SkullGANLib.data.packed_pixels import PackedPixels
from SkullGANLib.data.packing import CHUNK, Packed, Packer, chosen_packer, unpack

COUNT = 5 * CHUNK + 3
HU = np.arange(COUNT, dtype=np.int16)[:, None, None] + np.zeros((1, 128, 128), np.int16)
MASK = (HU % 2).astype(np.uint8)


def filled(folder: Path, steps: int, packer: Packer | None = None) -> PackedPixels:
    pixels = PackedPixels(folder, packer or chosen_packer())
    for start in range(0, COUNT, steps):
        pixels.append(HU[start : start + steps], MASK[start : start + steps])
    return pixels


def numbers(chunks: list[Packed]) -> list[int]:
    return [int(n) for chunk in chunks for n in unpack(chunk)[0][:, 0, 0]]


def test_packing_gives_the_same_chunks_however_the_pixels_came(tmp_path):
    all_at_once = list(filled(tmp_path, COUNT).chunks())
    assert len(all_at_once) == 6
    assert numbers(all_at_once) == [*range(COUNT), *[0] * (CHUNK - 3)]
    for steps in (1, 7, CHUNK):
        assert list(filled(tmp_path, steps).chunks()) == all_at_once


@pytest.mark.parametrize("settled", [False, True])
@pytest.mark.parametrize("count", [0, 5, CHUNK, 3 * CHUNK + 1, 5 * CHUNK, COUNT])
def test_going_back_leaves_the_first_pixels_and_others_can_follow(tmp_path, count, settled):
    pixels = filled(tmp_path, 7)
    needed = list(pixels.chunks())  # settles
    if not settled:
        pixels = filled(tmp_path, 7)
        count = min(count, pixels.reachable())

    pixels.cut(count)

    assert len(pixels) == count
    pixels.append(HU[count:], MASK[count:])
    assert list(pixels.chunks()) == needed
    pixels.close()


def _when_opened(gate: threading.Event):
    def compress(content: memoryview) -> bytes:
        gate.wait()
        return chosen_packer().compress(content)

    return compress


def test_who_appends_goes_on_while_threads_are_packing_until_the_bound(tmp_path, monkeypatch):
    monkeypatch.setattr(packed_pixels, "_CHUNKS_A_THREAD", 100)
    gate = threading.Event()

    pixels = filled(tmp_path, 7, Packer("waiting", _when_opened(gate)))  # returns

    assert len(pixels) == COUNT
    assert pixels.reachable() == CHUNK
    pixels.cut(CHUNK - 2)  # of what is under way
    gate.set()
    pixels.append(HU[CHUNK - 2 :], MASK[CHUNK - 2 :])
    assert numbers(list(pixels.chunks()))[:COUNT] == list(range(COUNT))
    pixels.close()


def test_a_bound_holds_back_who_appends_faster_than_the_packing(tmp_path, monkeypatch):
    monkeypatch.setattr(packed_pixels, "_CHUNKS_A_THREAD", 1)
    gate, done = threading.Event(), threading.Event()
    pixels = PackedPixels(tmp_path, Packer("waiting", _when_opened(gate)))

    def append_all() -> None:
        for _ in range(20):
            pixels.append(HU[:CHUNK], MASK[:CHUNK])
        done.set()

    threading.Thread(target=append_all).start()
    assert not done.wait(0.2)
    assert len(pixels) <= 8 * CHUNK  # as many threads at most
    gate.set()
    assert done.wait(60)
    assert len(list(pixels.chunks())) == 20
    pixels.close()


def test_an_error_in_packing_comes_to_who_appends_and_what_was_before_is_kept(tmp_path):
    calls = []

    def failing(content: memoryview) -> bytes:
        calls.append(1)
        if len(calls) > 2:
            raise MemoryError
        return chosen_packer().compress(content)

    pixels = PackedPixels(tmp_path, Packer("failing", failing))
    pixels.append(HU[: CHUNK + 4], MASK[: CHUNK + 4])
    pixels.settle()
    with pytest.raises(MemoryError):
        (pixels.append(HU[CHUNK + 4 :], MASK[CHUNK + 4 :]), pixels.settle())

    assert pixels.reachable() >= CHUNK + 4
    pixels.cut(CHUNK + 4)
    calls.clear()
    assert numbers(list(pixels.chunks()))[: CHUNK + 4] == list(range(CHUNK + 4))
    pixels.close()
