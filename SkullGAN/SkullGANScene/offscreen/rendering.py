"""What draws without a screen on this machine.

VTK ends the whole process with a segmentation fault where it finds no OpenGL. What works is
therefore tried in a child process before anything is drawn in this one.
"""

from __future__ import annotations

import functools
import os
import sys

import slicer  # noqa: F401 - brings slicer_core, if that is what it is
import vtk
from SkullGANLib.errors import OutputError
from SkullGANLib.utils.child_process import ChildProcess

NEEDED = (
    "no library that renders without a screen works on this machine; on Debian and Ubuntu "
    "'apt-get install libegl1 libgl1-mesa-dri' (or libosmesa6) brings one"
)
"""What to tell the user where ``rendering_library`` finds none."""

_WINDOWS = {
    "EGL": "vtkEGLRenderWindow",
    "OSMesa": "vtkOSOpenGLRenderWindow",
    "X": "vtkXOpenGLRenderWindow",
}
_SECONDS_TO_TRY = 60

# A red pixel, drawn and read back; only what is needed is imported, so that it takes 0.3 s.
_TRIAL = """
import sys
from vtkmodules import vtkRenderingCore, vtkRenderingOpenGL2
from vtkmodules.vtkCommonCore import vtkUnsignedCharArray
window = getattr(vtkRenderingOpenGL2, sys.argv[1])()
window.SetOffScreenRendering(1)
window.SetSize(8, 8)
renderer = vtkRenderingCore.vtkRenderer()
renderer.SetBackground(1, 0, 0)
window.AddRenderer(renderer)
window.Render()
pixel = vtkUnsignedCharArray()
window.GetPixelData(4, 4, 4, 4, 0, pixel, 0)
sys.exit(pixel.GetTuple(0) != (255, 0, 0))
"""


@functools.cache
def rendering_library() -> str | None:
    """Name what draws offscreen: "EGL", "OSMesa", "X", or "native" where the system's own does.

    That is "native" in the Slicer application, on Windows and on macOS. Elsewhere each one is tried
    in a child process (0.3 s for one that works) and the first that draws a pixel is taken; the
    environment variable VTK_DEFAULT_OPENGL_WINDOW, if set, names the only one to try. None if none
    works: ``NEEDED`` says what to install.
    """
    # Not asked: whether slicer.app is there. A host that stands in for Slicer has it, too, and
    # draws with the VTK of slicer-core.
    if "slicer_core" not in sys.modules or not sys.platform.startswith("linux"):
        return "native"
    chosen = os.environ.get("VTK_DEFAULT_OPENGL_WINDOW")
    for name, window in _WINDOWS.items():
        if chosen in (None, "", window) and _draws(window):
            return name
    return None


def new_window() -> vtk.vtkRenderWindow:
    """Make an offscreen render window.

    Raises:
        OutputError: if nothing on this machine draws without a screen.
    """
    library = rendering_library()
    if library is None:
        raise OutputError(f"A picture cannot be rendered: {NEEDED}.")
    name = "vtkRenderWindow" if library == "native" else _WINDOWS[library]
    window = getattr(vtk, name)()
    window.SetOffScreenRendering(True)
    return window


def _draws(window: str) -> bool:
    trial = ChildProcess([sys.executable, "-c", _TRIAL, window])
    if trial.wait(_SECONDS_TO_TRY) == "running":
        trial.end()
    return trial.state == "finished"
