"""Slice and 3D views without a screen, filled by Slicer's displayable managers."""

from __future__ import annotations

import slicer
import vtk

from . import rendering

SLICE_MANAGERS = (
    "vtkMRMLVolumeGlyphSliceDisplayableManager",
    "vtkMRMLModelSliceDisplayableManager",
    "vtkMRMLSegmentationsDisplayableManager2D",
    "vtkMRMLMarkupsDisplayableManager",
    "vtkMRMLTransformsDisplayableManager2D",
    "vtkMRMLCrosshairDisplayableManager",
    "vtkMRMLOrientationMarkerDisplayableManager",
    "vtkMRMLRulerDisplayableManager",
    "vtkMRMLColorLegendDisplayableManager",
)
"""What draws in the application's slice views."""

VIEW_MANAGERS = (
    # The camera's comes first: the view's needs the interactor style that it sets.
    "vtkMRMLCameraDisplayableManager",
    "vtkMRMLViewDisplayableManager",
    "vtkMRMLModelDisplayableManager",
    "vtkMRMLSegmentationsDisplayableManager3D",
    "vtkMRMLMarkupsDisplayableManager",
    "vtkMRMLTransformsDisplayableManager3D",
    "vtkMRMLCrosshairDisplayableManager3D",
    "vtkMRMLOrientationMarkerDisplayableManager",
    "vtkMRMLRulerDisplayableManager",
    "vtkMRMLColorLegendDisplayableManager",
)
"""What draws in the application's 3D views."""


class View:
    """An offscreen window with one renderer, which displayable managers fill from a view node.

    Raises:
        OutputError: if nothing on this machine draws without a screen.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        self.window = rendering.new_window()
        self.window.SetMultiSamples(0)
        self.window.SetSize(*size)
        self.renderer = vtk.vtkRenderer()
        self.window.AddRenderer(self.renderer)
        self.interactor = vtk.vtkRenderWindowInteractor()
        self.interactor.SetRenderWindow(self.window)
        self.interactor.Initialize()
        self.managers: slicer.vtkMRMLDisplayableManagerGroup | None = None

    def fill(
        self,
        node: slicer.vtkMRMLAbstractViewNode,
        names: tuple[str, ...],
        application_logic: slicer.vtkMRMLApplicationLogic,
    ) -> None:
        """Let the displayable managers of these names draw what ``node`` shows."""
        # A factory of our own: the application's singletons are for its own views.
        factory = slicer.vtkMRMLDisplayableManagerFactory()
        factory.SetMRMLApplicationLogic(application_logic)
        for name in names:
            factory.RegisterDisplayableManager(name)
        self.managers = factory.InstantiateDisplayableManagers(self.renderer)
        self.managers.SetMRMLDisplayableNode(node)

    def image(self) -> vtk.vtkImageData:
        """Draw, and give what is seen as RGB, the lowest row first."""
        self.window.Render()
        grab = vtk.vtkWindowToImageFilter()
        grab.SetInput(self.window)
        grab.SetInputBufferTypeToRGB()
        grab.ReadFrontBufferOff()
        grab.Update()
        image = vtk.vtkImageData()
        image.DeepCopy(grab.GetOutput())
        return image

    def close(self) -> None:
        """Let go of the scene and of the graphics."""
        if self.managers is not None:
            self.managers.SetMRMLDisplayableNode(None)
            self.managers = None
        self.window.Finalize()


class SliceView(View):
    """What the slice node of a slice logic shows, ``size`` (width, height) pixels."""

    def __init__(
        self,
        logic: slicer.vtkMRMLSliceLogic,
        size: tuple[int, int],
        managers: tuple[str, ...] = SLICE_MANAGERS,
    ) -> None:
        super().__init__(size)
        self._logic = logic
        # In the application a widget shows the slice's image below what the managers draw.
        self._mapper = vtk.vtkImageMapper()
        self._mapper.SetColorWindow(255)
        self._mapper.SetColorLevel(127.5)
        self._background = vtk.vtkActor2D()
        self._background.SetMapper(self._mapper)
        self._background.GetProperty().SetDisplayLocationToBackground()
        self.renderer.AddViewProp(self._background)
        self.renderer.GetActiveCamera().ParallelProjectionOn()
        self.fill(logic.GetSliceNode(), managers, logic.GetMRMLApplicationLogic())

    def image(self) -> vtk.vtkImageData:
        connection = self._logic.GetImageDataConnection()
        self._background.SetVisibility(connection is not None)
        if connection is not None:
            self._mapper.SetInputConnection(connection)
        return super().image()


class ThreeDView(View):
    """What a view node shows, ``size`` (width, height) pixels."""

    def __init__(
        self,
        node: slicer.vtkMRMLViewNode,
        application_logic: slicer.vtkMRMLApplicationLogic,
        size: tuple[int, int],
        managers: tuple[str, ...] = VIEW_MANAGERS,
    ) -> None:
        super().__init__(size)
        self.fill(node, managers, application_logic)
