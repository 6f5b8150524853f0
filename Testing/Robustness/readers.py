"""Every public reader with a sound file to begin with: one table for the whole campaign.

A ``Reader`` makes its sound file, says which file of it is damaged, and reads. Some are read
through the command line, too (``skullgan info``).
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mutations
from mutations import Structure

HERE = Path(__file__).resolve().parent
OLDER = HERE.parent / "Python" / "older_files"
sys.path[:0] = [str(HERE.parent), str(HERE.parents[1] / "SkullGAN")]


@dataclass(frozen=True)
class Reader:
    """A public reader.

    Attributes:
        name: in the table.
        make: makes a sound file or folder in a folder and gives its path.
        read: reads it.
        damaged: which files of a folder are damaged (a glob); empty for a file.
        structures: what is done to it beside damage to its bytes.
        command: whether ``skullgan info`` reads it, too.
    """

    name: str
    make: Callable[[Path], Path]
    read: Callable[[Path], Any]
    damaged: str = ""
    structures: tuple[Structure, ...] = ()
    command: bool = False


def _copy(name: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        source = OLDER / name
        target = folder / source.name
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copy(source, target)
        return target

    return make


def _head() -> Any:
    from dicom_files import GEOMETRY, HEAD
    from SkullGANLib.ct.volume import HeadCT

    return HeadCT(HEAD, GEOMETRY, {"kernel": "BONE", "kvp": 120.0})


def _image(name: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        from SkullGANLib.ct.volume import write_volume

        head = _head()
        raw = name.startswith("raw")
        write_volume(folder / name, head.hu, head.ijk_to_ras, head.source, compress=not raw)
        return folder / name

    return make


def _text(name: str, text: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        (folder / name).write_text(text, encoding="utf-8")
        return folder / name

    return make


def _dicom(folder: Path) -> Path:
    from dicom_files import write_series

    return write_series(folder / "series")


def _dicom_zip(folder: Path) -> Path:
    from dicom_files import write_series, zipped

    return zipped(folder / "series.zip", write_series(folder / "series"))


def _weights(folder: Path) -> Path:
    import torch
    from SkullGANLib.networks.dcgan import Discriminator

    torch.save(Discriminator(1).state_dict(), folder / "netD.pth")
    return folder / "netD.pth"


def _stacks(folder: Path) -> Path:
    from examples import bent_walls, in_stacks
    from SkullGANLib.data import hdf5

    hdf5.write(folder / "stacks.h5", in_stacks(bent_walls(8, 0), 4))
    return folder / "stacks.h5"


def _conditioned(folder: Path) -> Path:
    from examples import conditioned_model
    from SkullGANLib.networks import model_file

    model_file.write(folder / "told.safetensors", conditioned_model())
    return folder / "told.safetensors"


def _pictures(folder: Path) -> Path:
    from PIL import Image

    (folder / "pictures").mkdir()
    for number, ending in enumerate(("png", "jpg", "bmp", "tif", "webp")):
        Image.new("RGB", (140, 150), (40 * number, 9, 200)).save(
            folder / f"pictures/{number}.{ending}"
        )
    return folder / "pictures"


def _read_ct(path: Path) -> Any:
    from SkullGANLib.ct.volume import read_ct

    return read_ct(path)


def _read_mask(path: Path) -> Any:
    from SkullGANLib.ct.volume import read_mask

    return read_mask(path, _head())


def _read_set(path: Path) -> Any:
    from SkullGANLib.data import hdf5
    from SkullGANLib.metrics import cautions

    return [cautions.of_set(part) for part in hdf5.iterate(path)]


def _read_model(path: Path) -> Any:
    from SkullGANLib.networks import model_file

    return model_file.read(path), model_file.read_architecture(path)


def _read_weights(path: Path) -> Any:
    from SkullGANLib.networks import published_weights

    return published_weights.state_dict_of(path)


def _read_run(path: Path) -> Any:
    from SkullGANLib.training import monitor
    from SkullGANLib.training.run_directory import Run

    run = Run.open(path)
    found = monitor.poll(run), monitor.Follower(run).read(), run.events(), run.samples()
    return (*found, run.recipe(), run.read_checkpoint(), run.status())


def _read_scene(path: Path) -> Any:
    """As the headless scripts do: behind ``crash_shield``, which makes a crash a sentence."""
    from SkullGANLib.errors import BadInputError, SkullGANError
    from SkullGANScene.nodes import mrb  # here, so that each child has it already

    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            _open_scene(path)
            os._exit(0)
        except SkullGANError as error:
            os.write(writing, str(error).encode()[:4000])
            os._exit(1)
        except BaseException:
            os.write(writing, traceback.format_exc().encode()[-4000:])
            os._exit(3)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read().decode("utf-8", "replace")
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 1:
        raise BadInputError(said or f"ended by signal {os.WTERMSIG(status)}")
    if status:
        raise RuntimeError(said)
    return mrb


def _open_scene(path: Path) -> Any:
    from SkullGANScene.nodes import mrb, volumes
    from SkullGANScene.offscreen import headless

    stage = headless.new_stage()
    mrb.open_bundle(stage.scene, path)
    return [volumes.ct_from(node) for node in volumes.cts_in(stage.scene)]


def _of(module: str, function: str, *more: Any) -> Callable[[Path], Any]:
    def read(path: Path) -> Any:
        import importlib

        target = importlib.import_module(f"SkullGANLib.{module}")
        for name in function.split("."):
            target = getattr(target, name)
        return target(path, *more)  # type: ignore[operator]  # a function, by its name

    return read


_POINTS = [
    ("N", 0.0, 90.0, 0.0),
    ("I", 0.0, -90.0, 0.0),
    ("LPo", -70.0, 0.0, 0.0),
    ("RPo", 70, 0, 0),
]
_MARKUPS = json.dumps(
    {
        "markups": [
            {
                "type": "Fiducial",
                "coordinateSystem": "RAS",
                "controlPoints": [
                    {"label": label, "position": [x, y, z], "positionStatus": "defined"}
                    for label, x, y, z in _POINTS
                ],
            }
        ]
    }
)
_FCSV = (
    "# Markups fiducial file version = 4.11\n# CoordinateSystem = RAS\n"
    "# columns = id,x,y,z,ow,ox,oy,oz,vis,sel,lock,label,desc,associatedNodeID\n"
) + "".join(f"{n},{x},{y},{z},0,0,0,1,1,1,0,{a},,\n" for n, (a, x, y, z) in enumerate(_POINTS))
_BATCH = (
    "ct,state,segments,subject,pseudonym,dropped,reason,seconds,settings,signature,cautions\n"
    'head.nrrd,done,3,A,subject-1,,,1.5,"{""bones"": [""temporal""]}",12-34,\n'
)
_FRAME = json.dumps(
    {"head_to_ras": [[float(i == j) for j in range(4)] for i in range(4)], "certainty": 1.0}
    | {"half_length_mm": 90.0, "half_height_mm": 70.0}
    | {"threshold_hu": 300.0}
)
_RAYS = "element,x_ras_mm,met,active\n0,1.0,measured,1\n1,2.0,air,0\n"
_ZIPS = (mutations.change_zip,) * 2

READERS: tuple[Reader, ...] = (
    Reader(
        "segment set",
        _copy("training.h5"),
        _read_set,
        structures=(mutations.change_set, mutations.change_source),
        command=True,
    ),
    Reader(
        "model",
        _copy("run/model.safetensors"),
        _read_model,
        structures=(mutations.change_tensors,),
        command=True,
    ),
    Reader(
        "set of stacks",
        _stacks,
        _read_set,
        structures=(mutations.change_set, mutations.change_source),
        command=True,
    ),
    Reader(
        "model with conditions",
        _conditioned,
        _read_model,
        structures=(mutations.change_tensors,),
        command=True,
    ),
    Reader("PyTorch weights", _weights, _read_weights, structures=(mutations.change_weights,)),
    Reader("map (.vtp)", _copy("map.vtp"), _of("mapping.vtp", "read"), command=True),
    Reader(
        "map (.json)", _copy("map.json"), _of("mapping.head_maps", "read_numbers"), command=True
    ),
    Reader(
        "run directory",
        _copy("run"),
        _read_run,
        damaged="**/*.json*",
        structures=(mutations.change_run,),
        command=True,
    ),
    Reader("checkpoint", _copy("run"), _read_run, damaged="checkpoints/*"),
    Reader("report", _copy("report"), _of("evaluation.report.reader", "read"), damaged="*.*"),
    Reader("CT (raw NRRD)", _image("raw.nrrd"), _read_ct, command=True),
    Reader("CT (NRRD)", _image("head.nrrd"), _read_ct, command=True),
    Reader("CT (NIfTI)", _image("head.nii"), _read_ct, command=True),
    Reader("CT (packed NIfTI)", _image("head.nii.gz"), _read_ct, command=True),
    Reader("CT (MetaImage)", _image("raw.mha"), _read_ct, command=True),
    Reader("CT (packed MetaImage)", _image("head.mha"), _read_ct, command=True),
    Reader(
        "CT (DICOM folder)",
        _dicom,
        _read_ct,
        damaged="*.dcm",
        structures=(mutations.change_dicom,),
        command=True,
    ),
    Reader("CT (DICOM zip)", _dicom_zip, _read_ct, structures=_ZIPS, command=True),
    Reader("mask", _image("mask.nrrd"), _read_mask),
    Reader(
        "landmarks (.mrk.json)", _text("a.mrk.json", _MARKUPS), _of("anatomy.landmarks", "read")
    ),
    Reader("landmarks (.fcsv)", _text("a.fcsv", _FCSV), _of("anatomy.landmarks", "read")),
    Reader(
        "elements of an array",
        _text("a.csv", "x,y,z\n0,0,150\n1.5,2,149\n"),
        _of("mapping.array_geometry", "read_elements"),
    ),
    Reader("rays of an array", _text("a.csv", _RAYS), _of("mapping.array_table", "read_csv")),
    Reader("table of a batch", _text("a.csv", _BATCH), _of("extraction.batch_table", "read_table")),
    Reader("head frame", _text("a.json", _FRAME), _of("anatomy.head_frame", "HeadFrame.read")),
    Reader("pictures", _pictures, _of("training.pictures", "read_pictures"), damaged="*"),
    Reader("scene", _copy("synthetic.mrb"), _read_scene, structures=_ZIPS),
    Reader("scene of a map", _copy("map.mrb"), _read_scene, structures=_ZIPS),
)
BY_NAME = {one.name: one for one in READERS}
