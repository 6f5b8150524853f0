"""Make the bundled model from public head CTs: cut, train, measure, all from one seed.

    python Resources/Models/make_model.py work/ pcir_bone.dicom.zip nlm_harvard02.nii.gz \
        nlm_vhf_iowa.nii.gz [--unseen OTHER_CT]

writes the sets of every head and the run into the folder, the model and its contact sheet beside
this script, and prints the figures that README.md quotes. What is in the folder already is not made
again; a run that was interrupted goes on.

Cuts lie at many more places than those of ``skullgan extract``: planes 1 mm apart, each several
times, turned by up to ``MOST_TILT_DEG`` and moved along the wall, or a generator would only learn
the few cuts of a head by heart. Held out are the right parietal bone of every head, into which no
training segment reaches, and everywhere else a fifth of the planes.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from scipy.spatial.transform import Rotation

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1] / each) for each in ("SkullGAN", "Testing/Benchmarks")]

from quality import compared  # noqa: E402
from SkullGANLib.anatomy import cut_plan, skull  # noqa: E402
from SkullGANLib.anatomy.cavity import Cavity, find_cavity  # noqa: E402
from SkullGANLib.ct.volume import HeadCT, pseudonym, read_ct  # noqa: E402
from SkullGANLib.data import hdf5  # noqa: E402
from SkullGANLib.data.segment_set import PIXEL_SPACING_MM, SegmentSet, concatenate  # noqa: E402
from SkullGANLib.errors import CancelledError  # noqa: E402
from SkullGANLib.evaluation.measures import pixel_search  # noqa: E402
from SkullGANLib.extraction import cutting, single_ct  # noqa: E402
from SkullGANLib.generation import from_seeds  # noqa: E402
from SkullGANLib.metrics import measure  # noqa: E402
from SkullGANLib.metrics.fine_structure import fine_structure  # noqa: E402
from SkullGANLib.networks import model_file  # noqa: E402
from SkullGANLib.networks.model_file import Model  # noqa: E402
from SkullGANLib.plots import contact_sheet  # noqa: E402
from SkullGANLib.training import loop  # noqa: E402
from SkullGANLib.training.presets import named  # noqa: E402
from SkullGANLib.utils import resources  # noqa: E402

SEED = 20230801
INTERVAL_MM = 1.0
VARIANTS = 12  # of every site
VARIANTS_TO_TEST = 2  # where nothing is learned
HELD_OUT_SHARE = 0.2  # of the planes
MOST_TILT_DEG = 15.0
MOST_SHIFT_MM = 12.0
MARGIN_MM = 3.0  # on either side of the border of the right parietal bone
BONES = ("temporal", "temporal-parietal", "parietal")
PARIETAL_ABOVE_MM = 35.0  # the floor of the vault: above the squama, but for its highest arch
PARTS = ("train", "test", "parietal")

FIRST = named("cpu").with_settings(
    {"precision": "bf16", "snapshot_every": "2", "noise_scales": "1"}
)
FIRST_ITERATIONS = 7_749  # when noise at four scales was found to do better
SECOND = FIRST.with_settings({"noise_scales": "4", "epochs": "48", "lr_decay_fraction": "0.6"})
LICENSE = (
    "Apache-2.0; learned from a public-domain head CT (PCIR) and two of the Visible Human Project: "
    "Courtesy of the U.S. National Library of Medicine; the copies may not be NLM's most current"
)
SOURCE = {
    "scanner": "GE LightSpeed Pro 32; Philips; unknown",
    "kernel": "BONEPLUS; 1 (sharp); soft, resampled to 1 mm",
}
"""Of the three heads, in their order; files of two of them name neither."""
COMPARED = ("sdr_peaks", "thickness_mm", "mean_intensity_hu")
EACH = 500  # segments compared of each set
SHOWN = 24  # of each kind, in the picture


def cut_parts(ct: HeadCT, number: int) -> dict[str, SegmentSet]:
    """Cut the segments of a head: those to learn from, those of held-out planes, and those wholly
    in the right parietal bone; what lies within ``MARGIN_MM`` of its border is in none."""
    cavity = find_cavity(ct)
    threshold_hu = skull.bone_threshold_hu(ct, cavity)
    mask = skull.skull_mask(ct, threshold_hu=threshold_hu, cavity=cavity)

    def cut_at(site: cut_plan.Site) -> tuple[np.ndarray, np.ndarray, np.ndarray] | str:
        return cutting.first_good_cut(
            ct, mask, site, PIXEL_SPACING_MM, threshold_hu, is_bare=cavity.is_bare
        )

    sites = list(varied_sites(cavity, np.random.default_rng([SEED, number])))
    kept: dict[str, list[single_ct.Kept]] = {part: [] for part in PARTS}
    dropped: Counter[str] = Counter()
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        cuts = pool.map(cut_at, [site for _, site in sites])
        for (part, site), found in zip(sites, cuts, strict=True):
            if isinstance(found, str):
                dropped[found] += 1
                continue
            depth = depth_in_right_parietal(cavity, found[0], found[2])
            if depth.min() > MARGIN_MM:
                kept["parietal"].append((site, *found))
            elif depth.max() < -MARGIN_MM:
                kept[part].append((site, *found))
            else:
                dropped["across the border"] += 1
    name = pseudonym(ct)
    source = {**ct.source, "threshold_hu": threshold_hu}
    print(f"{name}: {len(sites)} sites, dropped {dict(dropped)}")
    sets = {}
    for part, cuts_of_part in kept.items():
        left, _ = single_ct.without_spoiled(cuts_of_part, {}, ct, PIXEL_SPACING_MM)
        made = single_ct.as_set(left, name, name, PIXEL_SPACING_MM)
        sets[part] = replace(made, source=source)
    return sets


def varied_sites(cavity: Cavity, rng: np.random.Generator) -> Iterator[tuple[str, cut_plan.Site]]:
    """Yield every site several times, turned about all three axes and moved along the wall, with
    the part that its plane belongs to."""
    for site in cut_plan.plan(cavity, INTERVAL_MM):
        if site.bone not in BONES:
            continue
        part = "test" if rng.random() < HELD_OUT_SHARE else "train"
        learned = site.side == "left" or site.bone != "parietal"
        for _ in range(VARIANTS if learned else VARIANTS_TO_TEST):
            along = np.cross(site.outward, site.normal)
            turn = Rotation.from_rotvec(np.deg2rad(rng.uniform(-MOST_TILT_DEG, MOST_TILT_DEG, 3)))
            shift = rng.uniform(-MOST_SHIFT_MM, MOST_SHIFT_MM) * along
            shift = shift + rng.uniform(-0.5, 0.5) * INTERVAL_MM * site.normal
            yield (
                part,
                replace(
                    site,
                    plane="oblique",
                    start_ras=site.start_ras + shift,
                    outward=turn.apply(site.outward),
                    normal=turn.apply(site.normal),
                ),
            )


def depth_in_right_parietal(
    cavity: Cavity, pixel_to_ras: np.ndarray, wall: np.ndarray
) -> np.ndarray:
    """Signed distance of a wall's pixels into {right of the midline, above the squama}, in mm."""
    rows, columns = np.nonzero(wall)
    pixels = np.stack([columns, rows, np.zeros_like(rows), np.ones_like(rows)], axis=-1)
    head = cavity.frame.from_ras((pixels @ pixel_to_ras.T)[:, :3])
    return np.minimum(head[:, 0], head[:, 2] - cavity.base_mm - PARIETAL_ABOVE_MM)


