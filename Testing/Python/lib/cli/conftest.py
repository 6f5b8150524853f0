import pytest
from commands import SAMPLE, skullgan


@pytest.fixture(scope="session")
def extracted(tmp_path_factory):
    """The folder of one extraction of the sample head, with its contact sheet."""
    folder = tmp_path_factory.mktemp("extracted")
    done = skullgan(
        "extract", SAMPLE, "-o", folder / "segments.h5", "--contact-sheet", folder / "sheet.png",
        "--subject", "A",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder
