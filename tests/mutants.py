"""Mutants of a solution: its code with one small mistake in it, as learners make them. The checks must refuse each (test_mutants.py)."""

import ast
import copy
import itertools

COMPARISONS = {
    ast.Lt: [ast.LtE, ast.Gt],
    ast.LtE: [ast.Lt, ast.GtE],
    ast.Gt: [ast.GtE, ast.Lt],
    ast.GtE: [ast.Gt, ast.LtE],
    ast.Eq: [ast.NotEq, ast.GtE, ast.LtE],
    ast.NotEq: [ast.Eq, ast.Gt, ast.Lt],
    ast.In: [ast.NotIn],
    ast.NotIn: [ast.In],
}
OPERATORS = {
    ast.Add: [ast.Sub, ast.Mult],
    ast.Sub: [ast.Add],
    ast.Mult: [ast.Div, ast.Add],
    ast.Div: [ast.Mult, ast.FloorDiv],
    ast.FloorDiv: [ast.Div, ast.Mult],
    ast.Mod: [ast.FloorDiv],
    ast.Pow: [ast.Mult],
    ast.MatMult: [ast.Mult],
    ast.BitAnd: [ast.BitOr],
    ast.BitOr: [ast.BitAnd],
}
EXCHANGED = [  # functions and methods that are taken for one another
    ("mean", "sum", "max"),
    ("sum", "mean", "max"),
    ("max", "min", "mean"),
    ("min", "max"),
    ("minimum", "maximum"),
    ("maximum", "minimum"),
    ("std", "var"),
    ("round", "floor", "ceil"),
    ("log", "log2", "log10", "log1p"),
    ("exp", "exp2", "expm1"),
    ("sin", "cos"),
    ("sqrt", "square", "log"),
    ("abs", "square"),
    ("sign", "abs"),
    ("any", "all", "sum"),
    ("all", "any"),
    ("cumsum", "cumprod", "sort"),
    ("argmax", "argmin"),
    ("argsort", "argmax"),
    ("quantile", "percentile", "median"),
    ("unique", "sort"),
]


def expression(code):
    return ast.parse(code, mode="eval").body


