"""A small host that runs our Slicer modules, unchanged, without Slicer.

Qt is real (PySide6), the scene is real (slicer-core); what Slicer adds in Python and in its own
widgets is here as far as our modules use it:

- ``pythonqt``: PySide6 behaves as Slicer's PythonQt (``qt``);
- ``api``: what the real ctk and qMRML classes offer, from ``qtapi.json``;
- ``widgets``: stand-ins for those in our ``.ui`` files, held to that (``ctk``, ``slicer``);
- ``uiloader``: ``.ui`` files with the MRML connections that Designer makes;
- ``scripted``, ``parameternode``, ``parameterfields``: what ``slicer.ScriptedLoadableModule`` and
  ``slicer.parameterNodeWrapper`` give;
- ``application``: ``slicer.app``, the main window, ``slicer.i18n``, ``SampleData``;
- ``layout``, ``plots``: the views of ``slicer.app.layoutManager()``, drawn without a screen when a
  picture is asked for; ``pictures`` puts them beside a panel, ``images`` gives them to Qt;
- ``modules``, ``files``, ``hierarchy``: ``slicer.modules``, loading and saving, and the items that
  Slicer makes in the subject hierarchy;
- ``packaging``: ``slicer.packaging``, which installs nothing;
- ``dialogs``: what the user answers, told ahead by the test;
- ``themes``: the colors of Slicer's light and dark styles;
- ``blocking``, ``leaks``: how long slots keep the GUI thread, and what panels leave behind;
- ``launcher``: Slicer's ``PythonSlicer``, where a test wants children to be started by one;
- ``upstream``: Slicer's own Python files in place of ours, where ``SLICER_UPSTREAM`` names a
  checkout of Slicer;
- ``host``: puts it together, opens panels, reloads them and quits.

The public names of a stand-in are the real one's, which a test holds; what the host itself needs of
it begins with an underscore.

What is not here raises an error that names itself; nothing pretends. The host does not show how a
panel looks in Slicer, nor Slicer's threads and object lifetimes: ``Testing/Slicer`` is for that.
"""

import os

# Qt reads these when PySide6 is first imported. Enums are numbers, as in PythonQt.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("PYSIDE6_OPTION_PYTHON_ENUM", "3")
