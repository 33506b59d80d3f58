# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# cython: binding=False
# ruff: noqa: F821  (Py_buffer is a type Cython knows by itself)
"""Points in protobuf messages, straight from and to columns: Python with C types, compiled by Cython.

A point on the wire is a submessage of fixed64 fields 1, 2, ... in a repeated field of a message, and a field
of zero bits is left out. Reading accepts what every protobuf reader accepts: fields in any order, twice (the
last counts), unknown ones (skipped, in the point too), tags and lengths longer than they need be. Groups,
which no message of this kind has, are refused, and so is whatever is cut short.
tests/kernels/protobuf_twins.py says the same in plain Python.

The conventions are those of compiled.py. Every length is checked before it is used: what is read came over
the network.
"""

import cython
from cython import address, cast, cfunc, exceptval, inline, nogil
from cython.cimports.cpython.buffer import (
    PyBUF_C_CONTIGUOUS,
    PyBUF_FORMAT,
    PyBUF_SIMPLE,
    PyBUF_WRITABLE,
    PyBuffer_Release,
    PyObject_GetBuffer,
)
from cython.cimports.cpython.bytes import PyBytes_AsString, PyBytes_FromStringAndSize
from cython.cimports.libc.string import memcpy

Size = cython.typedef(cython.Py_ssize_t)
Unsigned = cython.typedef(cython.ulonglong)
Word = cython.typedef(cython.longlong)
Words = cython.typedef(cython.p_longlong)
Byte = cython.typedef(cython.uchar)
Bytes = cython.typedef(cython.p_uchar)

Held = cython.struct(count=cython.int, views=Py_buffer[8])
Buffers = cython.typedef(cython.pointer(Held))
Point = cython.struct(time=Word, value=Word)
Points = cython.typedef(cython.pointer(Point))
# Where points and all other fields of a message go.
Sink = cython.struct(times=Words, values=Words, room=Size, rest=Bytes, kept=Size)
Sinks = cython.typedef(cython.pointer(Sink))
Columns = cython.struct(count=cython.int, words=Words[6])
Many = cython.typedef(cython.pointer(Columns))

LARGE = cython.declare(Size, 200_000)  # bytes from which giving up the GIL pays
MOST_COLUMNS = cython.declare(cython.int, 6)
VARINT = cython.declare(cython.int, 10)  # bytes, at most
SHORT_VARINT = cython.declare(cython.int, 5)  # that of a tag or a length

# --- buffers ------------------------------------------------------------------------------------------------


@cfunc
@exceptval(check=True)
def take_bytes(held: Buffers, data: object, flags: cython.int) -> Bytes:
    """Bytes, held until `drop`."""
    view: cython.pointer(Py_buffer) = address(held.views[held.count])
    PyObject_GetBuffer(data, view, PyBUF_SIMPLE | flags)
    held.count += 1
    return cast(Bytes, view.buf)


@cfunc
@exceptval(check=True)
def take_words(held: Buffers, array: object, kind: cython.char, flags: cython.int) -> Words:
    """The data of a column of 8-byte numbers, held until `drop`; `kind` is its type: l, d, or * for any."""
    view: cython.pointer(Py_buffer) = address(held.views[held.count])
    PyObject_GetBuffer(array, view, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT | flags)
    held.count += 1
    letter: cython.char = view.format[0]
    if letter == b"q":
        letter = b"l"
    known: cython.bint = letter == b"l" or letter == b"L" or letter == b"Q" or letter == b"d"
    if not known or (kind != b"*" and letter != kind) or view.itemsize != 8 or view.ndim != 1:
        raise ValueError("an array is not of the documented type and number of dimensions")
    return cast(Words, view.buf)


@cfunc
@exceptval(check=False)
def drop(held: Buffers) -> cython.void:
    while held.count > 0:
        held.count -= 1
        PyBuffer_Release(address(held.views[held.count]))


@cfunc
@exceptval(check=True)
def one_byte_tag(field: cython.int) -> Byte:
    """The tag of a field that has a length."""
    if field < 1 or field > 15:
        raise ValueError("field must be 1..15")
    return cast(Byte, field << 3 | 2)


