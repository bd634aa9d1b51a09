import { afterAll, assert, beforeAll, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { unlessMissing } from "../fixtures/Missing.ts"
import { eventually } from "../live/TestDaemon.ts"
import { agent, init, result } from "../live/worker/SayingAgent.ts"
import { type ContainerHost, containerHost, noContainers } from "./ContainerHost.ts"
import { linesBelow } from "./Pages.ts"

/** The words of the command that runs one more container as docs/containers.md does, in the foreground and under another name. */
const second = (run: string): string =>
  (run.split("podman ").find((words) => words.includes("--detach")) ?? "")
    .replace("--detach --name agents", "--rm --name second")
    .replace("--restart on-failure ", "")

const missing = noContainers.filter((reason) => reason !== undefined)

let host: ContainerHost
const scope = Effect.runSync(Scope.make())

/** One image for all tests, built from the shipped files by the commands of the page. */
beforeAll(async () => {
  if (missing.length > 0) return
  host = await Effect.runPromise(Scope.extend(containerHost, scope))
  await Effect.runPromise(host.sh(linesBelow("containers.md", "Build").join("")))
})

afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))

describe("a container of the shipped Containerfile, without a network, by the commands of docs/containers.md,", () => {
  unlessMissing(...missing)(
    "supervises without capabilities on a read-only root, leaves no zombie, refuses a second one, and stops cleanly",
    () =>
      Effect.gen(function* () {
        const { bash, sh } = host
        const [written = "", look = ""] = linesBelow("containers.md", "Run")
        // An agent that leaves orphans stands in for Claude Code, which is not in the image.
        const run = written.replace(
          /\["claude".*?\]/,
          '["sh", "-c", "while :; do (sleep 1 &); sleep 0.3; done"]'
        )
        assert.notStrictEqual(run, written)
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
        assert.match(yield* processes, /^ *0 \S+ +tini -- autopilotd start --keep-state$/m)
        // An exit is a zombie until its parent has taken it; one that nobody takes stays.
        yield* eventually(
          "no zombie is left",
          Effect.map(processes, (text) => !/^ *\d+ Z/m.test(text) || undefined)
        )

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

  unlessMissing(...missing)("has zombies without its init: what the test above looks for can be there", () =>
    Effect.gen(function* () {
      const { sh } = host
      const daemon = "/usr/local/lib/autopilotd/package/dist/autopilotd.js start -- sh -c"
      const leaves = "'while :; do (sleep 0.1 &); sleep 0.2; done'"
      yield* sh(`podman run --detach --name bare --entrypoint node localhost/autopilotd ${daemon} ${leaves}`)
      yield* eventually(
        "a zombie",
        Effect.map(sh("podman exec bare ps -eo ppid=,stat="), (text) => /^ *1 Z/m.test(text) || undefined)
      )
      yield* sh("podman stop bare")
    })
  )
})

/** A program that the pods take for Claude Code. */
const claude = (script: string): string => `#!/bin/sh\n${script}\n`

/** Runs a container as the manifest of a pod says, with the files of a folder of deploy/kubernetes as its ConfigMap and Secret. */
const pod = (folder: string, options: string, words: string): string => `
mkdir -p settings secrets
cp deploy/kubernetes/${folder}/daemon.toml settings/
cp deploy/kubernetes/${folder}/env secrets/
chgrp 1000 secrets/env; chmod 440 secrets/env
chmod 755 claude
podman run --user 1000:1000 --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges \
  --volume $PWD/settings:/etc/autopilotd:ro --volume $PWD/secrets:/etc/autopilotd-secrets:ro \
  --volume $PWD/claude:/usr/local/bin/claude:ro --env KUBERNETES_SERVICE_HOST=10.0.0.1 \
  --volume $PWD/termination-log:/dev/termination-log ${options} localhost/autopilotd ${words}
`

/** As the kubelet makes the file of a container. */
const terminationLog = "rm -f termination-log; install -m 666 /dev/null termination-log\n"

const probe = (path: string): string =>
  `podman exec pod node -e 'fetch("http://127.0.0.1:7421${path}").then(({ status }) => console.log(status))'`

describe("the container of the manifests for Kubernetes", () => {
  unlessMissing(...missing)("answers the probes with the settings of the overlay, and stops cleanly", () =>
    Effect.gen(function* () {
      const { bash, sh, write } = host
      write("claude", claude("exec sleep 1000"))
      const words = "--config /etc/autopilotd/daemon.toml"
      yield* sh(terminationLog + pod("overlays/shop", "--detach --name pod --volume pod:/home/node", words))
      for (const path of ["/healthz", "/readyz"])
        yield* eventually(
          `${path} answers`,
          Effect.map(bash(probe(path)), ({ stdout }) => stdout === "200\n" || undefined)
        )
      yield* sh("podman stop --time 25 pod")
      assert.strictEqual(yield* sh("podman inspect pod --format '{{.State.ExitCode}}'"), "0\n")
      assert.match(yield* sh("cat termination-log"), /^autopilotd has ended with exit code 0: SIGTERM\.\n/)
    })
  )

  unlessMissing(...missing)(
    "ends as a Job with the code for a login, and says so in the termination log",
    () =>
      Effect.gen(function* () {
        const { bash, sh, write } = host
        const refused = result({ result: "Invalid API key · Please run /login", api_error_status: 401 })
        const [, , script = ""] = agent(1, init, refused)
        write("claude", claude(script))
        const words = "-- autopilotd start --exit-when-finished --config /etc/autopilotd/daemon.toml"
        const { code, stderr } = yield* bash(
          terminationLog + pod("job", "--rm --tmpfs /home/node --entrypoint tini", words)
        )
        assert.strictEqual(code, 77, stderr)
        assert.match(
          yield* sh("cat termination-log"),
          /^autopilotd has ended with exit code 77: .*a login is needed by nightly\.\nThe worker of nightly is failed: not logged in/
        )
      })
  )
})
