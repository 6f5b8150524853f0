"""Importing this skips a test module where Qt lacks a library of the system, and says which."""

import pytest

try:
    from PySide6 import QtWidgets  # noqa: F401
except ImportError as error:
    pytest.skip(
        f"Qt cannot be loaded ({error}); on Debian and Ubuntu 'apt-get install libgl1 libegl1 "
        "libglib2.0-0 libxkbcommon0 libdbus-1-3 libfontconfig1' brings what it needs",
        allow_module_level=True,
    )