def evenly(one: SegmentSet, count: int, seed: int) -> SegmentSet:
    """Draw up to so many segments, as many of each subject as far as it has them."""
    rng = np.random.default_rng(seed)
    names = np.unique(one.subject)
    chosen = [
        rng.permutation(np.flatnonzero(one.subject == name))[: -(-count // len(names))]
        for name in names
    ]
    return one[np.sort(np.concatenate(chosen))]


def figures(made: Model, sets: dict[str, SegmentSet]) -> dict[str, object]:
    """Give what the model card has; every set is compared with the synthetic one and with the
    training set, which says what real ones of another place are like."""
    card: dict[str, object] = {}
    synthetic = from_seeds.generate_set(made, np.arange(EACH), precision="fp32")
    learned = evenly(sets["train"], EACH, SEED)
    for name, one in {**sets, "synthetic": synthetic}.items():
        measured = measure(one)
        for metric in COMPARED:
            values = measured[metric]
            card[f"{metric}, {name}"] = f"{np.nanmean(values):.4g} ± {np.nanstd(values):.2g}"
        card[f"fine structure, {name}"] = str(fine_structure(one))
        card[f"share with realness above 0.5, {name}"] = round(share_real(made, one), 3)
    for name, one in sets.items():
        real = evenly(one, EACH, SEED + 1)
        card[f"synthetic against {name}"] = compared(real, synthetic)
        if name != "train":
            card[f"training against {name}"] = compared(real, learned)
    near = {
        name: pixel_search.nearest_by_mse(one, sets["train"])
        for name, one in (("test", evenly(sets["test"], EACH, SEED)), ("synthetic", synthetic))
    }
    for name, found in near.items():
        card[f"RMS difference from the nearest training segment, HU, {name}"] = [
            round(hu) for hu in np.percentile(found.distance, [0, 5, 50, 95])
        ]
        card[f"its ratio to the next five, {name}"] = [
            round(ratio, 3) for ratio in np.percentile(found.ratio, [0, 5, 50])
        ]
    return card


@torch.inference_mode()
def share_real(made: Model, one: SegmentSet) -> float:
    """Share that the model's own discriminator holds for real."""
    images = model_file.from_hu(one.hu, made.hu_range)
    realness = torch.cat([made.discriminator.realness(batch) for batch in images.split(64)])
    return (realness > 0.5).float().mean().item()


def write_sheet(path: Path, real: SegmentSet, synthetic: SegmentSet) -> None:
    """Write a picture with four real segments, then four synthetic ones, in each row."""
    tiles = [one.hu[:SHOWN].reshape(-1, 4, 128, 128) for one in (real, synthetic)]
    captions = (["real"] * 4 + ["synthetic"] * 4) * (SHOWN // 4)
    contact_sheet.write_contact_sheet(
        path, np.concatenate(tiles, axis=1).reshape(-1, 128, 128), captions=captions
    )


def train_first(run: Path, sets: dict[str, SegmentSet]) -> None:
    """Train with white noise, as far as the bundled model did."""
    done = 0

    def count(iteration: int, _iterations: int) -> None:
        nonlocal done
        done = iteration

    if (run / "last.safetensors").exists():
        return
    with contextlib.suppress(CancelledError):
        loop.train(
            sets["train"],
            run,
            FIRST,
            held_out=sets["test"],
            seed=SEED,
            license=LICENSE,
            resume=run.exists(),
            on_progress=count,
            should_stop=lambda: done >= FIRST_ITERATIONS,
        )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("folder", type=Path)
    options.add_argument("ct", type=Path, nargs="+", help="heads to learn from")
    options.add_argument("--unseen", type=Path, help="segment set of a head that is only judged")
    chosen = options.parse_args()
    folder: Path = chosen.folder
    folder.mkdir(parents=True, exist_ok=True)
    paths = {part: folder / f"{part}.h5" for part in PARTS}
    if not all(path.exists() for path in paths.values()):
        heads = [cut_parts(read_ct(ct), number) for number, ct in enumerate(chosen.ct)]
        for part, path in paths.items():
            hdf5.write(path, concatenate([head[part] for head in heads]))
    sets = {part: hdf5.read(path) for part, path in paths.items()}

    torch.set_num_threads(1)  # sums in another order would give another model
    first, second = folder / "first", folder / "run"
    train_first(first, sets)
    if not (second / "last.safetensors").exists():
        loop.train(
            sets["train"],
            second,
            SECOND,
            held_out=sets["test"],
            seed=SEED + 1,
            license=LICENSE,
            resume=second.exists(),
            pretrained=model_file.read(first / "last.safetensors"),
        )
    bundled = resources.bundled_model()
    made = model_file.read(second / "model.safetensors")
    trained_on = {**made.trained_on, "source": SOURCE}
    trained_on["pretrained_on"] = {**trained_on["pretrained_on"], "source": SOURCE}
    made = replace(made, license=LICENSE, trained_on=trained_on)
    model_file.write(bundled, made, dtype=torch.bfloat16)

    made = model_file.read(bundled)
    shown = evenly(sets["train"], SHOWN, SEED)
    write_sheet(bundled.with_suffix(".png"), shown, from_seeds.generate_set(made, range(SHOWN)))
    if chosen.unseen:
        sets["unseen"] = hdf5.read(chosen.unseen)
    print(json.dumps(figures(made, sets), indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
