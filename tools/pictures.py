"""Draw the picture of the landing page and the README, from the tested package.

python tools/pictures.py        writes book/_static/landing.png
"""

from pathlib import Path

import attention_course as ac

STATIC = Path(__file__).resolve().parent.parent / "book" / "_static"


def landing() -> Path:
    """Draw the three questions of the running example and where they look."""
    example = ac.data.running_example()
    _, weights = ac.scaled_dot_product_attention(
        example.query, example.key, example.value
    )
    axes = ac.plots.weights_heatmap(weights, example.questions, example.words)
    # no name of the writer inside: the same picture gives the same bytes
    axes.figure.savefig(STATIC / "landing.png", dpi=144, metadata={"Software": None})
    return STATIC / "landing.png"


if __name__ == "__main__":
    print(landing().relative_to(STATIC.parent.parent))
