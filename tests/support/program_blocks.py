"""The Python programs in a text of ours, such as a guide or a README."""

import re


def python_blocks(text: str) -> list[str]:
    """What stands between fences that say `python`, in order."""
    return re.findall(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
