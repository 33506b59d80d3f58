from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Way(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ONE: _ClassVar[Way]
    MANY: _ClassVar[Way]
    WIDE: _ClassVar[Way]
ONE: Way
MANY: Way
WIDE: Way

class Failure(_message.Message):
    __slots__ = ("code", "message", "error", "advice", "start", "end", "pointwidth", "stream", "segment", "offset", "package", "extra")
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    ADVICE_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    POINTWIDTH_FIELD_NUMBER: _ClassVar[int]
    STREAM_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    PACKAGE_FIELD_NUMBER: _ClassVar[int]
    EXTRA_FIELD_NUMBER: _ClassVar[int]
    code: int
    message: str
    error: str
    advice: str
    start: int
    end: int
    pointwidth: int
    stream: bytes
    segment: int
    offset: int
    package: str
    extra: str
    def __init__(self, code: _Optional[int] = ..., message: _Optional[str] = ..., error: _Optional[str] = ..., advice: _Optional[str] = ..., start: _Optional[int] = ..., end: _Optional[int] = ..., pointwidth: _Optional[int] = ..., stream: _Optional[bytes] = ..., segment: _Optional[int] = ..., offset: _Optional[int] = ..., package: _Optional[str] = ..., extra: _Optional[str] = ...) -> None: ...

class EmptyParams(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class DoneResponse(_message.Message):
    __slots__ = ("stat",)
    STAT_FIELD_NUMBER: _ClassVar[int]
    stat: Failure
    def __init__(self, stat: _Optional[_Union[Failure, _Mapping]] = ...) -> None: ...

class NumberResponse(_message.Message):
    __slots__ = ("stat", "number")
    STAT_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    stat: Failure
    number: int
    def __init__(self, stat: _Optional[_Union[Failure, _Mapping]] = ..., number: _Optional[int] = ...) -> None: ...

class NamesResponse(_message.Message):
    __slots__ = ("stat", "names")
    STAT_FIELD_NUMBER: _ClassVar[int]
    NAMES_FIELD_NUMBER: _ClassVar[int]
    stat: Failure
    names: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, stat: _Optional[_Union[Failure, _Mapping]] = ..., names: _Optional[_Iterable[str]] = ...) -> None: ...

class TextResponse(_message.Message):
    __slots__ = ("stat", "json")
    STAT_FIELD_NUMBER: _ClassVar[int]
    JSON_FIELD_NUMBER: _ClassVar[int]
    stat: Failure
    json: str
    def __init__(self, stat: _Optional[_Union[Failure, _Mapping]] = ..., json: _Optional[str] = ...) -> None: ...

class AboutParams(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class AboutResponse(_message.Message):
    __slots__ = ("stat", "protocol", "version", "archive", "most_inserted")
    STAT_FIELD_NUMBER: _ClassVar[int]
    PROTOCOL_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ARCHIVE_FIELD_NUMBER: _ClassVar[int]
    MOST_INSERTED_FIELD_NUMBER: _ClassVar[int]
    stat: Failure
    protocol: int
    version: str
    archive: bytes
    most_inserted: int
    def __init__(self, stat: _Optional[_Union[Failure, _Mapping]] = ..., protocol: _Optional[int] = ..., version: _Optional[str] = ..., archive: _Optional[bytes] = ..., most_inserted: _Optional[int] = ...) -> None: ...

class Metadata(_message.Message):
    __slots__ = ("uuid", "kind", "collection", "tags", "annotations", "property_version")
    class TagsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class AnnotationsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    UUID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    COLLECTION_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    ANNOTATIONS_FIELD_NUMBER: _ClassVar[int]
    PROPERTY_VERSION_FIELD_NUMBER: _ClassVar[int]
    uuid: bytes
    kind: str
    collection: str
    tags: _containers.ScalarMap[str, str]
    annotations: _containers.ScalarMap[str, str]
    property_version: int
    def __init__(self, uuid: _Optional[bytes] = ..., kind: _Optional[str] = ..., collection: _Optional[str] = ..., tags: _Optional[_Mapping[str, str]] = ..., annotations: _Optional[_Mapping[str, str]] = ..., property_version: _Optional[int] = ...) -> None: ...

class StreamResponse(_message.Message):
    __slots__ = ("stat", "stream")
    STAT_FIELD_NUMBER: _ClassVar[int]
    STREAM_FIELD_NUMBER: _ClassVar[int]
    stat: Failure
    stream: Metadata
    def __init__(self, stat: _Optional[_Union[Failure, _Mapping]] = ..., stream: _Optional[_Union[Metadata, _Mapping]] = ...) -> None: ...

class StreamsResponse(_message.Message):
    __slots__ = ("stat", "streams")
    STAT_FIELD_NUMBER: _ClassVar[int]
    STREAMS_FIELD_NUMBER: _ClassVar[int]
    stat: Failure
    streams: _containers.RepeatedCompositeFieldContainer[Metadata]
    def __init__(self, stat: _Optional[_Union[Failure, _Mapping]] = ..., streams: _Optional[_Iterable[_Union[Metadata, _Mapping]]] = ...) -> None: ...

class State(_message.Message):
    __slots__ = ("version", "held", "snapshot", "leave_out_damage")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    HELD_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    LEAVE_OUT_DAMAGE_FIELD_NUMBER: _ClassVar[int]
    version: int
    held: int
    snapshot: str
    leave_out_damage: bool
    def __init__(self, version: _Optional[int] = ..., held: _Optional[int] = ..., snapshot: _Optional[str] = ..., leave_out_damage: _Optional[bool] = ...) -> None: ...

class StreamParams(_message.Message):
    __slots__ = ("uuid", "state")
    UUID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    uuid: bytes
    state: State
    def __init__(self, uuid: _Optional[bytes] = ..., state: _Optional[_Union[State, _Mapping]] = ...) -> None: ...

class CreateParams(_message.Message):
    __slots__ = ("stream",)
    STREAM_FIELD_NUMBER: _ClassVar[int]
    stream: Metadata
    def __init__(self, stream: _Optional[_Union[Metadata, _Mapping]] = ...) -> None: ...

class Property(_message.Message):
    __slots__ = ("key", "value")
    KEY_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    key: str
    value: str
    def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...

class FindOneParams(_message.Message):
    __slots__ = ("uuid", "text", "tags")
    UUID_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    uuid: bytes
    text: str
    tags: _containers.RepeatedCompositeFieldContainer[Property]
    def __init__(self, uuid: _Optional[bytes] = ..., text: _Optional[str] = ..., tags: _Optional[_Iterable[_Union[Property, _Mapping]]] = ...) -> None: ...

class FindParams(_message.Message):
    __slots__ = ("prefix", "collection", "tags", "annotations", "state")
    PREFIX_FIELD_NUMBER: _ClassVar[int]
    COLLECTION_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    ANNOTATIONS_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    prefix: str
    collection: str
    tags: _containers.RepeatedCompositeFieldContainer[Property]
    annotations: _containers.RepeatedCompositeFieldContainer[Property]
    state: State
    def __init__(self, prefix: _Optional[str] = ..., collection: _Optional[str] = ..., tags: _Optional[_Iterable[_Union[Property, _Mapping]]] = ..., annotations: _Optional[_Iterable[_Union[Property, _Mapping]]] = ..., state: _Optional[_Union[State, _Mapping]] = ...) -> None: ...

class CollectionsParams(_message.Message):
    __slots__ = ("prefix",)
    PREFIX_FIELD_NUMBER: _ClassVar[int]
    prefix: str
    def __init__(self, prefix: _Optional[str] = ...) -> None: ...

class UpdateParams(_message.Message):
    __slots__ = ("uuid", "tags", "annotations", "collection", "expected")
    UUID_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    ANNOTATIONS_FIELD_NUMBER: _ClassVar[int]
    COLLECTION_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_FIELD_NUMBER: _ClassVar[int]
    uuid: bytes
    tags: _containers.RepeatedCompositeFieldContainer[Property]
    annotations: _containers.RepeatedCompositeFieldContainer[Property]
    collection: str
    expected: int
    def __init__(self, uuid: _Optional[bytes] = ..., tags: _Optional[_Iterable[_Union[Property, _Mapping]]] = ..., annotations: _Optional[_Iterable[_Union[Property, _Mapping]]] = ..., collection: _Optional[str] = ..., expected: _Optional[int] = ...) -> None: ...

class LeftOut(_message.Message):
    __slots__ = ("start", "end", "stream", "message", "segment", "offset")
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    STREAM_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    start: int
    end: int
    stream: bytes
    message: str
    segment: int
    offset: int
    def __init__(self, start: _Optional[int] = ..., end: _Optional[int] = ..., stream: _Optional[bytes] = ..., message: _Optional[str] = ..., segment: _Optional[int] = ..., offset: _Optional[int] = ...) -> None: ...

class ValuesParams(_message.Message):
    __slots__ = ("state", "uuid", "start", "end")
    STATE_FIELD_NUMBER: _ClassVar[int]
    UUID_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    state: State
    uuid: _containers.RepeatedScalarFieldContainer[bytes]
    start: int
    end: int
    def __init__(self, state: _Optional[_Union[State, _Mapping]] = ..., uuid: _Optional[_Iterable[bytes]] = ..., start: _Optional[int] = ..., end: _Optional[int] = ...) -> None: ...

class PointsResponse(_message.Message):
    __slots__ = ("stat", "stream", "version", "times", "values", "left_out")
    STAT_FIELD_NUMBER: _ClassVar[int]
    STREAM_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    TIMES_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    LEFT_OUT_FIELD_NUMBER: _ClassVar[int]
    stat: Failure
    stream: int
    version: int
    times: bytes
    values: bytes
    left_out: _containers.RepeatedCompositeFieldContainer[LeftOut]
    def __init__(self, stat: _Optional[_Union[Failure, _Mapping]] = ..., stream: _Optional[int] = ..., version: _Optional[int] = ..., times: _Optional[bytes] = ..., values: _Optional[bytes] = ..., left_out: _Optional[_Iterable[_Union[LeftOut, _Mapping]]] = ...) -> None: ...

class WindowsParams(_message.Message):
    __slots__ = ("state", "uuid", "start", "end", "pointwidth", "width", "points", "columns")
    STATE_FIELD_NUMBER: _ClassVar[int]
    UUID_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    POINTWIDTH_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    state: State
    uuid: bytes
    start: int
    end: int
    pointwidth: int
    width: int
    points: int
    columns: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, state: _Optional[_Union[State, _Mapping]] = ..., uuid: _Optional[bytes] = ..., start: _Optional[int] = ..., end: _Optional[int] = ..., pointwidth: _Optional[int] = ..., width: _Optional[int] = ..., points: _Optional[int] = ..., columns: _Optional[_Iterable[str]] = ...) -> None: ...

class WindowsResponse(_message.Message):
    __slots__ = ("stat", "version", "width", "time", "columns", "left_out")
    STAT_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    LEFT_OUT_FIELD_NUMBER: _ClassVar[int]
    stat: Failure
    version: int
    width: int
    time: bytes
    columns: _containers.RepeatedScalarFieldContainer[bytes]
    left_out: _containers.RepeatedCompositeFieldContainer[LeftOut]
    def __init__(self, stat: _Optional[_Union[Failure, _Mapping]] = ..., version: _Optional[int] = ..., width: _Optional[int] = ..., time: _Optional[bytes] = ..., columns: _Optional[_Iterable[bytes]] = ..., left_out: _Optional[_Iterable[_Union[LeftOut, _Mapping]]] = ...) -> None: ...

class NearestParams(_message.Message):
    __slots__ = ("state", "uuid", "time", "backward")
    STATE_FIELD_NUMBER: _ClassVar[int]
    UUID_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    BACKWARD_FIELD_NUMBER: _ClassVar[int]
    state: State
    uuid: bytes
    time: int
    backward: bool
    def __init__(self, state: _Optional[_Union[State, _Mapping]] = ..., uuid: _Optional[bytes] = ..., time: _Optional[int] = ..., backward: _Optional[bool] = ...) -> None: ...

class NearestResponse(_message.Message):
    __slots__ = ("stat", "time", "value", "left_out")
    STAT_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    LEFT_OUT_FIELD_NUMBER: _ClassVar[int]
    stat: Failure
    time: int
    value: int
    left_out: _containers.RepeatedCompositeFieldContainer[LeftOut]
    def __init__(self, stat: _Optional[_Union[Failure, _Mapping]] = ..., time: _Optional[int] = ..., value: _Optional[int] = ..., left_out: _Optional[_Iterable[_Union[LeftOut, _Mapping]]] = ...) -> None: ...

class RangeParams(_message.Message):
    __slots__ = ("state", "uuid", "start", "end")
    STATE_FIELD_NUMBER: _ClassVar[int]
    UUID_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    state: State
    uuid: bytes
    start: int
    end: int
    def __init__(self, state: _Optional[_Union[State, _Mapping]] = ..., uuid: _Optional[bytes] = ..., start: _Optional[int] = ..., end: _Optional[int] = ...) -> None: ...

class CountResponse(_message.Message):
    __slots__ = ("stat", "count", "left_out")
    STAT_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    LEFT_OUT_FIELD_NUMBER: _ClassVar[int]
    stat: Failure
    count: int
    left_out: _containers.RepeatedCompositeFieldContainer[LeftOut]
    def __init__(self, stat: _Optional[_Union[Failure, _Mapping]] = ..., count: _Optional[int] = ..., left_out: _Optional[_Iterable[_Union[LeftOut, _Mapping]]] = ...) -> None: ...

class ChangesParams(_message.Message):
    __slots__ = ("uuid", "from_version", "to_version", "resolution", "leave_out_damage")
    UUID_FIELD_NUMBER: _ClassVar[int]
    FROM_VERSION_FIELD_NUMBER: _ClassVar[int]
    TO_VERSION_FIELD_NUMBER: _ClassVar[int]
    RESOLUTION_FIELD_NUMBER: _ClassVar[int]
    LEAVE_OUT_DAMAGE_FIELD_NUMBER: _ClassVar[int]
    uuid: bytes
    from_version: int
    to_version: int
    resolution: int
    leave_out_damage: bool
    def __init__(self, uuid: _Optional[bytes] = ..., from_version: _Optional[int] = ..., to_version: _Optional[int] = ..., resolution: _Optional[int] = ..., leave_out_damage: _Optional[bool] = ...) -> None: ...

class ChangesResponse(_message.Message):
    __slots__ = ("stat", "starts", "ends")
    STAT_FIELD_NUMBER: _ClassVar[int]
    STARTS_FIELD_NUMBER: _ClassVar[int]
    ENDS_FIELD_NUMBER: _ClassVar[int]
    stat: Failure
    starts: bytes
    ends: bytes
    def __init__(self, stat: _Optional[_Union[Failure, _Mapping]] = ..., starts: _Optional[bytes] = ..., ends: _Optional[bytes] = ...) -> None: ...

class VersionParams(_message.Message):
    __slots__ = ("uuid", "at", "as_of")
    UUID_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    uuid: bytes
    at: int
    as_of: int
    def __init__(self, uuid: _Optional[bytes] = ..., at: _Optional[int] = ..., as_of: _Optional[int] = ...) -> None: ...

class InsertParams(_message.Message):
    __slots__ = ("way", "merge", "uuid", "number", "index", "times", "values")
    WAY_FIELD_NUMBER: _ClassVar[int]
    MERGE_FIELD_NUMBER: _ClassVar[int]
    UUID_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    TIMES_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    way: Way
    merge: str
    uuid: _containers.RepeatedScalarFieldContainer[bytes]
    number: _containers.RepeatedScalarFieldContainer[int]
    index: bytes
    times: bytes
    values: bytes
    def __init__(self, way: _Optional[_Union[Way, str]] = ..., merge: _Optional[str] = ..., uuid: _Optional[_Iterable[bytes]] = ..., number: _Optional[_Iterable[int]] = ..., index: _Optional[bytes] = ..., times: _Optional[bytes] = ..., values: _Optional[bytes] = ...) -> None: ...

class InsertResponse(_message.Message):
    __slots__ = ("stat", "points", "streams", "durable", "version", "pending")
    STAT_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    STREAMS_FIELD_NUMBER: _ClassVar[int]
    DURABLE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    PENDING_FIELD_NUMBER: _ClassVar[int]
    stat: Failure
    points: int
    streams: int
    durable: bool
    version: int
    pending: int
    def __init__(self, stat: _Optional[_Union[Failure, _Mapping]] = ..., points: _Optional[int] = ..., streams: _Optional[int] = ..., durable: _Optional[bool] = ..., version: _Optional[int] = ..., pending: _Optional[int] = ...) -> None: ...

class HoldParams(_message.Message):
    __slots__ = ("client",)
    CLIENT_FIELD_NUMBER: _ClassVar[int]
    client: bytes
    def __init__(self, client: _Optional[bytes] = ...) -> None: ...

class HoldResponse(_message.Message):
    __slots__ = ("stat", "held", "seconds")
    STAT_FIELD_NUMBER: _ClassVar[int]
    HELD_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    stat: Failure
    held: int
    seconds: float
    def __init__(self, stat: _Optional[_Union[Failure, _Mapping]] = ..., held: _Optional[int] = ..., seconds: _Optional[float] = ...) -> None: ...

class HeldParams(_message.Message):
    __slots__ = ("held",)
    HELD_FIELD_NUMBER: _ClassVar[int]
    held: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, held: _Optional[_Iterable[int]] = ...) -> None: ...