# --- reading ------------------------------------------------------------------------------------------------
# A reader returns where what follows begins, NULL if what it reads is cut short or malformed.


@cfunc
@inline
@nogil
@exceptval(check=False)
def read_varint(at: Bytes, end: Bytes, most: cython.int, value: cython.pointer(Unsigned)) -> Bytes:
    shift: cython.int = 0
    byte: Unsigned
    value[0] = 0
    while shift < 7 * most and at < end:
        byte = at[0]
        at += 1
        value[0] |= (byte & 0x7F) << shift
        if byte < 0x80:
            return at
        shift += 7
    return cython.NULL


@cfunc
@inline
@nogil
@exceptval(check=False)
def read_tag(at: Bytes, end: Bytes, tag: cython.pointer(Unsigned)) -> Bytes:
    """A tag has 32 bits, and there is no field 0."""
    at = read_varint(at, end, SHORT_VARINT, tag)
    if at == cython.NULL or tag[0] >> 32 != 0 or tag[0] >> 3 == 0:
        return cython.NULL
    return at


@cfunc
@inline
@nogil
@exceptval(check=False)
def read_size(at: Bytes, end: Bytes, size: cython.pointer(Unsigned)) -> Bytes:
    """The length of what follows, all of which is there."""
    at = read_varint(at, end, SHORT_VARINT, size)
    if at == cython.NULL or size[0] > cast(Unsigned, end - at):
        return cython.NULL
    return at


@cfunc
@nogil
@exceptval(check=False)
def skip(at: Bytes, end: Bytes, wire: cython.int) -> Bytes:
    """What stands behind a tag of that wire type."""
    ignored: Unsigned
    if wire == 0:
        return read_varint(at, end, VARINT, address(ignored))
    if wire == 1:
        return at + 8 if end - at >= 8 else cython.NULL
    if wire == 2:
        at = read_size(at, end, address(ignored))
        return at + ignored if at != cython.NULL else cython.NULL
    if wire == 5:
        return at + 4 if end - at >= 4 else cython.NULL
    return cython.NULL


@cfunc
@nogil
@exceptval(check=False)
def read_point(at: Bytes, end: Bytes, point: Points) -> cython.bint:
    """A point written in any way; whether it is one."""
    tag: Unsigned
    point.time = point.value = 0
    while at < end:
        at = read_tag(at, end, address(tag))
        if at == cython.NULL:
            return False
        if (tag == 0x09 or tag == 0x11) and end - at >= 8:
            memcpy(address(point.time) if tag == 0x09 else address(point.value), at, 8)
        at = skip(at, end, tag & 7)
        if at == cython.NULL:
            return False
    return True


@cfunc
@inline
@nogil
@exceptval(check=False)
def is_plain(at: Bytes, end: Bytes, wanted: Unsigned) -> cython.bint:
    """Whether a point without zeros follows, as everybody writes it: nearly all are of this kind."""
    return end - at >= 20 and at[0] == wanted and at[1] == 18 and at[2] == 0x09 and at[11] == 0x11


@cfunc
@nogil
@exceptval(check=False)
def read_message(at: Bytes, end: Bytes, wanted: Unsigned, sink: Sinks) -> Size:
    """Points to the columns, all else to the rest; returns how many points there are, -1 if malformed."""
    count: Size = 0
    start: Bytes
    tag: Unsigned
    size: Unsigned
    point: Point
    while at < end:
        if is_plain(at, end, wanted) and count < sink.room:
            memcpy(sink.times + count, at + 3, 8)
            memcpy(sink.values + count, at + 12, 8)
            at += 20
            count += 1
            continue
        start = at
        at = read_tag(at, end, address(tag))
        if at == cython.NULL:
            return -1
        if tag == wanted:
            at = read_size(at, end, address(size))
            if at == cython.NULL or not read_point(at, at + size, address(point)):
                return -1
            at += size
            if count < sink.room:
                sink.times[count] = point.time
                sink.values[count] = point.value
            count += 1
        else:
            at = skip(at, end, tag & 7)
            if at == cython.NULL:
                return -1
            memcpy(sink.rest + sink.kept, start, at - start)
            sink.kept += at - start
    return count


