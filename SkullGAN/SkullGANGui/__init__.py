"""What the panels of our three modules share.

``widget`` is the panel without its contents: the parameter node, scenes that come and go, a task
that is watched, errors that are shown; ``logic`` is the same for what scripts use without a panel;
``packages`` asks for Python packages that Slicer lacks; ``thumbnails`` turns segments into pictures
for ``picturetable``.

This is the only library that knows Qt. It runs in Slicer, not in plain Python.
"""
