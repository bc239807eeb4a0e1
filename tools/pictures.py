"""Draw the pictures of the landing page and the README, from the tested package.

    python tools/pictures.py            writes book/_static/landing.png
"""

from pathlib import Path

import attention_course as ac

STATIC = Path(__file__).parent.parent / "book" / "_static"


def landing(file: Path = STATIC / "landing.png") -> Path:
    """Draw the three questions of the running example and where they look."""
    example = ac.data.running_example()
    _, weights = ac.scaled_dot_product_attention(
        example.query, example.key, example.value
    )
    axes = ac.plots.weights_heatmap(weights, example.questions, example.words)
    # no metadata: the same picture gives the same bytes
    axes.figure.savefig(file, dpi=144, metadata={"Software": None})
    return file


if __name__ == "__main__":
    print(landing())
