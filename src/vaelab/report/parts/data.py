"""What the images were."""

from __future__ import annotations

from markupsafe import Markup

from vaelab.report.html import html
from vaelab.report.look import Look
from vaelab.report.parts import Arrays, Part
from vaelab.report.pictures import stored
from vaelab.report.words import plural, size_of

LISTED, OPEN = 200, 20
"""Files left out that are named at most, and up to which they are in plain view."""


class Images(Part):
    """How many images there are in each split, how they were scaled, and which files were left out."""

    section = "made"
    order = 10
    title = "Data"

    def html(self, look: Look, arrays: Arrays) -> Markup:
        """See Part."""
        splits = ", ".join(f"{count:,} {name}" for name, count in look.counts.items())
        total, left_out = plural(sum(look.counts.values()), "image"), look.run.facts.left_out
        words = stored(look)
        return html(
            """<p>{{ total }} of {{ size }}: {{ splits }}. {{ stored }}.</p>
            <p class="note">Hash of images and table: <code>{{ hash }}</code></p>
            {% if left_out %}
            {% call fold(summary, left_out|length <= most) %}
            {{ table(["File", "Reason"], left_out[:listed], "Files left out") }}
            {{ note("The first %s of %s." % (listed, "{:,}".format(left_out|length))) if left_out|length > listed }}
            {% endcall %}
            {% else %}
            {{ note("No file was left out.") }}
            {% endif %}""",
            total=total, size=size_of(look.image_shape, look.channels), splits=splits, left_out=left_out,
            stored=words[:1].upper() + words[1:], hash=look.run.facts.content_hash, listed=LISTED, most=OPEN,
            summary=f"{plural(len(left_out), 'file')} left out",
        )  # fmt: skip
