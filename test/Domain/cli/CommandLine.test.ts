import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import {
  type CommandLine,
  canonicalArgv,
  type Invocation,
  parse
} from "../../../src/Domain/cli/CommandLine.ts"
import {
  commandRow,
  optionsUnderstood,
  requiredArguments,
  verbs
} from "../../../src/Domain/cli/CommandTable.ts"
import { optionKeys, optionTable } from "../../../src/Domain/cli/OptionTable.ts"
import { ProjectName } from "../../../src/Domain/Project.ts"
import { runs } from "../../fixtures/runs.ts"
import { anyInvocation, anyWord, anyWriting } from "./commandLines.ts"

const understood = (argv: ReadonlyArray<string>): CommandLine => {
  const line = parse(argv)
  if (line._tag === "UsageError") throw line
  return line
}

const messageOf = (line: string): string => {
  const read = parse(line === "" ? [] : line.split(" "))
  return read._tag === "UsageError" ? read.message : "understood"
}

const run = (invocation: Omit<Invocation, "args"> & Partial<Pick<Invocation, "args">>): CommandLine => ({
  _tag: "Run",
  invocation: { args: {}, ...invocation }
})

describe("a valid command line", () => {
  it("means start when no command is given", () => {
    assert.deepStrictEqual(understood([]), run({ verb: "start", options: {}, workerArgv: undefined }))
  })

  it("takes options before and after the command, in each way of writing (D20)", () => {
    const expected = run({
      verb: "start",
      options: { workdir: "/srv/a b", project: ProjectName.make("shop"), maxTurns: 7, maxBudget: 12.5 },
      workerArgv: undefined
    })
    assert.deepStrictEqual(
      understood(["-w", "/srv/a b", "--max-turns=7", "start", "-p", "shop", "--max-budget", "12.5"]),
      expected
    )
    assert.deepStrictEqual(
      understood(["--project", "shop", "--max-budget=12.5", "--workdir=/srv/a b", "--max-turns", "7"]),
      expected
    )
  })

  it("leaves out every option that is not given, so that the settings file decides", () => {
    const line = understood(["start"])
    assert.isTrue(line._tag === "Run" && Object.keys(line.invocation.options).length === 0)
  })

  it("knows a command of two words with options in between", () => {
    assert.deepStrictEqual(
      understood(["config", "--json", "check", "-c", "x.toml"]),
      run({ verb: "config check", options: { json: true, config: "x.toml" }, workerArgv: undefined })
    )
  })

  it("takes positional arguments, with options around and between them", () => {
    const expected = run({
      verb: "config set",
      args: { key: "restart.jitter", value: "0.25" },
      options: { project: ProjectName.make("shop"), dryRun: true },
      workerArgv: undefined
    })
    for (const line of [
      "config set restart.jitter 0.25 --project shop --dry-run",
      "--dry-run config -p shop set restart.jitter 0.25",
      "config set restart.jitter --dry-run 0.25 --project=shop"
    ]) {
      assert.deepStrictEqual(understood(line.split(" ")), expected, line)
    }
    assert.deepStrictEqual(
      understood(["switch", "shop"]),
      run({
        verb: "switch",
        args: { target: ProjectName.make("shop") },
        options: {},
        workerArgv: undefined
      })
    )
  })

  it("takes the names of projects as words, like --project", () => {
    for (const verb of ["status", "logs", "why", "history", "restart-worker", "budget reset"] as const) {
      const expected = run({
        verb,
        options: { project: ProjectName.make("shop") },
        workerArgv: undefined
      })
      for (const line of [
        `${verb} shop`,
        `${verb} --project shop`,
        `-p shop ${verb}`,
        `${verb} shop -p shop`
      ])
        assert.deepStrictEqual(understood(line.split(" ")), expected, line)
    }
    assert.deepStrictEqual(understood(["stop-worker", "shop", "--json", "blog", "shop"]), {
      _tag: "Run",
      invocation: {
        verb: "stop-worker",
        args: { names: [ProjectName.make("shop"), ProjectName.make("blog")] },
        options: { json: true },
        workerArgv: undefined
      }
    })
    assert.deepStrictEqual(understood(["stop-worker", "shop", "shop"]), understood(["stop-worker", "shop"]))
  })

  it("knows the names and forms that other tools have taught", () => {
    for (const [line, same] of [
      ["ps", "projects"],
      ["ls --json", "projects --json"],
      ["restart shop", "restart-worker --project shop"],
      ["--no-wait restart", "restart-worker --no-wait"],
      ["restart --help", "restart-worker --help"],
      ["help ps", "help projects"],
      ["version", "--version"],
      ["completions fish", "--completions fish"],
      ["logs -n5", "logs --lines 5"],
      ["logs -fn5", "logs --follow --lines 5"],
      ["logs -fn 5", "logs --follow --lines 5"],
      ["logs --tail 7", "logs --lines 7"],
      ["logs --tail=7 -fpshop", "logs --follow --lines 7 --project shop"],
      ["start -d", "start --detach"],
      ["start -dw/srv", "start --detach --workdir /srv"]
    ] as const) {
      assert.deepStrictEqual(understood(line.split(" ")), understood(same.split(" ")), line)
    }
    assert.deepStrictEqual(
      understood(["switch", "version"]),
      run({
        verb: "switch",
        args: { target: ProjectName.make("version") },
        options: {},
        workerArgv: undefined
      })
    )
  })

  it("takes a negative number for a value, not for an option", () => {
    for (const value of ["-1", "-0.5", "-.5", "-", ""]) {
      assert.deepStrictEqual(
        understood(["config", "set", "restart.jitter", value, "--json"]),
        run({
          verb: "config set",
          args: { key: "restart.jitter", value },
          options: { json: true },
          workerArgv: undefined
        })
      )
    }
  })

  it("takes the name of a command for an argument where one is expected", () => {
    const project = (target: string) =>
      run({
        verb: "switch",
        args: { target: ProjectName.make(target) },
        options: {},
        workerArgv: undefined
      })
    for (const name of ["start", "switch", "help", "config"]) {
      assert.deepStrictEqual(understood(["switch", name]), project(name))
    }
  })

  it("gives the worker everything after the first -- untouched", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.array(anyWord, { minLength: 1 }), (workerArgv) => {
        assert.deepStrictEqual(
          understood(["--model", "opus", "--", ...workerArgv]),
          run({ verb: "start", options: { model: "opus" }, workerArgv })
        )
      })
    )
  })

  it("accepts options in any order, before and after the command", () => {
    FastCheck.assert(
      FastCheck.property(anyWriting, ([invocation, argv]) => {
        assert.deepStrictEqual(understood(argv), run(invocation))
      }),
      { numRuns: 500 }
    )
  })

  it("has one canonical form with the same meaning", () => {
    FastCheck.assert(
      FastCheck.property(anyInvocation, (invocation) => {
        const argv = canonicalArgv(invocation)
        assert.deepStrictEqual(understood(argv), run(invocation))
        assert.deepStrictEqual(canonicalArgv(invocation), argv)
      }),
      { numRuns: 500 }
    )
  })

  it("shows the help of the given command, wherever --help stands", () => {
    for (const line of [
      "stop --help",
      "--help stop",
      "-h stop --model opus",
      "help stop",
      "stop -h --help"
    ]) {
      assert.deepStrictEqual(understood(line.split(" ")), { _tag: "Help", topic: "stop", isAll: false }, line)
    }
    assert.deepStrictEqual(understood(["--help"]), { _tag: "Help", topic: undefined, isAll: false })
    for (const line of ["help --all", "--help --all", "--all -h"])
      assert.deepStrictEqual(understood(line.split(" ")), { _tag: "Help", topic: undefined, isAll: true })
    assert.deepStrictEqual(understood(["help"]), { _tag: "Help", topic: undefined, isAll: false })
    assert.deepStrictEqual(understood(["config", "--help"]), { _tag: "Help", topic: "config", isAll: false })
    assert.deepStrictEqual(understood(["help", "config", "check"]), {
      _tag: "Help",
      topic: "config check",
      isAll: false
    })
  })

  it("leaves --help and --version to the worker after --", () => {
    const workerArgv = ["claude", "--help", "--version"]
    assert.deepStrictEqual(understood(["--", ...workerArgv]), run({ verb: "start", options: {}, workerArgv }))
  })

  it("answers --version, -V and --completions", () => {
    assert.deepStrictEqual(understood(["--version"]), { _tag: "Version" })
    assert.deepStrictEqual(understood(["-V", "status"]), { _tag: "Version" })
    assert.deepStrictEqual(understood(["--completions", "zsh"]), { _tag: "Completions", shell: "zsh" })
    assert.deepStrictEqual(understood(["--completions=sh"]), { _tag: "Completions", shell: "sh" })
  })
})

