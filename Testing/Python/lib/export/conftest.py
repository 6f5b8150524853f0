"""The known segments, written in every format."""

from pathlib import Path

import pytest
from exported_sets import NAMES, make_set
from SkullGANLib.export import write


@pytest.fixture(scope="session")
def folder(tmp_path_factory) -> Path:
    """The set in every format, written from two batches."""
    folder = tmp_path_factory.mktemp("größe")
    for name in NAMES:
        write(folder / name, [make_set()[:5], make_set()[5:]])
    return folder
