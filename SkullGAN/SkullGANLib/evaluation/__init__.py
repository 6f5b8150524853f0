"""Are synthetic segments like real ones, are they copies, are they of use?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import lazy_face

if TYPE_CHECKING:
    from .evaluation import Evaluation as Evaluation
    from .evaluation import evaluate as evaluate
    from .evaluation_set import EvaluationSet as EvaluationSet
    from .evaluation_set import prepare_sets as prepare_sets

__all__ = ["Evaluation", "EvaluationSet", "evaluate", "prepare_sets"]

_HOMES = {
    "Evaluation": "evaluation",
    "evaluate": "evaluation",
    "EvaluationSet": "evaluation_set",
    "prepare_sets": "evaluation_set",
}

__getattr__, __dir__ = lazy_face(__name__, _HOMES)
