"""The parts of the module SkullGANEvaluate.

``parameters`` is what the panel remembers in the scene, ``logic`` runs evaluations with or without
a panel, ``setstable`` is the table of the sets that are compared, ``segmentlist`` that of one set's
segments.
"""
