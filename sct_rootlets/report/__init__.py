"""One page for the results of many images: what was found in each, and which one failed.

`finding` finds results and the images they were made of, `subject` reads those of one image and
draws them, `verdict` says what is wrong with it, `strips` and `page` make the HTML, and `building`
does so for a whole batch in several processes.
"""

from __future__ import annotations

from sct_rootlets.report.building import Summary, build

__all__ = ["Summary", "build"]
