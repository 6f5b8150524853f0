"""Whether a CT's reconstruction kernel is sharp enough for its SDR to be compared with others."""

from __future__ import annotations

import re


def kernel_is_soft(kernel: str) -> bool | None:
    """Tell whether a CT kernel is too soft for SDR: it blurs the diploë into the tables.

    Between kernels the SDR of one head differs by 0.05 and more, and treatment thresholds hold for
    sharp ones.

    Args:
        kernel: as in the DICOM header (0018,1210): GE names, Siemens letters and number (below 50
            is soft), Canon FC number (below 30 is soft).

    Returns:
        True for a soft kernel, False for a sharp one, None for one that is not known here.
    """
    name = re.sub(r"[^A-Z0-9]", "", str(kernel).upper())
    if name in ("BONE", "BONEPLUS", "EDGE", "LUNG", "ULTRA"):
        return False
    if name in ("SOFT", "STANDARD", "STND", "DETAIL", "CHST"):
        return True
    if canon := re.match(r"FC(\d\d)(?!\d)", name):
        return int(canon[1]) < 30
    if siemens := re.match(r"[A-Z]{1,2}(\d\d)(?!\d)", name):
        return int(siemens[1]) < 50
    return None
