"""Which messages go which way, each direction a union that is told apart by `type`."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field, TypeAdapter

from voice_kernel.messages.approvals import ApprovalChanged, ApprovalShown, Decide
from voice_kernel.messages.cells import CellCancel, CellReply, CellRequest
from voice_kernel.messages.hearing import (
    Audio,
    AudioEnd,
    AudioReleased,
    AudioStart,
    ChooseEngine,
    HearAgain,
    Heard,
    ListEngines,
    SpeechChanged,
    SpeechEngines,
    WarmUp,
)
from voice_kernel.messages.history import (
    DeleteThread,
    FindTasks,
    KeepingChanged,
    ListThreads,
    NewThread,
    OpenThread,
    PastTasks,
    RenameThread,
    Threads,
)
from voice_kernel.messages.logs import LogHits, LogPage, ReadLog, SearchLog
from voice_kernel.messages.servers import (
    FinishSignIn,
    KeepSecret,
    Offers,
    ReadServer,
    SearchRegistry,
    ServerDetails,
    ServersChanged,
    WatchServers,
)
from voice_kernel.messages.speaking import (
    HoldSpeaking,
    SpeakAnswer,
    SpeakChanged,
    SpeakChoice,
    SpeakingState,
    StopSpeaking,
)
from voice_kernel.messages.surface import (
    AboutChanged,
    ControlSpoken,
    Done,
    Hello,
    Interrupt,
    Notice,
    Part,
    ReadPart,
    State,
)
from voice_kernel.messages.tasks import (
    CancelTask,
    ClientAnswer,
    MoveTask,
    QueueChanged,
    RetryTask,
    TaskChanged,
    TaskOutput,
    TaskProgress,
)
from voice_kernel.messages.turns import AnswerDelta, AnswerQuestion, Attach, CancelTurn, Do, Say, TurnChanged
from voice_kernel.messages.widgets import WidgetAction, WidgetChanged, WidgetUpdated

ToSurface = Annotated[
    State
    | TurnChanged
    | TaskChanged
    | TaskOutput
    | TaskProgress
    | QueueChanged
    | AnswerDelta
    | ApprovalChanged
    | WidgetChanged
    | WidgetUpdated
    | SpeechChanged
    | SpeechEngines
    | Notice
    | SpeakAnswer
    | StopSpeaking
    | HoldSpeaking
    | SpeakChanged
    | ControlSpoken
    | KeepingChanged
    | AboutChanged
    | Threads
    | PastTasks
    | LogPage
    | LogHits
    | ServersChanged
    | ServerDetails
    | Offers
    | Done
    | Part
    | CellRequest
    | CellCancel,
    Field(discriminator="type"),
]
ToKernel = Annotated[
    Hello
    | AudioStart
    | Audio
    | AudioReleased
    | AudioEnd
    | Heard
    | HearAgain
    | ListEngines
    | ChooseEngine
    | Say
    | CancelTask
    | CancelTurn
    | RetryTask
    | MoveTask
    | Do
    | ListThreads
    | NewThread
    | OpenThread
    | RenameThread
    | DeleteThread
    | FindTasks
    | ReadLog
    | SearchLog
    | WatchServers
    | ReadServer
    | SearchRegistry
    | KeepSecret
    | FinishSignIn
    | ReadPart
    | ApprovalShown
    | Attach
    | Decide
    | WidgetAction
    | AnswerQuestion
    | ClientAnswer
    | Interrupt
    | WarmUp
    | SpeakChoice
    | SpeakingState
    | CellReply,
    Field(discriminator="type"),
]

LATER = ConfigDict(defer_build=True)
to_kernel: TypeAdapter[ToKernel] = TypeAdapter(ToKernel, config=LATER)
to_surface: TypeAdapter[ToSurface] = TypeAdapter(ToSurface, config=LATER)
