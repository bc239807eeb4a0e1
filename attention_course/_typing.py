"""The one alias that annotations of the functional core use."""

from typing import Any

# An array of NumPy, PyTorch or any other library that follows the array API
# standard. `Any`, since none of them may be imported for the sake of a type.
Array = Any
