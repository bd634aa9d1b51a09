import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { unlessMissing } from "../fixtures/Missing.ts"
import { eventually } from "../live/TestDaemon.ts"
import { containerHost, noContainers } from "./ContainerHost.ts"
import { linesBelow } from "./Pages.ts"

/** The words of the command that runs one more container as docs/containers.md does, in the foreground and under another name. */
const second = (run: string): string =>
  (run.split("podman ").find((words) => words.includes("--detach")) ?? "")
    .replace("--detach --name agents", "--rm --name second")
    .replace("--restart on-failure ", "")

describe("a container of the shipped Containerfile, without a network, by the commands of docs/containers.md,", () => {
  unlessMissing(...noContainers)(
    "supervises without capabilities on a read-only root, leaves no zombie, refuses a second one, and stops cleanly",
    () =>
      Effect.gen(function* () {
        const { bash, sh } = yield* containerHost
        yield* sh(linesBelow("containers.md", "Build").join(""))
        const [run = "", look = ""] = linesBelow("containers.md", "Run")
        yield* sh(run, { ANTHROPIC_API_KEY: "a-key-of-a-test" })

        const running = yield* eventually(
          "the worker runs",
          Effect.flatMap(bash("podman exec agents autopilotd status --json"), ({ stdout }) =>
            Effect.try(() => {
              const { data } = JSON.parse(stdout)
              return data.worker_status === "running" && data.uptime_seconds >= 5 ? data : undefined
            })
          )
        )
        assert.isAbove(running.daemon_pid, 1)
        assert.strictEqual(
          yield* sh("podman exec agents cat .autopilot/env"),
          "ANTHROPIC_API_KEY=a-key-of-a-test\n"
        )
        assert.strictEqual(
          yield* sh("podman exec agents sh -c 'node --version | cut -d. -f1; id -u'"),
          "v22\n1000\n"
        )
        assert.match(yield* sh("podman exec agents cat /proc/2/status"), /CapEff:\t0+\nCapBnd:\t0+\n/)
        assert.notStrictEqual((yield* bash("podman exec agents touch /usr/mine")).code, 0)

        const processes = sh("podman exec agents ps -eo ppid=,stat=,args=")
        yield* eventually(
          "the worker has left an orphan to process 1",
          Effect.map(processes, (text) => /^ *1 S +sleep 1$/m.test(text) || undefined)
        )
        const all = yield* processes
        assert.match(all, /^ *0 \S+ +tini -- autopilotd start --keep-state$/m)
        assert.notMatch(all, /^ *\d+ Z/m)

        const refused = yield* bash(`podman ${second(run)}`)
        assert.strictEqual(refused.code, 1)
        assert.match(
          refused.stderr,
          /^autopilotd: A daemon is already running for \/home\/node\/\.autopilot\./m
        )

        const looked = yield* sh(look)
        assert.match(looked, /^Worker status: {2}running$/m)
        assert.strictEqual(
          yield* sh("podman inspect agents --format '{{.State.ExitCode}} {{.State.Status}}'"),
          "0 exited\n"
        )
        assert.match(
          yield* sh("podman logs agents 2>&1"),
          /Shutting down: SIGTERM\n.*\n.*Stopped; all workers have exited\n$/s
        )

        const set = (argv: string) =>
          sh(
            `podman run --rm --volume agents:/home/node --entrypoint autopilotd localhost/autopilotd config set worker_command '{ type = "Command", argv = ${argv} }'`
          )
        const [batch = ""] = linesBelow("containers.md", "One work, then exit")
        yield* set('["true"]')
        yield* sh(batch)
        yield* set('["/nonexistent"]')
        yield* sh(
          "podman run --rm --volume agents:/home/node --entrypoint autopilotd localhost/autopilotd config set restart.max_consecutive_restarts 1"
        )
        assert.strictEqual((yield* bash(batch)).code, 78)
      })
  )
})
