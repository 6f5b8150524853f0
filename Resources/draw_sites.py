"""Draw how bone and side of a segment are decided: ``sites.png`` of ``Docs/maps.md``.

    python Resources/draw_sites.py

Three slices of the sample CT in its head frame, with the planes and rays of ``sites`` and where the
segments kept meet the skull. The same script gives the same picture. Needs what ``skullgan
extract`` needs, matplotlib and Pillow.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "SkullGAN"))

from SkullGANLib.anatomy import cut_plan  # noqa: E402
from SkullGANLib.anatomy.cavity import Cavity, find_cavity  # noqa: E402
from SkullGANLib.ct import volume  # noqa: E402
from SkullGANLib.data.segment_set import SIZE  # noqa: E402
from SkullGANLib.extraction import cutting, sampling, single_ct  # noqa: E402

matplotlib.use("Agg")
from matplotlib import pyplot as plt  # noqa: E402
from matplotlib.axes import Axes  # noqa: E402
from matplotlib.lines import Line2D  # noqa: E402

PICTURE = ROOT / "Resources" / "Screenshots" / "sites.png"
COLORS = {  # told apart by color-blind eyes, too (Okabe and Ito)
    "temporal": "#E69F00",
    "temporal-parietal": "#F0E442",
    "parietal": "#56B4E9",
    "frontal": "#00B486",
    "occipital": "#E078B4",
}
FLOOR, RULE = "#FF4D4D", "#FFFFFF"
X_MM, Y_MM, Z_MM = (-92.0, 92.0), (-112.0, 112.0), (-62.0, 100.0)
STEP_MM = 0.5
AXIAL_NUMBER = 8  # plane above the floor that is shown
SAGITTAL_NUMBER = 4  # plane beside the first that is shown
BELOW_TABLE_ROWS = 2.0  # the dots sit in the outer table, which begins at TOP_MARGIN_ROWS


class Head:
    """The sample CT with its cavity, and the segments kept in head coordinates."""

    def __init__(self) -> None:
        self.ct = volume.read_ct(ROOT / "Resources" / "SampleData" / "SampleHeadCT.nrrd")
        self.cavity: Cavity = find_cavity(self.ct)
        self.frame = self.cavity.frame
        self.kept = single_ct.extract(self.ct, bones=cut_plan.BONES).segments
        row = cutting.TOP_MARGIN_ROWS + BELOW_TABLE_ROWS
        on_wall = self.kept.pixel_to_ras @ [(SIZE - 1) / 2, row, 0.0, 1.0]
        self.dots = self.frame.from_ras(on_wall[:, :3])

    def slice_hu(self, across: np.ndarray, up: np.ndarray, fixed: int, at_mm: float) -> np.ndarray:
        """HU on a grid of two head axes, the third (0 x, 1 y, 2 z) fixed."""
        shape = np.broadcast_shapes(across[None, :].shape, up[:, None].shape)
        free = [np.broadcast_to(across[None, :], shape), np.broadcast_to(up[:, None], shape)]
        free.insert(fixed, np.full(shape, at_mm))
        points = self.frame.to_ras(np.stack(free, -1).reshape(-1, 3))
        return sampling.sample_hu(self.ct, points).reshape(shape)

    def chosen(self, plane: str, near: float | None = None, axis: int = 2) -> np.ndarray:
        """Which dots are of a plane's name and, if told, of the plane next to a coordinate."""
        found = self.kept.plane == plane
        if near is not None:
            found &= np.abs(self.dots[:, axis] - near) < cut_plan.INTERVAL_MM / 2
        return found


def main() -> None:
    """Write the picture."""
    head = Head()
    wide = [np.ptp(X_MM) / np.ptp(Y_MM), np.ptp(X_MM) / np.ptp(Z_MM), np.ptp(Y_MM) / np.ptp(Z_MM)]
    figure, panels = plt.subplots(1, 3, figsize=(15, 5.5), gridspec_kw={"width_ratios": wide})
    axial(panels[0], head)
    coronal(panels[1], head)
    sagittal(panels[2], head)
    legend(figure)
    figure.subplots_adjust(left=0.005, right=0.995, top=0.94, bottom=0.15, wspace=0.02)
    drawn = io.BytesIO()
    figure.savefig(drawn, dpi=96)
    picture = (
        Image.open(drawn)
        .convert("RGB")
        .quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    )
    picture.save(PICTURE, optimize=True)


