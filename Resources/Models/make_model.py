"""Make the bundled model from the public PCIR series: cut, train, measure, all from one seed.

    python Resources/Models/make_model.py pcir_bone.dicom.zip work/

writes ``train.h5``, ``test.h5`` and the run into the folder, the model and its contact sheet beside
this script, and prints the figures that README.md quotes. What is in the folder already is not made
again; a run that was interrupted goes on. Cutting took 6 minutes on two busy CPU cores, training 44
on one.

Cuts lie at many more places than those of ``skullgan extract``: planes 1 mm apart, each several
times, turned by up to ``MOST_TILT_DEG`` and moved along the wall, or a generator would only learn
the few cuts of one head by heart. The right parietal bone is held out: no training segment reaches
into it, and test segments lie wholly in it.
"""

from __future__ import annotations

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
from scipy import stats
from scipy.spatial.transform import Rotation

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "SkullGAN"))

from SkullGANLib.anatomy import cut_plan, skull  # noqa: E402
from SkullGANLib.anatomy.cavity import Cavity, find_cavity  # noqa: E402
from SkullGANLib.ct.volume import HeadCT, pseudonym, read_ct  # noqa: E402
from SkullGANLib.data import hdf5  # noqa: E402
from SkullGANLib.data.segment_set import PIXEL_SPACING_MM, SegmentSet  # noqa: E402
from SkullGANLib.evaluation.measures import nearest_neighbors, pixel_search  # noqa: E402
from SkullGANLib.extraction import cutting, single_ct  # noqa: E402
from SkullGANLib.generation import from_seeds  # noqa: E402
from SkullGANLib.metrics import measure  # noqa: E402
from SkullGANLib.networks import model_file  # noqa: E402
from SkullGANLib.networks.model_file import Model  # noqa: E402
from SkullGANLib.plots import contact_sheet  # noqa: E402
from SkullGANLib.training import loop  # noqa: E402
from SkullGANLib.training.presets import named  # noqa: E402

SEED = 20230801
INTERVAL_MM = 1.0
VARIANTS = 7  # of every site
MOST_TILT_DEG = 15.0
MOST_SHIFT_MM = 12.0
MARGIN_MM = 3.0  # on either side of the border of what is held out
BONES = ("temporal", "temporal-parietal", "parietal")
HELD_OUT_ABOVE_MM = 35.0  # the floor of the vault: above the squama, but for its highest arch

RECIPE = named("demo").with_settings(
    {
        "epochs": "100",
        "samples_per_epoch": "320",
        "generator_learning_rate": "1.5e-3",
        "discriminator_learning_rate": "7.5e-4",
        "lr_decay_fraction": "0.4",
        "ema_decay": "0.997",
        "report_every": "20",
        "snapshot_every": "5",
    }
)
LICENSE = "Apache-2.0; learned from a public-domain head CT (PCIR)"
COMPARED = ("sdr_peaks", "thickness_mm", "mean_intensity_hu")
SYNTHETIC = 1000
SHOWN = 24  # of each kind, in the picture


def cut_sets(ct: HeadCT) -> tuple[SegmentSet, SegmentSet]:
    """Cut the training and the test set.

    Returns:
        Segments with no pixel of the right parietal bone, and segments wholly in it; what lies
        within ``MARGIN_MM`` of the border is in neither.
    """
    cavity = find_cavity(ct)
    threshold_hu = skull.bone_threshold_hu(ct, cavity)
    mask = skull.skull_mask(ct, threshold_hu=threshold_hu, cavity=cavity)

    def cut_at(site: cut_plan.Site) -> tuple[np.ndarray, np.ndarray, np.ndarray] | str:
        return cutting.first_good_cut(ct, mask, site, PIXEL_SPACING_MM, threshold_hu)

    sites = list(varied_sites(cavity, np.random.default_rng(SEED)))
    kept: tuple[list, list] = ([], [])
    dropped: Counter[str] = Counter()
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        for site, found in zip(sites, pool.map(cut_at, sites), strict=True):
            if isinstance(found, str):
                dropped[found] += 1
                continue
            share = share_held_out(cavity, found[0], found[2])
            if share in (0.0, 1.0):
                kept[int(share)].append((site, *found))
            else:
                dropped["across the border"] += 1
    name = pseudonym(ct)
    source = {**ct.source, "threshold_hu": threshold_hu}
    print(f"{len(sites)} sites, {[len(k) for k in kept]} kept, dropped: {dict(dropped)}")
    train, test = (
        replace(single_ct.as_set(each, name, name, PIXEL_SPACING_MM), source=source)
        for each in kept
    )
    return train, test


