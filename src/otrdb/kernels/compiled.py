# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# cython: binding=False
# ruff: noqa: F821  (Py_buffer is a type Cython knows by itself)
"""The loops over points and summary rows: Python with C types, compiled by Cython.

A row summarises points in eight words of eight bytes, `FloatRow` or `IntRow` below. Every result is defined
to the last bit, because archives must not differ between machines: sums run in four lanes (point i of a group
in lane i % 4, total (l0 + l1) + (l2 + l3)), groups longer than `BLOCK` points are summarised block by block,
and rows merge from left to right by the pairwise formula of Chan, Golub and LeVeque ("Algorithms for
Computing the Sample Variance", 1983). tests/kernels/twins.py says the same in plain Python and must agree bit
for bit.

Squares of very large or very small values leave the range of a double. A row of floats therefore keeps its m2
times 2^(-2e), where e is the binary exponent of the largest magnitude in it, and 0 in the ordinary range,
where no scaling is done. e follows from min and max, so it is not stored.

Arrays are C-contiguous; inputs may be read-only; outputs are the caller's and must not overlap inputs. An
array of another type, shape or length, or an output without enough room, raises ValueError; what outputs hold
then is undefined. Nothing is allocated, save by `merge_runs` under policy "equal" for many points at one
time. Calls of `LARGE` points or more release the GIL, save `fold_edges`. Buffers are taken once and used as
plain pointers: typed memoryviews would cost a small call 0.7 us more under the limited API.

The file is long because C functions are shared within one extension module only. Lines of `# ---` part it;
the functions that Python sees are at the end.
"""

import cython
from cython import address, cast, cfunc, exceptval, inline, nogil
from cython.cimports.cpython.buffer import (
    PyBUF_C_CONTIGUOUS,
    PyBUF_FORMAT,
    PyBUF_WRITABLE,
    PyBuffer_Release,
    PyObject_GetBuffer,
)
from cython.cimports.libc.math import fabs, frexp, ldexp, sqrt
from cython.cimports.libc.stdlib import calloc, free
from cython.cimports.libc.string import memcpy

Size = cython.typedef(cython.Py_ssize_t)
Int = cython.typedef(cython.longlong)
Unsigned = cython.typedef(cython.ulonglong)
Real = cython.typedef(cython.double)
Words = cython.typedef(cython.p_longlong)
Reals = cython.typedef(cython.p_double)

FloatRow = cython.struct(count=Int, min=Real, max=Real, first=Int, last=Int, m2=Real, mean=Real, zero=Int)
# The last two words of an IntRow are its 128-bit sum.
IntRow = cython.struct(count=Int, min=Int, max=Int, first=Int, last=Int, m2=Real, low=Unsigned, high=Int)
FloatRows = cython.typedef(cython.pointer(FloatRow))
IntRows = cython.typedef(cython.pointer(IntRow))
Output = cython.struct(slots=Words, rows=Words, capacity=Size)
Outputs = cython.typedef(cython.pointer(Output))
Run = cython.struct(times=Words, words=Words, n=Size)
Held = cython.struct(count=cython.int, views=Py_buffer[9])
Runs = cython.typedef(cython.pointer(Run))
Buffers = cython.typedef(cython.pointer(Held))

BLOCK = cython.declare(Size, 2048)  # points summed in one go: they stay in the first-level cache
LARGE = cython.declare(Size, 20_000)  # points or rows from which giving up the GIL pays
FEW = cython.declare(Size, 64)  # values compared one with another rather than hashed
STEPS = cython.declare(Size, 32)  # points merged one by one between looks for long runs
LEAST = cython.declare(Real, ldexp(1.0, -400))  # ordinary magnitudes are in [LEAST, GREATEST)
GREATEST = cython.declare(Real, ldexp(1.0, 470))
TWO_64 = cython.declare(Real, ldexp(1.0, 64))
MAX_INT = cython.declare(Int, 0x7FFFFFFFFFFFFFFF)
SIGN = cython.declare(Unsigned, cast(Unsigned, 1) << 63)
LEAST_BITS = cython.declare(Unsigned, cast(Unsigned, 1023 - 400) << 52)
GREATEST_BITS = cython.declare(Unsigned, cast(Unsigned, 1023 + 470) << 52)
EXPONENT = cython.declare(Unsigned, cast(Unsigned, 0x7FF) << 52)
# 2^64 / golden ratio: Fibonacci hashing (Knuth, The Art of Computer Programming, 6.4)
GOLDEN = cython.declare(Unsigned, 0x9E3779B97F4A7C15)

# --- buffers ------------------------------------------------------------------------------------------------


@cfunc
@exceptval(check=True)
def take(held: Buffers, array: object, dimensions: Size, kind: cython.char, flags: cython.int) -> Words:
    """The data of an array of 8-byte items, held until `drop`; `kind` is its type's letter: l, L or d."""
    view: cython.pointer(Py_buffer) = address(held.views[held.count])
    PyObject_GetBuffer(array, view, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT | flags)
    held.count += 1
    letter: cython.char = view.format[0]
    if letter == b"q":
        letter = b"l"
    elif letter == b"Q":
        letter = b"L"
    if letter != kind or view.itemsize != 8 or view.ndim != dimensions:
        raise ValueError("an array is not of the documented type and number of dimensions")
    if dimensions == 2 and view.shape[1] != 8:
        raise ValueError("rows must have 8 words")
    return cast(Words, view.buf)


@cfunc
@exceptval(check=False)
def release(held: Buffers, kept: cython.int) -> cython.void:
    """Lets go of all but the first `kept` arrays."""
    while held.count > kept:
        held.count -= 1
        PyBuffer_Release(address(held.views[held.count]))


@cfunc
@exceptval(check=False)
def drop(held: Buffers) -> cython.void:
    release(held, 0)