def axial(panel: Axes, head: Head) -> None:
    """An axial plane through the temporal bones, seen from the feet."""
    cavity = head.cavity
    z = cavity.base_mm + AXIAL_NUMBER * cut_plan.INTERVAL_MM
    show(panel, head, X_MM, Y_MM, 2, z)
    dots = head.chosen("axial", z)
    start = np.array([0.0, cavity.middle_mm])
    lateral = str(cut_plan.bones_of(cavity, head.frame.to_ras(np.array([[70.0, 0.0, z]])))[0][0])
    angle = np.deg2rad(cut_plan.FRONTAL_DEG)
    ahead, aside = float(np.cos(angle)), float(np.sin(angle))
    rays = {
        (lateral, "left"): (-1, 0),
        (lateral, "right"): (1, 0),
        ("frontal", "midline"): (0, 1),
        ("frontal", "left"): (-aside, ahead),
        ("frontal", "right"): (aside, ahead),
        ("occipital", "midline"): (0, -1),
    }
    for (bone, side), outward in rays.items():
        end = start + np.array(outward) * (62.0 if outward[1] == 0 else 78.0)
        ray(panel, start, end, bone)
        text = bone if side == "midline" else f"{bone}\n{side}"
        share = 0.32 if (bone, side) == ("frontal", "midline") else 0.66  # below its neighbors
        beside = 9.0 if outward[1] == 0 else 0.0
        write(panel, start + share * (end - start) + [0, beside], text, COLORS[bone])
    scatter(panel, head, dots, 0, 1)
    sides(panel, X_MM, 0.0)
    panel.set_title(f"Axial plane, {z - cavity.base_mm:.0f} mm above the floor", fontsize=13)


def coronal(panel: Axes, head: Head) -> None:
    """Heights between which squama and parietal bone overlap, and the other planes' rays."""
    cavity = head.cavity
    y = cavity.middle_mm
    show(panel, head, X_MM, Z_MM, 1, y)
    for z in np.arange(cavity.base_mm + cut_plan.INTERVAL_MM, cavity.top_mm, cut_plan.INTERVAL_MM):
        panel.plot(X_MM, [z, z], color=RULE, lw=0.4, alpha=0.3)
    floor(panel, cavity, X_MM)
    low, high = (share * head.frame.half_height_mm for share in cut_plan.SQUAMOUS_OVERLAP)
    border(panel, X_MM, low, "temporal below")
    border(panel, X_MM, high, "parietal above")
    for sign in (-1, 1):
        ray(panel, np.zeros(2), 52.0 * np.array([sign, 1.0]), "parietal")
        for x in np.arange(*cut_plan.PARIETAL_SAGITTAL_MM, cut_plan.INTERVAL_MM):
            panel.plot([sign * x] * 2, [58, 92], color=COLORS["parietal"], lw=0.6, alpha=0.6)
    write(panel, (0, 26), "45° up, in coronal\nplanes: parietal", COLORS["parietal"])
    write(panel, (0, 52), "up, in sagittal planes: parietal", COLORS["parietal"])
    lateral = head.chosen("axial") & np.isin(head.kept.bone, cut_plan.DEFAULT_BONES)
    nearest = head.chosen("coronal", y, axis=1)
    scatter(panel, head, lateral | nearest | head.chosen("sagittal"), 0, 2)
    sides(panel, X_MM, -20.0)
    panel.set_title("From the front: axial planes every 3.1 mm", fontsize=13)


