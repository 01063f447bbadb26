"""Read the text of a configuration as data: literals and ``dict(...)``, nothing else."""

from __future__ import annotations

import ast
from collections.abc import Collection
from typing import Any

from mmreid_ext.errors import UserError
from mmreid_ext.shorten import one_line


def read_settings(text: str, names: Collection[str] | None) -> dict[str, Any]:
    """Read assignments of literals.

    Args:
        text: Python text, as MMEngine writes a configuration. It is parsed, never executed.
        names: Variables to read; others may hold anything. None: all, and there may be nothing
            but assignments.

    Raises:
        UserError: If the text is no Python, or one of these variables is no literal.
    """
    try:
        statements = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise UserError(f"It is no Python: {one_line(error)}.") from error
    found = {}
    for statement in statements:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                if names is None or name in names:
                    found[name] = _value(value, name)
            case _ if names is None:
                raise UserError(f"{one_line(ast.unparse(statement))} is no setting.")
    return found


def _value(node: ast.expr, where: str) -> Any:
    if isinstance(node, ast.Dict) and None not in node.keys:
        keys = [_value(key, where) for key in node.keys if key is not None]
        pairs = zip(keys, node.values, strict=True)
        return {key: _value(item, f"{where}.{key}") for key, item in pairs}
    if isinstance(node, ast.Call) and _is_dict(node):
        return {k.arg: _value(k.value, f"{where}.{k.arg}") for k in node.keywords} | (
            _value(node.args[0], where) if node.args else {}
        )
    if isinstance(node, (ast.List, ast.Tuple)):
        items = [_value(item, f"{where}[{i}]") for i, item in enumerate(node.elts)]
        return items if isinstance(node, ast.List) else tuple(items)
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        raise UserError(f"{where} is {one_line(ast.unparse(node))}, no literal.") from None


def _is_dict(call: ast.Call) -> bool:
    """``dict(a=1)``, and ``dict({'a-b': 1})``, as MMEngine writes odd keys."""
    named = isinstance(call.func, ast.Name) and call.func.id == "dict"
    one_literal = not call.args or len(call.args) == 1 and isinstance(call.args[0], ast.Dict)
    return named and one_literal and all(keyword.arg is not None for keyword in call.keywords)
