"""Long work for a panel or a script, as steps off the GUI thread."""
