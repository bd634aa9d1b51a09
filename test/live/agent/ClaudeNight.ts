import * as fs from "node:fs"
import { join } from "node:path"
import { afterAll, assert, beforeAll, beforeEach, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type { ProjectRow } from "../../../src/Domain/status/ProjectsData.ts"
import { eventually, startDaemon, temporaryHome } from "../TestDaemon.ts"
import { inState, processesOf, rowOf, saidOf } from "../worker/SeveralProjects.ts"
import { type AgentMissing, claudeFolder, claudeVersions } from "./AgentInstall.ts"
import { claudeEnvironment } from "./ClaudeWorld.ts"
import { type Ask, serveMessagesApi, type Turn } from "./MessagesApi.ts"

/** One project of the night. */
export interface Wanted {
  /** Lines of its `[projects.NAME]`. */
  readonly lines?: ReadonlyArray<string>
  readonly env?: Readonly<Record<string, string>>
  /** Instead of an API key, which a login has no use for. */
  readonly hasLogin?: boolean
  /** A command line instead of `type = "Claude"`. */
  readonly argv?: ReadonlyArray<string>
}

export const bash = (command: string, inputTokens = 100): Turn => ({
  _tag: "Bash",
  command,
  timeoutMs: 600_000,
  inputTokens
})
export const says = (text = "All done."): Turn => ({ _tag: "Say", text })

const tomlString = (text: string): string => JSON.stringify(text)

const inlineTable = (values: Readonly<Record<string, string>>): string =>
  `{ ${Object.entries(values)
    .map(([name, value]) => `${name} = ${tomlString(value)}`)
    .join(", ")} }`

/** An agent of the night, its stand-in of the API, and what a user reads about it. */
const projectOf = Effect.fnUntraced(function* (home: string, name: string, wanted: Wanted) {
  const api = yield* serveMessagesApi
  const agentHome = yield* temporaryHome
  const folder = yield* temporaryHome
  const env = {
    // Ten retries take three minutes.
    CLAUDE_CODE_MAX_RETRIES: "2",
    HOME: agentHome,
    TMPDIR: agentHome,
    ANTHROPIC_BASE_URL: api.url,
    HTTP_PROXY: api.url,
    HTTPS_PROXY: api.url,
    ...(wanted.hasLogin === true
      ? { CLAUDE_CODE_OAUTH_TOKEN: `login-of-${name}` }
      : { ANTHROPIC_API_KEY: "sk-test" }),
    ...wanted.env
  }
  const worker =
    wanted.argv === undefined
      ? 'type = "Claude", prompt = "do the whole work", args = ["--dangerously-skip-permissions"]'
      : `type = "Command", argv = ${JSON.stringify(wanted.argv)}`
  const settings = [
    `[projects.${name}]`,
    "autostart = false",
    `working_dir = ${tomlString(folder)}`,
    `worker_command = { ${worker} }`,
    `env = ${inlineTable(env)}`,
    ...(wanted.lines ?? []),
    ""
  ].join("\n")
  const work = Effect.sync(
    (): {
      readonly usd: number
      readonly turns: number
      readonly session?: string
      readonly isFinished?: boolean
    } => JSON.parse(fs.readFileSync(join(home, "state", `${name}.json`), "utf8")).work
  )
  const read = (...args: ReadonlyArray<string>) => saidOf(home, name, ...args)
  return {
    name,
    api,
    folder,
    settings,
    answers: (...turns: ReadonlyArray<Turn>) =>
      Effect.forEach(turns, (turn) => Effect.flatMap(api.nextAsk, (ask) => ask.answer(turn)), {
        discard: true
      }),
    read,
    budget: saidOf(home, undefined, "budget", "show"),
    /** The text of a command, once it has a match. */
    reads: (pattern: RegExp, ...args: ReadonlyArray<string>) =>
      eventually(
        `${name}: ${args.join(" ")} says ${pattern}`,
        Effect.map(read(...args), (text) => (pattern.test(text) ? text : undefined))
      ),
    row: (what: string, isWanted: (row: ProjectRow) => boolean) => rowOf(home, name, what, isWanted),
    inState: (state: ProjectRow["worker_status"]) => inState(home, name, state),
    processes: () => processesOf(home, name),
    work,
    /** The saved work, once it is finished: a busy disk takes its time. */
    finished: eventually(
      `${name}: the finished work is saved`,
      Effect.map(work, (now) => (now.isFinished === true ? now : undefined))
    ),
    /** Answers each request until a state is reached. */
    until: <A>(reached: Effect.Effect<A>, answer: (ask: Ask) => Effect.Effect<void>) =>
      Effect.raceFirst(reached, Effect.forever(Effect.flatMap(api.nextAsk, answer))),
    /** Answers each request until there is no turn for one, and returns that. */
    untilAsked: (turnFor: (ask: Ask) => Turn | undefined): Effect.Effect<Ask> => {
      const next: Effect.Effect<Ask> = Effect.flatMap(api.nextAsk, (ask) => {
        const turn = turnFor(ask)
        return turn === undefined ? Effect.succeed(ask) : Effect.zipRight(ask.answer(turn), next)
      })
      return next
    }
  }
})
export type NightProject = Effect.Effect.Success<ReturnType<typeof projectOf>>

/** One daemon with an agent for each situation. None starts by itself. */
const night = Effect.fnUntraced(function* <const Names extends string>(
  programs: string,
  wanted: Readonly<Record<Names, Wanted>>
) {
  const home = yield* temporaryHome
  const projects: Array<NightProject> = []
  for (const [name, one] of Object.entries<Wanted>(wanted)) projects.push(yield* projectOf(home, name, one))
  const settings = [
    'model = "sonnet"',
    "[restart]",
    "initial_backoff_ms = 10",
    "max_backoff_ms = 10",
    // The first one is selected, which starts with the daemon.
    "[projects.none]",
    'worker_command = { type = "Command", argv = ["true"] }',
    ...projects.map((project) => project.settings)
  ].join("\n")
  const env = claudeEnvironment({ url: "http://127.0.0.1:9" }, programs, home)
  yield* startDaemon({ home, settings, env: { ...env, ANTHROPIC_API_KEY: undefined } })
  return (name: Names): NightProject =>
    projects.find((project) => project.name === name) ?? assert.fail(`no project ${name}`)
})

/** The tests of one situation each, of all versions at once: they mostly wait for the agents. */
export const describeNight = <const Names extends string>(
  title: string,
  wanted: Readonly<Record<Names, Wanted>>,
  tell: (
    situation: (name: Names, told: string, run: (agent: NightProject) => Effect.Effect<void>) => void
  ) => void
): void =>
  describe.concurrent.each(claudeVersions)(`${title}, %s,`, (_, version) => {
    const scope = Effect.runSync(Scope.make())
    let projects: Either.Either<(name: Names) => NightProject, AgentMissing>
    beforeAll(async () => {
      const started = Effect.flatMap(Effect.flatMap(version, claudeFolder), (programs) =>
        night(programs, wanted)
      )
      projects = await Effect.runPromise(Effect.either(Scope.extend(started, scope)))
    })
    afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))
    beforeEach(({ skip }) => {
      if (Either.isLeft(projects)) skip(projects.left.message)
    })

    tell((name, what, run) =>
      it.live(what, () =>
        Effect.gen(function* () {
          const agent = Either.getOrThrow(projects)(name)
          assert.match(yield* agent.read("start-worker"), /^Worker of \S+ is (running, pid \d+|starting)/)
          yield* run(agent)
          assert.deepStrictEqual(agent.api.strangers(), [])
        })
      )
    )
  })
