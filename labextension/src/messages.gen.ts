// Generated from voice_kernel/messages by `make generate`. Do not edit.

export type ToKernel =
  | Hello
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
  | CellReply;
export type ToSurface =
  | State
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
  | CellCancel;

/**
 * Protocol 1.
 */
export interface Wire {
  protocol: 1;
}
/**
 * What a surface shows of the configuration; never a secret.
 */
export interface About {
  audio_kept_in: string;
  cwd: string;
  earcons: boolean;
  language: string;
  listen: 'push' | 'toggle' | 'handsfree';
  model: string;
  model_server: string;
  model_stays: boolean;
  models: string[];
  notify_after_s: number;
  shell_allowed: boolean;
  speak: 'off' | 'errors' | 'short' | 'full';
  speech_rate: number;
  version: string;
  voice: 'auto' | 'local' | 'browser' | 'openai';
  wake_phrase: string;
  warnings: string[];
}
/**
 * Something of the configuration is another now: the model that was chosen.
 */
export interface AboutChanged {
  about: About;
  type: 'about';
}
/**
 * What a component of a widget asks for; ChatKit's own fields.
 */
export interface ActionConfig {
  handler: 'server' | 'client';
  loadingBehavior: 'auto' | 'none' | 'self' | 'container';
  payload: unknown;
  streaming: boolean;
  type: string;
}
/**
 * More of a model's answer.
 */
export interface AnswerDelta {
  text: string;
  turn_id: number;
  type: 'answer_delta';
}
/**
 * A click on Yes or No of a turn that asks.
 */
export interface AnswerQuestion {
  turn_id: number;
  type: 'answer_question';
  yes: boolean;
}
/**
 * A card that waits for a person.
 */
export interface Approval {
  arguments: {
    [k: string]: unknown;
  };
  created_at: number;
  diff: Diff | null;
  fields: FormField[];
  id: number;
  reason: string;
  shown_at: number | null;
  state: 'open' | 'approved' | 'denied' | 'expired';
  target: string;
  task_id: number;
  tool: string;
}
/**
 * A change of one cell as it would be made.
 */
export interface Diff {
  action: 'edit' | 'insert' | 'delete';
  after: string;
  before: string;
  cell: string;
  kind: 'code' | 'markdown' | 'raw';
  name: string;
  runs: boolean;
}
/**
 * A field of a form that somebody else's program asks a person to fill in.
 */
export interface FormField {
  choices: string[];
  default: string | number | boolean | string[] | null;
  description: string;
  kind: 'text' | 'number' | 'integer' | 'boolean' | 'choice' | 'choices';
  labels: string[];
  name: string;
  required: boolean;
  title: string;
}
export interface ApprovalChanged {
  approval: Approval;
  type: 'approval';
}
/**
 * The card is on the screen: from now on a spoken yes can count.
 */
export interface ApprovalShown {
  approval_id: number;
  type: 'approval_shown';
}
/**
 * A file that was dropped or pasted, for questions to refer to by `@name`; in the first binary buffer.
 *
 * Kept in memory until the session ends, and given to nobody before a question names it.
 */
export interface Attach {
  name: string;
  size: number;
  type: 'attach';
}
/**
 * One chunk of mono 16-bit little-endian PCM, in the message's first binary buffer.
 */
export interface Audio {
  seq: number;
  type: 'audio';
  utterance_id: string;
}
/**
 * All of a recording was sent (`discard` false), or it was thrown away.
 */
export interface AudioEnd {
  chunks: number;
  discard: boolean;
  type: 'audio_end';
  utterance_id: string;
}
/**
 * The key was released; the last samples, and `AudioEnd`, follow.
 *
 * Where the kernel has heard that the speaker had finished, it waits for neither.
 */
export interface AudioReleased {
  type: 'audio_released';
  utterance_id: string;
}
/**
 * The microphone opened; chunks follow.
 */
export interface AudioStart {
  hands_free: boolean;
  rate_hz: number;
  type: 'audio_start';
  utterance_id: string;
}
/**
 * One tool call of a plan, as the parser or the model made it.
 */
export interface Call {
  arguments: {
    [k: string]: unknown;
  };
  tool: string;
}
export interface CancelTask {
  task_id: number;
  type: 'cancel_task';
}
export interface CancelTurn {
  turn_id: number;
  type: 'cancel_turn';
}
/**
 * Give a `CellRequest` up, unanswered.
 *
 * Cells it still waits to run are not run, and the one that runs is interrupted.
 */
