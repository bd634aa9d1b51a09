import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { user } from "../../fixtures/SettingsUser.ts"

const agent = 'worker_command = { type = "Command", argv = ["agent"] }\n'

describe("loadSettings with several projects", () => {
  it.scoped("gives each project its own folder, env file and worker, in the order of the file", () =>
    Effect.gen(function* () {
      const { home, load, root, write } = yield* user
      yield* write(
        ".autopilot/daemon.toml",
        `working_dir = "~/code"\nwatch_config = true\n${agent}
[projects.shop]
working_dir = "shop"
env_file = "shop.env"
[projects.blog.worker_command]
type = "Binary"
path = "~/bin/blog"

model = "opus"
`
      )
      const { named, projects, watchConfig } = yield* load()
      assert.deepStrictEqual(
        projects.map(({ envFile, project, settings: { model, workingDir } }) => ({
          project: String(project),
          workingDir,
          model,
          envFile
        })),
        [
          {
            project: "default",
            workingDir: join(root, "code"),
            model: "sonnet",
            envFile: { path: home.envFile, mustExist: false }
          },
          {
            project: "shop",
            workingDir: join(root, "shop"),
            model: "sonnet",
            envFile: { path: join(home.root, "shop.env"), mustExist: true }
          },
          {
            project: "blog",
            workingDir: join(root, "code"),
            model: "opus",
            envFile: { path: home.envFile, mustExist: false }
          }
        ]
      )
      const blog = Either.getOrThrow(projects[2]?.worker ?? projects[0].worker)
      assert.deepStrictEqual(blog.argv.slice(0, 5), [
        join(root, "bin/blog"),
        "run",
        "--full-auto",
        "--model",
        "opus"
      ])
      assert.deepStrictEqual(blog.argv.slice(-2), ["--project", "blog"])
      assert.strictEqual(blog.source, "file [projects.blog]")
      assert.deepStrictEqual([named, watchConfig], [undefined, true])
    })
  )

  it.scoped("keeps the order of the file also for names that are numbers", () =>
    Effect.gen(function* () {
      const { load, write } = yield* user
      const names = ["zeta", "10", "alpha", "9", "2024"]
      const tables = names.map((name) => `[projects.${name}]\n`).join("")
      yield* write(".autopilot/daemon.toml", agent + tables)
      assert.deepStrictEqual(
        (yield* load()).projects.map(({ project }) => String(project)),
        ["default", ...names]
      )
    })
  )

  it.scoped("reports every problem of every table at its own line", () =>
    Effect.gen(function* () {
      const { refusalsOf } = yield* user
      const text = [
        "[restart]",
        "initial_backoff_ms = 2000",
        "[projects.shop]",
        'project = "shop"',
        "restart.max_backof_ms = 1",
        "[projects.shop.worker_command]",
        'type = "Command"',
        'argv = ["agent"]',
        "max_turns = 0",
        "[projects.shop.memory]",
        "dry_run = true",
        "[projects.default]",
        '[projects."my shop"]',
        "[projects.blog.env]",
        "TOKEN = 12345"
      ]
      assert.deepStrictEqual(yield* refusalsOf(text.join("\n")), [
        ":4: projects.shop.project cannot be set here: the name of the table is the name of the project.",
        ":5: projects.shop.restart.max_backof_ms is not a setting. Did you mean projects.shop.restart.max_backoff_ms?",
        ":9: projects.shop.max_turns must be a whole number, at least 1, not 0.",
        ":11: projects.shop.memory.dry_run is about the whole machine, not about one project: set it at the top level.",
        ':12: projects.default is the name of the top level by default: name it with project = "...", or rename this table.',
        `:13: projects."my shop" is not a name for a project: 1 to 64 letters, digits, '.', '_' or '-' that begin with a letter or a digit (autopilotd.log is taken).`,
        ":15: projects.blog.env.TOKEN must be text without a NUL character, not a number."
      ])
      assert.deepStrictEqual(
        yield* refusalsOf(
          "[restart]\ninitial_backoff_ms = 2000\n[projects.shop.restart]\nmax_backoff_ms = 1500\n"
        ),
        [
          ":4: projects.shop.restart.max_backoff_ms (1500) is below restart.initial_backoff_ms, which is 2000 inherited from the top level."
        ]
      )
      assert.deepStrictEqual(yield* refusalsOf("[[projects]]\n[[projects]]\n"), [
        ":1: projects must be a table of projects such as [projects.shop], not an array."
      ])
    })
  )

  it.scoped("takes a name on the command line for the table of that name, else for the top level", () =>
    Effect.gen(function* () {
      const { load, write } = yield* user
      yield* write(".autopilot/daemon.toml", `${agent}[projects.shop]\n`)
      const shop = yield* load({ commandLine: { project: "shop", working_dir: "/s" } })
      assert.deepStrictEqual([shop.named, shop.about], ["shop", { _tag: "Table", name: "shop" }])
      assert.deepStrictEqual(
        shop.projects.map(({ project, settings }) => [String(project), settings.workingDir === "/s"]),
        [
          ["default", false],
          ["shop", true]
        ]
      )
      const other = yield* load({ environment: { AUTOPILOT_PROJECT: "other" } })
      assert.deepStrictEqual([other.named, other.about], [undefined, { _tag: "TopLevel", name: "other" }])
      assert.deepStrictEqual(
        other.projects.map(({ project }) => String(project)),
        ["other", "shop"]
      )
      yield* write(".autopilot/daemon.toml", agent)
      const gone = yield* load({ commandLine: { project: "shop", working_dir: "/s" }, about: shop.about })
      assert.deepStrictEqual(
        gone.projects.map(({ project, settings }) => [String(project), settings.workingDir === "/s"]),
        [["default", false]]
      )
      assert.strictEqual(gone.named, undefined)
    })
  )

  it.scoped("refuses an invalid project name of the command line, also where there are tables", () =>
    Effect.gen(function* () {
      const { complaints, write } = yield* user
      yield* write(".autopilot/daemon.toml", `${agent}[projects.shop]\n`)
      const [line = "", ...others] = yield* complaints({ commandLine: { project: "../up" } })
      assert.match(line, /^--project must be 1 to 64 letters/)
      assert.deepStrictEqual(others, [])
    })
  )

  it.scoped("checks a text instead of the file, and reports its problems at its own lines", () =>
    Effect.gen(function* () {
      const { file, load, parsed, write } = yield* user
      yield* write(".autopilot/daemon.toml", `${agent}model = "opus"\n`)
      const { settings, settingsFile } = yield* load({}, yield* parsed('model = "haiku"\nenv_file = "e"\n'))
      assert.deepStrictEqual([settings.model, settings.envFile], ["haiku", join(file, "../e")])
      assert.strictEqual(settingsFile.path, file)
      const { message } = yield* Effect.flip(load({}, yield* parsed('\n\nmodl = "x"\n')))
      assert.strictEqual(message, `${file}:3: modl is not a setting. Did you mean model?`)
    })
  )
})

