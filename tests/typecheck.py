"""The check behind every annotation in vaelab while tests run: beartype, for which an int is a float too."""

from __future__ import annotations

from beartype import BeartypeConf, beartype

check = beartype(conf=BeartypeConf(is_pep484_tower=True))