export interface CellCancel {
  id: number;
  type: 'cell_cancel';
}
/**
 * The front end's answer to a `CellRequest`: one of the three, or none where nothing is to be said.
 */
export interface CellReply {
  cells: CellView[];
  id: number;
  notebook: NotebookView | null;
  problem: Problem | null;
  ran: boolean;
  text: string;
  type: 'cell_reply';
}
/**
 * One cell as the front end has it; positions are those of the list it stands in.
 */
export interface CellView {
  execution_count: number | null;
  failed: boolean;
  id: string;
  kind: 'code' | 'markdown' | 'raw';
  outputs: Output[];
  source: string;
}
/**
 * One piece of output, in the words of the Jupyter messaging protocol.
 */
export interface Output {
  data: {
    [k: string]: string;
  };
  kind: 'stream' | 'display' | 'result' | 'error';
  text: string;
}
/**
 * The notebook as a front end has it.
 */
export interface NotebookView {
  active: number;
  calling: string;
  cells: CellView[];
  cursor: Cursor | null;
  path: string;
  shared: boolean;
}
/**
 * A place in a cell's text.
 */
export interface Cursor {
  column: number;
  line: number;
}
/**
 * An error as data: what happened and what to do next.
 */
export interface Problem {
  hint: string;
  kind: string;
  message: string;
  retryable: boolean;
}
/**
 * Ask the one front end that shows the notebook to do something; it answers with `CellReply`.
 */
export interface CellRequest {
  id: number;
  request:
    | ReadNotebook
    | RunCells
    | ShowOutputs
    | InsertCells
    | EditCell
    | DeleteCells
    | MoveCells
    | ChangeKind
    | ClearOutputs
    | SelectCell
    | UndoStep
    | SaveNotebook
    | RestartKernel
    | RunCommand
    | OpenFile
    | Snapshot;
  step: number;
  type: 'cell_request';
}
/**
 * Answered with a `NotebookView`.
 */
export interface ReadNotebook {
  action: 'read';
  cells: string[];
  outputs: boolean;
  sources: boolean;
}
/**
 * Run cells in order, stopping at the first that raises; answered with their views, outputs included.
 */
export interface RunCells {
  action: 'run';
  cells: string[];
}
/**
 * Show what a cell put out while the kernel ran it nested under `%voice`: live, then final.
 */
export interface ShowOutputs {
  action: 'outputs';
  cell: string;
  done: boolean;
  execution_count: number | null;
  outputs: Output[];
  parent_msg_id: string;
}
/**
 * Insert cells before `index` (from 0; the number of cells appends); answered with their views.
 */
export interface InsertCells {
  action: 'insert';
  index: number;
  kinds: ('code' | 'markdown' | 'raw')[];
  sources: string[];
}
/**
 * Replace a cell's source, keeping id, metadata and attachments.
 */
export interface EditCell {
  action: 'edit';
  cell: string;
  cursor: Cursor | null;
  expected: string | null;
  source: string;
}
export interface DeleteCells {
  action: 'delete';
  cells: string[];
}
/**
 * Move cells, as a block in their order, so that the first stands at `index` afterwards.
 */
export interface MoveCells {
  action: 'move';
  cells: string[];
  index: number;
}
export interface ChangeKind {
  action: 'kind';
  cells: string[];
  kind: 'code' | 'markdown' | 'raw';
}
export interface ClearOutputs {
  action: 'clear';
  cells: string[];
}
/**
 * Make a cell the active one and scroll it into view.
 */
export interface SelectCell {
  action: 'select';
  cell: string;
  line: number | null;
}
/**
 * Take back, or do again, the last step of this session; answered with how many cells changed.
 */
export interface UndoStep {
  action: 'undo' | 'redo';
}
export interface SaveNotebook {
  action: 'save';
}
/**
 * Restart the kernel; answered before it goes, since nothing of the session is left afterwards.
 */
export interface RestartKernel {
  action: 'restart';
  run_all: boolean;
}
/**
 * Run a command of the front end by the label a person sees; answered with the label it found.
 */
export interface RunCommand {
  action: 'command';
  exact: boolean;
  label: string;
}
/**
 * Show a file in the front end's editor; answered once it is open.
 */
export interface OpenFile {
  action: 'open';
  line: number;
  path: string;
}
/**
 * Keep the notebook as it is now, to be restored; answered with the snapshot's path.
 */
