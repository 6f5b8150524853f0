"""How good the segments of recipes are after equal time, by the evaluation's own judges.

    make bench-quality                                       (sample CT, ten minutes a training)
    .venv/bin/python Testing/Benchmarks/quality.py --train a.h5 --test b.h5 --minutes 60 --seeds 3

Each recipe is trained from each seed for the same time: a few iterations tell how many epochs fit,
so that learning rates fall as the recipe means them to. Then as many segments as there are held-out
ones are compared with these: accuracy and AUC of the classifier (50 % and 0.5 where it cannot tell
them), precision and coverage at equal numbers (their value for two halves of one set stands in the
row "real"), squared kernel distance, Kolmogorov-Smirnov distance of SDR, thickness and mean
intensity, and the fine structure. Beside each stands a contact sheet.

"published" is the paper's recipe with the widths that "old demo" had, which came with earlier
versions: the same game with what steadied it.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from scipy import stats
from scipy.spatial.distance import cdist
from SkullGANLib.ct.volume import read_ct
from SkullGANLib.data import hdf5
from SkullGANLib.data.segment_set import SegmentSet
from SkullGANLib.errors import CancelledError
from SkullGANLib.evaluation.measures.c2st import two_sample_test
from SkullGANLib.evaluation.measures.features import features
from SkullGANLib.extraction import single_ct
from SkullGANLib.generation.from_seeds import generate_set
from SkullGANLib.metrics import measure
from SkullGANLib.metrics.fine_structure import fine_structure
from SkullGANLib.metrics.kernel_distance import squared_kernel_distance
from SkullGANLib.networks import model_file
from SkullGANLib.plots.contact_sheet import write_contact_sheet
from SkullGANLib.training.loop import train
from SkullGANLib.training.presets import named
from SkullGANLib.training.recipe import Recipe
from SkullGANLib.utils import resources

OLD_DEMO = Recipe(
    name="old demo",
    generator_width=256,
    discriminator_width=16,
    initial_weight_std=0.0,
    samples_per_epoch=128,
    batch_size=8,
    generator_learning_rate=2e-3,
    discriminator_learning_rate=1e-3,
    adam_beta2=0.99,
    plateau_patience=0,
    update_gate="above",
    update_gate_from_epoch=0,
    blurred_share=0.0,
    flips=True,
    shift_px=4,
    instance_noise_std=0.2,
    lr_decay_fraction=0.4,
    ema_decay=0.99,
)
RECIPES = {
    "published": replace(Recipe(), generator_width=256, discriminator_width=16, batch_size=8),
    "old demo": OLD_DEMO,
    "cpu": named("cpu"),
}
NEIGHBORS = 5
WARM_UP, MEASURED = 5, 30
KS = {"sdr_peaks": "SDR", "thickness_mm": "thickness", "mean_intensity_hu": "intensity"}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--train", type=Path, help="segment set; default: cut from the sample CT")
    options.add_argument("--test", type=Path, help="held-out segment set")
    options.add_argument("--minutes", type=float, default=10.0, help="of each training")
    options.add_argument("--seeds", type=int, default=3)
    options.add_argument("--recipes", nargs="+", choices=RECIPES, default=list(RECIPES))
    options.add_argument("--most", type=int, default=500, help="segments compared of each set")
    options.add_argument("--model", type=Path, nargs="*", default=[], help="only judge these, too")
    options.add_argument("-o", type=Path, default=Path("bench-quality"), help="contact sheets")
    chosen = options.parse_args()
    learned, held_out = _sets(chosen.train, chosen.test)
    rng = np.random.default_rng(0)
    test = held_out[np.sort(rng.permutation(len(held_out))[: chosen.most])]
    chosen.o.mkdir(parents=True, exist_ok=True)
    print(f"{len(learned)} segments learned from, {len(test)} held out; ", end="")
    print(
        f"{chosen.minutes:g} min each, {torch.get_num_threads()} threads, torch {torch.__version__}"
    )
    real = learned[np.sort(rng.permutation(len(learned))[: len(test)])]
    _show("real", 0, compared(test, real))
    for path in chosen.model:
        made = generate_set(model_file.read(path), range(len(test)))
        _show(path.name, 0, compared(test, made))
        write_contact_sheet(chosen.o / f"{path.stem}.png", made.hu[:64])
    for name in chosen.recipes if chosen.minutes > 0 else ():
        for seed in range(chosen.seeds):
            made = _trained_for(learned, held_out, RECIPES[name], seed, 60 * chosen.minutes)
            segments = generate_set(made, range(len(test)))
            _show(name, seed, compared(test, segments))
            write_contact_sheet(chosen.o / f"{name} {seed}.png", segments.hu[:64])


def compared(real: SegmentSet, other: SegmentSet) -> dict[str, float]:
    """Compare equally many segments by the evaluation's judges."""
    count = min(len(real), len(other))
    real, other = real[:count], other[:count]
    x, y = features(real, other)
    test = two_sample_test(x, y)
    own, across = cdist(x, x), cdist(y, x)
    reach = np.sort(own, axis=1)[:, NEIGHBORS]
    found = {
        "accuracy": test.accuracy.value,
        "AUC": test.auc.value,
        "precision": (across <= reach).any(axis=1).mean(),
        "coverage": (across.min(axis=0) <= reach).mean(),
        "kernel": squared_kernel_distance(x, y),
    }
    metrics = [measure(one) for one in (real, other)]
    for metric, name in KS.items():
        values = [one[metric][np.isfinite(one[metric])] for one in metrics]
        found[f"KS {name}"] = stats.ks_2samp(*values).statistic
        if name == "intensity":
            found["HU apart"] = values[1].mean() - values[0].mean()
    fine = fine_structure(other)
    return found | {"grain HU": fine.std_hu, "kurtosis": fine.kurtosis, "grid": fine.grid}


def _sets(train_path: Path | None, test_path: Path | None) -> tuple[SegmentSet, SegmentSet]:
    if train_path and test_path:
        return hdf5.read(train_path), hdf5.read(test_path)
    found = single_ct.extract(read_ct(resources.sample_ct()), interval_mm=1.0).segments
    held_out = np.random.default_rng(0).random(len(found)) < 0.3
    return found[~held_out], found[held_out]


def _trained_for(
    learned: SegmentSet, held_out: SegmentSet, recipe: Recipe, seed: int, seconds: float
) -> model_file.Model:
    """Train for about so many seconds, reports and snapshots included."""
    shown = replace(recipe, samples_per_epoch=recipe.batch_size * 50, snapshot_every=10**6)
    ends: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        with contextlib.suppress(CancelledError):
            train(
                learned,
                Path(folder) / "probe",
                replace(shown, epochs=10**4, quality_count=0),
                on_progress=lambda done, _: ends.append(time.perf_counter()),
                should_stop=lambda: len(ends) >= WARM_UP + MEASURED,
            )
        each = (ends[-1] - ends[WARM_UP]) / (MEASURED - 1)
        epochs = max(2, round(seconds / each / 50))
        fits = replace(shown, epochs=epochs, snapshot_every=max(1, epochs // 8))
        return train(learned, Path(folder) / "run", fits, held_out=held_out, seed=seed)


def _show(name: str, seed: int, found: dict[str, float]) -> None:
    rounded = {key: round(float(value), 3) for key, value in found.items()}
    print(f"{name:<12} seed {seed}  {json.dumps(rounded)}", flush=True)


if __name__ == "__main__":
    main()
