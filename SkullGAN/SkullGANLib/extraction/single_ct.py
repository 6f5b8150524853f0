"""The segments of one head CT: 128 x 128 cuts of the skull wall, laid level, outer table up.

``extract`` is the stage: it goes through the sites where a segment belongs (see ``cut_plan``), cuts
there (``cutting``) and keeps what is one uninterrupted wall from edge to edge.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from ..anatomy import cut_plan
from ..anatomy.cavity import find_cavity
from ..anatomy.cut_plan import DEFAULT_BONES, DEFAULT_PLANES, INTERVAL_MM, Site, plan
from ..anatomy.frame_source import frame_source
from ..anatomy.skull import skull_mask, threshold_or_fitted
from ..ct.volume import HeadCT, pseudonym
from ..data.depth import Depth
from ..data.segment_set import PIXEL_SPACING_MM, SegmentSet
from ..errors import BadInputError
from . import beads, foreign_bodies, squamosal_border, stacks
from .cutting import first_good_cut
from .spline_bricks import SplineBricks
from .stacks import Kept

COARSEST_MM = 2.0
"""Largest voxel that is cut. With it, cuts at the vertex of an analytic head are 0.75 mm too thick
and their SDR is 0.05 too high; with 3 mm by 2 mm and 0.25."""

LEAST_INTERVAL_MM, LEAST_SPACING_MM = 0.1, 0.05
"""Finest planes and pixels; a hundredth of what CTs resolve."""


@dataclass(frozen=True)
class Extraction:
    """What ``extract`` made of a CT.

    Attributes:
        segments: the segments kept, kind ``real``.
        dropped: how many cuts were not kept, by reason.
    """

    segments: SegmentSet
    dropped: dict[str, int]


def extract(
    ct: HeadCT,
    mask: np.ndarray | None = None,
    *,
    landmarks: Mapping[str, np.ndarray] | None = None,
    bones: Sequence[str] = DEFAULT_BONES,
    planes: Sequence[str] = DEFAULT_PLANES,
    interval_mm: float = INTERVAL_MM,
    spacing_mm: float = PIXEL_SPACING_MM,
    threshold_hu: float | None = None,
    depth: Depth | None = None,
    subject: str | None = None,
    threads: int | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> Extraction:
    """Cut the left and right segments of the vault out of axial, coronal and sagittal planes.

    Args:
        ct: the head CT.
        mask: (slices, rows, columns), nonzero in the skull wall; found by ``skull_mask`` if None.
        landmarks: what ``landmarks.read`` gave, to lay the head frame through; found from the
            vault if None.
        bones: which to cut, out of ``cut_plan.BONES``; frontal and occipital bone have sutures and
            sinuses that spoil a small training set (paper), so they are cut only if asked for.
        planes: in which to cut, out of ``cut_plan.PLANES``.
        interval_mm: distance of neighboring planes.
        spacing_mm: size of a pixel.
        threshold_hu: HU from which a voxel or pixel at the wall's surface is bone;
            ``skull.bone_threshold_hu`` if None.
        depth: cut stacks of neighboring parallel slices, each around a cut as it is without depth;
            the segments are then the slices, stack after stack. None cuts single segments.
        subject: pseudonym of the subject; ``volume.pseudonym(ct)`` if None.
        threads: how many cut at once; None is one a core, up to four.
        on_progress: called with the share of the work done, 0 to 1.

    Raises:
        BadInputError: if there is no vault in the CT, an argument makes no sense, the landmarks
            are not those of this head or no cut is good.
    """
    check_settings(bones, planes, interval_mm, spacing_mm)
    _check_grid(ct, mask)
    report_progress = on_progress or (lambda share: None)
    with ThreadPoolExecutor(1) as beside:
        # Cutting asks for it first of all, from every thread; until then a core has time for it.
        unseen = beside.submit(lambda: ct.unseen)
        pseudonym_of_ct = beside.submit(pseudonym, ct)
        cavity = find_cavity(ct, landmarks)
        report_progress(0.1)
        threshold_hu = threshold_or_fitted(threshold_hu, ct, cavity)
        if mask is None:
            mask = skull_mask(ct, threshold_hu=threshold_hu, cavity=cavity, threads=threads)
        unseen.result()
        report_progress(0.5)
        border = beside.submit(squamosal_border.measure, ct, mask, cavity)
        sites = [at for at in plan(cavity, interval_mm) if at.bone in bones and at.plane in planes]
        cuts = {"spacing_mm": spacing_mm, "threshold_hu": threshold_hu, "is_bare": cavity.is_bare}
        kept, dropped = _cut_sites(
            sites, ct, mask, depth, cuts, threads, lambda done: report_progress(0.5 + 0.5 * done)
        )
    name = pseudonym_of_ct.result()
    segments = as_set(kept, name, subject or name, spacing_mm)
    source = {**ct.source, "interval_mm": interval_mm, "threshold_hu": threshold_hu}
    if depth is not None:
        segments = stacks.in_stacks(segments, depth)
        source["depth"] = depth.as_source()
    frame = {"voxel_mm": ct.spacing_mm.tolist(), "frame": frame_source(cavity.frame, landmarks)}
    asked = {"bones": sorted(set(bones)), "planes": sorted(set(planes))}
    counts = {"segments": len(segments), "dropped": dropped}
    own = frame | asked | counts | {"squamosal_border_mm": border.result()}
    return Extraction(replace(segments, source={**source, "cts": {name: source | own}}), dropped)


def _check_grid(ct: HeadCT, mask: np.ndarray | None) -> None:
    """Raise unless the CT's voxels are fine enough and the mask, if any, lies on them."""
    if mask is not None and mask.shape != ct.hu.shape:
        raise BadInputError(
            f"The skull mask has {mask.shape} voxels, expected those of the CT: {ct.hu.shape}, on "
            "the same grid."
        )
    if ct.spacing_mm.max() > COARSEST_MM * 1.001:
        found = " x ".join(f"{mm:.3g}" for mm in ct.spacing_mm)
        raise BadInputError(
            f"The voxels are {found} mm, expected at most {COARSEST_MM:g} mm along each axis: "
            "coarser ones do not show the tables."
        )


