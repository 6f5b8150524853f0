"""What the panels of our three modules share.

``panel_widget`` is the panel without its contents: the parameter node, scenes that come and go, a
task that is run for who asks, errors that are shown. ``section`` is one foldable part of a panel,
``protocols`` what such parts need of it; ``task_logic`` is what scripts use without a panel.
``packages`` asks for Python packages that Slicer lacks; ``thumbnails`` turns segments into pictures
for ``picture_table``. ``sections`` holds the parts of the SkullGAN panel.

This is the only library that knows Qt. It runs in Slicer, not in plain Python.
"""
