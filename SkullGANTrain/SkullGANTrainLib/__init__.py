"""The parts of the module SkullGANTrain.

``parameters`` is what the panel remembers in the scene and how it becomes a command, ``logic``
starts, watches and ends trainings with or without a panel. The rest is the panel, in three
sections: ``form_section`` the next training (``set_list`` its segment sets, ``form_view`` what a
check of it found, ``settings_table`` every setting of a recipe), ``runs_section`` the runs of a
folder (``run_table``), ``watch_section`` the run that is watched (``run_view``).
"""
