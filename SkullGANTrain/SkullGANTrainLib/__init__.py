"""The parts of the module SkullGANTrain.

``parameters`` is what the panel remembers in the scene and how it becomes an order, ``logic``
starts, watches and ends trainings with or without a panel. The rest is the panel, a part each:
``setlist`` the segment sets, ``formview`` what is found out about the form beforehand,
``settingstable`` every setting of a recipe, ``runtable`` the runs of a folder, ``runview`` the run
that is watched.
"""
