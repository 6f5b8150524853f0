"""The files of acoustic media: HDF5, MATLAB and NumPy, with the same names in each.

``density``, ``sound_speed``, ``alpha_coeff`` and ``alpha_power`` are called as the fields of
k-Wave's ``medium``; in HDF5 ``rho0`` and ``c0``, the names of k-Wave's own files, are other names
of the same data. MATLAB's ``h5read`` turns the order of axes round, as k-Wave expects it: what is
(N, rows, columns) here is written so that MATLAB sees (rows, columns, N), x along rows.
"""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np

from ..acoustics.convention import Convention
from ..acoustics.grid import refined_count
from ..acoustics.media import Medium
from ..errors import BadInputError
from ..utils.atomic_files import written_aside
from ..utils.memory import available_bytes
from .media_notes import as_json, soft_kernels
from .staging import neighboring_folder

MAPS = ("density", "sound_speed", "alpha_coeff")
"""float32 each; beside them ``MASK``, uint8."""
MASK = "mask"
"""Where bone is."""
ALIASES = {"rho0": "density", "c0": "sound_speed"}
_ORDER = {
    "stack": "MATLAB's h5read gives (rows, columns, segments): x along rows, from outside the head "
    "in, y along columns; h5py gives (segments, columns, rows)",
    "stacks in depth": "MATLAB's h5read gives (rows, columns, slices, stacks): x along rows, from "
    "outside the head in, y along columns, z from slice to slice; h5py gives (stacks, slices, "
    "columns, rows)",
    "volume": "MATLAB's h5read gives (columns, rows, slices) of the CT as x, y, z; h5py gives "
    "(slices, rows, columns)",
}
_MOST_MAT_BYTES = 2**31 - 2**16
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)
_COPIED_AT_ONCE = 2**20
_AS_JSON = ("units", "warnings", "spacing_mm", "ijk_to_ras", "ct")
"""Notes that are JSON texts as attributes of HDF5."""

Shape = tuple[int, ...]
Write = Callable[[Path, Shape, Iterable[Medium], Mapping[str, Any], Mapping[str, np.ndarray]], None]


def grid_points(count: int, spacing_mm: float, grid_mm: float) -> int:
    """Give the grid points over so many pixels."""
    return refined_count(count, spacing_mm, grid_mm)


def check_kernels(path: Path, convention: Convention, kernels: tuple[str, ...]) -> None:
    """Raise if a convention was not made for the kernel of the CTs.

    Raises:
        BadInputError: naming kernel and convention.
    """
    soft = soft_kernels(kernels) if convention.sharp_kernel else []
    if soft:
        raise BadInputError(
            f"{path}: the convention {convention.name} holds for sharp (bone) kernels, found "
            f"{soft[0]}: expected a CT of such a kernel or another convention."
        )


def check_size(path: Path, shape: Shape) -> None:
    """Raise if a grid does not go into the file.

    Raises:
        BadInputError: with what is needed and what there is.
    """
    if path.suffix.lower() == ".mat":
        need = 4 * int(np.prod(shape, dtype=np.int64))
        if need > _MOST_MAT_BYTES:
            raise BadInputError(
                f"{path}: each map would take {need / 2**30:.1f} GiB, a MATLAB 5 file holds 2.0: "
                "expected a coarser grid, fewer segments, or HDF5 (.h5), which MATLAB reads by "
                "h5read."
            )


def check_memory(path: Path, points: int, bytes_each: int) -> None:
    """Raise if a grid does not go into memory.

    Raises:
        BadInputError: with what is needed and what there is.
    """
    need, have = points * bytes_each, available_bytes()
    if have is not None and need > have:
        raise BadInputError(
            f"{path}: a grid of {points / 1e6:.0f} million points needs about {need / 2**30:.1f} "
            f"GiB of memory, {have / 2**30:.1f} are free: expected a coarser grid."
        )


def writer_of(path: Path) -> Write:
    """Give what writes a file by its ending."""
    return {".mat": write_mat, ".npz": write_npz}.get(path.suffix.lower(), write_hdf5)