export interface Snapshot {
  action: 'snapshot';
}
/**
 * Let another engine turn speech into text from now on, until the kernel ends.
 */
export interface ChooseEngine {
  engine: string;
  type: 'choose_engine';
}
/**
 * What came of a `Task.client_call`. The first one counts.
 */
export interface ClientAnswer {
  call_id: string;
  problem: string;
  result: unknown;
  type: 'client_answer';
}
/**
 * Something that a tool asks the page to do, and whose answer it waits for.
 */
export interface ClientCall {
  arguments: {
    [k: string]: unknown;
  };
  id: string;
  name: string;
}
/**
 * A control that the surface itself must carry out.
 */
export interface ControlSpoken {
  control: 'stop_listening' | 'stop_speaking';
  type: 'control';
}
/**
 * A click on Approve or Deny.
 */
export interface Decide {
  approval_id: number;
  approved: boolean;
  type: 'decide';
  values: {
    [k: string]: unknown;
  };
}
/**
 * Delete a conversation with its tasks and logs. Final; the front end has asked.
 */
export interface DeleteThread {
  thread_id: string;
  type: 'delete_thread';
}
/**
 * Carry out calls as one turn: a task run again with changes, a step of a replay.
 *
 * They go through the same door as any other: validated, and asking where policy wants it.
 */
export interface Do {
  /**
   * @minItems 1
   * @maxItems 50
   */
  calls: [Call, ...Call[]];
  request?: string;
  text: string;
  type: 'do';
}
/**
 * Answer to what only has to be done.
 */
export interface Done {
  id: number;
  problem: Problem | null;
  type: 'done';
}
/**
 * Search the history. Answered with `PastTasks`.
 */
export interface FindTasks {
  areas: string[];
  before: number | null;
  everywhere: boolean;
  id: number;
  limit: number;
  query: string;
  states: (
    'queued' | 'awaiting_approval' | 'running' | 'succeeded' | 'failed' | 'cancelled' | 'interrupted'
  )[];
  type: 'find_tasks';
}
/**
 * Hand over the address that a sign-in led to, where the browser is on another machine than the kernel.
 *
 * Answered with `Done`.
 */
export interface FinishSignIn {
  address: string;
  id: number;
  server: string;
  type: 'finish_sign_in';
}
/**
 * Turn the sound of a turn into text once more: none came of it before.
 */
export interface HearAgain {
  turn_id: number;
  type: 'hear_again';
}
/**
 * What the page's own recogniser makes of an utterance, beside its sound. The first says that it listens.
 *
 * The sound is streamed all the same: where the browser fails, the kernel hears what was said.
 */
export interface Heard {
  final: boolean;
  problem: string;
  text: string;
  type: 'heard';
  utterance_id: string;
}
/**
 * First message of a surface, and the first after a reconnect: answered with `State`.
 */
export interface Hello {
  approve: string[];
  asks: boolean;
  cells: boolean;
  client_tools: boolean;
  kind: 'widget' | 'card' | 'sidebar' | 'client' | 'headless';
  protocol: number;
  scripted: boolean;
  surface_id: string;
  type: 'hello';
}
/**
 * Hold an answer where it is, somebody may be speaking up; or let it go on, nobody was.
 */
export interface HoldSpeaking {
  hold: boolean;
  id: number;
  type: 'hold_speaking';
}
/**
 * Interrupt user code that runs in the kernel.
 */
export interface Interrupt {
  type: 'interrupt';
}
/**
 * Keep a secret of an MCP server, or forget it where the value is empty. Answered with `Done`.
 *
 * The only message that carries one, and only this way; nothing of it is logged or kept elsewhere.
 */
export interface KeepSecret {
  id: number;
  name: string;
  server: string;
  type: 'keep_secret';
  value: string;
}
/**
 * What of this session outlives it.
 */
export interface Keeping {
  hint: string;
  message: string;
  state: 'kept' | 'memory';
  thread: Thread | null;
}
/**
 * A conversation: turns in order, kept over restarts.
 */
export interface Thread {
  created_at: number;
  id: string;
  title: string;
  turns: number;
  updated_at: number;
  workspace: string;
}
export interface KeepingChanged {
  keeping: Keeping;
  type: 'keeping';
}
/**
 * Answered with `SpeechEngines`.
 */
export interface ListEngines {
  id: number;
  type: 'list_engines';
}
export interface ListThreads {
  before: number | null;
  everywhere: boolean;
  id: number;
  limit: number;
  query: string;
  type: 'list_threads';
}
/**
 * A line of a log that holds what was searched.
 */
