"""What stands in the SkullGAN panel: its logic, and a file for each of its sections.

``logic`` is what scripts use without a panel. A ``section.Section`` is one foldable part of the
panel: it connects its widgets, shows parameters, enables its buttons and says what came of its
tasks. ``segmenttable``, ``segmentviews``, ``handcutting`` and ``mapping`` are the parts of sections
that know their widgets but not the panel; ``files`` says which file segments go into.
"""
