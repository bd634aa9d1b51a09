import { execFileSync, spawnSync } from "node:child_process"
import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { dialMarker } from "../../../src/Domain/control/DialMarker.ts"
import { unlessMissing } from "../../fixtures/Missing.ts"
import { noSshd, type SshBed, sshBed, withDaemonThere } from "../remote/SshBed.ts"
import { eventually, isAlive, killForSure, launcher, run } from "../TestDaemon.ts"

/** The living processes of which the command line has these words. */
const running = (...words: ReadonlyArray<string>): ReadonlyArray<number> =>
  fs
    .readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const line = fs.readFileSync(`/proc/${pid}/cmdline`, "utf8")
        return isAlive(pid) && words.every((word) => line.includes(word))
      } catch {
        // It ended meanwhile.
        return false
      }
    })

/** A key that may only look, as docs/fleet.md has it, and the host that uses it. */
const onlyLooks = ({ folder, port }: SshBed): string => {
  const key = join(folder, "looking_id")
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", key])
  const command = `PATH=${folder}/nvm/bin:/usr/bin:/bin autopilotd dial-stdio --read-only`
  fs.appendFileSync(
    join(folder, "keys/ap-bash"),
    `restrict,command="${command}" ${fs.readFileSync(`${key}.pub`, "utf8")}`
  )
  fs.writeFileSync(
    join(folder, "config"),
    `Host looking\n  User ap-bash\n  HostName 127.0.0.1\n  Port ${port}\n  IdentityFile ${key}\n` +
      fs.readFileSync(join(folder, "config"), "utf8")
  )
  return "looking"
}

describe("a daemon on another machine, by a stream over ssh,", () => {
  unlessMissing(...noSshd)("is seen beside machines that fail, each with its reason", () =>
    Effect.gen(function* () {
      const bed = yield* sshBed
      yield* withDaemonThere(bed)
      const hosts = ["bash", "dash", "absent", "wrongkey", "changed"]
      const shown = yield* bed.here(["fleet", "status", "--hosts", hosts.join(",")])
      assert.strictEqual(shown.code, 1, shown.stderr)
      const words = shown.stdout.split("\n").slice(1, -1)
      for (const [at, pattern] of [
        /^bash +shop +running /,
        /^dash +- +no daemon /,
        /^absent +- +not installed /,
        /^wrongkey +- +no access /,
        /^changed +- +no access /
      ].entries())
        assert.match(words[at] ?? "", pattern)
      const checked = yield* bed.here(["fleet", "doctor", "--hosts", "bash"])
      assert.match(checked.stdout, /^bash\n/)
    })
  )

  unlessMissing(...noSshd)("keeps nothing of a client that was killed in the middle of a subscription", () =>
    Effect.gen(function* () {
      const bed = yield* sshBed
      yield* withDaemonThere(bed)
      const watch = yield* run({
        home: bed.home,
        env: bed.env,
        args: ["fleet", "watch", "--hosts", "bash"]
      })
      yield* eventually("it follows", () =>
        /^bash \| .*shop: Worker (?:is running|started)/m.test(watch.stdout()) ? true : undefined
      )
      const there = () => running("dial-stdio", "autopilotd.js")
      assert.isNotEmpty(there())
      killForSure(watch.pid)
      for (const pid of running("ssh", join(bed.folder, "config"))) killForSure(pid)
      yield* eventually("no dial-stdio is left", () => there().length === 0)
      // The worker there has not noticed.
      const status = yield* bed.here(["--host", "bash", "status", "--json"])
      assert.deepInclude(JSON.parse(status.stdout).data, { worker_status: "running", total_restarts: 0 })
    })
  )

  unlessMissing(...noSshd)("is only looked at with a key that may only look, whatever is asked for", () =>
    Effect.gen(function* () {
      const bed = yield* sshBed
      yield* withDaemonThere(bed)
      const host = onlyLooks(bed)
      const seen = yield* bed.here(["fleet", "status", "--hosts", host])
      assert.match(seen.stdout, /\nlooking +shop +running /)
      assert.strictEqual(seen.code, 0)
      for (const request of ['{"type":"StopWorker"}', '{"type":"Status"}{"type":"StopWorker"}']) {
        const { stdout } = spawnSync(
          join(bed.folder, "bin/ssh"),
          ["-o", "BatchMode=yes", host, "autopilotd", "dial-stdio"],
          { input: request, encoding: "utf8" }
        )
        const answer = JSON.parse(stdout.split(dialMarker)[1] ?? "")
        assert.strictEqual(answer.code, request.includes("Status") ? undefined : "access_denied")
      }
      const stopped = yield* bed.here(["--host", host, "stop-worker"])
      assert.notStrictEqual(stopped.code, 0)
      const removed = spawnSync(join(bed.folder, "bin/ssh"), [host, "touch", join(bed.there("bash"), "x")])
      assert.isFalse(fs.existsSync(join(bed.there("bash"), "x")), String(removed.stdout))
      const status = yield* bed.here(["--host", "bash", "status", "--json"])
      assert.deepInclude(JSON.parse(status.stdout).data, { worker_status: "running", total_restarts: 0 })
    })
  )

  unlessMissing(...noSshd)(
    "is a stream for any program: dial-stdio with --host reads its standard input",
    () =>
      Effect.gen(function* () {
        const bed = yield* sshBed
        yield* withDaemonThere(bed)
        const { status, stderr, stdout } = spawnSync(launcher, ["--host", "bash", "dial-stdio"], {
          input: '{"type":"Projects"}',
          encoding: "utf8",
          env: { ...process.env, ...bed.env, AUTOPILOT_HOME: bed.home }
        })
        assert.strictEqual(status, 0, stderr)
        const [, answer = ""] = stdout.split(dialMarker)
        assert.strictEqual(JSON.parse(answer).data.projects[0].name, "shop")
      })
  )
})
