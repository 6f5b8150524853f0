"""The command skullgan, run as users run it in a process of its own, or in this one."""

import subprocess
import sys

from checkout import ROOT
from SkullGANLib import cli

SAMPLE = ROOT / "Resources" / "SampleData" / "SampleHeadCT.nrrd"


def skullgan(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the command without a terminal; a traceback on its standard error is always a failure."""
    done = subprocess.run(
        [sys.executable, "-m", "SkullGANLib", *map(str, arguments)],
        cwd=ROOT / "SkullGAN",
        capture_output=True,
        text=True,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


def in_this_process(*arguments: object) -> int:
    """Run the command as ``skullgan`` does, without the seconds that a new process takes."""
    return cli.main([str(argument) for argument in arguments])


SHORT = (
    *("--set", "epochs=1", "--set", "samples_per_epoch=16"),
    *("--set", "generator_width=16", "--set", "discriminator_width=4"),
)
"""Settings of a training of two iterations."""
