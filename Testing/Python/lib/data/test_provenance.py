"""A set's source is read only if all that is read of it is of its kind."""

from __future__ import annotations

import pytest
from SkullGANLib.data.provenance import checked_source
from SkullGANLib.errors import BadInputError


def test_what_extraction_writes_is_taken_as_it_is():
    source = {"kernel": "BONEPLUS", "kvp": 120.0, "cts": {"ct-1": {"kernel": "BONEPLUS"}}}
    assert checked_source(source) == source


@pytest.mark.parametrize("source", [3, ["a"], {"kvp": "a"}, {"kernel": {"a": 1}}])
def test_what_is_of_another_kind_is_named(source):
    with pytest.raises(BadInputError, match=r"s\.h5"):
        checked_source(source, "s.h5")
