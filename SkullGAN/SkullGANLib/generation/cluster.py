"""Generation on a Dask cluster: workers make parts of the seeds, one file takes them in order.

A part is whole batches, so that segments are those that one machine makes, and the file the same
byte for byte where workers compute alike (the same kind of device and of processor). Workers need
nothing but this package: the model travels once, what is kept is decided here. What a dead
worker had is made again by another one. The file grows in the order of the seeds, whoever is ready
first, so it is always a whole one and is resumed as any other.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from ..data.segment_set import SegmentSet
from ..errors import BadInputError
from ..utils.atomic_files import sha256
from ..utils.dask_cluster import workers_of
from .set_file import Provenance, generating_precision

if TYPE_CHECKING:
    from distributed import Client
    from distributed import Future as DaskFuture

    from ..networks.model_file import Model

_SEGMENTS_A_PART = 512
"""At least: some 25 MB that travel back, seconds of work for a CPU."""
_AHEAD = 2
"""Parts under way or ready to be written, for each thread of the workers."""
_TRIES = 3


@dataclass(frozen=True)
class _Packed:
    """A model's file on its way; equal if the same."""

    sha256: str
    content: bytes = field(compare=False, repr=False)


class ClusterGeneration:
    """Makes segments on a cluster, for ``set_file.generate_file``.

    Args:
        client: of the cluster.
        model_path: model (.safetensors), here.
        device, precision, batch_statistics: as for ``generate_file``; "auto" is what the first
            worker that answers has, and all must have it.

    Attributes:
        device: cpu, cuda or mps, with a number if that was given.
        precision: fp32 or bf16.

    Raises:
        BadInputError: if the workers cannot use the model or lack the device.
    """

    def __init__(
        self,
        client: Client,
        model_path: str | Path,
        device: str = "auto",
        precision: str = "auto",
        batch_statistics: bool = False,
    ) -> None:
        self._client = client
        self._packed = _Packed(sha256(model_path), Path(model_path).read_bytes())
        self._sent = self._send()
        self.device, self.precision = self._result(
            client.submit(
                _how, self._sent, device, precision, batch_statistics, pure=False, retries=_TRIES
            )
        )

    def batches(self, made: Provenance, start: int, end: int) -> Iterator[SegmentSet]:
        """Give the segments of seeds from ``start`` to below ``end``, batch by batch, in order."""
        size = made.batch_size * max(1, -(-_SEGMENTS_A_PART // made.batch_size))
        left = iter(range(start, end, size))
        under_way: deque[tuple[int, DaskFuture[Any]]] = deque()
        try:
            while True:
                ahead = _AHEAD * workers_of(self._client)
                while len(under_way) < ahead and (first := next(left, None)) is not None:
                    under_way.append((first, self._submit(made, first, min(first + size, end))))
                if not under_way:
                    return
                first, part = under_way.popleft()
                yield from self._made(part, made, first, min(first + size, end))
        finally:
            for _, part in under_way:
                part.cancel()

    def _made(
        self, part: DaskFuture[Any], made: Provenance, first: int, end: int
    ) -> list[SegmentSet]:
        """A part, submitted again where the model was lost with the workers that held it."""
        from distributed.client import FutureCancelledError

        for _ in range(_TRIES):
            try:
                return self._result(part)
            except FutureCancelledError:
                self._sent = self._send()
                part = self._submit(made, first, end)
        return self._result(part)

    def _submit(self, made: Provenance, first: int, end: int) -> DaskFuture[Any]:
        return self._client.submit(
            make_part, self._sent, self.device, made, first, end, pure=False, retries=0
        )

    def _send(self) -> DaskFuture[Any]:
        return self._client.scatter(self._packed, broadcast=True, hash=False)

    @staticmethod
    def _result(part: DaskFuture[Any]) -> Any:
        from distributed.scheduler import KilledWorker

        try:
            return part.result()
        except KilledWorker as error:
            raise BadInputError(
                "The workers died of what they were given again and again, expected some with "
                f"enough memory ({error})."
            ) from error


def make_part(
    packed: _Packed, device: str, made: Provenance, first: int, end: int
) -> list[SegmentSet]:
    """Make segments, batch by batch; workers run this."""
    from . import from_seeds

    model, one_at_a_time = _model(packed, device)
    with one_at_a_time:
        batches = from_seeds.generate(
            model,
            range(first, end),
            batch_size=made.batch_size,
            precision=made.precision,
            batch_statistics=made.batch_statistics,
            asked=made.asked,
        )
        return list(batches)


def _how(packed: _Packed, device: str, precision: str, batch_statistics: bool) -> tuple[str, str]:
    """Say in which device and precision a worker generates; workers run this."""
    from ..networks.devices import chosen_device

    where = chosen_device(device)
    model, _ = _model(packed, str(where))
    return str(where), generating_precision(model, precision, where.type, batch_statistics)


@lru_cache(maxsize=1)
def _model(packed: _Packed, device: str) -> tuple[Model, threading.Lock]:
    """The model on a worker, and a lock: a worker's threads share it."""
    from ..networks import model_file
    from ..networks.devices import chosen_device

    with TemporaryDirectory(prefix="skullgan-") as folder:
        path = Path(folder) / "model.safetensors"
        path.write_bytes(packed.content)
        return model_file.read(path, chosen_device(device)), threading.Lock()