@cfunc
@exceptval(check=True)
def same_length(held: Buffers, first: Size, second: Size) -> cython.void:
    if held.views[first].shape[0] != held.views[second].shape[0]:
        raise ValueError("arrays differ in length")


# --- search -------------------------------------------------------------------------------------------------


@cfunc
@inline
@nogil
@exceptval(check=False)
def run_end(values: Words, start: Size, n: Size, last: Int) -> Size:
    """The first index after `start` whose value exceeds `last`; values[start] <= last is known. Gallops."""
    low: Size = start
    step: Size = 1
    while step < n - low and values[low + step] <= last:
        low += step
        step <<= 1
    high: Size = low + step if step < n - low else n
    while high - low > 1:
        middle: Size = (low + high) >> 1
        if values[middle] <= last:
            low = middle
        else:
            high = middle
    return high


@cfunc
@nogil
@exceptval(check=False)
def lower_bound(values: Words, n: Size, value: Int) -> Size:
    low: Size = 0
    while n > 0:
        half: Size = n >> 1
        if values[low + half] < value:
            low += half + 1
            n -= half + 1
        else:
            n = half
    return low


# --- rows of floats -----------------------------------------------------------------------------------------


@cfunc
@inline
@nogil
@exceptval(check=False)
def clamp(value: Real, low: Real, high: Real) -> Real:
    if value < low:
        return low
    if value > high:
        return high
    return value


@cfunc
@inline
@nogil
@exceptval(check=False)
def magnitude(low: Real, high: Real) -> Real:
    a: Real = fabs(low)
    b: Real = fabs(high)
    return a if a > b else b


@cfunc
@inline
@nogil
@exceptval(check=False)
def ordinary(most: Real) -> cython.bint:
    """True if values up to this magnitude need no scaling."""
    return (most >= LEAST and most < GREATEST) or most == 0.0


@cfunc
@nogil
@exceptval(check=False)
def scale(low: Real, high: Real) -> cython.int:
    """The exponent e of a row with this min and max."""
    e: cython.int = 0
    if ordinary(magnitude(low, high)):
        return 0
    frexp(magnitude(low, high), address(e))
    return e - 1


@cfunc
@nogil
@exceptval(check=False)
def order_zeros(words: Words, n: Size, row: FloatRows) -> cython.void:
    """Gives a min or max of zero the sign it has in the order -0.0 < 0.0, which comparisons do not see."""
    i: Size
    any_sign: Int = 0
    all_signs: Int = -1
    for i in range(n):
        any_sign |= words[i]
        all_signs &= words[i]
    if row.min == 0.0:  # so no value is below zero, and one with a sign is -0.0
        row.min = -0.0 if any_sign < 0 else 0.0
    if row.max == 0.0:
        row.max = -0.0 if all_signs < 0 else 0.0


@cfunc
@nogil
@exceptval(check=False)
def scaled_moments(v: Reals, n: Size, row: FloatRows, e: cython.int) -> cython.void:
    """Mean and m2 of values out of the ordinary range."""
    i: Size
    d: Real
    lanes: Real[4]
    lanes[0] = lanes[1] = lanes[2] = lanes[3] = 0.0
    for i in range(n):
        lanes[i & 3] += ldexp(v[i], -e)
    mean: Real = ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) / cast(Real, n)
    mean = clamp(mean, ldexp(row.min, -e), ldexp(row.max, -e))
    lanes[0] = lanes[1] = lanes[2] = lanes[3] = 0.0
    for i in range(n):
        d = ldexp(v[i], -e) - mean
        lanes[i & 3] += d * d
    row.m2 = (lanes[0] + lanes[1]) + (lanes[2] + lanes[3])
    row.mean = clamp(ldexp(mean, e), row.min, row.max)


@cfunc
@nogil
@exceptval(check=False)
def float_extremes(v: Reals, n: Size, row: FloatRows) -> Real:
    """Sets min and max, zeros yet unordered; returns the sum. One pass, in vector registers."""
    i: Size
    j: Size
    x: Real
    whole: Size = n & ~3
    sums: Real[4]
    lows: Real[4]
    highs: Real[4]
    for j in range(4):
        sums[j] = 0.0
        lows[j] = highs[j] = v[0]
    for i in range(0, whole, 4):
        for j in range(4):
            x = v[i + j]
            sums[j] += x
            lows[j] = x if x < lows[j] else lows[j]
            highs[j] = x if x > highs[j] else highs[j]
    for i in range(whole, n):
        x = v[i]
        sums[i - whole] += x
        lows[0] = x if x < lows[0] else lows[0]
        highs[0] = x if x > highs[0] else highs[0]
    row.min = lows[0]
    row.max = highs[0]
    for j in range(1, 4):
        row.min = lows[j] if lows[j] < row.min else row.min
        row.max = highs[j] if highs[j] > row.max else row.max
    return (sums[0] + sums[1]) + (sums[2] + sums[3])


@cfunc
@nogil
@exceptval(check=False)
def float_squares(v: Reals, n: Size, mean: Real) -> Real:
    """The sum of squared deviations from `mean`."""
    i: Size
    j: Size
    d: Real
    whole: Size = n & ~3
    lanes: Real[4]
    for j in range(4):
        lanes[j] = 0.0
    for i in range(0, whole, 4):
        for j in range(4):
            d = v[i + j] - mean
            lanes[j] += d * d
    for i in range(whole, n):
        d = v[i] - mean
        lanes[i - whole] += d * d
    return (lanes[0] + lanes[1]) + (lanes[2] + lanes[3])


