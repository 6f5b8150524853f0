"""What Slicer's slice and 3D views show."""
