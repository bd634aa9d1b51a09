/** The words for kinds of errors in an answer. A word keeps its meaning for ever: programs compare with it. */
export const errorCodes = [
  "usage",
  "no_daemon",
  "no_answer",
  "bad_answer",
  "bad_request",
  "access_denied",
  "already_running",
  "start_failed",
  "no_worker",
  "wrong_state",
  "worker_failed",
  "worker_stopped",
  "timeout",
  "processes_left",
  "unknown_project",
  "project_exists",
  "unknown_setting",
  "unknown_channel",
  "no_channel",
  "not_sent",
  "settings_invalid",
  "settings_changed",
  "settings_not_written",
  "problems_found",
  "no_folder",
  "no_log",
  "not_readable",
  "search_too_long",
  "service_failed",
  "file_not_written",
  "home_unusable",
  "host_unreachable",
  "host_refused",
  "not_installed",
  "other_version",
  "no_ssh",
  "hosts_failed",
  "refused",
  "several",
  "bug"
] as const

export type ErrorCode = (typeof errorCodes)[number]

/** A daemon of another version may send a word that this one does not know, or none. */
export const knownCode = (word: string | undefined): ErrorCode =>
  errorCodes.find((code) => code === word) ?? "refused"

/** The code of each tagged error that a command or a request can fail with. */
const codeOfTag = {
  AlreadyRunning: "already_running",
  AssetsMissing: "start_failed",
  ControlAccessDenied: "access_denied",
  ControlProtocolError: "bad_answer",
  ControlServerError: "start_failed",
  ControlTimeout: "no_answer",
  DaemonDidNotStart: "start_failed",
  DraftNotWritten: "settings_not_written",
  EditKept: "settings_not_written",
  EditorFailed: "settings_not_written",
  EnvFileError: "settings_invalid",
  EndedBadly: "start_failed",
  HistoryUnreadable: "not_readable",
  HomeUnusable: "home_unusable",
  HostRefused: "host_refused",
  HostUnreachable: "host_unreachable",
  HostsInvalid: "settings_invalid",
  LeftRefused: "settings_invalid",
  LogUnreadable: "not_readable",
  MemoryUnknown: "not_readable",
  NotifyStateError: "not_readable",
  MetricsNotWritten: "file_not_written",
  NoDaemonThere: "no_daemon",
  NoLog: "no_log",
  NoScreen: "refused",
  NoStreamThere: "bad_answer",
  NoSettingsFile: "not_readable",
  NoUserHome: "home_unusable",
  NoUserManager: "service_failed",
  NoWorkerCommand: "no_worker",
  NotInstalledThere: "not_installed",
  NotRunning: "no_daemon",
  OtherVersionThere: "other_version",
  PortUnusable: "start_failed",
  ProcForeign: "not_readable",
  ProcUnreadable: "not_readable",
  ProjectExists: "project_exists",
  ProjectsWithoutWorker: "no_worker",
  SearchTooLong: "search_too_long",
  ServiceFileFailed: "service_failed",
  SettingsError: "settings_invalid",
  SettingsNotWritten: "settings_not_written",
  SshUnusable: "no_ssh",
  StaleSettings: "settings_changed",
  SystemctlFailed: "service_failed",
  TomlNotEditable: "settings_not_written",
  UnknownProject: "unknown_project",
  UnreadableFile: "not_readable",
  UsageError: "usage"
} as const satisfies Readonly<Record<string, ErrorCode>>

/** An error with a code: a tag that has none does not compile where an answer is made of it. */
export interface CodedError {
  readonly _tag: keyof typeof codeOfTag
}

export const codeOf = ({ _tag }: CodedError): ErrorCode => codeOfTag[_tag]