@cfunc
@nogil
@exceptval(check=False)
def float_block(words: Words, n: Size, row: FloatRows) -> cython.void:
    """Summarises 1 to BLOCK floats."""
    v: Reals = cast(Reals, words)
    row.count = n
    row.first = words[0]
    row.last = words[n - 1]
    row.zero = 0
    if n == 1:
        row.min = row.max = row.mean = v[0]
        row.m2 = 0.0
        return
    total: Real = float_extremes(v, n, row)
    if row.min == 0.0 or row.max == 0.0:
        order_zeros(words, n, row)
    e: cython.int = scale(row.min, row.max)
    if e != 0:
        scaled_moments(v, n, row, e)
        return
    row.mean = clamp(total / cast(Real, n), row.min, row.max)
    row.m2 = float_squares(v, n, row.mean)


@cfunc
@inline
@nogil
@exceptval(check=False)
def is_ordinary(row: FloatRows) -> cython.bint:
    """True if `scale(row.min, row.max)` is 0; magnitudes are ordered as their bits are."""
    low: Unsigned = cast(Unsigned, cast(Words, address(row.min))[0]) & ~SIGN
    high: Unsigned = cast(Unsigned, cast(Words, address(row.max))[0]) & ~SIGN
    most: Unsigned = low if low > high else high
    return most - LEAST_BITS < GREATEST_BITS - LEAST_BITS or most == 0


@cfunc
@inline
@nogil
@exceptval(check=False)
def merge_extremes(a: FloatRows, b: FloatRows) -> cython.void:
    """Count, min, max and last of `a` with `b` merged in."""
    low: Real = b.min if b.min < a.min else a.min
    high: Real = b.max if b.max > a.max else a.max
    if low == 0.0 and a.min == b.min:  # two zeros: the one with a sign is less
        low = a.min if cast(Words, address(a.min))[0] < 0 else b.min
    if high == 0.0 and a.max == b.max:
        high = b.max if cast(Words, address(a.max))[0] < 0 else a.max
    a.min = low
    a.max = high
    a.count += b.count
    a.last = b.last


@cfunc
@inline
@nogil
@exceptval(check=False)
def float_merge(a: FloatRows, b: FloatRows) -> cython.void:
    """Merges the row `b` of later points into `a`; both in the ordinary range, so the result is too."""
    share: Real = cast(Real, b.count) / cast(Real, a.count + b.count)
    d: Real = b.mean - a.mean
    a.m2 = a.m2 + b.m2 + d * d * (cast(Real, a.count) * share)
    merge_extremes(a, b)
    a.mean = clamp(a.mean + d * share, a.min, a.max)


@cfunc
@nogil
@exceptval(check=False)
def scaled_merge(a: FloatRows, b: FloatRows) -> cython.void:
    """`float_merge` of any rows. In the ordinary range the scales are 1 and the bits the same."""
    before: FloatRow = a[0]
    merge_extremes(a, b)
    share: Real = cast(Real, b.count) / cast(Real, a.count)
    e: cython.int = scale(a.min, a.max)
    mean: Real = ldexp(a.mean, -e)
    d: Real = ldexp(b.mean, -e) - mean
    m2_a: Real = ldexp(a.m2, 2 * (scale(before.min, before.max) - e))
    m2_b: Real = ldexp(b.m2, 2 * (scale(b.min, b.max) - e))
    a.m2 = m2_a + m2_b + d * d * (cast(Real, before.count) * share)
    a.mean = clamp(ldexp(mean + d * share, e), a.min, a.max)


@cfunc
@nogil
@exceptval(check=False)
def merge_float_rows(target: FloatRows, rows: FloatRows, n: Size) -> cython.void:
    """Merges `n` rows into one, left to right."""
    i: Size = 0
    row: FloatRow = target[0]  # a copy, to be kept in registers
    if is_ordinary(target):
        while i < n and is_ordinary(rows + i):
            float_merge(address(row), rows + i)
            i += 1
    target[0] = row
    while i < n:
        scaled_merge(target, rows + i)
        i += 1


# --- rows of integers ---------------------------------------------------------------------------------------


@cfunc
@inline
@nogil
@exceptval(check=False)
def int_mean(row: IntRows) -> Real:
    """The mean as a double, from the sum's sign and magnitude: a small negative sum would drown in 2^64."""
    low: Unsigned = row.low
    high: Unsigned = cast(Unsigned, row.high)
    if row.high < 0:
        low = ~low + 1
        high = ~high + (low == 0)
    total: Real = cast(Real, high) * TWO_64 + cast(Real, low)
    if row.high < 0:
        total = -total
    return clamp(total / cast(Real, row.count), cast(Real, row.min), cast(Real, row.max))


@cfunc
@nogil
@exceptval(check=False)
def int_squares(words: Words, n: Size, mean: Real) -> Real:
    """The sum of squared deviations from `mean`."""
    i: Size
    j: Size
    d: Real
    whole: Size = n & ~3
    lanes: Real[4]
    for j in range(4):
        lanes[j] = 0.0
    for i in range(0, whole, 4):
        for j in range(4):
            d = cast(Real, words[i + j]) - mean
            lanes[j] += d * d
    for i in range(whole, n):
        d = cast(Real, words[i]) - mean
        lanes[i - whole] += d * d
    return (lanes[0] + lanes[1]) + (lanes[2] + lanes[3])


@cfunc
@nogil
@exceptval(check=False)
def int_block(words: Words, n: Size, row: IntRows) -> cython.void:
    """Summarises 1 to BLOCK integers."""
    i: Size
    word: Int
    low: Int = words[0]
    high: Int = words[0]
    lower: Unsigned = 0xFFFFFFFF
    lower_halves: Unsigned = 0  # sums of halves of 32 bits cannot overflow within a block
    upper_halves: Int = 0
    for i in range(n):
        word = words[i]
        low = word if word < low else low
        high = word if word > high else high
        lower_halves += cast(Unsigned, word) & lower
        upper_halves += word >> 32
    row.count = n
    row.min = low
    row.max = high
    row.first = words[0]
    row.last = words[n - 1]
    row.low = (cast(Unsigned, upper_halves) << 32) + lower_halves
    row.high = (upper_halves >> 32) + (row.low < lower_halves)
    row.m2 = int_squares(words, n, int_mean(row))


