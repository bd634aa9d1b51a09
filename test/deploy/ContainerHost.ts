import { execFile, spawn, spawnSync } from "node:child_process"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { promisify } from "node:util"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { noPidNamespaces, noProgram, notRoot } from "../fixtures/Missing.ts"
import { nodeFolder } from "../live/daemon/NodeRelease.ts"
import { keep } from "../live/Keeper.ts"
import { eventually } from "../live/TestDaemon.ts"
import { root } from "./Pages.ts"

/** Why no container can run here; the reasons in their order. */
export const noContainers = [
  notRoot,
  noPidNamespaces,
  noProgram("podman"),
  noProgram("crun"),
  noProgram("mmdebstrap")
]

export interface Said {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A machine of a test's own on which podman runs containers. */
export interface ContainerHost {
  /** Runs lines of bash there, in a folder that has `deploy`. */
  readonly bash: (lines: string, env?: Readonly<Record<string, string>>) => Effect.Effect<Said>
  /** The same for lines that must succeed; returns standard output. */
  readonly sh: (lines: string, env?: Readonly<Record<string, string>>) => Effect.Effect<string>
  /** Writes a file in that folder. */
  readonly write: (name: string, text: string) => void
}

/**
 * The settings of podman in namespaces: crun refuses cgroups of both versions at once and limits above those of this
 * machine, and there is no network.
 */
const engineSettings = `
[containers]
cgroups = "disabled"
netns = "none"
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
[engine]
runtime = "crun"
cgroup_manager = "cgroupfs"
events_logger = "file"
`

const storageSettings = (folder: string) => `
[storage]
driver = "overlay"
graphroot = "${folder}/store"
runroot = "${folder}/run"
`

/** The options of the base: Debian with what the Containerfile would install, and Node 22 and its user as in its first line. */
const baseOptions = (node: string) => [
  "--quiet",
  "--variant=apt",
  '--aptopt=APT::Install-Recommends "false"',
  "--dpkgopt=force-unsafe-io",
  "--dpkgopt=path-exclude=/usr/share/{doc,man,locale}/*",
  "--include=ca-certificates,git,procps,tini,util-linux",
  '--customize-hook=chroot "$1" useradd --create-home --uid 1000 node',
  `--customize-hook=copy-in ${join(node, "node")} /usr/local/bin`
]

/** Returns the archive of the base. Makes it from Debian's mirror, once per machine. */
const baseArchive = async (): Promise<string> => {
  const node = await nodeFolder(22)
  const archive = join(dirname(node), "../../..", "container-base-1.tar")
  if (fs.existsSync(archive)) return archive
  const unfinished = `${archive}.${process.pid}.tar`
  try {
    await promisify(execFile)("mmdebstrap", [...baseOptions(node), "bookworm", unfinished])
    fs.renameSync(unfinished, archive)
  } finally {
    fs.rmSync(unfinished, { force: true })
  }
  return archive
}

/** The first process of the namespaces: all that runs in them is killed when its standard input ends. */
const first = `
mount -n -t cgroup2 cgroup2 /sys/fs/cgroup
ip link set lo up
echo ready
exec cat
`

/** npm packs the checkout, wherever the reader of the page would stand. */
const npmHere = `#!/bin/sh
[ "$*" = "pack --pack-destination deploy" ] || exit 64
here=$PWD
cd '${root}' && exec npm pack --pack-destination "$here/deploy"
`

/** In namespaces of its own for processes, mounts and network, with a store of its own. Gone with the scope. */
export const containerHost: Effect.Effect<ContainerHost, never, Scope.Scope> = Effect.gen(function* () {
  const folder = yield* Effect.acquireRelease(
    Effect.sync(() => {
      const made = fs.mkdtempSync(join(tmpdir(), "apd-containers-"))
      keep(made)
      return made
    }),
    (made) => Effect.sync(() => fs.rmSync(made, { recursive: true, force: true, maxRetries: 5 }))
  )
  const base = yield* Effect.promise(baseArchive)
  fs.writeFileSync(join(folder, "containers.conf"), engineSettings)
  fs.writeFileSync(join(folder, "storage.conf"), storageSettings(folder))
  for (const name of ["bin", "tmp", "work"]) fs.mkdirSync(join(folder, name))
  fs.cpSync(join(root, "deploy"), join(folder, "work/deploy"), { recursive: true })
  for (const name of fs.readdirSync(join(folder, "work/deploy")))
    if (name.endsWith(".tgz")) fs.rmSync(join(folder, "work/deploy", name))
  const realNpm = spawnSync("which", ["npm"], { encoding: "utf8" }).stdout.trim()
  fs.writeFileSync(join(folder, "bin/npm"), npmHere.replace("exec npm", `exec '${realNpm}'`), { mode: 0o755 })

  const outside = yield* Effect.acquireRelease(
    Effect.sync(() => {
      const namespaces = ["--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
      const child = spawn("unshare", [...namespaces, "--propagation", "private", "bash", "-ec", first], {
        detached: true,
        stdio: ["pipe", "pipe", "inherit"]
      })
      child.stdin.on("error", () => {})
      return child
    }),
    (child) =>
      Effect.async<void>((resume) => {
        if (child.exitCode !== null || child.signalCode !== null) return resume(Effect.void)
        child.once("close", () => resume(Effect.void))
        child.stdin.end()
      })
  )
  let said = ""
  outside.stdout.on("data", (chunk: Buffer) => (said += chunk.toString("utf8")))
  yield* eventually("the namespaces are there", () => said.includes("ready"))
  const inside = fs.readFileSync(`/proc/${outside.pid}/task/${outside.pid}/children`, "utf8").trim()
  const environment = {
    HOME: join(folder, "tmp"),
    PATH: [join(folder, "bin"), dirname(process.execPath), process.env["PATH"]].join(":"),
    TMPDIR: join(folder, "tmp"),
    CONTAINERS_CONF: join(folder, "containers.conf"),
    CONTAINERS_STORAGE_CONF: join(folder, "storage.conf"),
    BUILDAH_ISOLATION: "chroot"
  }
  const bash: ContainerHost["bash"] = (lines, env = {}) =>
    Effect.async((resume) => {
      const argv = [
        `--target=${inside}`,
        "--mount",
        "--net",
        "--pid",
        "--",
        "bash",
        "-ec",
        `cd '${folder}/work'\n${lines}`
      ]
      const child = spawn("nsenter", argv, {
        env: { ...environment, ...env },
        stdio: ["ignore", "pipe", "pipe"]
      })
      let stdout = ""
      let stderr = ""
      child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString("utf8")))
      child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString("utf8")))
      child.once("close", (code) => resume(Effect.succeed({ code, stdout, stderr })))
      return Effect.sync(() => void child.kill("SIGKILL"))
    })
  const sh: ContainerHost["sh"] = (lines, env) =>
    Effect.flatMap(bash(lines, env), ({ code, stderr, stdout }) =>
      code === 0
        ? Effect.succeed(stdout)
        : Effect.dieMessage(`"${lines}" ended with ${code} and said: ${stdout}${stderr}`)
    )
  yield* sh(`podman import --quiet '${base}' docker.io/library/node:22-bookworm-slim`)
  return { bash, sh, write: (name, text) => fs.writeFileSync(join(folder, "work", name), text) }
})
