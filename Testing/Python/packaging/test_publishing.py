"""What ``Docs/publishing.md`` has ready for Slicer's extension index agrees with the extension."""

from __future__ import annotations

import json
import re

from checkout import ROOT

PAGE = (ROOT / "Docs" / "publishing.md").read_text(encoding="utf-8")
CMAKE = (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")


def block(language: str) -> str:
    [text] = re.findall(rf"^ *```{language}\n(.*?)^ *```$", PAGE, re.DOTALL | re.MULTILINE)
    return text


def of_cmake(name: str) -> str:
    [value] = re.findall(rf'^set\(EXTENSION_{name} "(.*)"\)$', CMAKE, re.MULTILINE)
    return value


def test_the_catalog_entry_is_what_the_index_takes_and_cmake_says():
    entry = json.loads(block("json"))
    assert list(entry) == sorted(entry)
    assert set(entry) == {
        *("$schema", "build_dependencies", "build_subdirectory", "category"),
        *("scm_revision", "scm_url", "tier"),
    }
    assert entry["build_dependencies"] == of_cmake("DEPENDS").split()
    assert entry["category"] == of_cmake("CATEGORY")
    assert entry["scm_url"].endswith("/SlicerSkullGAN.git")
    assert 1 <= entry["tier"] <= 5


def test_the_addresses_for_cmake_lead_to_files_that_are_there():
    """Each on a line of its own, as the index reads them."""
    lines = dict(re.findall(r'^ *set\(EXTENSION_(\w+) "(.*)"\)$', block("cmake"), re.MULTILINE))
    assert set(lines) == {"HOMEPAGE", "CONTRIBUTORS", "ICONURL", "SCREENSHOTURLS"}
    raw = "https://raw.githubusercontent.com/OWNER/SlicerSkullGAN/main/"
    addresses = [lines["ICONURL"], *lines["SCREENSHOTURLS"].split()]
    assert len(addresses) > 1
    for address in addresses:
        assert address.startswith(raw)
        assert (ROOT / address.removeprefix(raw)).is_file()