@cfunc
@inline
@nogil
@exceptval(check=False)
def int_merge(a: IntRows, b: IntRows) -> cython.void:
    """Merges the row `b` of later points into `a`."""
    share: Real = cast(Real, b.count) / cast(Real, a.count + b.count)
    d: Real = int_mean(b) - int_mean(a)
    a.m2 = a.m2 + b.m2 + d * d * (cast(Real, a.count) * share)
    a.low += b.low
    a.high += b.high + (a.low < b.low)
    a.min = b.min if b.min < a.min else a.min
    a.max = b.max if b.max > a.max else a.max
    a.count += b.count
    a.last = b.last


# --- rows of either kind, as pointers to their first word ---------------------------------------------------


@cfunc
@nogil
@exceptval(check=False)
def merge_rows(target: Words, rows: Words, n: Size, integer: cython.bint) -> cython.void:
    """Merges `n` rows into one, left to right."""
    i: Size
    if integer:
        for i in range(n):
            int_merge(cast(IntRows, target), cast(IntRows, rows) + i)
    else:
        merge_float_rows(cast(FloatRows, target), cast(FloatRows, rows), n)


@cfunc
@nogil
@exceptval(check=False)
def block_row(words: Words, n: Size, integer: cython.bint, row: Words) -> cython.void:
    if integer:
        int_block(words, n, cast(IntRows, row))
    else:
        float_block(words, n, cast(FloatRows, row))


@cfunc
@nogil
@exceptval(check=False)
def group_row(words: Words, n: Size, integer: cython.bint, row: Words) -> cython.void:
    """Summarises any number of points, one or more."""
    size: Size
    part: Int[8]
    done: Size = BLOCK if n > BLOCK else n
    block_row(words, done, integer, row)
    while done < n:
        size = BLOCK if n - done > BLOCK else n - done
        block_row(words + done, size, integer, part)
        merge_rows(row, part, 1, integer)
        done += size


# --- groups -------------------------------------------------------------------------------------------------

# Items (points, or rows if `folds`) sorted by key (time or slot), and how they are grouped: by
# (key - base) >> shift or, between edges, by the index of the window. If it `joins`, the first group merges
# into a last output row of the same slot.
Task = cython.struct(
    keys=Words, items=Words, n=Size, folds=cython.bint, joins=cython.bint, integer=cython.bint, base=Int,
    shift=cython.int, edges=Words, windows=Size,
)  # fmt: skip
Tasks = cython.typedef(cython.pointer(Task))


@cfunc
@inline
@nogil
@exceptval(check=False)
def put_group(task: Tasks, start: Size, end: Size, slot: Int, out: Outputs, filled: Size) -> Size:
    """Writes items[start:end], one or more, as one row; returns the new count of rows, -1 if full."""
    part: Int[8]
    merges: cython.bint = task.joins and filled > 0 and out.slots[filled - 1] == slot
    if not merges:
        if filled >= out.capacity:
            return -1
        out.slots[filled] = slot
        filled += 1
    row: Words = out.rows + 8 * (filled - 1)
    if not task.folds and merges:
        group_row(task.items + start, end - start, task.integer, part)
        merge_rows(row, part, 1, task.integer)
        return filled
    if not task.folds:
        group_row(task.items + start, end - start, task.integer, row)
        return filled
    if not merges:
        memcpy(row, task.items + 8 * start, 64)
        start += 1
    if start < end:
        merge_rows(row, task.items + 8 * start, end - start, task.integer)
    return filled


@cfunc
@nogil
@exceptval(check=False)
def group_by_shift(task: Tasks, out: Outputs, filled: Size) -> Size:
    start: Size = 0
    end: Size
    since: Int
    last: Int
    rest: Int = cast(Int, (cast(Unsigned, 1) << task.shift) - 1)
    furthest: Int = MAX_INT - task.base if task.base > 0 else MAX_INT
    while start < task.n and filled >= 0:
        since = task.keys[start] - task.base
        last = since | rest
        last = task.base + last if last < furthest else MAX_INT
        end = run_end(task.keys, start, task.n, last)
        filled = put_group(task, start, end, since >> task.shift, out, filled)
        start = end
    return filled


@cfunc
@nogil
@exceptval(check=False)
def group_by_edges(task: Tasks, out: Outputs, filled: Size) -> Size:
    start: Size = lower_bound(task.keys, task.n, task.edges[0])
    n: Size = lower_bound(task.keys, task.n, task.edges[task.windows])
    end: Size
    window: Size = 0
    while start < n and filled >= 0:
        window = run_end(task.edges, window, task.windows, task.keys[start]) - 1
        end = run_end(task.keys, start, n, task.edges[window + 1] - 1)
        filled = put_group(task, start, end, window, out, filled)
        start = end
    return filled


@cfunc
@exceptval(check=True)
def group(
    task: Tasks, keys: object, items: object, slots_out: object, rows_out: object, filled: Size
) -> Size:
    """Takes the arrays into `task` and groups them by shift; the other fields are the caller's."""
    held: Held
    held.count = 0
    out: Output
    try:
        task.keys = take(address(held), keys, 1, b"l", 0)
        task.items = take(address(held), items, 2 if task.folds else 1, b"l", 0)
        same_length(address(held), 0, 1)
        task.n = held.views[0].shape[0]
        take_output(address(held), slots_out, rows_out, filled, address(out))
        if task.shift < 0 or task.shift > 63:
            raise ValueError("shift must be 0..63")
        if task.n < LARGE:
            filled = group_by_shift(task, address(out), filled)
        else:
            with nogil:
                filled = group_by_shift(task, address(out), filled)
        return proved(filled)
    finally:
        drop(address(held))