class NameParams(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class SetRuleParams(_message.Message):
    __slots__ = ("key", "value", "pointwidth", "prefix", "uuid")
    KEY_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    POINTWIDTH_FIELD_NUMBER: _ClassVar[int]
    PREFIX_FIELD_NUMBER: _ClassVar[int]
    UUID_FIELD_NUMBER: _ClassVar[int]
    key: str
    value: str
    pointwidth: int
    prefix: str
    uuid: bytes
    def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ..., pointwidth: _Optional[int] = ..., prefix: _Optional[str] = ..., uuid: _Optional[bytes] = ...) -> None: ...

class Rule(_message.Message):
    __slots__ = ("key", "value", "prefix", "stream")
    KEY_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    PREFIX_FIELD_NUMBER: _ClassVar[int]
    STREAM_FIELD_NUMBER: _ClassVar[int]
    key: str
    value: str
    prefix: str
    stream: str
    def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ..., prefix: _Optional[str] = ..., stream: _Optional[str] = ...) -> None: ...

class RulesResponse(_message.Message):
    __slots__ = ("stat", "rules")
    STAT_FIELD_NUMBER: _ClassVar[int]
    RULES_FIELD_NUMBER: _ClassVar[int]
    stat: Failure
    rules: _containers.RepeatedCompositeFieldContainer[Rule]
    def __init__(self, stat: _Optional[_Union[Failure, _Mapping]] = ..., rules: _Optional[_Iterable[_Union[Rule, _Mapping]]] = ...) -> None: ...

