"""Stand-ins for the ctk and qMRML widgets in our ``.ui`` files, on the real scene.

Each offers what our panels use of the real one, under the real names; a test holds every public
name against ``qtapi.json``. Anything else of the real one is not there and raises.
"""

from __future__ import annotations

from . import widgets_ctk, widgets_qmrml

CTK = widgets_ctk.CLASSES
QMRML = widgets_qmrml.CLASSES
CLASSES = {kind.__name__: kind for kind in (*CTK, *QMRML)}
vars().update(CLASSES)
