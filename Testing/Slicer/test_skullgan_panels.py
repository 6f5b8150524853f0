"""The walks of ``self_test.py``, for CTest."""

from __future__ import annotations

import unittest

import self_test


class PanelsTest(unittest.TestCase):
    """Walks each panel; skipped where Python packages are missing, which nobody can agree to."""

    def test_every_panel_can_be_walked(self) -> None:
        from SkullGANGui import packages

        if packages.missing(packages.EVALUATION):
            self.skipTest(packages.absence(packages.EVALUATION))
        for module in self_test.WALKS:
            with self.subTest(module):
                assert self_test.walk(module) == "PASS"