def sagittal(panel: Axes, head: Head) -> None:
    """The range of the coronal planes and where rays straight up start."""
    cavity, frame = head.cavity, head.frame
    x = cut_plan.PARIETAL_SAGITTAL_MM[0] + SAGITTAL_NUMBER * cut_plan.INTERVAL_MM
    show(panel, head, Y_MM, Z_MM, 0, x)
    floor(panel, cavity, Y_MM)
    back, front = (share * frame.half_length_mm for share in cut_plan.PARIETAL_CORONAL)
    for y in np.arange(back, front, cut_plan.INTERVAL_MM):
        panel.plot([y, y], [0, 92], color=COLORS["parietal"], lw=0.6, alpha=0.45)
    write(panel, ((back + front) / 2, 8), "coronal planes: parietal", COLORS["parietal"])
    y = cut_plan.SAGITTAL_START * frame.half_length_mm
    ray(panel, np.array([y, 0.0]), np.array([y, 76.0]), "parietal")
    top = cavity.base_mm + cut_plan.OCCIPITAL_TOP_MM
    border(panel, (Y_MM[0], -44.0), top, "occipital below")
    axial_midline = head.chosen("axial") & (head.kept.side == "midline")
    scatter(panel, head, axial_midline | head.chosen("sagittal", x, axis=0), 1, 2)
    write(panel, (62, 28), "frontal", COLORS["frontal"])
    write(panel, (-62, -10), "occipital", COLORS["occipital"])
    for text, place in (("front", Y_MM[1] - 12), ("back", Y_MM[0] + 12)):
        write(panel, (place, -50), text, RULE, size=13)
    panel.set_title(f"From the left: a sagittal plane, {x:.0f} mm off the midline", fontsize=13)


def show(
    panel: Axes,
    head: Head,
    across_mm: tuple[float, float],
    up_mm: tuple[float, float],
    fixed: int,
    at_mm: float,
) -> None:
    """Show a slice; the first head axis runs to the left, as radiologists look at it."""
    across, up = (np.arange(a, b + STEP_MM, STEP_MM) for a, b in (across_mm, up_mm))
    hu = head.slice_hu(across, up, fixed, at_mm)
    extent = (*across_mm, *up_mm)
    panel.imshow(hu, extent=extent, origin="lower", cmap="gray", vmin=-200, vmax=1900)
    panel.set_xlim(across_mm[::-1])
    panel.set_ylim(up_mm)
    panel.set_axis_off()


def ray(panel: Axes, start: np.ndarray, end: np.ndarray, bone: str) -> None:
    style = {"arrowstyle": "-|>", "color": COLORS[bone], "lw": 2.0, "shrinkA": 0, "shrinkB": 0}
    panel.annotate("", xy=tuple(end), xytext=tuple(start), arrowprops=style)


def floor(panel: Axes, cavity: Cavity, across_mm: tuple[float, float]) -> None:
    panel.plot(across_mm, [cavity.base_mm] * 2, color=FLOOR, lw=1.8)


def border(panel: Axes, across_mm: tuple[float, float], z: float, text: str) -> None:
    panel.plot(across_mm, [z, z], color=RULE, lw=1.4, ls="--")
    write(panel, (sum(across_mm) / 2, z - 5), text, RULE)


def scatter(panel: Axes, head: Head, which: np.ndarray, across: int, up: int) -> None:
    colors = [COLORS[bone] for bone in head.kept.bone[which]]
    dots = head.dots[which]
    panel.scatter(dots[:, across], dots[:, up], s=46, c=colors, edgecolors="black", zorder=5)


def sides(panel: Axes, across_mm: tuple[float, float], up: float) -> None:
    """R and L, the patient's, where radiologists expect them."""
    write(panel, (across_mm[1] - 8, up), "R", RULE, size=20)
    write(panel, (across_mm[0] + 8, up), "L", RULE, size=20)


def write(panel: Axes, at: tuple[float, float], text: str, color: str, size: int = 11) -> None:
    box = {"facecolor": "black", "alpha": 0.55, "edgecolor": "none", "pad": 1.5}
    panel.text(*at, text, color=color, fontsize=size, ha="center", va="center", bbox=box, zorder=6)


def legend(figure: plt.Figure) -> None:
    dot = {"marker": "o", "ls": "", "markeredgecolor": "black", "markersize": 9}
    entries = [Line2D([], [], color=color, label=bone, **dot) for bone, color in COLORS.items()]
    entries += [
        Line2D([], [], color="#777777", lw=2, marker=">", label="ray that meets the wall"),
        Line2D([], [], color=FLOOR, lw=2, label="floor of the vault"),
    ]
    figure.legend(
        handles=entries,
        loc="lower center",
        ncols=6,
        frameon=False,
        fontsize=12,
        title="A dot is a segment that was kept, its color the bone; frontal and occipital only "
        "with --bones. R and L are the patient's.",
        title_fontsize=12,
    )


if __name__ == "__main__":
    main()
