import * as fs from "node:fs"
import { delimiter, dirname, join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { fakeSsh } from "../../fixtures/FakeSsh.ts"
import { runningRow } from "../../fixtures/ProjectRows.ts"
import { statusFields } from "../../fixtures/StatusFields.ts"
import {
  command,
  eventually,
  fixture,
  isAlive,
  killForSure,
  launcher,
  run,
  startDaemon,
  temporaryHome
} from "../TestDaemon.ts"

/** A home with these hosts, and the PATH of a pretended ssh, on which autopilotd is, too. */
const surroundings = Effect.fnUntraced(function* (hosts: string, evil?: string) {
  const home = yield* temporaryHome
  fs.writeFileSync(join(home, "hosts.toml"), hosts, { mode: 0o600 })
  return { home, env: { PATH: [dirname(launcher), fakeSsh(home, evil)].join(delimiter) } }
})

const hostAt = (name: string, home: string) => `[hosts.${name}]\nhome = "${home}"\n`

describe("autopilotd fleet status", () => {
  it.scopedLive("shows the workers of all machines; one that does not answer is a row, and code 1", () =>
    Effect.gen(function* () {
      const box = yield* startDaemon({ args: ["--project", "shop"], worker: [fixture("sleeps.sh")] })
      yield* box.status("it runs", ({ worker_status }) => worker_status === "running")
      const empty = yield* temporaryHome
      const { env, home } = yield* surroundings(
        `${hostAt("box", box.home)}${hostAt("lab", empty)}[hosts.dead]\n`
      )
      const shown = yield* command({ home, env, args: ["fleet", "status"] })
      assert.strictEqual(shown.code, 1)
      const lines = shown.stdout.split("\n")
      assert.match(lines[1] ?? "", /^box +shop +running /)
      assert.match(lines[2] ?? "", /^lab +- +no daemon /)
      assert.match(lines[3] ?? "", /^dead +- +unreachable /)
      assert.match(shown.stderr, /^autopilotd: 2 of 3 hosts did not answer\.\nlab: .*--host lab start/)

      const json = yield* command({ home, env, args: ["fleet", "status", "--json"] })
      assert.strictEqual(json.code, 1)
      const { code, data } = JSON.parse(json.stdout)
      assert.strictEqual(code, "hosts_failed")
      assert.deepStrictEqual(
        data.hosts.map((one: { readonly host: string; readonly code?: string }) => [one.host, one.code]),
        [
          ["box", undefined],
          ["lab", "no_daemon"],
          ["dead", "host_unreachable"]
        ]
      )
      assert.strictEqual(data.hosts[0].projects.projects[0].name, "shop")

      const chosen = yield* command({ home, env, args: ["fleet", "status", "--hosts", "box"] })
      assert.deepStrictEqual([chosen.code, chosen.stderr], [0, ""])
      const strange = yield* command({ home, env, args: ["fleet", "status", "--hosts", "box,-oProxy"] })
      assert.strictEqual(strange.code, 2)
      assert.include(strange.stderr, 'begins with "-"')
    })
  )

  it.scopedLive("has this machine among them where a daemon runs, and code 4 for a worker that failed", () =>
    Effect.gen(function* () {
      const nothing = yield* command({ home: yield* temporaryHome, args: ["fleet", "status"] })
      assert.strictEqual(nothing.code, 1)
      assert.include(nothing.stderr, "There is no host to look at")
      const here = yield* startDaemon({
        settings:
          'worker_command = { type = "Command", argv = ["/bin/false"] }\n[restart]\nmax_consecutive_restarts = 1\ninitial_backoff_ms = 100\n'
      })
      yield* here.status("it has failed", ({ worker_status }) => worker_status === "failed")
      const shown = yield* command({ home: here.home, args: ["fleet", "status"] })
      assert.match(shown.stdout, /\nlocal +default +failed /)
      assert.deepStrictEqual([shown.code, shown.stderr], [4, ""])
    })
  )

  it.scopedLive("does not wait for a machine that accepts and says nothing, and leaves no ssh behind", () =>
    Effect.gen(function* () {
      const { env, home } = yield* surroundings("[hosts.mute]\n")
      const shown = yield* command({ home, env, args: ["fleet", "status"] })
      assert.strictEqual(shown.code, 1)
      assert.match(shown.stdout, /\nmute +- +no answer /)
      const left = fs.readdirSync("/proc").filter((name) => {
        if (!/^\d+$/.test(name) || !isAlive(Number(name))) return false
        const environ = join("/proc", name, "environ")
        try {
          return fs.readFileSync(environ, "latin1").includes(`AUTOPILOT_HOME=${home}`)
        } catch {
          return false
        }
      })
      assert.deepStrictEqual(left, [])
    })
  )

  it.scopedLive("shows no control of a terminal that another machine sends", () =>
    Effect.gen(function* () {
      const evil = "\u001b]0;owned\u0007\u202e"
      const project = { ...runningRow, name: evil, reason: `${evil}\nroot | is fine` }
      const snapshot = JSON.stringify({
        type: "snapshot",
        at: 1_700_000_000_000,
        status: statusFields,
        projects: { selected: evil, projects: [project] },
        next: { daemon: "abcdef", seq: 0 }
      })
      const { env, home } = yield* surroundings(
        "[hosts.evil]\n",
        `printf 'Welcome\\033[2J'\necho 'autopilotd dial-stdio 1'\ncat <<'END'\n${snapshot}\nEND\nsleep 1000`
      )
      const shown = yield* command({ home, env, args: ["fleet", "status"] })
      assert.strictEqual(shown.code, 0, shown.stderr)
      assert.notMatch(shown.stdout.replaceAll("\n", ""), /[\p{Cc}\p{Cf}]/u)
      assert.lengthOf(shown.stdout.split("\n"), 3)
      const watch = yield* run({ home, env, args: ["fleet", "watch"] })
      const line = yield* eventually("a line", () =>
        watch.stdout().endsWith("\n") ? watch.stdout() : undefined
      )
      assert.notMatch(line.replaceAll("\n", ""), /[\p{Cc}\p{Cf}]/u)
      for (const each of line.trimEnd().split("\n")) assert.match(each, /^evil \| /)
    })
  )
})

describe("autopilotd fleet watch", () => {
  it.scopedLive("tells what happens on each machine, and that a daemon is gone and back", () =>
    Effect.gen(function* () {
      const box = yield* startDaemon({ args: ["--project", "shop"], worker: [fixture("sleeps.sh")] })
      const { env, home } = yield* surroundings(`${hostAt("box", box.home)}[hosts.dead]\n`)
      const watch = yield* run({ home, env, args: ["fleet", "watch"] })
      const says = (pattern: RegExp) =>
        eventually(`it says ${pattern}`, () => pattern.exec(watch.stdout())?.[0])
      yield* says(/^box {2}\| [-\d]+ [:\d]+ shop: Worker (?:is running|started)/m)
      yield* says(/^dead \| [-\d]+ [:\d]+ Host dead cannot be reached/m)
      yield* box.ask({ type: "StopWorker" })
      yield* says(/^box {2}\| .* shop: .*stopped/im)
      killForSure(box.pid)
      yield* says(/^box {2}\| .* The daemon has vanished/m)
      yield* startDaemon({ home: box.home, args: ["--project", "shop"], worker: [fixture("sleeps.sh")] })
      yield* says(/vanished[^]*^box {2}\| .* shop: Worker (?:is running|started)/m)
      assert.lengthOf(watch.stdout().match(/^dead/gm) ?? [], 1)
      assert.strictEqual(watch.stderr(), "")
    })
  )

  it.scopedLive("--json prints one object a line, with the host in it", () =>
    Effect.gen(function* () {
      const box = yield* startDaemon({ worker: [fixture("sleeps.sh")] })
      const { env, home } = yield* surroundings(`${hostAt("box", box.home)}[hosts.dead]\n`)
      const watch = yield* run({ home, env, args: ["fleet", "watch", "--json"] })
      const lines = yield* eventually("two lines", () => {
        const found = watch.stdout().split("\n").slice(0, -1)
        return found.length < 2 ? undefined : found.map((line) => JSON.parse(line))
      })
      const of = (host: string) => lines.find((line) => line.host === host)
      assert.deepInclude(of("dead"), { code: "host_unreachable" })
      assert.strictEqual(of("box").line.type, "snapshot")
    })
  )
})

describe("autopilotd fleet doctor", () => {
  it.scopedLive("shows what is wrong on each machine", () =>
    Effect.gen(function* () {
      const box = yield* temporaryHome
      fs.writeFileSync(join(box, "daemon.toml"), "max_consecutive_restarts = true\n", { mode: 0o600 })
      const { env, home } = yield* surroundings(`${hostAt("box", box)}[hosts.dead]\n`)
      const shown = yield* command({ home, env, args: ["fleet", "doctor"] })
      assert.strictEqual(shown.code, 1)
      assert.match(shown.stdout, /^box\nERROR +Settings +/m)
      assert.match(shown.stdout, /^dead\nHost dead cannot be reached/m)
      const json = yield* command({ home, env, args: ["fleet", "doctor", "--hosts", "box", "--json"] })
      assert.strictEqual(json.code, 1)
      const { code, data } = JSON.parse(json.stdout)
      assert.deepStrictEqual([code, data.hosts[0].host], ["problems_found", "box"])
    })
  )
})
