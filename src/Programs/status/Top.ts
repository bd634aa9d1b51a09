import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Mailbox from "effect/Mailbox"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { shownText, terminalLine } from "../../Domain/logs/LogText.ts"
import { isProjectName } from "../../Domain/ProjectNameRules.ts"
import {
  type TopAction,
  type TopCommand,
  type TopEvent,
  type TopState,
  topState,
  topStep
} from "../../Domain/status/TopState.ts"
import { topView } from "../../Domain/status/TopView.ts"
import * as ControlClient from "../../Layers/control/ControlClient.ts"
import { subscribe } from "../../Layers/control/SubscriptionClient.ts"
import { AutopilotHome } from "../../Layers/daemon/AutopilotHome.ts"
import * as LogFiles from "../../Layers/logs/LogFiles.ts"
import { CommandOutput } from "../../Layers/output/CommandOutput.ts"
import { makeScreen } from "../../Layers/output/Screen.ts"
import { granted } from "../Refused.ts"

const Sources = Layer.unwrapEffect(
  Effect.map(AutopilotHome, ({ socket }) => ControlClient.layer({ path: socket }))
).pipe(Layer.merge(LogFiles.layer))

/** The daemon is asked this often at most. */
const interval = Duration.seconds(1)

const asText = (line: string): string => Buffer.from(line, "latin1").toString("utf8")

/** The last lines of a project's log that show something, in words. */
const lastLines = Effect.fnUntraced(function* (
  name: string,
  last: number,
  shown: (line: string) => string | undefined
) {
  if (!isProjectName(name)) return []
  const { read } = yield* LogFiles.LogFiles
  const isWanted = (line: string) => shownText(asText(line)) !== undefined
  const query = { last, follow: false, isWanted }
  const found = yield* Stream.runCollect(read({ projects: [name], daemon: false }, query)).pipe(
    // A log that cannot be read shows nothing: `logs` says why.
    Effect.orElseSucceed(() => [])
  )
  return [...found].flatMap(({ lines }) => lines).flatMap((line) => shown(asText(line))?.split("\n") ?? [])
})

const logOf = (name: string, height: number) =>
  lastLines(name, height, (line) => terminalLine(line, { colour: false }))

/** What top shows, read once. */
const look = Effect.fnUntraced(function* ({ height, log, selected }: TopState) {
  const { request } = yield* ControlClient.ControlClient
  const status = yield* granted(yield* request({ type: "Status" }))
  const { projects: rows } = yield* granted(yield* request({ type: "Projects" }))
  const ends = yield* Effect.forEach(rows, ({ name }) =>
    Effect.map(lastLines(name, 1, shownText), (lines) => [name, lines.at(-1) ?? ""] as const)
  )
  const shownLog = log === undefined || selected === undefined ? undefined : yield* logOf(selected, height)
  return { _tag: "Seen", status, rows, lastLines: new Map(ends), log: shownLog } satisfies TopEvent
})

const requests = { start: "StartWorker", stop: "StopWorker", restart: "RestartWorker" } as const

const carryOut = Effect.fnUntraced(function* (command: TopCommand, project: string) {
  const { request } = yield* ControlClient.ControlClient
  if (!isProjectName(project)) return
  const { message } = yield* request({ type: requests[command], project })
  return `${project}: ${message}`
})

/** `autopilotd top`: all projects on one screen, until q. */
export const top = Effect.gen(function* () {
  const { socket } = yield* AutopilotHome
  const { colour } = yield* CommandOutput
  // Without a daemon or a terminal nothing is drawn.
  const first = yield* look(topState(0, 0))
  const screen = yield* makeScreen
  const events = yield* Mailbox.make<TopEvent>()
  const wishes = yield* Mailbox.make<void>({ capacity: 1, strategy: "sliding" })
  const size = () => ({ columns: screen.size().columns, height: screen.size().rows })
  let state = topStep(topState(size().columns, size().height), first)[0]

  const draw = Effect.map(Clock.currentTimeMillis, (nowMs) => screen.show(topView(state, { colour, nowMs })))

  const looks = Effect.gen(function* () {
    for (;;) {
      const seen = yield* Effect.catchAll(look(state), ({ message }) =>
        Effect.succeed({ _tag: "Lost", why: message } satisfies TopEvent)
      )
      yield* events.offer(seen)
      yield* Effect.sleep(interval)
      yield* Effect.timeoutOption(wishes.take, interval)
    }
  })
  /** Shows each event at once, though never twice a second. */
  const changes = Stream.runForEach(subscribe(ControlClient.localConnection(socket), {}), ({ type }) =>
    type === "event" ? wishes.offer(undefined) : Effect.void
  ).pipe(Effect.ignore, Effect.delay(interval), Effect.forever)

  yield* screen.onResize(() => void events.unsafeOffer({ _tag: "Resized", ...size() }))
  yield* Effect.forkScoped(looks)
  yield* Effect.forkScoped(changes)
  yield* Effect.forkScoped(
    Effect.forever(
      Effect.flatMap(screen.keys.take, ({ input, key }) =>
        events.offer({
          _tag: "Key",
          name: key.ctrl ? `ctrl-${key.name}` : key.name === "" ? Option.getOrElse(input, () => "") : key.name
        })
      )
    ).pipe(Effect.ignore)
  )

  const lookAtLog = Effect.suspend(() => {
    const { height, log, selected } = state
    if (log === undefined || selected === undefined) return Effect.void
    return Effect.flatMap(logOf(selected, height), (lines) =>
      Effect.asVoid(events.offer({ _tag: "LogSeen", project: selected, log: lines }))
    )
  })

  const follow = (action: TopAction) =>
    action._tag === "Command"
      ? carryOut(action.command, action.project).pipe(
          Effect.catchAll(({ message }) => Effect.succeed(message)),
          Effect.flatMap((text) => events.offer({ _tag: "Told", text: text ?? "" })),
          Effect.forkScoped,
          Effect.asVoid
        )
      : Effect.zipRight(wishes.offer(undefined), Effect.asVoid(Effect.forkScoped(lookAtLog)))

  yield* draw
  for (;;) {
    const [next, action] = topStep(state, yield* events.take)
    state = next
    if (action?._tag === "Quit") return
    if (action !== undefined) yield* follow(action)
    yield* draw
  }
}).pipe(Effect.scoped, Effect.catchTag("NoSuchElementException", Effect.die), Effect.provide(Sources))
