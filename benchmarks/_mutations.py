"""Small changes to a function's source, one at a time, by the kinds below.

A change is an operator: it looks at one node of the syntax tree and yields what may
stand there instead. `mutants` applies every operator at every node.
"""

import ast
import copy
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

Operator = Callable[[ast.AST], Iterator[ast.AST]]

LIMIT = 120  # mutants of one function; of more, these many are taken, evenly spaced
OTHER_OPERATOR: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Div,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
    ast.MatMult: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
ORDER_MATTERS = (ast.Sub, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow, ast.MatMult)
OTHER_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt, ast.GtE),
    ast.LtE: (ast.Lt, ast.GtE, ast.Gt),
    ast.Gt: (ast.GtE, ast.Lt, ast.LtE),
    ast.GtE: (ast.Gt, ast.LtE, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_PAIRS = (
    "max min, argmax argmin, maximum minimum, sin cos, zeros ones, zeros_like "
    "ones_like, tril triu, sum mean, any all, floor ceil, hstack vstack, repeat tile, "
    "sqrt square, exp exp2, log log2, std var, row_stack column_stack, eye ones, "
    "swapaxes flip, cumsum cumprod, tanh sin, outer add, concatenate stack"
)
SIBLINGS = dict(pair.split() for pair in _PAIRS.split(", "))
SIBLINGS |= {b: a for a, b in SIBLINGS.items() if b not in SIBLINGS}


@dataclass(frozen=True)
class Mutant:
    """A function changed in one place."""

    operator: str
    before: str  # the statement as it was; of a compound one, its first line
    after: str
    function: ast.FunctionDef

    def source(self) -> str:
        """Return the whole changed function."""
        return ast.unparse(self.function)

    def compiled(self, **names: object) -> Callable[..., object]:
        """Return the changed function itself; ``names`` are what it may use."""
        module = ast.Module(body=[self.function], type_ignores=[])
        code = compile(ast.fix_missing_locations(module), "<mutant>", "exec")
        exec(code, names)
        function: Callable[..., object] = names[self.function.name]  # type: ignore[assignment]
        return function


# --- operators that need one node only ----------------------------------------------


def swapped_operands(node: ast.AST) -> Iterator[ast.AST]:
    """Turn `a - b` into `b - a`, wherever the order matters."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ORDER_MATTERS):
        yield ast.BinOp(node.right, node.op, node.left)


def other_operator(node: ast.AST) -> Iterator[ast.AST]:
    """Turn `+` into `-`, `*` into `/`, `@` into `*`, `&` into `|`, and back."""
    if isinstance(node, ast.BinOp) and type(node.op) in OTHER_OPERATOR:
        yield ast.BinOp(node.left, OTHER_OPERATOR[type(node.op)](), node.right)
    if isinstance(node, ast.AugAssign) and type(node.op) in OTHER_OPERATOR:
        other = OTHER_OPERATOR[type(node.op)]()
        yield ast.AugAssign(node.target, other, node.value)


def dropped_term(node: ast.AST) -> Iterator[ast.AST]:
    """Turn `a + b` into `a` and into `b`, for every operator, `and` and `or` too."""
    if isinstance(node, ast.BinOp):
        yield from (node.left, node.right)
    if isinstance(node, ast.BoolOp):
        yield from node.values


def dropped_sign(node: ast.AST) -> Iterator[ast.AST]:
    """Turn `-x`, `~x` and `not x` into `x`."""
    if isinstance(node, ast.UnaryOp):
        yield node.operand


def other_constant(node: ast.AST) -> Iterator[ast.AST]:
    """Turn a number n into n + 1, 0, 2n and -n, and True into False."""
    if not isinstance(node, ast.Constant):
        return
    value = node.value
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, (int, float)):
        others = dict.fromkeys((value + 1, type(value)(0), 2 * value, -value))
        yield from (ast.Constant(other) for other in others if other != value)


def other_comparison(node: ast.AST) -> Iterator[ast.AST]:
    """Turn `<` into `<=`, `>` and `>=`, `==` into `!=`, and so on."""
    if isinstance(node, ast.Compare):
        for i, op in enumerate(node.ops):
            for other in OTHER_COMPARISONS[type(op)]:
                ops = [*node.ops[:i], other(), *node.ops[i + 1 :]]
                yield ast.Compare(node.left, ops, node.comparators)


def negated_condition(node: ast.AST) -> Iterator[ast.AST]:
    """Turn `if c` into `if not c`; for comparisons, see `other_comparison`."""
    if isinstance(node, (ast.If, ast.IfExp, ast.While)):
        changed = copy.copy(node)
        changed.test = ast.UnaryOp(ast.Not(), node.test)
        yield changed


def dropped_keyword(node: ast.AST) -> Iterator[ast.AST]:
    """Turn `f(x, axis=1)` into `f(x)`."""
    if isinstance(node, ast.Call):
        for i, keyword in enumerate(node.keywords):
            if keyword.arg != "keepdims":  # the same as its constant turned
                rest = [*node.keywords[:i], *node.keywords[i + 1 :]]
                yield ast.Call(node.func, node.args, rest)


def swapped_arguments(node: ast.AST) -> Iterator[ast.AST]:
    """Exchange two neighbours: arguments of a call, parts of a tuple or list."""
    if isinstance(node, ast.Call):
        for args in _neighbours_exchanged(node.args):
            yield ast.Call(node.func, args, node.keywords)
    elif isinstance(node, (ast.Tuple, ast.List)) and isinstance(node.ctx, ast.Load):
        for parts in _neighbours_exchanged(node.elts):
            yield type(node)(parts, node.ctx)


def _neighbours_exchanged(parts: list[ast.expr]) -> Iterator[list[ast.expr]]:
    for i in range(len(parts) - 1):
        if ast.dump(parts[i]) != ast.dump(parts[i + 1]):
            yield [*parts[:i], parts[i + 1], parts[i], *parts[i + 2 :]]


def dropped_call(node: ast.AST) -> Iterator[ast.AST]:
    """Turn `np.exp(x)` into `x`, and `x.max(axis=1)` into `x`."""
    if not isinstance(node, ast.Call):
        return
    function = node.func
    if isinstance(function, ast.Attribute) and not _is_module(function.value):
        yield function.value
    elif node.args and not isinstance(node.args[0], ast.Starred):
        yield node.args[0]


def _is_module(node: ast.AST) -> bool:
    """Whether this is `np`, or `np.linalg`."""
    while isinstance(node, ast.Attribute):
        node = node.value
        if isinstance(node, ast.Name) and node.id == "np":
            return True
    return isinstance(node, ast.Name) and node.id == "np"


def sibling_function(node: ast.AST) -> Iterator[ast.AST]:
    """Turn `max` into `min`, `sin` into `cos`, `zeros` into `ones`, and so on."""
    if isinstance(node, ast.Call):
        function = node.func
        if isinstance(function, ast.Attribute) and function.attr in SIBLINGS:
            other: ast.expr = ast.Attribute(
                function.value, SIBLINGS[function.attr], function.ctx
            )
        elif isinstance(function, ast.Name) and function.id in ("max", "min", "all"):
            other = ast.Name(SIBLINGS[function.id], function.ctx)
        else:
            return
        yield ast.Call(other, node.args, node.keywords)


def other_transpose(node: ast.AST) -> Iterator[ast.AST]:
    """Turn `x.T` into `x`, and `a @ b` into `a.T @ b` and `a @ b.T`."""
    if isinstance(node, ast.Attribute) and node.attr in ("T", "mT"):
        yield node.value
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
        if not _is_transpose(node.left):
            yield ast.BinOp(_transposed(node.left), node.op, node.right)
        if not _is_transpose(node.right):
            yield ast.BinOp(node.left, node.op, _transposed(node.right))


def _is_transpose(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and node.attr in ("T", "mT")


def _transposed(node: ast.expr) -> ast.Attribute:
    return ast.Attribute(node, "T", ast.Load())


def shifted_slice(node: ast.AST) -> Iterator[ast.AST]:
    """Turn `a:b:c` into `a + 1:b:c`, `a:b - 1:c`, `:b:c`, `a::c` and `a:b`."""
    if not isinstance(node, ast.Slice):
        return
    one = ast.Constant(1)
    low, up, step = node.lower, node.upper, node.step
    if low is not None:
        if ast.unparse(low) != "0":  # `0:b` is `:b`
            yield ast.Slice(None, up, step)
        if not isinstance(low, ast.Constant):  # numbers: see `other_constant`
            yield ast.Slice(ast.BinOp(low, ast.Add(), one), up, step)
    if up is not None:
        yield ast.Slice(low, None, step)
        if not isinstance(up, ast.Constant):
            yield ast.Slice(low, ast.BinOp(up, ast.Sub(), one), step)
    if step is not None:
        yield ast.Slice(low, up, None)


SIMPLE: tuple[Operator, ...] = (
    swapped_operands,
    other_operator,
    dropped_term,
    dropped_sign,
    other_constant,
    other_comparison,
    negated_condition,
    dropped_keyword,
    swapped_arguments,
    dropped_call,
    sibling_function,
    other_transpose,
    shifted_slice,
)


# --- operators that need to know the names of the function --------------------------


def _bound(node: ast.AST) -> list[str]:
    """Return the names that a piece of code binds, in order, each once."""
    names = []
    for part in ast.walk(node):
        if isinstance(part, ast.arg):
            names.append(part.arg)
        elif isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
            names.append(part.id)
    return list(dict.fromkeys(names))


def _bound_before(function: ast.FunctionDef, line: int) -> list[str]:
    statements = [s for s in function.body if (s.end_lineno or s.lineno) < line]
    groups = [_bound(function.args), *map(_bound, statements)]
    return list(dict.fromkeys(name for names in groups for name in names))


def other_name(function: ast.FunctionDef) -> Operator:
    """Turn a name into the next that has a value there."""

    def operator(node: ast.AST) -> Iterator[ast.AST]:
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            names = _bound_before(function, node.lineno)
            if node.id in names and len(names) > 1:
                yield ast.Name(names[(names.index(node.id) + 1) % len(names)], node.ctx)

    return operator


def other_return(function: ast.FunctionDef) -> Operator:
    """Turn `return a` into the return of each other name."""

    def operator(node: ast.AST) -> Iterator[ast.AST]:
        if isinstance(node, ast.Return):
            same = node.value.id if isinstance(node.value, ast.Name) else ""
            for name in _bound_before(function, node.lineno):
                if name != same:
                    yield ast.Return(ast.Name(name, ast.Load()))

    return operator


def dropped_statement(function: ast.FunctionDef) -> Operator:
    """Leave out a statement, unless it gives a name that is needed later."""
    kept = (ast.FunctionDef, ast.Import, ast.ImportFrom, ast.Pass)
    last = function.body[-1]

    def operator(node: ast.AST) -> Iterator[ast.AST]:
        if not isinstance(node, ast.stmt) or isinstance(node, kept) or node is last:
            return
        end = node.end_lineno or node.lineno
        new = set(_bound(node)) - set(_bound_before(function, node.lineno))
        later = {
            n.id
            for n in ast.walk(function)
            if isinstance(n, ast.Name)
            and isinstance(n.ctx, ast.Load)
            and n.lineno > end
        }
        if not new & later:
            yield ast.Pass()

    return operator


# --- all mutants --------------------------------------------------------------------


class _Replace(ast.NodeTransformer):
    """Put ``new`` where the node with this number stands."""

    def __init__(self, number: int, new: ast.AST) -> None:
        self.number = number
        self.new = new

    def visit(self, node: ast.AST) -> ast.AST:
        if getattr(node, "number", None) == self.number:
            return self.new
        return self.generic_visit(node)


class _FoldSigns(ast.NodeTransformer):
    """Make one constant of `-1`, which the parser reads as a minus and a 1."""

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        self.generic_visit(node)
        inner = node.operand
        if isinstance(node.op, ast.USub) and isinstance(inner, ast.Constant):
            return ast.copy_location(ast.Constant(-inner.value), node)  # type: ignore[operator]
        return node


def parsed(source: str) -> ast.FunctionDef:
    """Return the function that a source defines, its nodes numbered."""
    (function,) = ast.parse(textwrap.dedent(source)).body
    assert isinstance(function, ast.FunctionDef), "the source is one function"
    _FoldSigns().visit(function)
    for number, node in enumerate(ast.walk(function)):
        node.number = number  # type: ignore[attr-defined]
    return function


def _text(statement: ast.AST) -> str:
    if isinstance(statement, ast.Pass):
        return "(dropped)"
    text = ast.unparse(ast.fix_missing_locations(statement))
    return text.splitlines()[0] if isinstance(statement, ast.stmt) else text


def _in_order(node: ast.AST, statement: ast.AST) -> Iterator[tuple[ast.AST, ast.AST]]:
    """Yield every node with the statement that it stands in, as one reads them."""
    yield node, statement
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.arguments):
            yield from _in_order(
                child, child if isinstance(child, ast.stmt) else statement
            )


def _one_mutant(
    function: ast.FunctionDef,
    operator: str,
    node: ast.AST,
    where: ast.AST,
    new: ast.AST,
) -> Mutant:
    replace = _Replace(node.number, new)  # type: ignore[attr-defined]
    # `new` holds parts of the original: what is changed must be a copy of its own.
    changed = copy.deepcopy(function)
    replace.visit(changed)
    changed = copy.deepcopy(changed)
    statement = replace.visit(copy.deepcopy(where))
    return Mutant(operator, _text(where), _text(statement), changed)


def all_mutants(source: str) -> list[Mutant]:
    """Return every single mutant of a function, in reading order, none twice."""
    function = parsed(source)
    by_names = (other_name, other_return, dropped_statement)
    operators = [(o.__name__, o) for o in SIMPLE]
    operators += [(make.__name__, make(function)) for make in by_names]
    found: dict[str, Mutant] = {}
    for node, where in _in_order(function, function):
        if node is function:
            continue
        for name, operator in operators:
            for new in operator(node):
                one = _one_mutant(function, name, node, where, new)
                found.setdefault(one.source(), one)
    found.pop(ast.unparse(function), None)
    return list(found.values())


@cache
def mutants(source: str) -> tuple[Mutant, ...]:
    """Return at most ``LIMIT`` mutants, evenly spaced in reading order."""
    every = all_mutants(source)
    if len(every) <= LIMIT:
        return tuple(every)
    return tuple(every[i * len(every) // LIMIT] for i in range(LIMIT))
