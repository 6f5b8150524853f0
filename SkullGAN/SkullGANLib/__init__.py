"""SkullGAN's library: from head CTs to synthetic skull segments, in plain Python.

A package is an idea, a module a thing in it:

- ``ct`` reads head CTs, ``anatomy`` finds the head's axes, its skull and where to cut,
  ``extraction`` cuts, and ``data`` keeps the segments;
- ``metrics`` measures segments and profiles, ``mapping`` the whole vault;
- ``networks`` are the generator and the discriminator, ``training`` trains them, ``generation``
  makes segments with them or by formula, and ``export`` writes for other programs;
- ``evaluation`` compares sets and writes the report, ``plots`` has its charts;
- ``cli`` is the command ``skullgan``, a file a command; ``utils`` and ``errors`` serve all.

A package uses those below it: ``errors < utils < ct, data, plots < anatomy, metrics, networks <
extraction, mapping, generation, export < training < evaluation < cli``.

Importing this package imports nothing heavy: torch, SimpleITK, h5py and the like are imported by
the modules that need them.
"""

__version__ = "0.1.0"
