import * as fs from "node:fs"
import { basename, dirname, join, relative, resolve } from "node:path"
import { assert, beforeAll, describe, it } from "@effect/vitest"
import { build, type Metafile, type Plugin } from "esbuild"

const root = resolve(import.meta.dirname, "../..")
const houses = ["Domain", "Layers", "Programs"] as const
type House = (typeof houses)[number]

interface Source {
  /** From the root: `src/Domain/Project.ts`. */
  readonly path: string
  readonly house: House
  readonly text: string
  /** What it imports, as it is written, dynamic imports included. */
  readonly imports: ReadonlyArray<string>
}

const importsIn = (text: string): ReadonlyArray<string> =>
  [...text.matchAll(/(?:\bfrom\s|^import\s|\bimport\()\s*"([^"]+)"/gm)].map(([, name]) => name ?? "")

const sources: ReadonlyArray<Source> = houses.flatMap((house) =>
  fs
    .readdirSync(join(root, "src", house), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => {
      const path = join("src", house, name)
      const text = fs.readFileSync(join(root, path), "utf8")
      return { path, house, text, imports: importsIn(text) }
    })
)

const isRelative = (name: string): boolean => name.startsWith(".")

/** The house that a relative import leads to, or undefined when it leads out of all of them. */
const houseOf = (source: Source, name: string): House | undefined => {
  const [src, found] = relative(root, resolve(root, dirname(source.path), name)).split("/")
  return src === "src" ? houses.find((house) => house === found) : undefined
}

/** Every import of a house that is not allowed there, as `file: import`. */
const intruders = (house: House, isAllowed: (name: string, source: Source) => boolean) =>
  sources
    .filter((source) => source.house === house)
    .flatMap((source) =>
      source.imports.filter((name) => !isAllowed(name, source)).map((name) => `${source.path}: ${name}`)
    )

const isEffect = (name: string): boolean => /^effect\/[A-Za-z]+$/.test(name)

describe("the walls of the house", () => {
  it("stand around something: each house has files, and each file imports", () => {
    for (const house of houses) assert.isAbove(sources.filter((one) => one.house === house).length, 5, house)
    assert.isAbove(sources.flatMap(({ imports }) => imports).length, sources.length)
    assert.sameMembers(fs.readdirSync(join(root, "src")), [...houses, "Browser"])
  })

  it("keep the browser's code to itself: it knows no other house, no package, and no house knows it", () => {
    const names = fs.readdirSync(join(root, "src/Browser")).filter((name) => name.endsWith(".ts"))
    const imports = names.flatMap((name) =>
      importsIn(fs.readFileSync(join(root, "src/Browser", name), "utf8"))
    )
    assert.isNotEmpty(imports)
    assert.deepStrictEqual(
      imports.filter((name) => !name.startsWith("./")),
      []
    )
    assert.deepStrictEqual(
      sources.flatMap(({ imports: all, path }) =>
        all.filter((name) => name.includes("Browser/")).map(() => path)
      ),
      []
    )
  })

  it("keep Domain pure: it knows effect's modules and itself, no node, no other package", () => {
    assert.deepStrictEqual(
      intruders("Domain", (name, source) =>
        isRelative(name) ? houseOf(source, name) === "Domain" : isEffect(name)
      ),
      []
    )
  })

  it("keep clocks, processes and chance out of Domain, which are there without an import", () => {
    const touching =
      /\b(process\.|Date\.now|new Date\(\)|Math\.random|setTimeout|setInterval|performance\.|fetch\()/
    const found = sources
      .filter(
        ({ house, text }) => house === "Domain" && touching.test(text.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, ""))
      )
      .map(({ path }) => path)
    assert.deepStrictEqual(found, [])
  })

  it("keep Layers from knowing Programs", () => {
    assert.deepStrictEqual(
      intruders("Layers", (name, source) => {
        if (!isRelative(name)) return true
        const house = houseOf(source, name)
        return house === "Domain" || house === "Layers"
      }),
      []
    )
  })

  it("keep node's own modules in Layers", () => {
    assert.deepStrictEqual(
      intruders("Programs", (name, source) =>
        isRelative(name) ? houseOf(source, name) !== undefined : !name.startsWith("node:")
      ),
      []
    )
  })

  it("let one place start programs, which turns every refusal of the system into an error with its cause", () => {
    const starting = sources
      .filter(({ text }) => /^import (?!type ).*"node:child_process"/m.test(text))
      .map(({ path }) => path)
    assert.deepStrictEqual(starting, ["src/Layers/files/ProgramSpawn.ts"])
  })

  it("let packages in by the module, never by the barrel, which costs a second at every start", () => {
    const barrels = sources.flatMap(({ imports, path }) =>
      imports.filter((name) => /^(effect|@effect\/[^/]+)$/.test(name)).map((name) => `${path}: ${name}`)
    )
    assert.deepStrictEqual(barrels, [])
  })

  it("name relative imports by their files", () => {
    const vague = sources.flatMap(({ imports, path }) =>
      imports
        .filter((name) => isRelative(name) && !fs.existsSync(resolve(root, dirname(path), name)))
        .map((name) => `${path}: ${name}`)
    )
    assert.deepStrictEqual(vague, [])
  })

  it("let no fiber that runs for long die unseen: it is a concern, or its file is known to look after it", () => {
    /** Why a fiber of theirs needs no concern. */
    const known: Readonly<Record<string, string>> = {
      "BoundedWait.ts": "one effect, whose end or time limit is awaited",
      "Concerns.ts": "it is what looks after fibers",
      "ControlServer.ts": "one answer on a connection",
      "CurrentRun.ts": "each life reports its end, a defect too",
      "DaemonWatch.ts": "of the panel: its looks outlive a defect, and end with it",
      "HistoryStore.ts": "built before the concerns; its loop outlives a defect",
      "HostsWatch.ts": "of the panel: its loops outlive a defect",
      "InstanceLock.ts": "one making of the home, which is joined",
      "Listeners.ts": "writes after the home was made again, which tell of their failures",
      "LoginLimits.ts": "one write; a failure is an event",
      "MetricsEndpoint.ts": "of the relay: one answer",
      "PatientRace.ts": "racers whose ends are awaited",
      "ProjectSwitch.ts": "the end of one switch",
      "Relay.ts": "whatever becomes of the relay, the daemon goes on; its loop outlives a defect",
      "RotatingFile.ts": "built before the concerns; its loop outlives a defect",
      "StateStore.ts": "one write; a failure is an event",
      "HomeChanges.ts": "without it the home is looked at once a minute",
      "ServiceWatchdog.ts": "joined by the concern that forks it",
      "Supervisor.ts": "the end of one project",
      "TerminationLog.ts": "one look, a second after the start",
      "Uncaught.ts": "one warning",
      "WorkerRun.ts": "one look, of a second at most"
    }
    const forking = sources
      .filter(({ house, text }) => house === "Layers" && /\bEffect\.fork|\bFiberSet\./.test(text))
      .map(({ path }) => basename(path))
    assert.sameMembers(forking, Object.keys(known))
  })

  it("let no program run whose fibers could lose an interruption", () => {
    const runs = sources.filter(({ text }) => /\bEffect\.runFork\(|\brunMain\(/.test(text))
    assert.isAtLeast(runs.length, 3)
    const unkept = runs.filter(({ text }) => !/\b(?:keepingInterruptions|provideInTurn)\b/.test(text))
    assert.deepStrictEqual(
      unkept.map(({ path }) => path),
      []
    )
  })

  it("hold one idea a file: at most 300 lines, and no drawer for the rest", () => {
    const long = sources.filter(({ text }) => text.split("\n").length > 301).map(({ path }) => path)
    assert.deepStrictEqual(long, [])
    const drawers = sources
      .map(({ path }) => path)
      .filter((path) => /(utils?|helpers?|misc|common|index)\.ts$/i.test(path))
    assert.deepStrictEqual(drawers, [])
  })
})

/** What the build does too: see scripts/pure.mjs and scripts/shapes.mjs. */
const { pureDomain }: { readonly pureDomain: Plugin } = await import(join(root, "scripts/pure.mjs"))
const { madeShapes }: { readonly madeShapes: Plugin } = await import(join(root, "scripts/shapes.mjs"))

const bundleOf = (entry: string) =>
  build({
    plugins: [madeShapes, pureDomain],
    define: { AUTOPILOTD_TWIN_KEYS: '"{}"' },
    absWorkingDir: root,
    entryPoints: [entry],
    outdir: "dist",
    bundle: true,
    minify: true,
    platform: "node",
    format: "esm",
    write: false,
    metafile: true,
    logLevel: "silent"
  })

/** The files of which something is in a bundle. */
const heldIn = (output: Metafile["outputs"][string] | undefined): ReadonlyArray<string> =>
  Object.entries(output?.inputs ?? {}).flatMap(([path, { bytesInOutput }]) =>
    bytesInOutput > 0 ? [path] : []
  )

const shapeModules = sources
  .map(({ path }) => relative(root, path))
  .filter((path) => /Domain\/\w+\/\w+Shapes?\.ts$/.test(path))

describe("the shapes in a bundle", () => {
  it.each(shapeModules)("are those that %s makes of schemas", async (module) => {
    const { outputFiles } = await bundleOf(module)
    const code = Buffer.from(outputFiles[0]?.contents ?? []).toString("base64")
    const bundled: Readonly<Record<string, () => unknown>> = await import(
      /* @vite-ignore */ `data:text/javascript;base64,${code}`
    )
    const own: typeof bundled = await import(join(root, module))
    assert.isNotEmpty(Object.keys(own))
    for (const [name, make] of Object.entries(own)) assert.deepStrictEqual(bundled[name]?.(), make(), name)
  })
})

describe("the bundle that starts first", () => {
  it("is small, and has of Effect only the keys of a table: each command waits for it", async () => {
    const { metafile } = await bundleOf("src/Programs/main.ts")
    const [output] = Object.values(metafile.outputs)
    assert.isBelow(output?.bytes ?? Number.POSITIVE_INFINITY, 27_500)
    const inputs = heldIn(output)
    assert.deepStrictEqual(
      inputs.filter((path) => /cli\/(\w+Texts|Manual|Help|\w*Dialogues?)\.ts$/.test(path)),
      []
    )
    assert.deepStrictEqual(
      inputs.filter((path) => path.includes("node_modules/")),
      ["node_modules/effect/dist/esm/Struct.js"]
    )
  })
})

describe("the bundles of the commands that only talk to the daemon", () => {
  it.each([
    ["src/Programs/cli/StatusRoad.ts", 28_500],
    ["src/Programs/cli/TalkRoad.ts", 31_500]
  ])("are small, and have nothing of Effect: %s", async (entry, maxBytes) => {
    const { metafile } = await bundleOf(entry)
    const [output] = Object.values(metafile.outputs)
    assert.isBelow(output?.bytes ?? Number.POSITIVE_INFINITY, maxBytes)
    assert.deepStrictEqual(
      heldIn(output).filter((path) => path.includes("node_modules/")),
      []
    )
  })
})

describe("the bundles of the commands that read files", () => {
  it.each([
    ["src/Programs/history/HistoryRoad.ts", 77_000, []],
    ["src/Programs/logs/LogsRoad.ts", 71_000, ["Function", "Hash"]]
  ])("are small, and have of Effect no data type and no schema: %s", async (entry, maxBytes, effect) => {
    const { metafile } = await bundleOf(entry)
    const [output] = Object.values(metafile.outputs)
    assert.isBelow(output?.bytes ?? Number.POSITIVE_INFINITY, maxBytes)
    assert.sameMembers(
      heldIn(output).filter((path) => path.includes("node_modules/")),
      effect.map((name) => `node_modules/effect/dist/esm/${name}.js`)
    )
  })
})

describe("the bundle of --host", () => {
  it("starts before each command there, so it has of Effect only its data types", async () => {
    const { metafile } = await bundleOf("src/Programs/remote/Remote.ts")
    const inputs = Object.keys(metafile.inputs)
    assert.include(inputs, "src/Layers/remote/SshRun.ts")
    assert.deepStrictEqual(
      inputs.filter((path) =>
        /node_modules\/effect\/.*\/(Effect|Schema|Context|Layer|Data|DateTime|Fiber)\.js$/.test(path)
      ),
      []
    )
  })
})

describe("the bundle of the whole program", () => {
  let inputs: Metafile["inputs"] = {}

  beforeAll(async () => {
    inputs = (await bundleOf("src/Programs/Program.ts")).metafile.inputs
  })

  /** The files that are evaluated when these are: what stands behind `import()` waits until it is asked for. */
  const evaluated = (...entries: ReadonlyArray<string>): ReadonlyArray<string> => {
    const seen = new Set<string>()
    const visit = (path: string): void => {
      if (seen.has(path)) return
      seen.add(path)
      for (const { external, kind, path: next } of inputs[path]?.imports ?? []) {
        if (external !== true && kind !== "dynamic-import") visit(next)
      }
    }
    entries.forEach((entry) => {
      assert.property(inputs, entry)
      visit(entry)
    })
    return [...seen]
  }

  const from = (paths: ReadonlyArray<string>, packages: RegExp): ReadonlyArray<string> =>
    paths.filter((path) => packages.test(path))

  it("holds nothing that talks to a network or a database, and nothing native", () => {
    assert.deepStrictEqual(
      from(
        Object.keys(inputs),
        /node_modules\/(undici|ws|mime|multipasta|find-my-way-ts|msgpackr|@parcel\/watcher|@effect\/(sql|cluster|workflow|rpc|experimental|opentelemetry))\//
      ),
      []
    )
  })

  /** What the daemon and the quick commands must not carry. */
  const heavy =
    /node_modules\/(@effect\/(cli|printer|printer-ansi)|toml-eslint-parser)\/|\/CommandTree\.ts|\/SettingsSchema\.ts|Page\.ts/

  it("loads @effect/cli, when it is needed, and only then", () => {
    assert.isNotEmpty(from(Object.keys(inputs), heavy))
    assert.deepStrictEqual(from(evaluated("src/Programs/Program.ts"), heavy), [])
  })

  it("answers the frequent commands without the daemon's modules", () => {
    const ofHistory = "Domain/cli/HistoryDialogues"
    const ofCommands = ["cli/DialogueRun", "daemon/Stop", "guard/Hogs", "history/Why"]
    for (const name of [ofHistory, ...ofCommands.map((one) => `Programs/${one}`)]) {
      const paths = evaluated("src/Programs/Program.ts", `src/${name}.ts`)
      assert.deepStrictEqual(from(paths, heavy), [], name)
      assert.deepStrictEqual(
        from(paths, /Supervisor|ProjectActor|WorkerProcess|SettingsLoader|smol-toml/),
        [],
        name
      )
    }
  })
})

describe("the bundle of the daemon", () => {
  let built: Metafile | undefined

  beforeAll(async () => {
    built = (await bundleOf("src/Programs/daemon/Serve.ts")).metafile
  })

  it("holds no other command, nothing of @effect/cli, no web and no terminal, because it stays in memory all night", () => {
    const inputs = Object.keys(built?.inputs ?? {})
    assert.include(inputs, "src/Layers/worker/Supervisor.ts")
    const foreign =
      /@effect\/|\/Programs\/(cli\/Command(s|Run|Tree)|config|doctor|history|logs|panel|relay|service|status)|\/panel\/|\/(Help|Manual|\w+Texts|\w+Page|SettingsSchema|ControlClient)\.ts/
    assert.deepStrictEqual(
      inputs.filter((path) => foreign.test(path)),
      []
    )
  })

  it("is no larger than what a start can read and evaluate in a moment", () => {
    const [output] = Object.values(built?.outputs ?? {})
    assert.isBelow(output?.bytes ?? Number.POSITIVE_INFINITY, 840_000)
  })
})
