"""What this machine and its Python are: what a report of a problem says first."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from typing import TYPE_CHECKING

from .. import __version__

if TYPE_CHECKING:
    from ..training.memory_estimate import Device

PACKAGES = (
    *("numpy", "scipy", "SimpleITK", "h5py", "torch", "safetensors"),
    *("pydicom", "scikit-learn", "scikit-image", "opencv-python-headless", "matplotlib"),
)
_NOT_THERE = "not installed"
_GIB = 2**30


def describe_system() -> dict[str, str]:
    """Give versions, devices and their free memory, by name; nothing of a patient or a person.

    Brings torch where it is installed, which takes seconds: a panel asks in a child process.
    """
    machine = {
        "SkullGAN": __version__,
        "Python": platform.python_version(),
        "System": f"{platform.system()} {platform.release()}, {platform.machine()}",
        "Processors": str(os.cpu_count()),
    }
    return machine | _devices() | versions()


def versions() -> dict[str, str]:
    """Give the versions of the packages, without importing any."""
    return {name: version_of(name) or _NOT_THERE for name in PACKAGES}


def version_of(package: str) -> str:
    """Give the version of an installed package by the name that pip knows; empty for none."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _devices() -> dict[str, str]:
    """What can be trained and generated on, with its memory."""
    try:
        from ..training.memory_estimate import devices
    except ImportError as error:
        return {"Devices": f"not known ({error})"}
    return {f"Device {one.name}": _described(one) for one in devices()}


def _described(device: Device) -> str:
    memory = [
        f"{size / _GIB:.1f} GiB{what}"
        for size, what in ((device.free_bytes, " free"), (device.total_bytes, ""))
        if size
    ]
    return f"{device.title}, {' of '.join(memory)}" if memory else device.title


def format_lines(found: dict[str, str]) -> str:
    """Give one line for each, ``name: value``."""
    return "\n".join(f"{name}: {value}" for name, value in found.items())
