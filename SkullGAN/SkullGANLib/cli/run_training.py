"""What ``train`` and ``pretrain`` have in common: progress, signals, and a line at the end."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING, TextIO

from ..utils import progress
from .options import signals_noted

if TYPE_CHECKING:
    from ..data.segment_set import SegmentSet
    from ..training.pictures import Pictures
    from ..training.recipe import Recipe


def run_training(
    options: argparse.Namespace,
    recipe: Recipe,
    segments: SegmentSet | Pictures,
    held_out: SegmentSet | None = None,
) -> None:
    """Train in the run directory of the options; a signal stops it with a checkpoint."""
    from ..networks import model_file
    from ..training import loop
    from ..training.pictures import PICTURES

    pretrained = model_file.read(options.pretrained) if options.pretrained else None
    style = options.progress if _is_first() else "none"
    with (
        signals_noted() as interrupted,
        progress.shown(f"Training {options.output.name}", style) as report_progress,
    ):
        loop.train(
            segments,
            options.output,
            recipe,
            held_out=held_out,
            device=options.device,
            seed=options.seed,
            pretrained=pretrained,
            on_progress=lambda count, of: report_progress(count / of, f"{count}/{of}"),
            should_stop=interrupted.is_set,
            resume=options.resume,
            allowed_kinds=(segments.kind,),
        )
    what = PICTURES if segments.kind == PICTURES else "segments"
    print_once(f"{options.output / 'model.safetensors'}: trained on {len(segments)} {what}")


def print_once(line: str, stream: TextIO | None = None) -> None:
    """Print a line; of the processes that torchrun started the first one does."""
    if _is_first():
        print(line, file=stream or sys.stdout, flush=True)


def _is_first() -> bool:
    return os.environ.get("RANK", "0") == "0"
