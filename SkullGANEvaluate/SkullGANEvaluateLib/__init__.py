"""The parts of the module SkullGANEvaluate.

``parameters`` is what the panel remembers in the scene, ``logic`` runs evaluations with or without
a panel. The panel's sections: ``sets_section``, ``run_section``, ``results_section`` with
``segments_section`` and ``neighbors_section``. ``sets_table`` is the table of the sets that are
compared, ``segment_list`` that of one set's segments.
"""
