"""Whether Slicer found all of the extension, and whether its child processes start."""

from __future__ import annotations

import unittest
from pathlib import Path

import slicer
import slicer.util

MODULES = ("SkullGAN", "SkullGANTrain", "SkullGANEvaluate")


class InstallationTest(unittest.TestCase):
    """What every step in the panels relies on."""

    def test_the_modules_are_loaded_with_their_icons(self) -> None:
        for name in MODULES:
            with self.subTest(name):
                assert hasattr(slicer.modules, name.lower())
                folder = Path(slicer.util.modulePath(name)).parent
                icon = folder / "Resources" / "Icons" / f"{name}.png"
                assert icon.read_bytes().startswith(b"\x89PNG")

    def test_sample_data_offers_the_head_ct(self) -> None:
        import SampleData

        import SkullGAN

        SkullGAN.registerSampleData()  # Slicer may not have said yet that its start is completed
        source = SampleData.SampleDataLogic().sourceForSampleName("SkullGANHeadCT")
        assert source is not None
        [ct] = source.customDownloader(source)
        assert ct.GetImageData().GetDimensions() == (213, 211, 141)

    def test_what_comes_along_is_found(self) -> None:
        from SkullGANLib.utils import resources

        assert resources.sample_ct().is_file()
        assert resources.bundled_model().is_file()

    def test_a_child_process_finds_the_library(self) -> None:
        from SkullGANLib.utils.child_process import ChildProcess, command_line

        child = ChildProcess(command_line(["--version"]))
        assert child.wait(120) == "finished", child.sentence
        assert child.output[-1].startswith("skullgan "), child.output