class ExpireParams(_message.Message):
    __slots__ = ("dry_run", "now")
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    dry_run: bool
    now: int
    def __init__(self, dry_run: _Optional[bool] = ..., now: _Optional[int] = ...) -> None: ...

class Expiry(_message.Message):
    __slots__ = ("stream", "before", "points", "size", "snapshots", "pointwidth")
    STREAM_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOTS_FIELD_NUMBER: _ClassVar[int]
    POINTWIDTH_FIELD_NUMBER: _ClassVar[int]
    stream: bytes
    before: int
    points: int
    size: int
    snapshots: _containers.RepeatedScalarFieldContainer[str]
    pointwidth: int
    def __init__(self, stream: _Optional[bytes] = ..., before: _Optional[int] = ..., points: _Optional[int] = ..., size: _Optional[int] = ..., snapshots: _Optional[_Iterable[str]] = ..., pointwidth: _Optional[int] = ...) -> None: ...

class ExpireResponse(_message.Message):
    __slots__ = ("stat", "expiries")
    STAT_FIELD_NUMBER: _ClassVar[int]
    EXPIRIES_FIELD_NUMBER: _ClassVar[int]
    stat: Failure
    expiries: _containers.RepeatedCompositeFieldContainer[Expiry]
    def __init__(self, stat: _Optional[_Union[Failure, _Mapping]] = ..., expiries: _Optional[_Iterable[_Union[Expiry, _Mapping]]] = ...) -> None: ...

