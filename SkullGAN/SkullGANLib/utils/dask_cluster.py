"""A Dask cluster that is there already, to do many things on many machines.

``connected`` finds it by its scheduler's address and makes sure that its workers have this package,
in this version. What a dead worker was doing is done again by another one, which is Dask's own way.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..errors import BadInputError

if TYPE_CHECKING:
    from distributed import Client

TIMEOUT_S = 15.0
"""For the scheduler to answer."""


@contextmanager
def connected(address: str, timeout_s: float = TIMEOUT_S) -> Iterator[Client]:
    """Connect to a cluster for as long as the block lasts; the cluster goes on after it.

    Args:
        address: of its scheduler, such as tcp://10.0.0.5:8786, or the JSON file that a scheduler
            leaves (``dask scheduler --scheduler-file``).
        timeout_s: for it to answer.

    Yields:
        Dask's client. Workers may join and leave at any time; without any, what is submitted waits.

    Raises:
        BadInputError: if Dask is not installed here, no scheduler answers there, or a worker lacks
            this package or has another version of it.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise BadInputError(
            "Dask is not installed, expected its package distributed: pip install skullgan[cluster]"
        ) from error
    where = {"scheduler_file": address} if address.endswith(".json") else {"address": address}
    try:
        client = Client(**where, timeout=timeout_s, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise BadInputError(
            f"{address}: no Dask scheduler answers there, expected an address such as "
            "tcp://10.0.0.5:8786."
        ) from error
    with client:
        _check_versions(client, address)
        yield client


def workers_of(client: Client) -> int:
    """Count the threads of all workers that are there now, at least 1."""
    return max(1, sum(client.nthreads().values()))


def package_version() -> str:
    """Give this package's version; workers run this. Empty if it cannot be imported there."""
    from .. import __version__

    return __version__


def _check_versions(client: Client, address: str) -> None:
    """Raise unless every worker that is there now has this package in this version."""
    ours = package_version()
    found = client.run(package_version, on_error="return")
    for worker, theirs in found.items():
        if isinstance(theirs, BaseException):
            raise BadInputError(
                f"{address}: the worker {worker} cannot use SkullGANLib ({theirs}), expected "
                f"skullgan {ours} installed there."
            )
        if theirs != ours:
            raise BadInputError(
                f"{address}: the worker {worker} has skullgan {theirs}, expected {ours} as here."
            )
