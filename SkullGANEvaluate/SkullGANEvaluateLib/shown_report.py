"""The nodes of the report that the panel shows."""

# ruff: noqa: N802 - camel case is what Slicer calls and how its modules read
from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from SkullGANScene.nodes.evaluation import EvaluationNodes

    from .parameters import SkullGANEvaluateParameterNode


def nodesOf(node: SkullGANEvaluateParameterNode | None) -> EvaluationNodes | None:
    """Give the nodes of the report that is chosen; None if none is, or the panel is closed."""
    from SkullGANScene.nodes import evaluation

    text = node.report if node else None
    if text is None or not text.GetAttribute(evaluation.ATTRIBUTE):
        return None
    return evaluation.nodes_of(text)