@cfunc
@exceptval(check=True)
def take_output(
    held: Buffers, slots_out: object, rows_out: object, filled: Size, out: Outputs
) -> cython.void:
    out.slots = take(held, slots_out, 1, b"l", PyBUF_WRITABLE)
    out.rows = take(held, rows_out, 2, b"l", PyBUF_WRITABLE)
    same_length(held, held.count - 2, held.count - 1)
    out.capacity = held.views[held.count - 1].shape[0]
    if filled < 0 or filled > out.capacity:
        raise ValueError("filled is outside the output")


@cfunc
@exceptval(-1, check=False)
def proved(filled: Size) -> Size:
    """What a grouping function returned, unless that was -1."""
    if filled < 0:
        raise ValueError("output is too small")
    return filled


# --- rows that edges cut ------------------------------------------------------------------------------------


@cfunc
@nogil
@exceptval(check=False)
def find_cuts(
    starts: Words, ends: Words, rows: Words, first: Size, last: Size, edges: Words, n: Size, start: Int,
    end: Int, out: Words,
) -> Size:  # fmt: skip
    """Writes row, from, to and the points before it of each cut row of [first, last); returns the words."""
    filled: Size = 0
    edge: Size = 0
    before: Int = 0
    low: Int
    high: Int
    row: Size
    for row in range(first):
        before += rows[8 * row]
    for row in range(first, last):
        low = starts[row] if starts[row] > start else start
        high = ends[row] if ends[row] < end else end
        if edge < n and edges[edge] <= starts[row]:
            edge = run_end(edges, edge, n, starts[row])
        if low > starts[row] or high < ends[row] or (edge < n and edges[edge] < high):
            out[filled] = row
            out[filled + 1] = low
            out[filled + 2] = high
            out[filled + 3] = before
            filled += 4
        before += rows[8 * row]
    return filled


@cfunc
@exceptval(check=True)
def take_points(
    held: Buffers, times: object, words: object, start: Int, end: Int, task: Tasks
) -> cython.void:
    """Makes the points of [start, end) among those given the task's."""
    kept: cython.int = held.count
    task.keys = take(held, times, 1, b"l", 0)
    task.items = take(held, words, 1, b"l", 0)
    same_length(held, kept, kept + 1)
    low: Size = lower_bound(task.keys, held.views[kept].shape[0], start)
    task.keys += low
    task.items += low
    task.n = lower_bound(task.keys, held.views[kept].shape[0] - low, end)


@cfunc
@nogil
@exceptval(check=False)
def fold_between(
    task: Tasks, starts: Words, rows: Words, first: Size, last: Size, out: Outputs, filled: Size
) -> Size:
    """Folds the rows [first, last), which no edge cuts."""
    task.folds = True
    task.keys = starts + first
    task.items = rows + 8 * first
    task.n = last - first
    return group_by_edges(task, out, filled) if first < last else filled


# --- columns of an answer -----------------------------------------------------------------------------------


@cfunc
@nogil
@exceptval(check=False)
def deviation(m2: Real, count: Int, low: Real, high: Real, e: cython.int) -> Real:
    """The population standard deviation; never above (max - min) / 2, a bound that cannot overflow."""
    result: Real = sqrt(m2 / cast(Real, count))
    limit: Real = high * 0.5 - low * 0.5
    if e != 0:
        result = ldexp(result, e)
    return result if result < limit else limit


@cfunc
@nogil
@exceptval(check=False)
def float_moments(row: FloatRows, mean: Reals, stddev: Reals) -> cython.void:
    mean[0] = row.mean
    stddev[0] = deviation(row.m2, row.count, row.min, row.max, scale(row.min, row.max))


@cfunc
@nogil
@exceptval(check=False)
def int_moments(row: IntRows, mean: Reals, stddev: Reals) -> cython.void:
    mean[0] = int_mean(row)
    stddev[0] = deviation(row.m2, row.count, cast(Real, row.min), cast(Real, row.max), 0)


# --- merging two runs of points -----------------------------------------------------------------------------


@cfunc
@inline
@nogil
@exceptval(check=False)
def copy(source: Runs, start: Size, end: Size, out: Runs) -> cython.void:
    """Appends source[start:end] to `out`."""
    memcpy(out.times + out.n, source.times + start, 8 * (end - start))
    memcpy(out.words + out.n, source.words + start, 8 * (end - start))
    out.n += end - start


@cfunc
@nogil
@exceptval(check=False)
def merge_all(a: Runs, b: Runs, out: Runs) -> cython.void:
    """Keeps every point, those of `a` first at equal times. Long runs are copied, others merged in steps."""
    i: Size = 0
    j: Size = 0
    end: Size
    before: Size
    while i < a.n and j < b.n:
        before = out.n
        if a.times[i] <= b.times[j]:
            end = run_end(a.times, i, a.n, b.times[j])
            copy(a, i, end, out)
            i = end
        if i < a.n:
            end = run_end(b.times, j, b.n, a.times[i] - 1)
            copy(b, j, end, out)
            j = end
        mixed: cython.bint = out.n - before < STEPS / 8
        while mixed and a.n - i >= STEPS and b.n - j >= STEPS:
            end = merge_steps(a, i, b, j, out)
            j += STEPS - (end - i)
            mixed = STEPS / 8 < end - i and end - i < STEPS - STEPS / 8
            i = end
    copy(a, i, a.n, out)
    copy(b, j, b.n, out)


