"""Send a plane wave through a segment's acoustic medium with k-Wave: what passes, and a picture.

    pip install k-wave-python
    skullgan generate -n 20 -o segments.h5
    skullgan export segments.h5 -o media.h5 --format acoustic --medium k-plan \\
        --points-per-wavelength 8 --frequency-khz 500
    python plane_wave_kwave.py media.h5 --segment 3 --picture field.png

Prints the share of the pressure that passes the wall (rms over the columns below it, against the
same without bone) and whether the field is finite. k-Wave spreads absorption over its neighborhood
where the power is 1, so that thin walls lose more than a layer of theirs would; --lossless leaves
it out.
"""

from __future__ import annotations

import argparse

import h5py
import numpy as np
from kwave.kgrid import kWaveGrid
from kwave.kmedium import kWaveMedium
from kwave.ksensor import kSensor
from kwave.ksource import kSource
from kwave.kspaceFirstOrder import kspaceFirstOrder

PML = 16
"""Grid points of the absorbing layer on either side."""


def main() -> None:
    options = arguments()
    with h5py.File(options.media) as file:
        # h5py shows (segments, columns, rows), MATLAB's h5read (rows, columns, segments).
        maps = {
            name: file[name][options.segment].T.astype(float)
            for name in ("sound_speed", "density", "alpha_coeff", "mask")
        }
        spacing_m = float(file["dx"][0, 0, 0])
        frequency_hz = 1000 * float(file.attrs["frequency_khz"])
        power = float(file["alpha_power"][0, 0, 0])
    field = pressure(maps, spacing_m, frequency_hz, power, options)
    water = {name: np.full_like(values, values[0, 0]) for name, values in maps.items()}
    without = pressure(water, spacing_m, frequency_hz, power, options)
    below = np.flatnonzero(maps["mask"].any(axis=1))[-1] + 3
    rows, middle = slice(below, -3), slice(len(field) // 4, -len(field) // 4)
    share = rms(field[rows, middle]) / rms(without[rows, middle])
    print(f"finite: {np.isfinite(field).all()}")
    print(f"pressure that passes: {100 * share:.1f} %")
    if options.picture:
        draw(options.picture, field, maps["sound_speed"])


def pressure(
    maps: dict[str, np.ndarray],
    spacing_m: float,
    frequency_hz: float,
    power: float,
    options: argparse.Namespace,
) -> np.ndarray:
    """Give the amplitude (rows, columns) of the steady field of a wave from the first row on."""
    rows, columns = maps["sound_speed"].shape
    grid = kWaveGrid([rows, columns], [spacing_m, spacing_m])
    step_s = options.cfl * spacing_m / maps["sound_speed"].max()
    grid.setTime(int(options.cycles / frequency_hz / step_s), step_s)
    lossy = {} if options.lossless else {"alpha_coeff": maps["alpha_coeff"], "alpha_power": power}
    if lossy and power == 1:
        lossy["alpha_mode"] = "no_dispersion"
    medium = kWaveMedium(sound_speed=maps["sound_speed"], density=maps["density"], **lossy)
    source = kSource()
    source.p_mask = np.zeros((rows, columns))
    source.p_mask[0] = 1
    time_s = np.arange(grid.Nt) * step_s
    rise = np.clip(time_s * frequency_hz / 3, 0, 1)
    source.p = (rise**2 * np.sin(2 * np.pi * frequency_hz * time_s))[None]
    sensor = kSensor()
    sensor.mask = np.ones((rows, columns))
    sensor.record = ["p_max"]
    sensor.record_start_index = max(1, grid.Nt - int(2 / frequency_hz / step_s))
    found = kspaceFirstOrder(grid, medium, source, sensor, pml_size=PML, quiet=True)
    return np.asarray(found["p_max"]).reshape(rows, columns)


def rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(values**2)))


def draw(path: str, field: np.ndarray, speed: np.ndarray) -> None:
    from matplotlib.figure import Figure

    figure = Figure((9, 4), layout="constrained")
    for axes, values, title in zip(
        figure.subplots(1, 2), (speed, field), ("Sound speed (m/s)", "Pressure"), strict=True
    ):
        figure.colorbar(axes.imshow(values), ax=axes)
        axes.set_title(title)
    figure.savefig(path)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("media", help="what skullgan export --format acoustic wrote (.h5)")
    parser.add_argument("--segment", type=int, default=0, help="which (0)")
    parser.add_argument("--cycles", type=float, default=40, help="of the wave (40)")
    parser.add_argument("--cfl", type=float, default=0.3, help="of the time step (0.3)")
    parser.add_argument("--lossless", action="store_true", help="without attenuation")
    parser.add_argument("--picture", help="PNG to write")
    return parser.parse_args()


if __name__ == "__main__":
    main()
