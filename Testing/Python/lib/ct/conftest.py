import pytest
from dicom_files import write_series


@pytest.fixture(scope="module")
def series(tmp_path_factory):
    """The folder of a plain axial series."""
    return write_series(tmp_path_factory.mktemp("dicom") / "head")