@cfunc
@nogil
@exceptval(check=False)
def merge_steps(a: Runs, i: Size, b: Runs, j: Size, out: Runs) -> Size:
    """Appends the next STEPS points of a[i:] and b[j:] without branches; returns the new `i`."""
    times_a: Words = a.times  # locals, since a store could change what `a` points to
    words_a: Words = a.words
    times_b: Words = b.times
    words_b: Words = b.words
    times: Words = out.times + out.n
    words: Words = out.words + out.n
    k: Size
    of_a: Int
    steps: Size = STEPS
    for k in range(steps):
        of_a = -cast(
            Int, times_a[i] <= times_b[j]
        )  # all bits or none; compilers would make a choice a branch
        times[k] = times_b[j] ^ ((times_a[i] ^ times_b[j]) & of_a)
        words[k] = words_b[j] ^ ((words_a[i] ^ words_b[j]) & of_a)
        i -= of_a
        j += 1 + of_a
    out.n += steps
    return i


@cfunc
@inline
@nogil
@exceptval(check=False)
def canonical(word: Int, integer: cython.bint) -> Int:
    """The word that stands for all equal values: 0.0 for -0.0."""
    return 0 if not integer and cast(Unsigned, word) == SIGN else word


@cfunc
@nogil
@exceptval(check=False)
def keep_new_few(words: Words, n: Size, kept: Words, count: Size, integer: cython.bint) -> Size:
    """Appends to kept[:count] each of `words` whose value is not in it yet; returns the new count."""
    i: Size
    k: Size
    for i in range(n):
        k = 0
        while k < count and canonical(kept[k], integer) != canonical(words[i], integer):
            k += 1
        if k == count:
            kept[count] = words[i]
            count += 1
    return count


@cfunc
@inline
@nogil
@exceptval(check=False)
def place(
    table: cython.pointer(Size), bits: cython.int, kept: Words, word: Int, integer: cython.bint
) -> Size:
    """Where in the table `word` is, or would go."""
    mask: Size = (cast(Size, 1) << bits) - 1
    word = canonical(word, integer)
    at: Size = (cast(Unsigned, word) * GOLDEN) >> (64 - bits)
    while table[at] != 0 and canonical(kept[table[at] - 1], integer) != word:
        at = (at + 1) & mask
    return at


@cfunc
@nogil
@exceptval(check=False)
def keep_new_many(words: Words, n: Size, kept: Words, count: Size, integer: cython.bint) -> Size:
    """`keep_new_few` in linear time, by a hash table of positions + 1 in `kept`; -1 without memory for it."""
    i: Size
    at: Size
    bits: cython.int = 8
    while (cast(Size, 1) << bits) < 2 * (n + count):
        bits += 1
    table: cython.pointer(Size) = cast(
        cython.pointer(Size), calloc(cast(cython.size_t, 1) << bits, cython.sizeof(Size))
    )
    if table == cython.NULL:
        return -1
    for i in range(count):
        table[place(table, bits, kept, kept[i], integer)] = i + 1
    for i in range(n):
        at = place(table, bits, kept, words[i], integer)
        if table[at] == 0:
            kept[count] = words[i]
            count += 1
            table[at] = count
    free(table)
    return count


@cfunc
@nogil
@exceptval(check=False)
def merge_equal(
    a: Runs, i: Size, a_end: Size, b: Runs, j: Size, b_end: Size,
    integer: cython.bint, out: Runs,
) -> cython.int:  # fmt: skip
    """Appends a[i:a_end] and the new values of b[j:b_end], all of one time; -1 without memory."""
    now: Int = b.times[j]
    kept: Words = out.words + out.n
    count: Size = a_end - i
    k: Size
    copy(a, i, a_end, out)
    if count + (b_end - j) <= FEW:
        k = keep_new_few(b.words + j, b_end - j, kept, count, integer)
    else:
        k = keep_new_many(b.words + j, b_end - j, kept, count, integer)
    if k < 0:
        return -1
    while count < k:
        out.times[out.n] = now
        out.n += 1
        count += 1
    return 0


@cfunc
@nogil
@exceptval(check=False)
def merge_by_policy(a: Runs, b: Runs, policy: cython.int, integer: cython.bint, out: Runs) -> cython.int:
    """Policies equal (1), retain (2) and replace (3), one time of `b` after the other; -1 without memory."""
    i: Size = 0
    j: Size = 0
    a_end: Size
    b_end: Size
    now: Int
    while j < b.n:
        now = b.times[j]
        if i < a.n and a.times[i] < now:
            a_end = run_end(a.times, i, a.n, now - 1)
            copy(a, i, a_end, out)
            i = a_end
        a_end = run_end(a.times, i, a.n, now) if i < a.n and a.times[i] == now else i
        b_end = run_end(b.times, j, b.n, now)
        if policy == 3:
            copy(b, b_end - 1, b_end, out)
        elif policy == 2 and a_end > i:
            copy(a, i, a_end, out)
        elif policy == 2 or (a_end == i and b_end == j + 1):
            copy(b, j, j + 1, out)
        elif merge_equal(a, i, a_end, b, j, b_end, integer, out) < 0:
            return -1
        i = a_end
        j = b_end
    copy(a, i, a.n, out)
    return 0


@cfunc
@nogil
@exceptval(check=False)
def merge_points(a: Runs, b: Runs, policy: cython.int, integer: cython.bint, out: Runs) -> cython.int:
    if policy == 0:
        merge_all(a, b, out)
        return 0
    return merge_by_policy(a, b, policy, integer, out)


# --- checks -------------------------------------------------------------------------------------------------

Fitness = cython.struct(ascending=cython.bint, outside=Size, not_finite=Size)


