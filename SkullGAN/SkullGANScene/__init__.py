"""SkullGAN's library objects in a MRML scene, and back.

``volumes``, ``segmentations`` and ``tables`` make the nodes; ``segmentsets`` puts those of one
segment set together; ``hierarchy`` places them in the subject hierarchy; ``bundle`` saves and
opens MRB files; ``pictures`` renders a CT and its skull without a screen, in ``views`` that draw
with what ``rendering`` finds; ``evaluation`` has a report of an evaluation, with
``evaluationcharts`` and the ``neighbours`` of synthetic segments, and ``evaluating`` makes one;
``sliceviews`` look at stacks of segments; ``headless`` gives a scene where Slicer does not run;
``vtkerrors`` hears what VTK complains of.

The same code runs in 3D Slicer and, with the package slicer-core, in plain Python. Nothing here
knows widgets, and no function changes more of a scene than its docstring says.
"""