class CompactParams(_message.Message):
    __slots__ = ("newest", "gently")
    NEWEST_FIELD_NUMBER: _ClassVar[int]
    GENTLY_FIELD_NUMBER: _ClassVar[int]
    newest: bool
    gently: bool
    def __init__(self, newest: _Optional[bool] = ..., gently: _Optional[bool] = ...) -> None: ...

class CompactResponse(_message.Message):
    __slots__ = ("stat", "segments", "size", "moved", "waiting", "findings")
    STAT_FIELD_NUMBER: _ClassVar[int]
    SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    MOVED_FIELD_NUMBER: _ClassVar[int]
    WAITING_FIELD_NUMBER: _ClassVar[int]
    FINDINGS_FIELD_NUMBER: _ClassVar[int]
    stat: Failure
    segments: int
    size: int
    moved: int
    waiting: int
    findings: _containers.RepeatedCompositeFieldContainer[Finding]
    def __init__(self, stat: _Optional[_Union[Failure, _Mapping]] = ..., segments: _Optional[int] = ..., size: _Optional[int] = ..., moved: _Optional[int] = ..., waiting: _Optional[int] = ..., findings: _Optional[_Iterable[_Union[Finding, _Mapping]]] = ...) -> None: ...

class CheckParams(_message.Message):
    __slots__ = ("deep",)
    DEEP_FIELD_NUMBER: _ClassVar[int]
    deep: bool
    def __init__(self, deep: _Optional[bool] = ...) -> None: ...

class Finding(_message.Message):
    __slots__ = ("code", "message", "stream", "start", "end", "collection", "name")
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    STREAM_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    COLLECTION_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    code: str
    message: str
    stream: bytes
    start: int
    end: int
    collection: str
    name: str
    def __init__(self, code: _Optional[str] = ..., message: _Optional[str] = ..., stream: _Optional[bytes] = ..., start: _Optional[int] = ..., end: _Optional[int] = ..., collection: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class FindingsResponse(_message.Message):
    __slots__ = ("stat", "findings")
    STAT_FIELD_NUMBER: _ClassVar[int]
    FINDINGS_FIELD_NUMBER: _ClassVar[int]
    stat: Failure
    findings: _containers.RepeatedCompositeFieldContainer[Finding]
    def __init__(self, stat: _Optional[_Union[Failure, _Mapping]] = ..., findings: _Optional[_Iterable[_Union[Finding, _Mapping]]] = ...) -> None: ...
