"""A blinded reader study: can people tell synthetic segments from real ones?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...lazy import lazy_face

if TYPE_CHECKING:
    from .answer_files import Answers as Answers
    from .answer_files import read_answers as read_answers
    from .blinded_cases import choose_cases as choose_cases
    from .scoring import Score as Score
    from .scoring import score as score
    from .study_folder import read_key as read_key
    from .study_folder import score_folder as score_folder
    from .study_folder import write_study as write_study

__all__ = [
    "Answers",
    "Score",
    "choose_cases",
    "read_answers",
    "read_key",
    "score",
    "score_folder",
    "write_study",
]

_HOMES = {
    "Answers": "answer_files",
    "Score": "scoring",
    "choose_cases": "blinded_cases",
    "read_answers": "answer_files",
    "read_key": "study_folder",
    "score": "scoring",
    "score_folder": "study_folder",
    "write_study": "study_folder",
}

__getattr__, __dir__ = lazy_face(__name__, _HOMES)
