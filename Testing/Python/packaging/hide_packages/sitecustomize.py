"""On the path of a Python, this hides the packages that Slicer does not bring: not there."""

import sys

HIDDEN = {
    "PIL",
    "cv2",
    "h5py",
    "jinja2",
    "matplotlib",
    "pydicom",
    "safetensors",
    "skimage",
    "sklearn",
    "torch",
    "tqdm",
    "zlib_ng",
}


class _Without:
    """A finder that does not find them."""

    def __init__(self, finder):
        self._finder = finder

    def __getattr__(self, name):
        return getattr(self._finder, name)

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in HIDDEN:
            return None
        return self._finder.find_spec(name, path, target)


sys.meta_path[:] = [_Without(finder) for finder in sys.meta_path]
