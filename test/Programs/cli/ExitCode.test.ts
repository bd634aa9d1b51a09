import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Struct from "effect/Struct"
import { UsageError } from "../../../src/Domain/cli/UsageError.ts"
import { type CodedError, codeOf, errorCodes, knownCode } from "../../../src/Domain/control/ErrorCode.ts"
import { NotRunning } from "../../../src/Layers/control/ControlClient.ts"
import { AlreadyRunning } from "../../../src/Layers/daemon/InstanceLock.ts"
import { answerOf, exitCodeIn, sentenceOf } from "../../../src/Programs/cli/ExitCode.ts"
import type { Failure } from "../../../src/Programs/Failure.ts"
import { Refused } from "../../../src/Programs/Refused.ts"

const told = (failure: Failure) => {
  const cause = Cause.fail(failure)
  return { answer: answerOf(cause), exit: exitCodeIn(cause), sentence: sentenceOf(cause) }
}

/** Programs compare with these words, so a word that stands here never changes. */
const codes: Readonly<Record<CodedError["_tag"], (typeof errorCodes)[number]>> = {
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
  EndedBadly: "start_failed",
  EnvFileError: "settings_invalid",
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
}

describe("an error of a command", () => {
  it("has the same code in every version", () => {
    for (const _tag of Struct.keys(codes)) assert.strictEqual(codeOf({ _tag }), codes[_tag])
  })

  it("has a message, a code and the exit code that belongs to it", () => {
    const none = told(new NotRunning({ path: "/srv/autopilotd.sock" }))
    assert.deepInclude(none.answer, { success: false, code: "no_daemon" })
    assert.strictEqual(none.exit, 3)
    const usage = told(new UsageError({ problem: "Unknown option.", help: "autopilotd --help" }))
    assert.deepStrictEqual(
      [usage.answer?.code, usage.exit, usage.answer?.message],
      ["usage", 2, "Unknown option.\nTry: autopilotd --help"]
    )
    const second = told(new AlreadyRunning({ pid: 4711, root: "/srv" }))
    assert.deepStrictEqual([second.answer?.code, second.exit], ["already_running", 1])
    const late = told(new Refused({ reason: "Late.", code: "timeout", data: { outcome: "timeout" } }))
    assert.deepStrictEqual(late, {
      answer: { success: false, message: "Late.", code: "timeout", data: { outcome: "timeout" } },
      exit: 124,
      sentence: "autopilotd: Late.\n"
    })
  })

  it("is told once", () => {
    const refused = told(new Refused({ reason: "Shown above.", code: "problems_found", isTold: true }))
    assert.deepStrictEqual(refused, { answer: undefined, exit: 1, sentence: "" })
  })

  it("that is a bug says so to a program, and keeps its trace for a person", () => {
    const cause = Cause.die(new Error("boom"))
    assert.deepInclude(answerOf(cause), { success: false, code: "bug" })
    assert.notInclude(answerOf(cause)?.message, "boom")
    assert.include(sentenceOf(cause), "boom")
    assert.strictEqual(exitCodeIn(cause), 1)
  })

  it("of a daemon of another version is a refusal where its code is not known", () => {
    assert.strictEqual(knownCode("of_next_year"), "refused")
    assert.strictEqual(knownCode(undefined), "refused")
    for (const code of errorCodes) assert.strictEqual(knownCode(code), code)
  })
})
