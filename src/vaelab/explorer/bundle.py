"""The page's files, its modules as one plain script and its styles as one: two questions, and no modules of a file."""

from __future__ import annotations

import re
from importlib.resources import files

_IMPORT = re.compile(r'^import (.+) from "\./(\w+\.js)";$', re.MULTILINE)
_EXPORT = re.compile(r"^export ((?:async )?function|class|const) (\w+)", re.MULTILINE)


def page_files() -> dict[str, str]:
    """Name -> content of the page's files, page.js in place of the modules and page.css in place of the styles."""
    found = [file for file in files("vaelab.explorer").joinpath("page").iterdir() if file.name[:1] not in "._"]
    page = {file.name: file.read_text("utf-8") for file in found if file.is_file()}
    modules = {name: page.pop(name) for name in [*page] if name.endswith(".js")}
    styles = "".join(page.pop(name) for name in sorted(page) if name.endswith(".css"))
    return page | {"page.js": bundled(modules), "page.css": styles}


def bundled(modules: dict[str, str], first: str = "main.js") -> str:
    """A script that does what a module does, those that it imports before it.

    Each becomes a function that is called at once and gives what it exports. Imports stand on one line each.

    >>> modules = {"main.js": 'import { a as b } from "./a.js";\\nb();', "a.js": "export const a = () => 1;"}
    >>> print(bundled(modules))
    "use strict";
    const modules = {};
    modules["a.js"] = (() => {
    const a = () => 1;
    return { a };
    })();
    modules["main.js"] = (() => {
    const { a: b } = modules["a.js"];
    b();
    return {  };
    })();
    """
    ordered = list[str]()

    def visit(name: str) -> None:
        for _, other in _IMPORT.findall(modules[name]):
            if other not in ordered:
                visit(other)
        ordered.append(name)

    visit(first)
    return "\n".join(['"use strict";', "const modules = {};", *(_as_function(name, modules[name]) for name in ordered)])


def _as_function(name: str, module: str) -> str:
    exported = ", ".join(name for _, name in _EXPORT.findall(module))
    body = _EXPORT.sub(r"\1 \2", _IMPORT.sub(_taken, module))
    return f'modules["{name}"] = (() => {{\n{body.strip()}\nreturn {{ {exported} }};\n}})();'


def _taken(found: re.Match[str]) -> str:
    what = found[1].removeprefix("* as ").replace(" as ", ": ")
    return f'const {what} = modules["{found[2]}"];'