def write_hdf5(
    path: Path,
    shape: Shape,
    media: Iterable[Medium],
    notes: Mapping[str, Any],
    columns: Mapping[str, np.ndarray],
) -> None:
    """Write HDF5, batch by batch.

    Args:
        path: the file.
        shape: (N, rows, columns) of segments, (N, slices, rows, columns) of stacks in depth, or
            (slices, rows, columns) of a volume, which is one medium alone.
        media: one after the other, of N in all.
        notes: of ``media_notes``, as attributes.
        columns: what there is one of for each segment or stack; empty for a volume.

    Raises:
        OutputError: if it cannot be written.
    """
    import h5py

    stacked = _is_stack(columns)
    stored = (*shape[:-2], shape[-1], shape[-2]) if stacked else shape
    with written_aside(path) as temporary, open(temporary, "w+b", buffering=0) as raw:
        sink = _Sink(raw)
        with h5py.File(sink, "w", track_order=False) as file:
            maps = {name: _dataset(file, name, stored) for name in (*MAPS, MASK)}
            start = 0
            for one in media:
                for name, dataset in maps.items():
                    values = _map_of(one, name)
                    values = values.swapaxes(-1, -2) if stacked else values
                    dataset[start : start + len(values)] = values
                start += len(one.density)
                if sink.error is not None:
                    break
            for alias, name in ALIASES.items():
                file[alias] = maps[name]
            _describe_hdf5(file, notes, columns)
        if sink.error is not None:
            raise sink.error  # which is told as one of the file