@cfunc
@nogil
@exceptval(check=False)
def is_ascending(times: Words, n: Size) -> cython.bint:
    """The sign bit of `falls` collects x < y without overflow and for vector registers."""
    i: Size
    x: Unsigned
    y: Unsigned
    falls: Unsigned = 0
    for i in range(1, n):
        x = cast(Unsigned, times[i])
        y = cast(Unsigned, times[i - 1])
        falls |= (x & ~y) | (~(x ^ y) & (x - y))
    return falls < SIGN


@cfunc
@nogil
@exceptval(check=False)
def first_outside(times: Words, n: Size, low: Int, high: Int) -> Size:
    i: Size
    for i in range(n):
        if times[i] < low or times[i] > high:
            return i
    return -1


@cfunc
@nogil
@exceptval(check=False)
def first_not_finite(words: Words, n: Size) -> Size:
    """Adding one to an exponent of ones carries into the sign bit."""
    i: Size
    ones: Unsigned = EXPONENT
    one: Unsigned = cast(Unsigned, 1) << 52
    carries: Unsigned = 0
    for i in range(n):
        carries |= (cast(Unsigned, words[i]) & ones) + one
    if carries >= SIGN:
        for i in range(n):
            if (cast(Unsigned, words[i]) & ones) == ones:
                return i
    return -1


@cfunc
@nogil
@exceptval(check=False)
def examine(times: Words, words: Words, n: Size, is_float: cython.bint, low: Int, high: Int) -> Fitness:
    fit: Fitness
    fit.ascending = is_ascending(times, n)
    fit.outside = fit.not_finite = -1
    if n > 0 and not (fit.ascending and times[0] >= low and times[n - 1] <= high):
        fit.outside = first_outside(times, n, low, high)
    if is_float:
        fit.not_finite = first_not_finite(words, n)
    return fit


# --- the module's functions ---------------------------------------------------------------------------------


def summarise(
    times, words, integer: cython.bint, origin: Int, shift: cython.int, slots_out, rows_out, filled: Size
) -> Size:
    """Appends a row per group of points with equal (t - origin) >> shift; returns the new count of rows.

    times, words: int64[n], times ascending, t - origin within int64; shift: 0..63. slots_out: int64[m] and
    rows_out: int64[m, 8] are filled from index `filled`; rows before that stay as they are, also if the last
    one has the first group's slot.
    """
    task: Task
    task.folds = task.joins = False
    task.integer = integer
    task.base = origin
    task.shift = shift
    return group(address(task), times, words, slots_out, rows_out, filled)


def fold(
    slots, rows, integer: cython.bint, offset: Int, shift: cython.int, slots_out, rows_out, filled: Size
) -> Size:
    """Merges rows of ascending slots whose (slot + offset) >> shift is equal; returns the new count.

    slots: int64[n], rows: int64[n, 8]; outputs as for `summarise`. Rows merge left to right, the first ones
    into the last row before `filled` if that has the same slot: so an answer can be folded from several
    pieces.
    """
    task: Task
    task.folds = task.joins = True
    task.integer = integer
    task.base = -offset
    task.shift = shift
    return group(address(task), slots, rows, slots_out, rows_out, filled)


def cut_rows(starts, ends, rows, edges, start: Int, end: Int, cuts_out):
    """Which rows of [start, end) an edge or that range's border divides: (first row, end of rows, cut rows).

    Row i stands for the times [starts[i], ends[i]): int64[n], ascending and apart; rows: int64[n, 8]; edges:
    int64[k], strictly ascending. The rows [first, end) meet the range. cuts_out: int64[4 n] takes four words
    for each that is cut: its index, the part [from, to) of its time that lies in the range, and how many
    points all rows before it hold.
    """
    held: Held
    held.count = 0
    try:
        begins: Words = take(address(held), starts, 1, b"l", 0)
        finishes: Words = take(address(held), ends, 1, b"l", 0)
        same_length(address(held), 0, 1)
        data: Words = take(address(held), rows, 2, b"l", 0)
        same_length(address(held), 0, 2)
        bounds: Words = take(address(held), edges, 1, b"l", 0)
        out: Words = take(address(held), cuts_out, 1, b"l", PyBUF_WRITABLE)
        n: Size = held.views[0].shape[0]
        if held.views[4].shape[0] < 4 * n:
            raise ValueError("output is too small")
        first: Size = lower_bound(finishes, n, start + 1)
        last: Size = lower_bound(begins, n, end)
        k: Size = held.views[3].shape[0]
        words: Size = find_cuts(begins, finishes, data, first, last, bounds, k, start, end, out)
        return first, last if last > first else first, words // 4
    finally:
        drop(address(held))


def fold_edges(
    starts, rows, first: Size, last: Size, integer: cython.bint, edges, cuts, parts: list, slots_out,
    rows_out, filled: Size,
) -> Size:  # fmt: skip
    """`fold` of the rows [first, last) into the windows [edges[j], edges[j + 1]), of slot j, with cut rows.

    starts: int64[n], ascending; rows: int64[n, 8]; edges: int64[k + 1], strictly ascending. A row belongs to
    the window that holds its start, unless it is among the cut ones: cuts: int64[4 m] as `cut_rows` makes
    them. In the place of such a row stand its points, one group per window: parts[i] is a pair (times, words)
    of int64 columns, ascending, in which the points of [from, to) of cut i are; others are ignored. Rows and
    points outside all windows are ignored. The call keeps the GIL: it is for the rows of one node.
    """
    held: Held
    held.count = 0
    task: Task
    out: Output
    i: Size
    row: Size
    task.joins = True
    task.integer = integer
    try:
        begins: Words = take(address(held), starts, 1, b"l", 0)
        data: Words = take(address(held), rows, 2, b"l", 0)
        same_length(address(held), 0, 1)
        task.edges = take(address(held), edges, 1, b"l", 0)
        task.windows = held.views[2].shape[0] - 1
        cut: Words = take(address(held), cuts, 1, b"l", 0)
        take_output(address(held), slots_out, rows_out, filled, address(out))
        if first < 0 or last < first or last > held.views[0].shape[0]:
            raise ValueError("first and last are no range of the rows")
        if held.views[3].shape[0] != 4 * len(parts):
            raise ValueError("there must be four words of cuts for each of the parts")
        if task.windows < 1:
            return filled
        for i in range(len(parts)):
            row = cut[4 * i]
            if row < first or row >= last:
                raise ValueError("cuts must be ascending and within the rows")
            filled = proved(fold_between(address(task), begins, data, first, row, address(out), filled))
            first = row + 1
            times, words = parts[i]
            take_points(address(held), times, words, cut[4 * i + 1], cut[4 * i + 2], address(task))
            task.folds = False
            filled = proved(group_by_edges(address(task), address(out), filled))
            release(address(held), 6)
        return proved(fold_between(address(task), begins, data, first, last, address(out), filled))
    finally:
        drop(address(held))


