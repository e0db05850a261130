"""`vaelab data`: what images there are, what lies in a file, known sets to fetch, collections to generate."""

from __future__ import annotations

ABOUT = "List, look at, fetch, generate or pack images."
EXAMPLES = """\
examples:
  vaelab data list                                  kinds of sources, sets to fetch, collections to generate
  vaelab data info my_folder/                       what is in it, and what cannot be used, with the reason
  vaelab data info my_folder/ --size 64,64          the same, read another way; --help says in which
  vaelab data download mnist --to mnist/            checked against the published checksums
  vaelab data synthesize cells-synthetic -o cells.npz --num-images 10000
  vaelab data synthesize rosettes --help            its settings
  vaelab data pack my_folder/ -o shards/            millions of images in a few large files"""