describe("a start with a mistake in the table of one project", () => {
  const states = ({ loadUsable }: Effect.Effect.Success<typeof user>) =>
    Effect.map(loadUsable, ({ projects }) =>
      projects.map(({ project, worker }) =>
        Either.match(worker, {
          onLeft: ({ message }) => `${project}: ${message.replace(/^\S+daemon\.toml/, "").split("\n")[0]}`,
          onRight: ({ argv }) => `${project} runs ${argv[0]}`
        })
      )
    )

  it.scoped("starts the others, and says what is wrong with that one", () =>
    Effect.gen(function* () {
      const person = yield* user
      yield* person.write(
        ".autopilot/daemon.toml",
        `${agent}restart = { initial_backoff_ms = 5000 }
[projects.blog]
max_turnz = 3
[projects.shop]
[projects.mail]
restart = { max_backoff_ms = 10 }
[projects.news]
working_dir = 5
`
      )
      assert.deepStrictEqual(yield* states(person), [
        "default runs agent",
        "blog: :4: projects.blog.max_turnz is not a setting. Did you mean projects.blog.max_turns?",
        "shop runs agent",
        "mail: :7: projects.mail.restart.max_backoff_ms (10) is below restart.initial_backoff_ms, which is 5000 inherited from the top level.",
        "news: :9: projects.news.working_dir must be a path, not 5."
      ])
      // Whoever checks the settings is told all at once.
      assert.strictEqual((yield* person.complaints()).length, 3)
    })
  )

  it.scoped("is refused when a mistake concerns all projects, or no project is left", () =>
    Effect.gen(function* () {
      const person = yield* user
      const refusal = Effect.map(Effect.flip(person.loadUsable), ({ problems }) =>
        problems.map(({ key }) => key)
      )
      yield* person.write(".autopilot/daemon.toml", `${agent}modl = "x"\n[projects.blog]\nmax_turnz = 3\n`)
      assert.deepStrictEqual(yield* refusal, ["modl", "projects.blog.max_turnz"])
      yield* person.write(".autopilot/daemon.toml", "[projects.blog]\nmax_turnz = 3\n[projects.shop]\n")
      assert.deepStrictEqual(yield* refusal, ["projects.blog.max_turnz"])
    })
  )
})