export interface LogHit {
  line: number;
  text: string;
}
/**
 * Answer to `SearchLog`.
 */
export interface LogHits {
  hits: LogHit[];
  id: number;
  next_line: number | null;
  problem: Problem | null;
  type: 'log_hits';
}
/**
 * Answer to `ReadLog`.
 */
export interface LogPage {
  complete: boolean;
  first_line: number;
  id: number;
  lines: string[];
  problem: Problem | null;
  total_bytes: number;
  total_lines: number;
  type: 'log_page';
}
/**
 * A prompt or a resource of an MCP server.
 */
export interface McpEntry {
  arguments: string[];
  description: string;
  name: string;
  title: string;
}
/**
 * A server of the registry, and what installing it would mean.
 */
export interface McpOffer {
  description: string;
  hint: string;
  installed: boolean;
  missing: string;
  name: string;
  publisher: string;
  questions: Question[];
  repository: string;
  runs: string;
  short: string;
  version: string;
}
/**
 * A value that a server needs before it can start.
 */
export interface Question {
  default: string;
  description: string;
  name: string;
  required: boolean;
  secret: boolean;
}
/**
 * An MCP server as a dashboard shows it; never a secret.
 */
export interface McpServer {
  autostart: boolean;
  calls: number;
  errors: number;
  log_lines: number;
  missing: string[];
  name: string;
  pid: number | null;
  problem: string;
  registry_name: string;
  secrets: string[];
  sign_in: string;
  started_at: number | null;
  state: 'stopped' | 'starting' | 'running' | 'failed' | 'waiting' | 'asleep';
  tools: number;
  tools_off: number;
  transport: 'stdio' | 'http' | 'sse';
  version: string;
  what: string;
}
/**
 * A tool of an MCP server.
 */
export interface McpTool {
  arguments: string[];
  description: string;
  hint: 'reads' | 'destroys' | '';
  name: string;
  on: boolean;
}
/**
 * Change the place of a queued task in its queue.
 */
export interface MoveTask {
  task_id: number;
  to: 'first' | 'up' | 'down' | 'last';
  type: 'move_task';
}
export interface NewThread {
  type: 'new_thread';
}
/**
 * Something a person should know that belongs to no turn.
 */
export interface Notice {
  hint: string;
  level: 'info' | 'warning' | 'error';
  message: string;
  type: 'notice';
}
/**
 * Answer to `SearchRegistry`.
 */
export interface Offers {
  id: number;
  offers: McpOffer[];
  problem: Problem | null;
  type: 'offers';
}
/**
 * Go on with a conversation: surfaces get a new `State`, the tasks that run go on.
 */
export interface OpenThread {
  thread_id: string;
  type: 'open_thread';
}
/**
 * Answer to `ReadPart`.
 */
export interface Part {
  id: number;
  problem: Problem | null;
  source: string;
  type: 'part';
}
/**
 * A task of the history, of this kernel or an earlier one.
 */
export interface PastTask {
  id: number;
  session_id: string;
  task: Task;
  thread_id: string;
  thread_title: string;
  utterance: string;
}
/**
 * One action: a tool call that was let through the door, or waits before it.
 */
export interface Task {
  approval_id: number | null;
  area: string;
  arguments: {
    [k: string]: unknown;
  };
  client_call: ClientCall | null;
  created_at: number;
  deadline_at: number | null;
  earlier: boolean;
  ended_at: number | null;
  id: number;
  log_cut_bytes: number;
  log_path: string;
  origin: 'voice' | 'text' | 'magic' | 'script' | 'model' | 'retry';
  output_bytes: number;
  problem: Problem | null;
  progress: Progress | null;
  queue_position: number | null;
  result: Result | null;
  started_at: number | null;
  state: 'queued' | 'awaiting_approval' | 'running' | 'succeeded' | 'failed' | 'cancelled' | 'interrupted';
  tail: string;
  title: string;
  tool: string;
  turn_id: number;
}
/**
 * How far a running task is.
 */
export interface Progress {
  done: number | null;
  fraction: number | null;
  label: string;
  total: number | null;
  unit: string;
}
/**
 * What a task gave back.
 */
export interface Result {
  code: string;
  data: {
    [k: string]: unknown;
  };
  exit_code: number | null;
  outputs: Output[];
  summary: string;
  tests: TestReport | null;
  text: string;
  widgets: Widget[];
}
/**
 * What a test run amounts to; failures first, then up to 200 others.
 */
