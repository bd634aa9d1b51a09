import { assert, describe, it } from "@effect/vitest"
import { ProjectName } from "../../../src/Domain/Project.ts"
import { entryPrefix, workerId } from "../../../src/Domain/WorkerId.ts"
import { environmentFrom } from "../../../src/Domain/worker/WorkerEnvironment.ts"

const id = workerId("0123456789abcdef", ProjectName.make("shop"), "b1c2")

describe("a worker's environment", () => {
  it("is the daemon's, overridden by the env file, overridden by the env table", () => {
    const env = environmentFrom({ PATH: "/bin", A: "daemon", B: "daemon", C: "daemon", GONE: undefined }).of(
      { A: "file", B: "file" },
      { A: "table" },
      id
    )
    assert.deepStrictEqual(env, {
      PATH: "/bin",
      A: "table",
      B: "file",
      C: "daemon",
      AUTOPILOTD_SUPERVISED: "1",
      AUTOPILOT_WORKER_ID: "0123456789abcdef:shop:b1c2"
    })
  })

  it("has defaults only where the user has set nothing", () => {
    const env = environmentFrom({ A: "daemon" }).of({ B: "file" }, {}, id, { A: "0", B: "0", C: "0" })
    assert.deepInclude(env, { A: "daemon", B: "file", C: "0" })
  })

  it("lacks the variables for the daemon alone, and keeps similar ones", () => {
    const kept = {
      HOME: "/h",
      NPM_TOKEN: "t",
      LISTENER: "l",
      AUTOPILOT_HOME: "/a",
      JOURNAL: "j",
      // The user's manager is there for the worker as well, and so are secrets that the unit brings.
      MANAGERPID: "1",
      XDG_RUNTIME_DIR: "/run/user/1",
      CREDENTIALS_DIRECTORY: "/run/credentials"
    }
    const dropped = {
      NOTIFY_SOCKET: "x",
      WATCHDOG_USEC: "x",
      WATCHDOG_PID: "x",
      LISTEN_FDS: "x",
      LISTEN_PID: "x",
      LISTEN_FDNAMES: "x",
      FDSTORE: "x",
      SYSTEMD_EXEC_PID: "x",
      MEMORY_PRESSURE_WATCH: "x",
      MEMORY_PRESSURE_WRITE: "x",
      INVOCATION_ID: "x",
      JOURNAL_STREAM: "x",
      npm_config_registry: "x",
      npm_lifecycle_event: "x",
      INIT_CWD: "x",
      AUTOPILOTD_NOFILE_SOFT: "x",
      AUTOPILOTD_NOHUP: "x",
      AUTOPILOTD_NOTIFY_FD: "x"
    }
    const env = environmentFrom({ ...kept, ...dropped }).of({}, {}, id)
    assert.deepStrictEqual(env, { ...kept, AUTOPILOTD_SUPERVISED: "1", AUTOPILOT_WORKER_ID: id })
  })

  it("has secrets in the env file, the env table, and inherited variables with a secret's name", () => {
    const daemon = {
      ANTHROPIC_API_KEY: "k",
      GITHUB_TOKEN: "t",
      DB_PASSWORD: "p",
      CLIENT_SECRET: "s",
      PATH: "/bin",
      KEYBOARD: "de",
      TOKENIZER: "x"
    }
    assert.sameMembers(
      [...environmentFrom(daemon).secretValues({ A: "file" }, { B: "table" })],
      ["k", "t", "p", "s", "file", "table"]
    )
  })

  it("has the UV_THREADPOOL_SIZE of the user, not that of the daemon", () => {
    const marks = { AUTOPILOTD_SUPERVISED: "1", AUTOPILOT_WORKER_ID: id }
    assert.deepStrictEqual(environmentFrom({ UV_THREADPOOL_SIZE: "16" }).of({}, {}, id), marks)
    const set = { UV_THREADPOOL_SIZE: "7", AUTOPILOTD_WORKER_UV_THREADPOOL_SIZE: "7" }
    assert.deepStrictEqual(environmentFrom(set).of({}, {}, id), { UV_THREADPOOL_SIZE: "7", ...marks })
  })

  it("has the variables that the launcher kept from the daemon, below the env file", () => {
    const daemon = { AUTOPILOTD_WORKER_NODE_OPTIONS: "--inspect", AUTOPILOTD_WORKER_NODE_DEBUG: "net" }
    const env = environmentFrom(daemon).of({ NODE_DEBUG: "http" }, {}, id)
    const marks = { AUTOPILOTD_SUPERVISED: "1", AUTOPILOT_WORKER_ID: id }
    assert.deepStrictEqual(env, { NODE_OPTIONS: "--inspect", NODE_DEBUG: "http", ...marks })
  })

  it("cannot lose its marks to an env file", () => {
    const env = environmentFrom({}).of({ AUTOPILOT_WORKER_ID: "mine" }, { AUTOPILOTD_SUPERVISED: "0" }, id)
    assert.deepStrictEqual(env, { AUTOPILOTD_SUPERVISED: "1", AUTOPILOT_WORKER_ID: id })
  })
})

describe("a worker's id", () => {
  it("is recognised by home and project, and never as that of a project with the same prefix", () => {
    const entry = `AUTOPILOT_WORKER_ID=${id}`
    const shop = ProjectName.make("shop")
    assert.isTrue(entry.startsWith(entryPrefix("0123456789abcdef")))
    assert.isTrue(entry.startsWith(entryPrefix("0123456789abcdef", shop)))
    assert.isFalse(entry.startsWith(entryPrefix("fedcba9876543210", shop)))
    assert.isFalse(entry.startsWith(entryPrefix("0123456789abcdef", ProjectName.make("sho"))))
  })
})
