"""SkullGAN's library objects in a MRML scene, and back.

- ``nodes``: what is made of what: volumes, segmentations, tables, maps, curves, reports; where it
  stands in the subject hierarchy; scenes as MRB files.
- ``views``: what Slicer's slice and 3D views show of it.
- ``jobs``: the long work, as steps for a ``SkullGANLib.utils.task.Task``.
- ``offscreen``: a scene and its pictures where Slicer does not run.
- ``scripting``: what the headless scripts share.

The same code runs in 3D Slicer and, with the package slicer-core, in plain Python. Nothing here
knows widgets, and no function changes more of a scene than its docstring says.
"""
