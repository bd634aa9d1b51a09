import { assert, describe, it } from "@effect/vitest"
import * as Console from "effect/Console"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import { build } from "esbuild"
import { canonicalArgv, type Invocation, parse } from "../../../src/Domain/cli/CommandLine.ts"
import { requiredArguments, type Verb, verbs } from "../../../src/Domain/cli/CommandTable.ts"
import { makeCommandTree } from "../../../src/Programs/cli/CommandTree.ts"
import { anyInvocation } from "../../Domain/cli/commandLines.ts"
import { runs } from "../../fixtures/runs.ts"

interface Carried {
  readonly by: Verb
  readonly invocation: Invocation
}

const handlersWith = <E, R>(handler: (by: Verb, invocation: Invocation) => Effect.Effect<void, E, R>) => {
  const of = (verb: Verb) => (invocation: Invocation) => handler(verb, invocation)
  return {
    start: of("start"),
    run: of("run"),
    status: of("status"),
    projects: of("projects"),
    logs: of("logs"),
    history: of("history"),
    events: of("events"),
    top: of("top"),
    wait: of("wait"),
    why: of("why"),
    hogs: of("hogs"),
    metrics: of("metrics"),
    doctor: of("doctor"),
    switch: of("switch"),
    use: of("use"),
    "budget show": of("budget show"),
    "budget reset": of("budget reset"),
    "notify test": of("notify test"),
    "notify list": of("notify list"),
    "start-worker": of("start-worker"),
    "stop-worker": of("stop-worker"),
    "restart-worker": of("restart-worker"),
    "fleet status": of("fleet status"),
    "fleet watch": of("fleet watch"),
    "fleet doctor": of("fleet doctor"),
    reload: of("reload"),
    stop: of("stop"),
    relay: of("relay"),
    "dial-stdio": of("dial-stdio"),
    gui: of("gui"),
    init: of("init"),
    install: of("install"),
    uninstall: of("uninstall"),
    "config check": of("config check"),
    "config show": of("config show"),
    "config get": of("config get"),
    "config set": of("config set"),
    "config unset": of("config unset"),
    "config edit": of("config edit"),
    "config schema": of("config schema")
  }
}

/** A tree whose handlers write down what they were asked to carry out. */
const recorder = () => {
  const carried: Array<Carried> = []
  const tree = makeCommandTree(
    handlersWith((by, invocation) => Effect.sync(() => void carried.push({ by, invocation })))
  )
  return { carried, tree }
}

/** Runs an effect with a console that writes down what would be seen, on either stream. */
const seen = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const lines: Array<string> = []
    const write = (...texts: ReadonlyArray<unknown>) => Effect.sync(() => void lines.push(texts.join(" ")))
    const result = yield* Console.consoleWith((console) =>
      Effect.withConsole(Effect.either(effect), { ...console, log: write, error: write })
    )
    return { lines, result }
  })

describe("the command tree", () => {
  it("understands every command line as parse does", () => {
    FastCheck.assert(
      FastCheck.property(anyInvocation, (invocation) => {
        const { carried, tree } = recorder()
        Effect.runSync(tree.run(invocation))
        assert.deepStrictEqual(carried, [{ by: invocation.verb, invocation }])
      }),
      { numRuns: runs(100) }
    )
  })

  it("reads the canonical form of a command line as parse does", () => {
    for (const line of [
      "start",
      "start -w /srv --project shop --max-turns=7 --max-budget 12.5 --detach --keep-state -- claude -p --help",
      "--config=-odd.toml status --json",
      "restart-worker --no-wait -p shop",
      "config check -- true --wizard",
      "switch shop --keep",
      "config unset --dry-run model -p shop",
      "status shop",
      "stop-worker shop blog --json",
      "budget reset shop",
      "config set restart.jitter -1 --json",
      "config set model - --config=-odd.toml"
    ]) {
      const parsed = parse(line.split(" "))
      assert(parsed._tag === "Run")
      const { carried, tree } = recorder()
      Effect.runSync(tree.read(canonicalArgv(parsed.invocation)))
      assert.deepStrictEqual(carried, [{ by: parsed.invocation.verb, invocation: parsed.invocation }], line)
    }
  })

  it.effect("carries out each command once, and no other", () =>
    Effect.gen(function* () {
      for (const verb of verbs) {
        const { carried, tree } = recorder()
        const words = requiredArguments(verb).map(() => "x")
        yield* tree.read([...verb.split(" "), ...words])
        const args = Object.fromEntries(requiredArguments(verb).map((key) => [key, "x"]))
        assert.deepStrictEqual(carried, [
          { by: verb, invocation: { verb, args, options: {}, workerArgv: undefined } }
        ])
      }
    })
  )

  it.effect("turns its own errors into one usage error without colours, and prints nothing", () =>
    Effect.gen(function* () {
      const cases: ReadonlyArray<readonly [argv: ReadonlyArray<string>, problem: RegExp]> = [
        [["star"], /^Invalid subcommand for autopilotd/],
        [["start", "--modle", "x"], /^Unexpected "--modle"\.$/],
        [["start", "claude", "--", "x"], /^Unexpected "claude"\.$/],
        [["start", "--max-turns", "x"], /^--max-turns expects a whole number of at least 1\.$/],
        [["hogs", "foo"], /foo/],
        [["switch"], /NAME/],
        [["switch", "a/b"], /^NAME expects a name of 1 to 64 letters/],
        [["config", "set", "model"], /VALUE/],
        [["config", "set", "model", "a", "b"], /unknown argument: 'b'/],
        [["config"], /^The command is incomplete\.$/],
        [[], /^The command is incomplete\.$/]
      ]
      for (const [argv, problem] of cases) {
        const { carried, tree } = recorder()
        const { lines, result } = yield* seen(tree.read(argv))
        assert.deepStrictEqual(lines, [], argv.join(" "))
        assert.deepStrictEqual(carried, [])
        assert(Either.isLeft(result), argv.join(" "))
        assert.strictEqual(result.left._tag, "UsageError")
        assert.match(result.left.problem, problem)
        assert.match(result.left.message, /^\P{Cc}+\nTry: autopilotd --help$/u)
      }
    })
  )

  it.effect("lets handlers print, fail and use services as if there were no tree", () =>
    Effect.gen(function* () {
      class Greeting extends Context.Tag("Greeting")<Greeting, string>() {}
      const tree = makeCommandTree(
        handlersWith(() =>
          Effect.gen(function* () {
            yield* Console.log(yield* Greeting)
            yield* Console.error("careful")
            return yield* Effect.fail("no daemon" as const)
          })
        )
      )
      const { lines, result } = yield* seen(
        Effect.provideService(
          tree.run({ verb: "status", args: {}, options: {}, workerArgv: undefined }),
          Greeting,
          "hello"
        )
      )
      assert.deepStrictEqual(lines, ["hello", "careful"])
      assert.deepStrictEqual(result, Either.left("no daemon"))
    })
  )

  it("brings nothing that talks to a network or a database into the process", async () => {
    const bundle = await build({
      entryPoints: ["src/Programs/cli/CommandTree.ts"],
      bundle: true,
      platform: "node",
      format: "esm",
      write: false,
      metafile: true,
      logLevel: "silent"
    })
    const inputs = Object.keys(bundle.metafile.inputs).join("\n")
    assert.include(inputs, "@effect/cli")
    assert.notMatch(
      inputs,
      /node_modules\/(undici|ws|mime|find-my-way-ts|@effect\/(cluster|rpc|sql|workflow|experimental|platform-node|platform-node-shared))\//
    )
  })
})
