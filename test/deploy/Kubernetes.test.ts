import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { RestartSettings } from "../../src/Domain/settings/RestartSettings.ts"
import { unlessMissing } from "../fixtures/Missing.ts"
import { command, temporaryHome } from "../live/TestDaemon.ts"
import { type Manifest, manifestsIn, typeErrors } from "./Manifests.ts"
import { linesBelow, root } from "./Pages.ts"

const deploy = join(root, "deploy")
const read = (path: string): string => fs.readFileSync(join(deploy, path), "utf8")

/** Why no kubectl here can build an overlay; undefined when one can. */
const noKustomize = ((): string | undefined => {
  try {
    const version = execFileSync("kubectl", ["version", "--client", "--output=json"], { encoding: "utf8" })
    const minor = Number.parseInt(JSON.parse(version).clientVersion.minor, 10)
    return minor >= 22 ? undefined : `it needs kubectl 1.22 or newer, here is 1.${minor}`
  } catch {
    return "it needs kubectl (apt-get install kubernetes-client)"
  }
})()

/** The objects that the commands of docs/kubernetes.md would apply, without the cluster that they need. */
const applied = (heading: string): ReadonlyArray<Manifest> => {
  const lines = linesBelow("kubernetes.md", heading).join("").split("\n")
  const folders = lines.flatMap((line) => /^kubectl apply --kustomize (\S+)$/.exec(line)?.[1] ?? [])
  assert.isNotEmpty(folders)
  return folders.flatMap((folder) =>
    manifestsIn(execFileSync("kubectl", ["kustomize", join(root, folder)], { encoding: "utf8" }))
  )
}

const sandbox = () => manifestsIn(read("agent-sandbox/sandbox.yaml"))

/** The parts of a pod that the tests compare. */
interface PodSpec {
  readonly terminationGracePeriodSeconds: number
  readonly containers: ReadonlyArray<{
    readonly command?: ReadonlyArray<string>
    readonly ports?: ReadonlyArray<{ readonly containerPort: number; readonly name: string }>
  }>
}

/** The pod of an object, wherever it stands in it; undefined without one. */
const podIn = (value: unknown): PodSpec | undefined => {
  if (typeof value !== "object" || value === null) return undefined
  if ("containers" in value) return value as PodSpec
  return Object.values(value)
    .map(podIn)
    .find((found) => found !== undefined)
}

/** The same object with a key that its type does not have, at the place of another one. */
const withWrongKey = (manifest: Manifest, key: string): Manifest => {
  const text = JSON.stringify(manifest)
  assert.include(text, `"${key}":`)
  return JSON.parse(text.replace(`"${key}":`, `"${key}s":`))
}

describe("the manifests for Kubernetes, by the commands of docs/kubernetes.md,", () => {
  unlessMissing(noKustomize)("are of the published types; a key that is not theirs is refused", () =>
    Effect.sync(() => {
      const all = [...applied("Run"), ...applied("One work, then exit"), ...sandbox()]
      assert.sameMembers(
        all.map(({ kind }) => kind),
        [
          "ConfigMap",
          "Secret",
          "StatefulSet",
          "PodMonitor",
          "NetworkPolicy",
          "ConfigMap",
          "Secret",
          "Job",
          "Sandbox"
        ]
      )
      assert.strictEqual(typeErrors(all), "")
      const planted = all.flatMap(
        (manifest) =>
          ({
            StatefulSet: ["terminationGracePeriodSeconds", "readOnlyRootFilesystem", "accessModes"],
            Job: ["podFailurePolicy", "operator"],
            PodMonitor: ["podMetricsEndpoints"],
            NetworkPolicy: ["ipBlock"],
            Sandbox: ["operatingMode", "fsGroup"]
          })[manifest.kind]?.map((key) => withWrongKey(manifest, key)) ?? []
      )
      const said = typeErrors(planted)
      assert.deepStrictEqual(
        planted.flatMap(({ kind }, at) => (said.includes(`${at}-${kind}.ts(`) ? [] : [`${at} ${kind}`])),
        [],
        said
      )
      assert.match(said, /Object literal may only specify known properties/)
    })
  )

  unlessMissing(noKustomize)(
    "give the daemon the grace of its settings, its port and the entry point of the image",
    () =>
      Effect.sync(() => {
        const pods = [...applied("Run"), ...applied("One work, then exit"), ...sandbox()].flatMap(
          (manifest) => podIn(manifest) ?? []
        )
        assert.strictEqual(pods.length, 3)
        const { stopGraceMs } = Schema.decodeSync(RestartSettings)({})
        const entry = JSON.parse(/^ENTRYPOINT (.*)$/m.exec(read("Containerfile"))?.[1] ?? "[]")
        for (const { containers, terminationGracePeriodSeconds } of pods) {
          assert.isAtLeast(terminationGracePeriodSeconds * 1000, stopGraceMs + 15_000)
          const [container] = containers
          if (container?.command !== undefined)
            assert.deepStrictEqual(container.command, [...entry.slice(0, -1), "--exit-when-finished"])
          else assert.deepStrictEqual(container?.ports, [{ containerPort: 7421, name: "metrics" }])
        }
        for (const path of ["kubernetes/overlays/shop/daemon.toml", "nomad/autopilotd.nomad.hcl"])
          assert.match(read(path), /listen = "0\.0\.0\.0:7421"/)
      })
  )

  for (const path of ["kubernetes/overlays/shop", "kubernetes/job"]) {
    it.scopedLive(`have settings that autopilotd accepts: ${path}`, () =>
      Effect.gen(function* () {
        const home = yield* temporaryHome
        const settings = read(`${path}/daemon.toml`)
        const secrets = "/etc/autopilotd-secrets/env"
        assert.include(settings, secrets)
        fs.writeFileSync(join(home, "env"), read(`${path}/env`), { mode: 0o600 })
        fs.writeFileSync(join(home, "claude"), "#!/bin/sh\n", { mode: 0o755 })
        fs.writeFileSync(join(home, "daemon.toml"), settings.replace(secrets, join(home, "env")))
        const env = { HOME: home, PATH: `${home}:${process.env["PATH"]}` }
        const checked = yield* command({ home, args: ["config", "check"], env })
        assert.strictEqual(checked.code, 0, checked.stdout + checked.stderr)
      })
    )
  }
})