def columns(
    rows, integer: cython.bint, min_out, max_out, first_out, last_out, mean_out, stddev_out, count_out
) -> None:
    """Splits rows int64[n, 8] into columns [n]: words int64, mean and stddev float64, count uint64.

    min <= mean <= max (of integers: as doubles) and stddev <= (max - min) / 2 hold for every row.
    """
    held: Held
    held.count = 0
    i: Size
    try:
        row: Words = take(address(held), rows, 2, b"l", 0)
        low: Words = take(address(held), min_out, 1, b"l", PyBUF_WRITABLE)
        high: Words = take(address(held), max_out, 1, b"l", PyBUF_WRITABLE)
        first: Words = take(address(held), first_out, 1, b"l", PyBUF_WRITABLE)
        last: Words = take(address(held), last_out, 1, b"l", PyBUF_WRITABLE)
        mean: Reals = cast(Reals, take(address(held), mean_out, 1, b"d", PyBUF_WRITABLE))
        stddev: Reals = cast(Reals, take(address(held), stddev_out, 1, b"d", PyBUF_WRITABLE))
        count: Words = take(address(held), count_out, 1, b"L", PyBUF_WRITABLE)
        for i in range(1, 8):
            same_length(address(held), 0, i)
        for i in range(held.views[0].shape[0]):
            count[i] = row[0]
            low[i] = row[1]
            high[i] = row[2]
            first[i] = row[3]
            last[i] = row[4]
            if integer:
                int_moments(cast(IntRows, row), mean + i, stddev + i)
            else:
                float_moments(cast(FloatRows, row), mean + i, stddev + i)
            row += 8
    finally:
        drop(address(held))


def merge_runs(
    times_a, words_a, times_b, words_b, policy: cython.int, integer: cython.bint, times_out, words_out
) -> Size:
    """Merges stored points a and new points b; returns how many were written.

    Both ascend; equal times of b are in order of arrival. The outputs need room for both. `policy` says what
    happens at a time that b has points for: 0 (never) keeps those of a, then all of b; 1 (equal) keeps those
    of a, then each of b whose value is new at that time, -0.0 and 0.0 being equal; 2 (retain) keeps those of
    a, or else the first of b; 3 (replace) keeps the last of b. Points of a at other times are kept,
    duplicates too.

    Raises MemoryError if policy 1 lacks 32 bytes for each of more than 64 points at one time.
    """
    held: Held
    held.count = 0
    a: Run
    b: Run
    out: Run
    done: cython.int
    try:
        a.times = take(address(held), times_a, 1, b"l", 0)
        a.words = take(address(held), words_a, 1, b"l", 0)
        b.times = take(address(held), times_b, 1, b"l", 0)
        b.words = take(address(held), words_b, 1, b"l", 0)
        out.times = take(address(held), times_out, 1, b"l", PyBUF_WRITABLE)
        out.words = take(address(held), words_out, 1, b"l", PyBUF_WRITABLE)
        same_length(address(held), 0, 1)
        same_length(address(held), 2, 3)
        same_length(address(held), 4, 5)
        a.n = held.views[0].shape[0]
        b.n = held.views[2].shape[0]
        out.n = 0
        if held.views[4].shape[0] < a.n + b.n:
            raise ValueError("output is too small: it needs room for both runs")
        if policy < 0 or policy > 3:
            raise ValueError("policy must be 0..3")
        if a.n + b.n < LARGE:
            done = merge_points(address(a), address(b), policy, integer, address(out))
        else:
            with nogil:
                done = merge_points(address(a), address(b), policy, integer, address(out))
        if done < 0:
            raise MemoryError("no memory to compare the values at one time")
        return out.n
    finally:
        drop(address(held))


def check_points(times, words, is_float: cython.bint, low: Int, high: Int):
    """Looks for unfit points: (whether times ascend, first index outside [low, high], first not finite).

    times, words: int64[n]; words are looked at only if `is_float`. An index is -1 if there is none.
    """
    held: Held
    held.count = 0
    fit: Fitness
    try:
        t: Words = take(address(held), times, 1, b"l", 0)
        w: Words = take(address(held), words, 1, b"l", 0)
        same_length(address(held), 0, 1)
        n: Size = held.views[0].shape[0]
        if n < LARGE:
            fit = examine(t, w, n, is_float, low, high)
        else:
            with nogil:
                fit = examine(t, w, n, is_float, low, high)
        return fit.ascending != 0, fit.outside, fit.not_finite
    finally:
        drop(address(held))


def bisect(times, t: Int) -> Size:
    """The index of the first of the ascending times: int64[n] that is >= t; n if there is none."""
    held: Held
    held.count = 0
    try:
        return lower_bound(take(address(held), times, 1, b"l", 0), held.views[0].shape[0], t)
    finally:
        drop(address(held))
