"""The commands of ``skullgan``: what each is called with, and the stage that it calls.

Each file has functions of one kind. A command is a function of its parsed options; ``add_<name>``
adds it to the program. ``shared`` is what commands have in common, ``SkullGANLib.cli`` the program.
"""
