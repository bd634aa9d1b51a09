import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schedule from "effect/Schedule"
import { ControlFraming } from "../../../src/Domain/control/ControlFraming.ts"
import { decodeRequest } from "../../../src/Domain/control/ControlWire.ts"
import * as ControlClient from "../../../src/Layers/control/ControlClient.ts"
import type { ControlServerLimits } from "../../../src/Layers/control/ControlServer.ts"
import { type HostileInput, hostileInputs } from "../../fixtures/HostileInput.ts"
import { open } from "../../fixtures/RawClient.ts"
import { runs } from "../../fixtures/runs.ts"
import { scriptIn } from "../../fixtures/Script.ts"
import { running } from "../../fixtures/ServedControl.ts"
import { temporaryFolder } from "../../fixtures/TemporaryFolder.ts"
import { eventually, patience } from "../../live/TestDaemon.ts"

/** Starts test/fixtures/control-server.ts, with so many open files at most and so many of them to spare. */
const server = (
  limits: Partial<ControlServerLimits>,
  files?: { readonly limit: number; readonly spare?: number }
) =>
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    const path = Path.join(folder, "autopilotd.sock")
    const script = yield* scriptIn(folder, "control-server")
    const command = [
      ...(files === undefined ? [] : ["/bin/sh", "-c", `ulimit -n ${files.limit} && exec "$@"`, "sh"]),
      process.execPath,
      "--expose-gc",
      script,
      path,
      JSON.stringify(limits),
      ...(files?.spare === undefined ? [] : [String(files.spare)])
    ]
    const child = yield* Effect.acquireRelease(
      Effect.sync(() =>
        ChildProcess.spawn(command[0] ?? "", command.slice(1), { stdio: ["ignore", "pipe", "pipe", "ipc"] })
      ),
      (child) => Effect.sync(() => child.kill("SIGKILL"))
    )
    let output = ""
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (chunk: Buffer) => {
        output += chunk.toString()
      })
    }
    const message = Effect.async<unknown>((resume) => {
      child.once("message", (value) => resume(Effect.succeed(value)))
      child.once("exit", (code) => resume(Effect.die(new Error(`the server ended with ${code}: ${output}`))))
    })
    yield* message
    const bytesInUse = Effect.suspend(() => {
      child.send("measure")
      return Effect.map(message, Number)
    })
    const openFiles = Effect.sync(() => Fs.readdirSync(`/proc/${child.pid}/fd`).length)
    return { path, bytesInUse, openFiles, output: () => output }
  })

/** The status as our own client gets it; patient, for this is about an answer, not about speed. */
const status = (path: string) =>
  Effect.suspend(() => {
    const ms = Duration.toMillis(patience())
    return Effect.provide(
      Effect.flatMap(ControlClient.ControlClient, (client) => client.request({ type: "Status" })),
      ControlClient.layer({ path, limits: { connectMs: ms, firstByteMs: ms, wholeMs: ms } })
    )
  })

/** Asks for the status again and again while something else goes on; succeeds with that and the number of answers. */
const withStatusAllTheWhile = <A, E, R>(path: string, effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    let answers = 0
    const asking = Effect.forever(
      Effect.map(status(path), (reply) => {
        assert.deepStrictEqual(reply, running)
        answers++
      })
    )
    const value = yield* Effect.raceFirst(effect, asking)
    return { value, answers }
  })

const requestMs = 2000
const example = 'Send one JSON object, such as {"type":"Status"}.'
const tooLate = `No complete request arrived within 2 s. ${example}`

/** What the server has to answer, from the pure parts alone. */
const expectedAnswer = ({
  pieces,
  next
}: HostileInput): { readonly success: boolean; readonly message?: string } => {
  const framing = new ControlFraming()
  for (const piece of pieces) framing.feed(piece)
  const outcome = next === "half-close" ? framing.end() : framing.feed(new Uint8Array(0))
  switch (outcome._tag) {
    case "Incomplete":
      return { success: false, message: tooLate }
    case "Refused":
      return { success: false, message: `The request ${outcome.reason}. ${example}` }
    case "Complete": {
      const request = decodeRequest(outcome.text)
      return Either.isRight(request) ? { success: true } : { success: false, message: request.left }
    }
  }
}

/** Waiting a second for a refusal is worth it for some of the unfinished inputs; the others close their side. */
const sparing = (input: HostileInput, index: number): HostileInput =>
  input.next === "listen" && expectedAnswer(input).message === tooLate && index % 10 > 0
    ? { ...input, next: "half-close" }
    : input