export interface TestReport {
  cases: TestCase[];
  duration_s: number;
  errors: number;
  failed: number;
  passed: number;
  skipped: number;
}
/**
 * One test's outcome.
 */
export interface TestCase {
  detail: string;
  duration_s: number;
  file: string;
  id: string;
  line: number;
  message: string;
  outcome: 'passed' | 'failed' | 'skipped' | 'error' | 'xfailed' | 'xpassed';
}
/**
 * A ChatKit widget: plain data, drawn by a page, whose actions come back as `WidgetAction`.
 */
export interface Widget {
  copy_text: string;
  id: string;
  root: {
    [k: string]: unknown;
  };
  task_id: number;
}
/**
 * Answer to `FindTasks`: the newest first.
 */
export interface PastTasks {
  id: number;
  more: boolean;
  problem: Problem | null;
  tasks: PastTask[];
  type: 'past_tasks';
}
/**
 * The order in which tasks wait, as it is now; at most 4 a second.
 */
export interface QueueChanged {
  lane: string;
  tasks: number[];
  type: 'queue';
}
/**
 * Read lines of a task's full log. Answered with `LogPage`.
 */
export interface ReadLog {
  first_line: number;
  id: number;
  lines: number;
  past_id: number | null;
  server: string;
  task_id: number | null;
  type: 'read_log';
}
/**
 * Read a piece of the panel that is loaded when it is first needed. Answered with `Part`.
 */
export interface ReadPart {
  id: number;
  name: string;
  type: 'read_part';
}
/**
 * Read what an MCP server offers. Answered with `ServerDetails`.
 */
export interface ReadServer {
  id: number;
  server: string;
  type: 'read_server';
}
export interface RenameThread {
  thread_id: string;
  title: string;
  type: 'rename_thread';
}
export interface RetryTask {
  request?: string;
  task_id: number;
  type: 'retry_task';
}
/**
 * Text typed, or a transcript that was edited and is to be run again.
 */
export interface Say {
  corrects_turn_id: number | null;
  model?: string;
  request?: string;
  text: string;
  tool?: string;
  type: 'say';
}
/**
 * Find text in a task's full log. Answered with `LogHits`.
 */
export interface SearchLog {
  from_line: number;
  id: number;
  limit: number;
  past_id: number | null;
  query: string;
  server: string;
  task_id: number | null;
  type: 'search_log';
}
/**
 * Search the registry of MCP servers. Answered with `Offers`.
 */
export interface SearchRegistry {
  id: number;
  query: string;
  type: 'search_registry';
}
/**
 * Answer to `ReadServer`.
 */
export interface ServerDetails {
  id: number;
  problem: Problem | null;
  prompts: McpEntry[];
  resources: McpEntry[];
  tools: McpTool[];
  type: 'server_details';
}
/**
 * The MCP servers as they are now, for those who watch them.
 */
export interface ServersChanged {
  configs: string[];
  problem: Problem | null;
  registry: string;
  secrets_place: string;
  servers: McpServer[];
  type: 'servers';
}
/**
 * One piece of a spoken answer, to the one surface that was spoken to; the next piece follows it.
 *
 * By the kernel: mono 16-bit little-endian PCM in the first binary buffer, absent in a last piece that
 * only ends the answer. By the browser: the page speaks `text` itself.
 */
export interface SpeakAnswer {
  by: 'kernel' | 'browser';
  id: number;
  language: string;
  last: boolean;
  rate: number;
  rate_hz: number;
  seq: number;
  text: string;
  turn_id: number;
  type: 'speak_answer';
}
/**
 * A person said how this page is to answer from now on; the page remembers it and tells it back.
 */
export interface SpeakChanged {
  rate: number;
  speak: 'off' | 'errors' | 'short' | 'full';
  type: 'speak_changed';
}
/**
 * How this surface is to be answered aloud, as its page remembers it.
 */
export interface SpeakChoice {
  browser_voice: boolean;
  rate: number;
  speak: 'off' | 'errors' | 'short' | 'full';
  type: 'speak_choice';
  voice: 'auto' | 'local' | 'browser' | 'openai';
}
/**
 * What became of a spoken answer: it is heard now, was heard to its end, or was not.
 *
 * `held`: no sound from this moment on, until the kernel says whether somebody speaks up.
 */