class _Sink:
    """A file for HDF5, which crashes where a write fails: here it learns of that afterwards."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.error: OSError | None = None

    def write(self, data: bytes | memoryview) -> int:
        if self.error is None:
            rest = memoryview(data).cast("B")
            try:
                while rest:
                    rest = rest[self._file.write(rest) :]
            except OSError as error:
                self.error = error
        return len(data)

    def truncate(self, size: int | None = None) -> int:
        try:
            return self._file.truncate(size)
        except OSError as error:
            self.error = self.error or error
            return 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def _dataset(file: Any, name: str, shape: Shape) -> Any:
    dataset = file.create_dataset(
        name,
        shape,
        "u1" if name == MASK else "<f4",
        chunks=(*(1 for _ in shape[:-2]), *shape[-2:]),
        compression="gzip",
        compression_opts=1,
        shuffle=True,
    )
    if name in MAPS:  # as k-Wave's C++ program marks its own
        dataset.attrs["data_type"] = np.bytes_("float")
        dataset.attrs["domain_type"] = np.bytes_("real")
    return dataset


def write_npz(
    path: Path,
    shape: Shape,
    media: Iterable[Medium],
    notes: Mapping[str, Any],
    columns: Mapping[str, np.ndarray],
) -> None:
    """Write NumPy arrays as they are here, batch by batch; arguments as of ``write_hdf5``.

    Maps go through raw files beside the target, for an archive takes one array after the other.
    """
    names = (*MAPS, MASK)
    with neighboring_folder(path) as folder, written_aside(path) as temporary:
        with ExitStack() as stack:
            raw = {name: stack.enter_context(open(folder / name, "wb")) for name in names}
            for one in media:
                for name, target in raw.items():
                    values = _map_of(one, name)
                    target.write(np.ascontiguousarray(values, values.dtype.newbyteorder("<")).data)
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for name in names:
                kind = "|u1" if name == MASK else "<f4"
                header = {"descr": kind, "fortran_order": False, "shape": tuple(map(int, shape))}
                with _member(archive, name) as file, open(folder / name, "rb") as source:
                    np.lib.format.write_array_header_1_0(file, header)
                    shutil.copyfileobj(source, file, _COPIED_AT_ONCE)
                (folder / name).unlink()
            for name, values in _small(notes, columns).items():
                with _member(archive, name) as file:
                    np.lib.format.write_array(file, values, allow_pickle=False)


def write_mat(
    path: Path,
    shape: Shape,
    media: Iterable[Medium],
    notes: Mapping[str, Any],
    columns: Mapping[str, np.ndarray],
) -> None:
    """Write MATLAB 5: density(:, :, k) is segment k, density(:, :, :, k) stack k; arguments as of
    ``write_hdf5``."""
    from scipy.io import savemat

    check_size(path, shape)
    kinds = {name: np.uint8 if name == MASK else np.float32 for name in (*MAPS, MASK)}
    maps = {name: np.empty(shape, kind) for name, kind in kinds.items()}
    start = 0
    for one in media:
        for name, values in maps.items():
            part = _map_of(one, name)
            values[start : start + len(part)] = part
        start += len(one.density)
    # Of segments and stacks MATLAB's last axis counts them; a volume's axes are x, y, z.
    turned = {3: (1, 2, 0), 4: (2, 3, 1, 0)}[len(shape)] if _is_stack(columns) else (2, 1, 0)
    fields: dict[str, Any] = {name: values.transpose(turned) for name, values in maps.items()}
    for name, values in _small(notes, columns).items():
        fields[name] = values.astype(object) if values.dtype.kind == "U" and values.ndim else values
    if "grid_to_ras" in fields:
        fields["grid_to_ras"] = fields["grid_to_ras"].transpose(1, 2, 0)
    with written_aside(path) as temporary:
        savemat(temporary, fields, do_compression=True, oned_as="column")
        # Over the header in which SciPy writes the time, for the same bytes again.
        with open(temporary, "r+b") as file:
            file.write(f"MATLAB 5.0 MAT-file, {notes['created_by']}".encode()[:116].ljust(116))


def read_notes(path: str | Path) -> dict[str, Any]:
    """Read what a file of media says of itself.

    Raises:
        BadInputError: if it cannot be read as one.
    """
    path = Path(path)
    try:
        if path.suffix.lower() == ".npz":
            with np.load(path, allow_pickle=False) as archive:
                found: dict[str, Any] = json.loads(str(archive["notes"]))
        elif path.suffix.lower() == ".mat":
            from scipy.io import loadmat

            found = json.loads(str(loadmat(path, variable_names=["notes"])["notes"][0]))
        else:
            import h5py

            with h5py.File(path) as file:
                found = {name: _plain(name, value) for name, value in file.attrs.items()}
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise BadInputError(
            f"{path}: cannot be read as acoustic media, expected what skullgan export --format "
            "acoustic wrote."
        ) from error
    return found


def _plain(name: str, value: Any) -> Any:
    value = value.item() if isinstance(value, np.generic) else value
    return json.loads(value) if name in _AS_JSON else value


def _describe_hdf5(file: Any, notes: Mapping[str, Any], columns: Mapping[str, np.ndarray]) -> None:
    import h5py

    stacked, in_depth = _is_stack(columns), len(notes["spacing_mm"]) == 3
    scalars = {"alpha_power": notes["alpha_power"]}
    names = ("dx", "dy", "dz")[: 3 if in_depth else 2]
    scalars |= {name: mm / 1000 for name, mm in zip(names, _spacing_xyz(notes), strict=False)}
    for name, value in scalars.items():
        one = file.create_dataset(name, data=np.full((1, 1, 1), value, "<f4"))
        one.attrs["data_type"], one.attrs["domain_type"] = np.bytes_("float"), np.bytes_("real")
    texts = h5py.string_dtype("utf-8")
    for name, values in columns.items():
        if values.dtype.kind in "UO":
            file.create_dataset(name, data=values.astype(object), dtype=texts)
        else:
            file.create_dataset(name, data=values)
    for name, value in notes.items():
        if name in _AS_JSON:
            file.attrs[name] = json.dumps(value, ensure_ascii=False)
        elif value is not None:
            file.attrs[name] = value
    kind = "volume" if not stacked else "stacks in depth" if in_depth else "stack"
    file.attrs["dimension_order"] = _ORDER[kind]


def _spacing_xyz(notes: Mapping[str, Any]) -> list[float]:
    """Give the spacing along MATLAB's axes: of segments x runs along rows, both are alike."""
    return list(reversed(list(notes["spacing_mm"])))


def _small(notes: Mapping[str, Any], columns: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Give what is small as arrays: power, spacing, notes as JSON text, columns."""
    return {
        "alpha_power": np.array(float(notes["alpha_power"])),
        "spacing_mm": np.array(notes["spacing_mm"], float),
        "notes": np.array(as_json(notes)),
        **{
            name: values.astype(np.str_) if values.dtype.kind == "O" else values
            for name, values in columns.items()
        },
    }


def _map_of(one: Medium, name: str) -> np.ndarray:
    """Give a map by its name in the file."""
    found: np.ndarray = one.bone if name == MASK else getattr(one, name)
    return found


def _is_stack(columns: Mapping[str, np.ndarray]) -> bool:
    """Tell segments, which have columns, from a volume, which is one medium."""
    return "seed" in columns


@contextmanager
def _member(archive: zipfile.ZipFile, name: str) -> Iterator[IO[bytes]]:
    """Give an open member of an archive, without the time: the same bytes again."""
    about = zipfile.ZipInfo(f"{name}.npy", _ZIP_TIME)
    about.compress_type = zipfile.ZIP_DEFLATED
    with archive.open(about, "w", force_zip64=True) as file:
        yield file
