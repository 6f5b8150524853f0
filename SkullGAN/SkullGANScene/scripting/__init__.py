"""What Slicer's headless scripts share."""
