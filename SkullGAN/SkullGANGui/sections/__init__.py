"""What stands in the SkullGAN panel: its logic, its parameters, and a file for each section.

``logic`` is what scripts use without a panel. A ``section.Section`` is one foldable part of the
panel: it connects its widgets, shows parameters, enables its buttons and takes the results of what
it runs. ``segment_table``, ``segment_views``, ``hand_cutting`` and ``mapping`` are the parts of
sections that know their widgets but not the panel; ``segment_files`` asks for files.
"""