def variants(node, parameters):
    """Yield what may stand in the place of ``node`` by mistake."""
    match node:
        case ast.Compare():
            for i, op in enumerate(node.ops):
                for other in COMPARISONS.get(type(op), []):
                    yield ast.Compare(node.left, [*node.ops[:i], other(), *node.ops[i + 1 :]], node.comparators)
            if len(node.ops) > 1:  # a guard that looks at one end only
                yield ast.Compare(node.left, node.ops[:1], node.comparators[:1])
                yield ast.Compare(node.comparators[0], node.ops[1:], node.comparators[1:])
        case ast.BinOp():
            yield from (ast.BinOp(node.left, other(), node.right) for other in OPERATORS.get(type(node.op), []))
            yield from (node.left, node.right)
            if not isinstance(node.op, ast.Add | ast.Mult | ast.BitAnd | ast.BitOr):
                yield ast.BinOp(node.right, node.op, node.left)
        case ast.BoolOp():
            yield ast.BoolOp(ast.And() if isinstance(node.op, ast.Or) else ast.Or(), node.values)
            yield from node.values
        case ast.UnaryOp():
            yield node.operand
        case ast.IfExp():
            yield from (node.body, node.orelse)
        case ast.Constant(value=bool()):
            yield ast.Constant(not node.value)
        case ast.Constant(value=int() | float()):
            if abs(node.value) < 1e6:
                yield from (ast.Constant(node.value + step) for step in (1, -1))
            if isinstance(node.value, float):
                yield from (ast.Constant(node.value * factor) for factor in (0.0, 0.9, 10.0))
        case ast.Name(id=name) if name in parameters and isinstance(node.ctx, ast.Load):
            yield from (ast.Name(other, ast.Load()) for other in parameters if other != name)
        case ast.Call():
            yield from (argument for argument in node.args if not isinstance(argument, ast.Starred))
            if isinstance(node.func, ast.Attribute) and not (
                isinstance(node.func.value, ast.Name) and node.func.value.id == "np"
            ):
                yield node.func.value  # the method forgotten
            for i in range(len(node.keywords)):
                yield ast.Call(node.func, node.args, node.keywords[:i] + node.keywords[i + 1 :])
            for i in range(len(node.args) - 1):
                swapped = [*node.args[:i], node.args[i + 1], node.args[i], *node.args[i + 2 :]]
                yield ast.Call(node.func, swapped, node.keywords)
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            for other in itertools.chain(*(others for first, *others in EXCHANGED if first == name)):
                func = copy.copy(node.func)
                setattr(func, "attr" if isinstance(func, ast.Attribute) else "id", other)
                yield ast.Call(func, node.args, node.keywords)
        case ast.keyword(arg="axis", value=ast.Constant(value=int() as axis)):
            yield ast.keyword("axis", ast.Constant(1 - axis))
        case ast.Subscript() if isinstance(node.ctx, ast.Load):
            yield node.value
            if isinstance(node.slice, ast.Tuple) and len(node.slice.elts) == 2:
                yield ast.Subscript(node.value, ast.Tuple(node.slice.elts[::-1], ast.Load()), ast.Load())
        case ast.Slice():
            parts = {name: getattr(node, name) for name in ("lower", "upper", "step")}
            for name, part in parts.items():
                if part:
                    yield ast.Slice(**parts | {name: None})
                    for step in ("+ 1", "- 1"):
                        yield ast.Slice(**parts | {name: expression(f"({ast.unparse(part)}) {step}")})
        case ast.Tuple() if isinstance(node.ctx, ast.Load):
            for i in range(len(node.elts) - 1):
                yield ast.Tuple([*node.elts[:i], node.elts[i + 1], node.elts[i], *node.elts[i + 2 :]], ast.Load())
        case ast.comprehension():
            yield from (
                ast.comprehension(node.target, node.iter, node.ifs[:i] + node.ifs[i + 1 :], 0)
                for i in range(len(node.ifs))
            )
            yield from (
                ast.comprehension(node.target, expression(f"list({ast.unparse(node.iter)})[{part}]"), node.ifs, 0)
                for part in ("1:", ":-1")
            )
        case ast.If():
            yield from (ast.If(test, node.body, node.orelse) for test in (ast.Constant(True), ast.Constant(False)))
            yield ast.If(ast.UnaryOp(ast.Not(), node.test), node.body, node.orelse)
        case ast.For():
            yield ast.Pass()
            for part in ("1:", ":-1"):
                yield ast.For(
                    node.target, expression(f"list({ast.unparse(node.iter)})[{part}]"), node.body, node.orelse
                )
        case ast.Assign() | ast.AugAssign() | ast.Expr():
            yield ast.Pass()  # the line forgotten
            if isinstance(node, ast.AugAssign):
                yield ast.Assign([node.target], node.value)
                yield from (ast.AugAssign(node.target, op(), node.value) for op in OPERATORS.get(type(node.op), []))
        case ast.Break() | ast.Continue():
            yield ast.Pass()


def children(tree):
    """Yield triples (node, how to put another in its place) for all nodes under ``tree``."""
    for parent in list(ast.walk(tree)):
        for field, value in ast.iter_fields(parent):
            if isinstance(value, ast.AST):
                yield value, lambda node, parent=parent, field=field: setattr(parent, field, node)
            if isinstance(value, list):
                for i, node in enumerate(value):
                    if isinstance(node, ast.AST):
                        yield node, lambda node, value=value, i=i: value.__setitem__(i, node)


def mutants(code, cases=()):
    """Yield pairs (the changed line, the changed code); ``cases`` are the argument tuples the function is called with."""
    tree = ast.parse(code)
    original = ast.unparse(tree)
    function = next(node for node in tree.body if isinstance(node, ast.FunctionDef))
    parameters = [argument.arg for argument in function.args.args]
    seen = {original}

    def changed():
        text = ast.fix_missing_locations(tree) and ast.unparse(tree)
        if text not in seen:
            seen.add(text)
            lines = itertools.zip_longest(original.splitlines(), text.splitlines(), fillvalue="")
            old, new = next(pair for pair in lines if pair[0] != pair[1])
            yield f"without {old.strip()}" if new.strip() == "pass" else new.strip(), text

    for node, put in list(children(function)):
        if node in function.args.defaults or isinstance(node, ast.arguments):
            continue
        for variant in variants(node, parameters):
            put(variant)
            yield from changed()
            put(node)
    defaults = [*[None] * len(parameters), *map(ast.literal_eval, function.args.defaults)][-len(parameters) :]
    # A parameter is not looked at: it always has its default, or the value of one case.
    for i, name in enumerate(parameters):
        values = [case[i] for case in cases if i < len(case)] + [defaults[i]]
        for value in {repr(value) for value in values if isinstance(value, int | float | str)}:
            function.body.insert(0, ast.parse(f"{name} = {value}").body[0])
            yield from changed()
            del function.body[0]