export interface SpeakingState {
  id: number;
  state: 'started' | 'held' | 'ended' | 'stopped' | 'failed';
  type: 'speaking_state';
}
/**
 * The recogniser's state.
 */
export interface Speech {
  chosen: string;
  engine: string;
  hands_free: boolean;
  heard: string;
  hint: string;
  language: string;
  message: string;
  mode: 'command' | 'dictation';
  phrases: string[];
  sent_to: string;
  state: 'idle' | 'loading' | 'ready' | 'listening' | 'transcribing' | 'unavailable';
  waiting_for: string;
}
export interface SpeechChanged {
  speech: Speech;
  type: 'speech';
}
/**
 * One way to turn speech into text.
 */
export interface SpeechEngine {
  hint: string;
  name: string;
  problem: string;
  sent_to: string;
}
/**
 * Answer to `ListEngines`.
 */
export interface SpeechEngines {
  chosen: string;
  engines: SpeechEngine[];
  id: number;
  locked: boolean;
  problem: Problem | null;
  type: 'speech_engines';
}
/**
 * Everything a surface needs to draw itself; sent first, and again after a reconnect.
 */
export interface State {
  about: About;
  approvals: Approval[];
  keeping: Keeping;
  protocol: number;
  speech: Speech;
  tasks: Task[];
  turns: Turn[];
  type: 'state';
  widgets: Widget[];
}
/**
 * One utterance and what became of it.
 */
export interface Turn {
  answer: string;
  asks: string;
  audio_s: number | null;
  calls: Call[];
  closest: string[];
  created_at: number;
  ended_at: number | null;
  engine: string;
  id: number;
  kept_audio: boolean;
  latency_s: number | null;
  model: string;
  origin: 'voice' | 'text' | 'magic' | 'script' | 'model' | 'retry';
  parent_id: number | null;
  partial: boolean;
  problem: Problem | null;
  request?: string;
  route: ('intents' | 'fuzzy' | 'model' | 'none') | null;
  settled: number;
  state:
    | 'listening'
    | 'understanding'
    | 'running'
    | 'succeeded'
    | 'failed'
    | 'cancelled'
    | 'nothing'
    | 'dismissed';
  surface_id: string;
  text: string;
  usage: Usage | null;
}
/**
 * What answers of a model took.
 */
export interface Usage {
  cached_tokens: number;
  input_tokens: number;
  output_tokens: number;
  price_usd: number | null;
  requests: number;
}
/**
 * Say no more of an answer, from this moment on.
 */
export interface StopSpeaking {
  id: number;
  type: 'stop_speaking';
}
export interface TaskChanged {
  task: Task;
  type: 'task';
}
/**
 * More output of a running task, coalesced to at most 10 a second and 8 KB each.
 */
export interface TaskOutput {
  output_bytes: number;
  skipped_bytes: number;
  task_id: number;
  text: string;
  type: 'task_output';
}
/**
 * How far a running task is now; at most 10 a second.
 */
export interface TaskProgress {
  progress: Progress | null;
  task_id: number;
  type: 'task_progress';
}
/**
 * Answer to `ListThreads`: the conversations, those used last first.
 */
export interface Threads {
  id: number;
  more: boolean;
  problem: Problem | null;
  threads: Thread[];
  type: 'threads';
}
/**
 * Be told of the MCP servers, now and whenever something of them changes, or no longer.
 */
export interface WatchServers {
  on: boolean;
  type: 'watch_servers';
}
/**
 * A click in a widget, or a form that was sent off. Answered with `Done` once it is carried out.
 */
export interface WidgetAction {
  action: ActionConfig;
  id: number;
  item_id: string;
  request?: string;
  surface_id: string;
  type: 'widget_action';
  values: {
    [k: string]: unknown;
  };
  widget_id: string;
}
/**
 * The panel is open: load the recogniser now.
 */
export interface WarmUp {
  type: 'warm_up';
}
export interface TurnChanged {
  turn: Turn;
  type: 'turn';
}
/**
 * A widget is shown for the first time, or as another than before.
 */
export interface WidgetChanged {
  type: 'widget';
  widget: Widget;
}
/**
 * A part of a widget is another now; ChatKit's own words.
 *
 * `widget.root.updated` {widget}, `widget.component.updated` {component_id, component},
 * `widget.streaming_text.value_delta` {component_id, delta, done}.
 */
export interface WidgetUpdated {
  type: 'widget_update';
  update: {
    [k: string]: unknown;
  };
  widget_id: string;
}

export const PROTOCOL = 1;
