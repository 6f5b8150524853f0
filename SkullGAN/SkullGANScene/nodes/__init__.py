"""Library objects as MRML nodes, and back."""
