"""SkullGAN's library: from head CTs to synthetic skull segments, in plain Python.

- From the CT to segments: ``volume`` reads (``dicom`` and ``dicompixels`` where it is DICOM),
  ``frame`` and ``landmarks`` lay the head's axes, ``skull`` finds the wall, ``sites`` says where to
  cut, ``segments`` cuts, ``segmentset`` keeps the cuts, ``batch`` does so for many CTs.
- Training: ``recipe`` and ``trainingdata`` go in, ``networks``, ``player``, ``game``,
  ``augmentation`` and ``training`` play, ``distributed`` on several GPUs; ``memory``,
  ``divergence`` and ``reporting`` watch over it, ``run`` is what it leaves behind.
- Synthetic segments: ``model`` (``published`` for the authors' weights), ``inference``,
  ``generation``; ``artificial`` for a control, ``export`` and ``dicomseries`` for other programs.
- Measuring: ``radiology`` in segments; ``surface``, ``rays``, ``maps`` and ``transducer`` over the
  whole vault, ``mapfiles`` and ``vtp`` in files.
- Judging: ``evaluation`` with ``embedding``, ``memorization``, ``separability``, ``inception``,
  ``realness`` and ``usefulness``; ``evaluationsets`` is what goes in, the other ``evaluation...``
  are what comes out.
- Showing: ``info``, ``report``, ``pictures``, ``figures``, ``colors``, ``webpage``.
- For the command ``skullgan``: ``cli``, ``commands``, ``progress``, ``demo``. For panels:
  ``task``, ``process``, and what they know of a training in another process: ``order`` (as a
  command), ``preflight`` (beforehand), ``watching`` (meanwhile). For all: ``errors``, ``files``
  and ``resources``.

Importing this package imports nothing heavy: torch, SimpleITK, h5py and the like are imported by
the modules that need them.
"""

__version__ = "0.1.0"