def _cut_sites(
    sites: Sequence[Site],
    ct: HeadCT,
    mask: np.ndarray,
    depth: Depth | None,
    cuts: Mapping[str, Any],
    threads: int | None,
    on_progress: Callable[[float], None],
) -> tuple[list[Kept], dict[str, int]]:
    """Cut at every site, and its neighbors where there is depth; what was kept, and what was not.

    Args:
        sites, ct, mask, depth, threads, on_progress: as ``extract`` has them.
        cuts: ``spacing_mm``, ``threshold_hu`` and ``is_bare`` of ``first_good_cut``.

    Raises:
        BadInputError: if nothing was kept.
    """
    cuts = {**cuts, "spline": SplineBricks(ct.hu)}
    central = 1.0 if depth is None else 1.0 / depth.slices
    kept, has_beads, dropped = _cut_all(
        sites,
        partial(_cut_looked_at, ct=ct, mask=mask, **cuts),
        threads,
        lambda done: on_progress(central * done),
    )
    kept, dropped = _without_spoiled(kept, has_beads, dropped, cuts["spacing_mm"])
    if depth is None:
        return kept, dropped
    return stacks.with_neighbors(
        kept,
        dropped,
        ct,
        mask,
        depth,
        threads=threads,
        on_progress=lambda done: on_progress(central + (1 - central) * done),
        **cuts,
    )


def _cut_looked_at(
    site: Site, *, ct: HeadCT, mask: np.ndarray, spacing_mm: float, **cuts: Any
) -> tuple[Kept, bool] | str:
    """``first_good_cut`` with its site, and whether it has beads."""
    found = first_good_cut(ct, mask, site, spacing_mm, **cuts)
    if isinstance(found, str):
        return found
    matrix, hu, wall = found
    has_beads = beads.has_beads(hu, wall, matrix, ct.ijk_to_ras, spacing_mm)
    return (site, matrix, hu, wall), has_beads


