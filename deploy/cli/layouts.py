"""From the command line's `config` to the layout: all that `stop`, `status` and `logs` need, and quick."""

import os
from pathlib import Path

from deploy.layout import Layout, layout_of


def layout_for(config: str) -> Layout:
    """The layout of the deployment; needs no readable file."""
    return layout_of(Path(config), os.environ)
