# Slicer generates the extension's configuration and package here.
