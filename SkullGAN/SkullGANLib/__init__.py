"""SkullGAN's library: from head CTs to synthetic skull segments, in plain Python.

The modules follow the data: ``volume`` (read a head CT), ``skull`` (the wall of the calvaria),
``segments`` (cut it), ``segmentset`` (keep the cuts), ``networks``, ``recipe``, ``training`` and
``run`` (train a SkullGAN), ``model`` (keep it), ``generation`` (use it), ``radiology`` (measure),
``report`` (show) and ``cli``, the command ``skullgan``. Beside the road stand ``dicom``, ``files``
and ``errors``, what is drawn (``pictures``, ``figures``, ``webpage``), ``process``, with which a
panel runs the command in the background, and what it knows of a training that it does not run
itself: ``order`` (as a command), ``preflight`` (beforehand) and ``watching`` (meanwhile).

Importing this package imports nothing heavy: torch, SimpleITK, h5py and the like are imported by
the modules that need them.
"""

__version__ = "0.1.0"