const attack = async (path: string, input: HostileInput): Promise<void> => {
  const { socket, heard } = await open(path)
  for (const piece of input.pieces) socket.write(piece)
  if (input.next === "leave") {
    socket.destroy()
    return
  }
  if (input.next === "half-close") socket.end()
  const { text, ended } = await heard
  const sent = Buffer.concat(input.pieces).toString("latin1").slice(0, 200)
  assert.strictEqual(ended, "EOF", sent)
  assert.match(text, /^\{[^\n]*\}\n$/, sent)
  const expected = expectedAnswer(input)
  const reply: { readonly success: unknown; readonly message: unknown } = JSON.parse(text)
  assert.strictEqual(reply.success, expected.success, sent)
  if (expected.message !== undefined) assert.strictEqual(reply.message, expected.message, sent)
}

const attackAll = (path: string, inputs: ReadonlyArray<HostileInput>) =>
  Effect.forEach(inputs, (input) => Effect.promise(() => attack(path, input)), {
    concurrency: 100,
    discard: true
  })

describe("the control socket among hostile clients", () => {
  it.scopedLive("answers thousands of inputs, and the status meanwhile, in constant memory", () =>
    Effect.gen(function* () {
      const { path, bytesInUse, openFiles, output } = yield* server({ requestMs })
      const filesBefore = yield* openFiles
      const inputs = hostileInputs(runs(2000), 20_261_122).map(sparing)
      yield* attackAll(path, inputs.slice(0, 1000))
      const bytesBefore = yield* bytesInUse
      const { answers } = yield* withStatusAllTheWhile(path, attackAll(path, inputs.slice(1000)))
      assert.isAbove(answers, 0)
      yield* Effect.repeat(openFiles, {
        until: (files) => files <= filesBefore,
        schedule: Schedule.spaced("5 millis")
      })
      const grownBytes = (yield* bytesInUse) - bytesBefore
      assert.isBelow(grownBytes, 3 * 1024 * 1024)
      assert.strictEqual(output(), "")
    })
  )

  it.scopedLive(
    "answers the status among 1,000 silent connections, and refuses each with a sentence (D27)",
    () =>
      Effect.gen(function* () {
        const { path, output } = yield* server({ requestMs })
        const silent = Effect.promise(() =>
          Promise.all(Array.from({ length: 1000 }, () => open(path).then(({ heard }) => heard)))
        )
        const { value, answers } = yield* withStatusAllTheWhile(path, silent)
        assert.isAbove(answers, 0)
        for (const { text } of value) {
          assert.match(
            text,
            /^\{"success":false,"message":"(No complete request arrived|Too many connections are open)/
          )
        }
        assert.deepStrictEqual(yield* status(path), running)
        assert.strictEqual(output(), "")
      })
  )

  it.scopedLive("answers each of 1,000 clients that ask for the status at once", () =>
    Effect.gen(function* () {
      const { path } = yield* server({})
      const replies = yield* Effect.all(
        Array.from({ length: 1000 }, () => status(path)),
        { concurrency: "unbounded" }
      )
      const answered = replies.filter((reply) => reply.success)
      const refused = replies.filter((reply) => !reply.success)
      for (const reply of answered) assert.deepStrictEqual(reply, running)
      // A busy machine may take so long over the queue that the time for a request is over.
      for (const { message } of refused)
        assert.match(message, /^(Too many connections are open|No complete request arrived)/)
      assert.isAbove(answered.length, 0)
    })
  )

  it.scopedLive(
    "answers the status among 80 silent connections with 64 open files allowed, and logs nothing",
    () =>
      Effect.gen(function* () {
        const { path, output } = yield* server({ requestMs: 600_000 }, { limit: 64 })
        const silent = yield* Effect.promise(() => Promise.all(Array.from({ length: 80 }, () => open(path))))
        assert.deepStrictEqual(yield* status(path), running)
        for (const { socket } of silent) socket.destroy()
        assert.strictEqual(output(), "")
      })
  )

  it.scopedLive("answers again as soon as descriptors are free", () =>
    Effect.gen(function* () {
      const { path, output } = yield* server({ requestMs: 200 }, { limit: 64, spare: 4 })
      const heard = yield* Effect.promise(() =>
        Promise.all(Array.from({ length: 20 }, () => open(path).then((client) => client.heard)))
      )
      const refused = heard.filter(({ text }) => text.includes("No complete request arrived"))
      assert.isAbove(refused.length, 0)
      assert.isBelow(refused.length, 20)
      // On a busy machine a request, too, may take longer than the short limit of this server.
      const answer = yield* eventually(
        "a request is answered",
        Effect.map(status(path), (said) => (said.success ? said : undefined))
      )
      assert.deepStrictEqual(answer, running)
      assert.isBelow(output().length, 2000)
    })
  )
})
