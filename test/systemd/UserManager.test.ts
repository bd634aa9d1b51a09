import { spawn } from "node:child_process"
import * as fs from "node:fs"
import { resolve } from "node:path"
import { createInterface } from "node:readline"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { eventually, isAlive, killForSure } from "../live/TestDaemon.ts"
import { fixture, node } from "./Machine.ts"
import { underUserManager } from "./UserManager.ts"

const mounts = () => fs.readFileSync("/proc/mounts", "latin1")

describe("a user manager of a test's own", () => {
  underUserManager(
    "is the user's, starts units, knows their lines, and sees no more than it may",
    (manager) =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* manager.run('echo "$1"; echo why >&2; exit 3', "one two"), {
          code: 3,
          stdout: "one two\n",
          stderr: "why\n"
        })
        assert.strictEqual(yield* manager.sh(`${node} --version`), process.version)
        assert.strictEqual((yield* manager.run('echo >>"$1"', fixture("sleeps.sh"))).code, 1)
        assert.match(yield* manager.asRoot('echo >>"$1" || true', fixture("sleeps.sh")), /^$/)
        assert.notInclude(yield* manager.sh("cat /proc/[0-9]*/cmdline | tr '\\0' ' '"), "vitest")
        assert.strictEqual(
          yield* manager.sh("id -un; pwd; systemctl --user is-system-running"),
          "tester\n/home/tester\nrunning"
        )
        // The journal asks for the unit of a line when it takes it: one that has exited has none any more.
        yield* manager.sh(
          `systemd-run --user --quiet --unit=speaks sh -c 'while :; do echo "said as a service"; sleep 0.1; done'`
        )
        yield* eventually(
          "its line is in the user's journal",
          Effect.map(
            manager.sh("journalctl --user -u speaks -o cat"),
            (text) => /^said as a service$/m.test(text) || undefined
          )
        )
        yield* manager.sh("systemctl --user stop speaks")
        const cgroup = yield* manager.sh(
          "systemd-run --user --quiet --pipe --wait grep ^0:: /proc/self/cgroup"
        )
        assert.match(
          cgroup,
          /^0::\/user\.slice\/user-1500\.slice\/user@1500\.service\/app\.slice\/run-\w+\.service$/
        )
      })
  )

  underUserManager("leaves nothing behind when the test that had it is killed", () =>
    Effect.gen(function* () {
      const before = mounts()
      const told: Record<string, string> = {}
      // In the place of a test: it has made a machine, something runs there, and it is killed.
      const test = spawn(
        process.execPath,
        [
          "-e",
          'require("node:child_process").spawn(process.argv[1], ["user-manager"], { stdio: ["pipe", "inherit", "inherit"], detached: true })',
          resolve(import.meta.dirname, "machine.sh")
        ],
        { stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, NODE: process.execPath } }
      )
      yield* Effect.addFinalizer(() => Effect.sync(() => killForSure(test.pid ?? 0)))
      createInterface({ input: test.stdout }).on("line", (line) => {
        const [word = "", value = ""] = line.split(" ")
        told[word] = value
      })
      const { folder, group, pid } = yield* eventually("it has a machine", () => {
        const { folder, group, pid } = told
        return folder === undefined || group === undefined || pid === undefined
          ? undefined
          : { folder, group, pid }
      })
      assert.isTrue(isAlive(Number(pid)))
      assert.isTrue(fs.existsSync(folder) && fs.existsSync(group))
      test.kill("SIGKILL")
      yield* eventually("all of it is gone", () =>
        fs.existsSync(folder) || fs.existsSync(group) || isAlive(Number(pid)) ? undefined : true
      )
      assert.strictEqual(mounts(), before)
    })
  )
})
