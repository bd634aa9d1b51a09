import { resolve } from "node:path"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { agentIn } from "../../Domain/adapter/AgentAdapters.ts"
import { loginOf } from "../../Domain/login/AgentLogin.ts"
import type { MetLimit, SavedLimits } from "../../Domain/login/LoginLimit.ts"
import { savedLimitsShape } from "../../Domain/login/SavedLimitsShape.ts"
import { textReader } from "../../Domain/Shape.ts"
import type { WorkerPlan } from "../../Domain/worker/ProjectPlan.ts"
import { environmentFrom } from "../../Domain/worker/WorkerEnvironment.ts"
import { afterEach } from "../concurrency/Listeners.ts"
import { makeMutex } from "../concurrency/Mutex.ts"
import { AutopilotHome } from "../daemon/AutopilotHome.ts"
import { InstanceLock } from "../daemon/InstanceLock.ts"
import { replaceFile } from "../files/AtomicFile.ts"
import { sha256Of } from "../files/Sha256.ts"
import { messageOf } from "../files/SystemError.ts"
import { readTextFile } from "../files/TextFile.ts"
import { EnvFile } from "./EnvFile.ts"

/** The login of a worker. */
interface WorkerLogin {
  /** The same for all workers of the login; undefined where an agent has several. It is in no message and in no file. */
  readonly id: string | undefined
  /** Its files: that of the agent, and the env file, which may hold a key. */
  readonly files: ReadonlyArray<string>
}

/** The usage limits cannot be written. */
class LimitsNotWritten extends Data.TaggedError("LimitsNotWritten")<{ readonly reason: string }> {
  override get message(): string {
    return `The usage limits of logins cannot be saved: ${this.reason}`
  }
}

/** The logins of workers, and the usage limits that outlive the daemon. */
export class Logins extends Context.Tag("Logins")<
  Logins,
  {
    /** Undefined for a worker that runs no known agent, and where its environment cannot be read. */
    readonly of: (plan: WorkerPlan) => Effect.Effect<WorkerLogin | undefined>
    /** Empty without a readable file. */
    readonly load: Effect.Effect<ReadonlyArray<MetLimit>>
    readonly save: (limits: ReadonlyArray<MetLimit>) => Effect.Effect<void, LimitsNotWritten>
  }
>() {}

const savedIn = textReader<SavedLimits>(savedLimitsShape)

// A saved limit is its own JSON: the type refuses one that would have to be encoded.
const textOf = (saved: typeof SavedLimits.Encoded) => `${JSON.stringify(saved)}\n`

export const layer: Layer.Layer<Logins, never, AutopilotHome | InstanceLock | EnvFile> = Layer.scoped(
  Logins,
  Effect.gen(function* () {
    const { loginsFile } = yield* AutopilotHome
    const { holds, remade } = yield* InstanceLock
    const envFiles = yield* EnvFile
    const own = environmentFrom(process.env)
    const inTurn = makeMutex()
    let last: ReadonlyArray<MetLimit> | undefined

    const write = (limits: ReadonlyArray<MetLimit>) =>
      Effect.tryPromise({
        try: () => replaceFile(loginsFile, textOf({ version: 1, limits })),
        catch: (cause) => new LimitsNotWritten({ reason: messageOf(cause) })
      }).pipe(Effect.uninterruptible, inTurn)

    yield* afterEach(
      remade,
      Effect.suspend(() => (last === undefined ? Effect.void : Effect.ignoreLogged(write(last))))
    )

    return Logins.of({
      of: Effect.fnUntraced(
        function* ({ agent, argv, cwd, envFile, envTable, project }) {
          const name = (agent?.adapter ?? agentIn(argv))?.name
          if (name === undefined) return undefined
          const { path, mustExist } = envFile
          const { values } = yield* envFiles.read(path, { mustExist, asker: project })
          const env = own.of(values, envTable, "")
          const { chosenBy, file, isOfFile } = loginOf(name, env)
          const found = file === undefined ? [] : [resolve(cwd, file)]
          return {
            id: chosenBy && sha256Of(JSON.stringify([chosenBy, ...(isOfFile ? found : [])])),
            files: [...found, path]
          }
        },
        // The start reports why.
        Effect.orElseSucceed(() => undefined)
      ),
      load: readTextFile(loginsFile).pipe(
        Effect.tapError((error) =>
          error.absent
            ? Effect.void
            : Effect.logWarning(`The saved usage limits are ignored: ${error.message}`)
        ),
        Effect.flatMap(({ text }) =>
          Effect.tapError(Effect.fromNullable(savedIn(text)), () =>
            Effect.logWarning(`The saved usage limits are ignored: ${loginsFile} cannot be understood`)
          )
        ),
        Effect.map(({ limits }) => limits),
        Effect.orElseSucceed(() => [])
      ),
      save: Effect.fnUntraced(function* (limits) {
        last = limits
        if (yield* holds) return yield* write(limits)
        return yield* new LimitsNotWritten({ reason: "another daemon has taken this home" })
      })
    })
  })
)
