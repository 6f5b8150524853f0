"""SkullGAN's library objects in a MRML scene, and back.

``volumes``, ``segmentations`` and ``tables`` make the nodes; ``segmentsets`` puts those of one
segment set together; ``hierarchy`` places them in the subject hierarchy; ``bundle`` saves and
opens MRB files. ``maps`` shows thickness and SDR on the skull and in its slices, ``realness``
where a discriminator's decision comes from, both in our ``colours``. ``pictures`` renders a CT, its
skull and its map without a screen, out of ``tiles`` drawn in ``views`` with what ``rendering``
finds; ``headless`` gives a scene where Slicer does not run, ``scripts`` is what headless scripts
share, and ``vtkerrors`` hears what VTK complains of.

The same code runs in 3D Slicer and, with the package slicer-core, in plain Python. Nothing here
knows widgets, and no function changes more of a scene than its docstring says.
"""
