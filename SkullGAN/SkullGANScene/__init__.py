"""SkullGAN's library objects in a MRML scene, and back.

- What is made of what: ``volumes``, ``segmentations``, ``tables`` and ``surfaces`` make the nodes;
  ``segmentsets`` puts those of one segment set together; ``heads`` keeps with a CT what was found
  out about it; ``hierarchy`` places all in the subject hierarchy; ``bundle`` saves and opens MRB.
- Looking: ``cutplanes`` and ``sliceviews`` for slice views; ``maps``, ``mapnodes``, ``realness``
  and ``colours`` for what is coloured; ``curves`` for trainings; ``evaluation``,
  ``evaluationcharts`` and ``neighbours`` for reports.
- The long steps, as work for a ``SkullGANLib.task.Task``: ``jobs``, ``mapjobs``, ``handcuts`` and
  ``evaluating``, made of ``pieces``.
- Without a screen: ``headless`` gives a scene where Slicer does not run, ``scripts`` is what
  scripts share, ``headfiles`` finds CTs for them, ``pictures`` renders with ``views``, ``tiles``
  and what ``rendering`` finds; ``vtkerrors`` hears what VTK complains of.

The same code runs in 3D Slicer and, with the package slicer-core, in plain Python. Nothing here
knows widgets, and no function changes more of a scene than its docstring says.
"""