def varied_sites(cavity: Cavity, rng: np.random.Generator) -> Iterator[cut_plan.Site]:
    """Yield every site ``VARIANTS`` times, turned about all three axes and moved along the wall."""
    for site in cut_plan.plan(cavity, INTERVAL_MM):
        if site.bone not in BONES:
            continue
        for _ in range(VARIANTS):
            along = np.cross(site.outward, site.normal)
            turn = Rotation.from_rotvec(np.deg2rad(rng.uniform(-MOST_TILT_DEG, MOST_TILT_DEG, 3)))
            shift = rng.uniform(-MOST_SHIFT_MM, MOST_SHIFT_MM) * along
            shift = shift + rng.uniform(-0.5, 0.5) * INTERVAL_MM * site.normal
            yield replace(
                site,
                plane="oblique",
                start_ras=site.start_ras + shift,
                outward=turn.apply(site.outward),
                normal=turn.apply(site.normal),
            )


def share_held_out(cavity: Cavity, pixel_to_ras: np.ndarray, wall: np.ndarray) -> float:
    """0.0 if the whole wall lies in what is learned from, 1.0 if in what is held out, else 0.5."""
    rows, columns = np.nonzero(wall)
    pixels = np.stack([columns, rows, np.zeros_like(rows), np.ones_like(rows)], axis=-1)
    head = cavity.frame.from_ras((pixels @ pixel_to_ras.T)[:, :3])
    # Signed distance into {right of the midline, above the squama}, in mm.
    depth = np.minimum(head[:, 0], head[:, 2] - cavity.base_mm - HELD_OUT_ABOVE_MM)
    if depth.max() < -MARGIN_MM:
        return 0.0
    return 1.0 if depth.min() > MARGIN_MM else 0.5


def figures(made: Model, sets: dict[str, SegmentSet]) -> dict[str, object]:
    """Give what the model card has on the sets "train", "test" and "synthetic"."""
    measured = {name: measure(one) for name, one in sets.items()}
    card: dict[str, object] = {name: len(one) for name, one in sets.items()}
    for metric in COMPARED:
        for name in sets:
            values = measured[name][metric]
            card[f"{metric}, {name}"] = f"{np.nanmean(values):.4g} ± {np.nanstd(values):.2g}"
        for one, other in (("synthetic", "train"), ("synthetic", "test"), ("test", "train")):
            a, b = (
                values[np.isfinite(values)]
                for values in (measured[one][metric], measured[other][metric])
            )
            card[f"{metric}, KS {one} - {other}"] = round(stats.ks_2samp(a, b).statistic, 3)
    for name, one in sets.items():
        card[f"share with realness above 0.5, {name}"] = round(share_real(made, one), 3)
    near = {
        name: pixel_search.nearest_by_mse(sets[name], sets["train"])
        for name in ("test", "synthetic")
    }
    for name, found in near.items():
        card[f"RMS difference from the nearest training segment, HU, {name}"] = [
            round(hu) for hu in np.percentile(found.distance, [5, 50, 95])
        ]
        card[f"its ratio to the next five, {name}"] = [
            round(ratio, 3) for ratio in np.percentile(found.ratio, [0, 5, 50])
        ]
    verdict = nearest_neighbors.judge(near["synthetic"], near["test"])
    card["suspects, copies"] = [len(verdict.suspects), len(verdict.copies)]
    return card


@torch.inference_mode()
def share_real(made: Model, one: SegmentSet) -> float:
    """Share that the model's own discriminator holds for real."""
    images = model_file.from_hu(one.hu, made.hu_range)
    realness = torch.cat([made.discriminator.realness(batch) for batch in images.split(64)])
    return (realness > 0.5).float().mean().item()


def write_sheet(path: Path, real: SegmentSet, synthetic: SegmentSet) -> None:
    """Write a picture with four real segments, then four synthetic ones, in each row."""
    chosen = np.sort(np.random.default_rng(SEED).choice(len(real), SHOWN, replace=False))
    tiles = [
        real.hu[chosen].reshape(-1, 4, 128, 128),
        synthetic.hu[:SHOWN].reshape(-1, 4, 128, 128),
    ]
    captions = (["real"] * 4 + ["synthetic"] * 4) * (SHOWN // 4)
    contact_sheet.write_contact_sheet(
        path, np.concatenate(tiles, axis=1).reshape(-1, 128, 128), captions=captions
    )


def main() -> None:
    ct_path, folder = sys.argv[1], Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    paths = {name: folder / f"{name}.h5" for name in ("train", "test")}
    if not all(path.exists() for path in paths.values()):
        for path, one in zip(paths.values(), cut_sets(read_ct(ct_path)), strict=True):
            hdf5.write(path, one)
    sets = {name: hdf5.read(path) for name, path in paths.items()}

    run = folder / "run"
    torch.set_num_threads(1)  # sums in another order would give another model
    if not (run / "model.safetensors").exists():
        loop.train(sets["train"], run, RECIPE, seed=SEED, license=LICENSE, resume=run.exists())
    made = model_file.read(run / "model.safetensors")
    bundled = HERE / "skullgan-pcir.safetensors"
    model_file.write(bundled, replace(made, license=LICENSE), dtype=torch.bfloat16)

    made = model_file.read(bundled)
    sets["synthetic"] = from_seeds.generate_set(made, np.arange(SYNTHETIC), precision="fp32")
    write_sheet(HERE / "skullgan-pcir.png", sets["train"], sets["synthetic"])
    print(json.dumps(figures(made, sets), indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