describe("an invalid command line", () => {
  const general = "\nTry: autopilotd --help"
  const cases: ReadonlyArray<readonly [line: string, message: string]> = [
    ["star", `Unknown command "star". Did you mean "start"?${general}`],
    ["stauts", `Unknown command "stauts". Did you mean "status"?${general}`],
    ["restrat", `Unknown command "restrat". Did you mean "restart"?${general}`],
    ["versoin", `Unknown command "versoin". Did you mean "version"?${general}`],
    ["configcheck", `Unknown command "configcheck". Did you mean "config check"?${general}`],
    [
      "config chekc",
      `Unknown command "config chekc". Did you mean "config check"?\nTry: autopilotd config --help`
    ],
    ["claude", `Unknown command "claude". A worker's command goes after "start --".${general}`],
    [
      "config",
      `"config" needs one more word: check, show, get, set, unset, edit or schema.\nTry: autopilotd config --help`
    ],
    ["switch", `switch needs the name of a project.\nTry: autopilotd switch --help`],
    ["switch --keep", `switch needs the name of a project.\nTry: autopilotd switch --help`],
    [
      "switch a/b",
      `NAME expects a name of 1 to 64 letters, digits, '.', '_' or '-' that begins with a letter or a digit (autopilotd.log is taken), got "a/b".\nTry: autopilotd switch --help`
    ],
    ["switch -1", `Unknown option "-1".\nTry: autopilotd switch --help`],
    ["switch shop blog", `Unexpected "blog" after "switch shop".\nTry: autopilotd switch --help`],
    ["hogs --keep", `--keep belongs to switch, not to hogs.\nTry: autopilotd hogs --help`],
    ["status --all", `--all belongs to help and why, not to status.\nTry: autopilotd status --help`],
    ["config set", `config set needs the name of a setting.\nTry: autopilotd config set --help`],
    [
      "config set restart.jitter",
      `config set needs a value after the name of the setting.\nTry: autopilotd config set --help`
    ],
    [
      "config set restart..jitter 1",
      `KEY expects the name of a setting with the tables it stands in, as in restart.jitter, got "restart..jitter".\nTry: autopilotd config set --help`
    ],
    ["config set -1 model", `Unknown option "-1".\nTry: autopilotd config set --help`],
    ["config set model -opus", `Unknown option "-opus".\nTry: autopilotd config set --help`],
    [
      "config set model claude opus",
      `Unexpected "opus" after "config set model claude".\nTry: autopilotd config set --help`
    ],
    [
      "config unset model opus",
      `Unexpected "opus" after "config unset model".\nTry: autopilotd config unset --help`
    ],
    ["config show model", `Unexpected "model" after "config show".\nTry: autopilotd config show --help`],
    ["project", `Unknown command "project". Did you mean "projects"?${general}`],
    [
      "reload --project shop",
      `reload takes --project only with --restart: a reload reads the settings of all projects.\nTry: autopilotd reload --help`
    ],
    [
      "start -d --exit-when-finished",
      `start takes --exit-when-finished only without --detach: it is for the program that waits for the daemon in the foreground.\nTry: autopilotd start --help`
    ],
    [
      "start --termination-log f --detach",
      `start takes --termination-log only without --detach: it is for the program that waits for the daemon in the foreground.\nTry: autopilotd start --help`
    ],
    ["hogs foo", `Unexpected "foo" after "hogs".\nTry: autopilotd hogs --help`],
    ["why shop blog", `Unexpected "blog" after "why shop".\nTry: autopilotd why --help`],
    [
      "status shop --project blog",
      `status names shop, but --project names blog: name the project once.\nTry: autopilotd status --help`
    ],
    [
      "stop-worker shop blog --project blog",
      `stop-worker names shop and blog, but --project names blog: name the project once.\nTry: autopilotd stop-worker --help`
    ],
    [
      "status a/b",
      `NAME expects a name of 1 to 64 letters, digits, '.', '_' or '-' that begins with a letter or a digit (autopilotd.log is taken), got "a/b".\nTry: autopilotd status --help`
    ],
    [
      "reload shop",
      `reload takes --project only with --restart: a reload reads the settings of all projects.\nTry: autopilotd reload --help`
    ],
    [
      "stop shop",
      `Unexpected "shop": the daemon stops with the workers of all its projects, and autopilotd stop-worker NAME stops one worker.\nTry: autopilotd stop --help`
    ],
    [
      "start claude",
      `Unexpected "claude": the worker's command goes after "--", as in autopilotd start -- CMD ARGS, and the worker of a project is started by autopilotd start-worker NAME.\nTry: autopilotd start --help`
    ],
    ["--modle opus", `Unknown option "--modle". Did you mean "--model"?${general}`],
    [
      "gui --bind 0.0.0.0",
      `Unknown option "--bind". The panel listens on 127.0.0.1 only; on another machine, run there by autopilotd gui --host HOST, its port leads here.\nTry: autopilotd gui --help`
    ],
    ["stop --no-wiat", `Unknown option "--no-wiat". Did you mean "--no-wait"?\nTry: autopilotd stop --help`],
    ["status -v", `Unknown option "-v". Did you mean "-V"?\nTry: autopilotd status --help`],
    ["status --log-level=debug", `Unknown option "--log-level".\nTry: autopilotd status --help`],
    ["status --wizard", `Unknown option "--wizard".\nTry: autopilotd status --help`],
    ["-project shop", `Unknown option "-project": write "--project".${general}`],
    ["status -json", `Unknown option "-json": write "--json".\nTry: autopilotd status --help`],
    ["logs -ffn5", `--follow is given twice.\nTry: autopilotd logs --help`],
    [
      "logs -fn",
      `--lines expects a whole number of at least 0, but nothing follows it.\nTry: autopilotd logs --help`
    ],
    ["logs -nf", `--lines expects a whole number of at least 0, got "f".\nTry: autopilotd logs --help`],
    ["logs -n 5 --tail 6", `--lines is given twice.\nTry: autopilotd logs --help`],
    ["completions", `--completions expects one of bash, zsh, fish, sh, but nothing follows it.${general}`],
    ["-w=foo", `Unknown option "-w=foo": write "-w foo".${general}`],
    [
      "start --model",
      `--model expects the name of a model, but nothing follows it.\nTry: autopilotd start --help`
    ],
    ["--model --json", `--model expects the name of a model, but "--json" follows it.${general}`],
    ["--workdir -- x", `--workdir expects a folder, but nothing follows it.${general}`],
    ["--workdir=", `--workdir expects a folder, got "".${general}`],
    ["--max-turns x", `--max-turns expects a whole number of at least 1, got "x".${general}`],
    ["--max-turns -5", `--max-turns expects a whole number of at least 1, got "-5".${general}`],
    ["--max-turns 0", `--max-turns expects a whole number of at least 1, got "0".${general}`],
    ["--max-turns 1.5", `--max-turns expects a whole number of at least 1, got "1.5".${general}`],
    [
      "--max-turns 9007199254740993",
      `--max-turns expects a whole number of at least 1, got "9007199254740993".${general}`
    ],
    ["--max-budget 1e999", `--max-budget expects a number of at least 0, got "1e999".${general}`],
    ["--max-budget Infinity", `--max-budget expects a number of at least 0, got "Infinity".${general}`],
    [
      "-p a/b",
      `--project expects a name of 1 to 64 letters, digits, '.', '_' or '-' that begins with a letter or a digit (autopilotd.log is taken), got "a/b".${general}`
    ],
    ["--max-turns 1 start --max-turns=2", `--max-turns is given twice.\nTry: autopilotd start --help`],
    ["-w a --workdir a", `--workdir is given twice.${general}`],
    ["status --json --json", `--json is given twice.\nTry: autopilotd status --help`],
    ["status --json=yes", `--json takes no value, got "yes".\nTry: autopilotd status --help`],
    ["--completions tcsh", `--completions expects one of bash, zsh, fish, sh, got "tcsh".${general}`],
    [
      "status --model opus",
      `--model belongs to start, run and config check, not to status.\nTry: autopilotd status --help`
    ],
    [
      "--no-wait start",
      `--no-wait belongs to switch, start-worker, stop-worker, restart-worker and stop, not to start.\nTry: autopilotd start --help`
    ],
    [
      "start --json",
      `start takes --json only with --detach: in the foreground it prints the worker's own output.\nTry: autopilotd start --help`
    ],
    ["start --", `Nothing follows "--": the worker's command is missing.\nTry: autopilotd start --help`],
    [
      "status -- ls",
      `"--" and a worker's command belong to start, run and config check, not to status.\nTry: autopilotd status --help`
    ]
  ]

  for (const [line, message] of cases) {
    it(`says what is wrong with: autopilotd ${line}`, () => {
      assert.strictEqual(messageOf(line), message)
    })
  }

  it("reports the leftmost mistake", () => {
    assert.include(messageOf("star --modle x"), '"star"')
    assert.include(messageOf("--modle x star"), '"--modle"')
  })

  it("accepts each option with the commands it belongs to, and with no others", () => {
    for (const verb of verbs) {
      for (const key of optionKeys) {
        const row = optionTable[key]
        const option =
          row._tag === "Flag"
            ? `--${row.long}`
            : `--${row.long}=${["since", "until", "timeout"].includes(key) ? "5h" : "5"}`
        const { needs, needsWorker } = commandRow(verb)
        const needed = needs?.option === key ? [`--${optionTable[needs.other].long}`] : []
        const words = requiredArguments(verb).map(() => "x")
        assert.strictEqual(
          parse([
            ...verb.split(" "),
            ...words,
            option,
            ...needed,
            ...(needsWorker === true ? ["--", "x"] : [])
          ])._tag === "Run",
          optionsUnderstood(verb).includes(key),
          `${verb} ${option}`
        )
      }
    }
  })

  it("never throws: any words give an invocation or an error of two plain lines", () => {
    const known = optionKeys.map((key) => `--${optionTable[key].long}`)
    const word = FastCheck.oneof(
      anyWord,
      FastCheck.constantFrom(
        ...known,
        ...known.map((name) => `${name}=5`),
        ...verbs.flatMap((v) => v.split(" "))
      )
    )
    FastCheck.assert(
      FastCheck.property(FastCheck.array(word), (argv) => {
        const result = parse(argv)
        if (result._tag !== "UsageError") return
        const lines = result.message.split("\n")
        assert.strictEqual(lines.length, 2)
        assert.match(lines[1] ?? "", /^Try: autopilotd [a-z- ]*--help$/)
        assert.notMatch(lines.join(""), /\p{Cc}/u)
      }),
      { numRuns: runs(500) }
    )
  })
})
