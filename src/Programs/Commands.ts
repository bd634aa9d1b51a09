import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Invocation } from "../Domain/CommandLine.ts"
import * as AutopilotHome from "../Layers/AutopilotHome.ts"
import * as Caller from "../Layers/Caller.ts"
import * as ControlClient from "../Layers/ControlClient.ts"
import * as ProcFs from "../Layers/ProcFs.ts"

/** Where the command was run, and whom it asks. */
const Client = Layer.unwrapEffect(
  Effect.map(AutopilotHome.AutopilotHome, ({ socket }) => ControlClient.layer({ path: socket }))
).pipe(Layer.merge(ProcFs.layer))

/**
 * What carries out each command. A command is loaded only when it is run: `status` must not wait for the daemon's
 * modules, nor the daemon carry those of the others.
 */
export const commands = {
  start: Effect.fnUntraced(function* (invocation: Invocation) {
    if (invocation.options.detach) {
      const { detach } = yield* Effect.promise(() => import("./commands/Detach.ts"))
      const BackgroundStart = yield* Effect.promise(() => import("../Layers/BackgroundStart.ts"))
      return yield* Effect.provide(detach(invocation), Layer.merge(Client, BackgroundStart.layer))
    }
    const { start } = yield* Effect.promise(() => import("./commands/Start.ts"))
    yield* start(invocation)
  }),
  status: Effect.fnUntraced(function* (invocation: Invocation) {
    const { status } = yield* Effect.promise(() => import("./commands/Status.ts"))
    yield* Effect.provide(status(invocation), Client)
  }),
  "start-worker": Effect.fnUntraced(function* (invocation: Invocation) {
    const { startWorker } = yield* Effect.promise(() => import("./commands/WorkerCommands.ts"))
    yield* Effect.provide(startWorker(invocation), Client)
  }),
  "stop-worker": Effect.fnUntraced(function* (invocation: Invocation) {
    const { stopWorker } = yield* Effect.promise(() => import("./commands/WorkerCommands.ts"))
    yield* Effect.provide(stopWorker(invocation), Client)
  }),
  "restart-worker": Effect.fnUntraced(function* (invocation: Invocation) {
    const { restartWorker } = yield* Effect.promise(() => import("./commands/WorkerCommands.ts"))
    yield* Effect.provide(restartWorker(invocation), Client)
  }),
  stop: Effect.fnUntraced(function* (invocation: Invocation) {
    const { stop } = yield* Effect.promise(() => import("./commands/Stop.ts"))
    yield* Effect.provide(stop(invocation), Client)
  }),
  "config check": Effect.fnUntraced(function* (invocation: Invocation) {
    const { configCheck } = yield* Effect.promise(() => import("./commands/ConfigCheck.ts"))
    yield* Effect.provide(configCheck(invocation), ProcFs.layer)
  })
}

type Ran = ReturnType<(typeof commands)[keyof typeof commands]>

/** All that can go wrong with a command. */
export type CommandError = Effect.Effect.Error<Ran>

/** All that commands need. */
export type CommandNeeds = Effect.Effect.Context<Ran>

/** What every command has, beside its output. */
export const Surroundings = Layer.merge(AutopilotHome.layer, Caller.layer)