def _cut_all(
    sites: Sequence[Site],
    cut_at: Callable[[Site], tuple[Kept, bool] | str],
    threads: int | None,
    on_progress: Callable[[float], None],
) -> tuple[list[Kept], list[bool], dict[str, int]]:
    """Cut at every site; what was kept, which of it has beads, and how many were not by reason.

    Raises:
        BadInputError: if nothing was kept.
    """
    kept: list[Kept] = []
    has_beads: list[bool] = []
    dropped: Counter[str] = Counter()
    # SciPy's filters let go of the interpreter: two threads take half the time of one.
    with ThreadPoolExecutor(threads or min(4, os.cpu_count() or 1)) as pool:
        for number, found in enumerate(pool.map(cut_at, sites)):
            if isinstance(found, str):
                dropped[found] += 1
            else:
                kept.append(found[0])
                has_beads.append(found[1])
            on_progress((number + 1) / len(sites))
    if not kept:
        raise _no_good_cut(dropped)
    return kept, has_beads, dict(sorted(dropped.items()))


def _without_spoiled(
    kept: list[Kept], has_beads: Sequence[bool], dropped: Mapping[str, int], spacing_mm: float
) -> tuple[list[Kept], dict[str, int]]:
    """Drop the cuts that are largely an implant or beads, each under a reason of its own.

    Args:
        kept: the cuts.
        has_beads: of each.
        dropped: how many were dropped before, by reason.
        spacing_mm: size of a pixel.

    Returns:
        What is left, and how many were dropped in all.

    Raises:
        BadInputError: if nothing is left.
    """
    _sites, _matrices, hu, walls = zip(*kept, strict=True)
    is_foreign = foreign_bodies.foreign_cuts(hu, walls, spacing_mm)
    counts, left = Counter(dropped), []
    for one, foreign, beaded in zip(kept, is_foreign, has_beads, strict=True):
        if foreign or beaded:
            counts[foreign_bodies.REASON if foreign else beads.REASON] += 1
        else:
            left.append(one)
    found = dict(sorted(counts.items()))
    if not left:
        raise _no_good_cut(found)
    return left, found


def _no_good_cut(dropped: Mapping[str, int]) -> BadInputError:
    return BadInputError(
        f"No cut of the vault is one wall from edge to edge (found: {dict(dropped)}), expected a "
        "CT with complete temporal or parietal bone."
    )


def check_settings(
    bones: Sequence[str], planes: Sequence[str], interval_mm: float, spacing_mm: float
) -> None:
    """Refuse settings of ``extract`` that make no sense for any CT.

    Raises:
        BadInputError: if a bone or plane is unknown, there is none, or a length is no length.
    """
    for what, given, known in (("bone", bones, cut_plan.BONES), ("plane", planes, cut_plan.PLANES)):
        strange = [one for one in given if one not in known]
        if strange or not given:
            raise BadInputError(
                f"The {what} {strange[0]!r} is not known here, expected one of {', '.join(known)}."
                if strange
                else f"No {what} was named, expected at least one."
            )
    for name, value, least in (
        ("interval", interval_mm, LEAST_INTERVAL_MM),
        ("pixel spacing", spacing_mm, LEAST_SPACING_MM),
    ):
        if not 0 < value < 100:
            raise BadInputError(f"The {name} is {value} mm, expected more than 0 and below 100.")
        if value < least:
            raise BadInputError(
                f"The {name} is {value} mm, expected at least {least:g}: no CT shows more, and "
                "time and memory grow without end."
            )


def as_set(kept: Sequence[Kept], ct: str, subject: str, spacing_mm: float) -> SegmentSet:
    """Make a set of what was cut out of one CT.

    Args:
        kept: the cuts.
        ct: pseudonym of the CT.
        subject: pseudonym of its subject.
        spacing_mm: size of a pixel.
    """
    sites, matrices, hu, walls = zip(*kept, strict=True)
    return SegmentSet(
        hu=np.stack(hu),
        mask=np.stack(walls),
        pixel_to_ras=np.stack(matrices),
        subject=np.full(len(kept), subject),
        bone=np.array([site.bone for site in sites]),
        side=np.array([site.side for site in sites]),
        plane=np.array([site.plane for site in sites]),
        seed=np.full(len(kept), -1, np.int64),
        kind="real",
        pixel_spacing_mm=spacing_mm,
        ct=np.full(len(kept), ct),
    )