# --- writing ------------------------------------------------------------------------------------------------


@cfunc
@nogil
@exceptval(check=False)
def written_size(columns: Many, n: Size) -> Size:
    """The bytes of n points."""
    i: Size
    j: cython.int
    words: Words
    fields: Size = 0
    for j in range(columns.count):
        words = columns.words[j]
        for i in range(n):
            fields += words[i] != 0
    return 2 * n + 9 * fields


@cfunc
@nogil
@exceptval(check=False)
def write_points(columns: Many, n: Size, tag: Byte, at: Bytes) -> cython.void:
    i: Size
    j: cython.int
    start: Bytes
    word: Word
    for i in range(n):
        start = at
        start[0] = tag
        at += 2
        for j in range(columns.count):
            word = columns.words[j][i]
            if word != 0:
                at[0] = cast(Byte, (j + 1) << 3 | 1)
                memcpy(at + 1, address(word), 8)
                at += 9
        start[1] = cast(Byte, at - start - 2)


# --- the module's functions ---------------------------------------------------------------------------------


def decode_points(message, field: cython.int, times_out, values_out, rest_out):
    """Takes the points of the repeated `field` out of a message: (how many there are, bytes of the rest).

    message: bytes; times_out: int64[n] and values_out: float64[n] take the points (fields 1 and 2: a fixed64
    and a double) in order, as many as fit. rest_out, a buffer of at least the length of the message, takes
    all other fields as they are: a message of the same type without points. field: 1..15.

    Raises ValueError if the message is malformed.
    """
    held: Held
    held.count = 0
    sink: Sink
    try:
        tag: Byte = one_byte_tag(field)
        start: Bytes = take_bytes(address(held), message, 0)
        sink.times = take_words(address(held), times_out, b"l", PyBUF_WRITABLE)
        sink.values = take_words(address(held), values_out, b"d", PyBUF_WRITABLE)
        sink.rest = take_bytes(address(held), rest_out, PyBUF_WRITABLE)
        sink.room = held.views[1].shape[0]
        sink.kept = 0
        size: Size = held.views[0].len
        if held.views[2].shape[0] != sink.room:
            raise ValueError("arrays differ in length")
        if held.views[3].len < size:
            raise ValueError("output is too small")
        if size < LARGE:
            count: Size = read_message(start, start + size, tag, address(sink))
        else:
            with nogil:
                count = read_message(start, start + size, tag, address(sink))
        if count < 0:
            raise ValueError("the message is malformed")
        return count, sink.kept
    finally:
        drop(address(held))


def encode_points(head: bytes, field: cython.int, columns: tuple) -> bytes:
    """`head`, and behind it a submessage in the repeated `field` for each row of `columns`.

    columns: 1 to 6 arrays [n] of int64, uint64 or float64, the fixed64 fields 1, 2, ... of the submessages.
    field: 1..15. Bit for bit what any protobuf writer gives.
    """
    held: Held
    held.count = 0
    taken: Columns
    taken.count = 0
    try:
        tag: Byte = one_byte_tag(field)
        if len(columns) < 1 or len(columns) > MOST_COLUMNS:
            raise ValueError("there must be 1 to 6 columns")
        for column in columns:
            taken.words[taken.count] = take_words(address(held), column, b"*", 0)
            taken.count += 1
            if held.views[taken.count - 1].shape[0] != held.views[0].shape[0]:
                raise ValueError("arrays differ in length")
        n: Size = held.views[0].shape[0]
        before: Size = len(head)
        size: Size = written_size(address(taken), n)
        made = PyBytes_FromStringAndSize(cython.NULL, before + size)
        at: Bytes = cast(Bytes, PyBytes_AsString(made))
        memcpy(at, PyBytes_AsString(head), before)
        if size < LARGE:
            write_points(address(taken), n, tag, at + before)
        else:
            with nogil:
                write_points(address(taken), n, tag, at + before)
        return made
    finally:
        drop(address(held))
