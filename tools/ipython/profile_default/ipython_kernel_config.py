"""How the course's own kernels draw: two points per pixel, for dense screens.

The stored pictures are made with it. A reader's kernel needs it for nothing.
"""

c = get_config()  # noqa: F821 - IPython runs this file and provides the function
c.InlineBackend.figure_formats = {"retina"}
c.HistoryManager.enabled = False  # it would be written beside this file
