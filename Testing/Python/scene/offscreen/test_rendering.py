"""What draws without a screen, found before anything is drawn."""

from __future__ import annotations

import subprocess
import sys

import pytest
import vtk
from checkout import ROOT
from SkullGANLib.errors import OutputError
from SkullGANScene.offscreen import rendering

on_linux = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="elsewhere the system draws"
)


@pytest.fixture
def found_anew():
    """Each call tries again what draws, as the first one in a process does."""
    return rendering.rendering_library.__wrapped__


@on_linux
def test_without_a_library_that_draws_the_package_to_install_is_named():
    # An X window without an X server: VTK would end the process with a segmentation fault.
    program = (
        "from SkullGANScene.offscreen import rendering\n"
        "from SkullGANLib.errors import OutputError\n"
        "assert rendering.rendering_library() is None\n"
        "try:\n"
        "    rendering.new_window()\n"
        "except OutputError as error:\n"
        "    print(error)\n"
    )
    environment = {
        "PYTHONPATH": str(ROOT / "SkullGAN"),
        "VTK_DEFAULT_OPENGL_WINDOW": "vtkXOpenGLRenderWindow",
        "PATH": "",
    }
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "apt-get install libegl1 libgl1-mesa-dri" in done.stdout
    assert "libosmesa6" in done.stdout


@on_linux
def test_a_window_that_nothing_here_knows_is_not_tried(found_anew, monkeypatch):
    monkeypatch.setenv("VTK_DEFAULT_OPENGL_WINDOW", "vtkWin32OpenGLRenderWindow")
    assert found_anew() is None


@pytest.mark.parametrize("platform", ["win32", "darwin"])
def test_on_windows_and_macos_the_system_draws(found_anew, monkeypatch, platform):
    monkeypatch.setattr(sys, "platform", platform)
    assert found_anew() == "native"


def test_no_window_is_made_where_nothing_draws(monkeypatch):
    monkeypatch.setattr(rendering, "rendering_library", lambda: None)
    with pytest.raises(OutputError, match="A picture cannot be rendered: no library"):
        rendering.new_window()


@pytest.mark.skipif(rendering.rendering_library() is None, reason=rendering.NEEDED)
def test_a_new_window_draws_a_red_pixel():
    window = rendering.new_window()
    window.SetSize(8, 8)
    renderer = vtk.vtkRenderer()
    renderer.SetBackground(1, 0, 0)
    window.AddRenderer(renderer)
    window.Render()
    pixel = vtk.vtkUnsignedCharArray()
    window.GetPixelData(4, 4, 4, 4, 0, pixel, 0)
    window.Finalize()
    assert pixel.GetTuple(0) == (255, 0, 0)
