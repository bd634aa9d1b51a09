import { createHash, type Hash } from "node:crypto"
import { constants, readFileSync, type Stats } from "node:fs"
import { access, type FileHandle, lstat, mkdir, open } from "node:fs/promises"
import { createRequire } from "node:module"
import { basename, dirname, isAbsolute, join } from "node:path"
import { setTimeout } from "node:timers"
import { setFlagsFromString } from "node:v8"
import { Script } from "node:vm"
import { replaceFile } from "../files/AtomicFile.ts"
import { userHome } from "./HomeFolder.ts"

/**
 * Keeps the young generation of V8 small, and with it an idle process. As an option of the command line this would make Node
 * compile its own modules anew at each start.
 */
export const keepYoungSmall = (): void => setFlagsFromString("--semi-space-growth-factor=1")

/** Bytecode that a function runs through before V8 considers to compile it, as Node 20 has it by itself, and at a start. */
const ownBudget = 67_584
const startBudget = 1_000_000

/**
 * The V8 of Node 20 compiles a function to machine code after three times 66 KiB of its bytecode. A daemon runs through much
 * code a few times only at its start: compiled, that costs a fifth of the start, and 3 MiB. Later it is V8's own again: a
 * flood of requests or of output takes a third less time compiled. Later versions of V8 wait by themselves, and refuse this.
 */
const setBudget = (bytes: number): void => {
  if (process.versions.v8.startsWith("11.")) setFlagsFromString(`--interrupt-budget=${bytes}`)
}

/** The folder of compiled code, `~/.cache/autopilotd`; undefined where its path is not known or not absolute. */
const codeFolder = (): string | undefined => {
  const configured = process.env["XDG_CACHE_HOME"]
  const home = userHome()
  const caches = configured || (home === undefined ? undefined : join(home, ".cache"))
  return caches !== undefined && isAbsolute(caches) ? join(caches, "autopilotd") : undefined
}

/** Whether nobody else than this user can have written it: V8 runs compiled code as it is. */
const isOwn = ({ mode, uid }: Stats): boolean => uid === process.getuid?.() && (mode & 0o022) === 0

const isOwnFolder = async (folder: string): Promise<boolean> => {
  const found = await lstat(folder)
  return found.isDirectory() && isOwn(found)
}

/** The length of a digest, with which the file ends. */
const digestLength = 32

/** V8 compares no more than the length of a program with that of the code, and checks no damage: the digest covers both. */
const digestOf = (sources: ReadonlyArray<Source>, rest: Hash): Buffer => {
  for (const { digest } of sources) rest.update(digest)
  return rest.digest()
}

const readOwn = async (file: FileHandle): Promise<Buffer | undefined> => {
  try {
    const found = await file.stat()
    return found.isFile() && isOwn(found) ? await file.readFile() : undefined
  } finally {
    await file.close()
  }
}

/** A file of the program: its text until it is loaded, and the digest of that. */
interface Source {
  text: Buffer | undefined
  readonly digest: Buffer
}

type SourceOf = (name: string) => Source

/** Reads each file of a folder once: the code that is saved later belongs to what was loaded, also after an upgrade. */
const sourcesIn = (folder: string): SourceOf => {
  const sources = new Map<string, Source>()
  return (name) => {
    const known = sources.get(name)
    if (known !== undefined) return known
    const text = readFileSync(join(folder, name))
    const source = { text, digest: createHash("sha256").update(text).digest() }
    sources.set(name, source)
    return source
  }
}

/**
 * The content of the file: the code of each file of the program, a line with their names and lengths, and the digest. It is made
 * piece by piece: as a whole it would stay in the memory of a daemon three times. V8 copies no code that begins as words do.
 */
async function* contentOf(sourceOf: SourceOf, scripts: ReadonlyMap<string, Script>): AsyncIterable<Buffer> {
  const hash = createHash("sha256")
  const files: Array<readonly [name: string, length: number]> = []
  for (const [name, script] of scripts) {
    const code = script.createCachedData()
    files.push([name, code.length])
    hash.update(code)
    yield code
  }
  const index = Buffer.from(`\n${JSON.stringify(files)}`, "latin1")
  yield index
  const sources = files.map(([name]) => sourceOf(name))
  yield digestOf(sources, hash.update(index))
}

const codesIn = (sourceOf: SourceOf, content: Buffer): ReadonlyMap<string, Buffer> => {
  const rest = content.subarray(0, -digestLength)
  const files: ReadonlyArray<readonly [name: string, length: number]> = JSON.parse(
    rest.toString("latin1", rest.lastIndexOf("\n"))
  )
  const sources = files.map(([name]) => sourceOf(name))
  const isWhole = digestOf(sources, createHash("sha256").update(rest)).equals(content.subarray(-digestLength))
  let at = 0
  return new Map(isWhole ? files.map(([name, length]) => [name, rest.subarray(at, (at += length))]) : [])
}

/** The code that an earlier start has saved for this program; rejects, or is empty, without any that can be trusted. */
const savedCodes = async (path: string, sourceOf: SourceOf): Promise<ReadonlyMap<string, Buffer>> => {
  if (!(await isOwnFolder(dirname(path)))) return new Map()
  const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants
  const content = await readOwn(await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK))
  return content === undefined ? new Map() : codesIn(sourceOf, content)
}

/** A disk that does not answer delays a start by no more than this. */
const patienceMs = 300

const within = <A>(ms: number, question: Promise<A>): Promise<A | undefined> =>
  Promise.race([
    question.catch(() => undefined),
    new Promise<undefined>((resolve) => void setTimeout(resolve, ms, undefined).unref())
  ])

const save = async (path: string, content: AsyncIterable<Buffer>): Promise<void> => {
  // With `recursive` Node never returns from a folder such as /proc, which has no place for another one.
  for (const made of [dirname(dirname(path)), dirname(path)]) await mkdir(made, 0o700).catch(() => undefined)
  if (await isOwnFolder(dirname(path))) await replaceFile(path, content)
}

/** A program, and how it was loaded. */
interface Loaded {
  readonly exports: unknown
  /** Whether the functions of all its files were compiled by an earlier start. */
  readonly isCompiled: boolean
  /** Saves the functions that were compiled so far, for the next start. Rejects where it cannot. */
  readonly save: () => Promise<void>
}

const head = "(function(exports,require,module,__filename,__dirname){"

/**
 * Loads a program of CommonJS in ASCII, with the files of its folder that it requires. A third of a start is the compilation
 * of functions that the start before has compiled as well: their code is taken from the folder, `~/.cache/autopilotd` unless
 * given, where the same V8 has saved it with the same flags.
 */
export const loadCompiled = async (file: string, codes = codeFolder()): Promise<Loaded> => {
  const folder = dirname(file)
  const sourceOf = sourcesIn(folder)
  const path = codes === undefined ? undefined : join(codes, `${basename(file, ".js")}.code`)
  let saved = path === undefined ? undefined : await within(patienceMs, savedCodes(path, sourceOf))
  const elsewhere = createRequire(file)
  const scripts = new Map<string, Script>()
  const modules = new Map<string, { exports: unknown }>()
  const load = (name: string): unknown => {
    const known = modules.get(name)
    if (known !== undefined) return known.exports
    const at = join(folder, name)
    const cachedData = saved?.get(name)
    const source = sourceOf(name)
    // Bundles are ASCII.
    const script = new Script(`${head}${source.text?.toString("latin1")}\n})`, {
      filename: at,
      columnOffset: -head.length,
      ...(cachedData === undefined ? {} : { cachedData })
    })
    source.text = undefined
    const module = { exports: {} }
    scripts.set(name, script)
    modules.set(name, module)
    const require = (id: string): unknown => (id.startsWith("./") ? load(id.slice(2)) : elsewhere(id))
    script.runInThisContext()(module.exports, require, module, at, folder)
    return module.exports
  }
  const exports = load(basename(file))
  // Otherwise the program would hold it through `require`: megabytes that V8 has copied.
  saved = undefined
  return {
    exports,
    isCompiled: [...scripts.values()].every(({ cachedDataRejected }) => cachedDataRejected === false),
    save: async () => {
      if (path !== undefined) await save(path, contentOf(sourceOf, scripts))
    }
  }
}

/** By then a daemon has run through its start, and V8 has dropped nothing of it. */
const startMs = 10_000

/**
 * Sets up V8, loads a program, and saves its compiled functions for the next start when this one had none. Returns its
 * exports.
 */
export const loadForLongRun = async (file: string): Promise<unknown> => {
  // The modules of Node that a daemon needs come from Node's cache only while no flag is set.
  await Promise.all([import("node:child_process"), import("node:cluster"), import("node:perf_hooks")])
  keepYoungSmall()
  setBudget(startBudget)
  const { exports, isCompiled, save } = await loadCompiled(file)
  const endStart = async () => {
    // The code is made before the flag changes: V8 takes it only under the flags it was made with. Without it the next start
    // takes longer, and nothing else.
    if (!isCompiled) await within(startMs, save())
    setBudget(ownBudget)
  }
  setTimeout(() => void endStart(), startMs).unref()
  return exports
}

/**
 * Sets up V8 for a program that ends soon: to mark the heap for a collection that comes after its end takes a tenth of a
 * command, and to compile functions to machine code that it hardly runs another tenth.
 */
const hurry = (): void => {
  setFlagsFromString("--no-incremental-marking")
  setBudget(startBudget)
}

const isUsable = async (folder: string): Promise<boolean> => {
  await access(folder, constants.W_OK)
  return isOwnFolder(folder)
}

/**
 * Loads a program that runs for a moment: its exports, and what saves its compiled functions at its end when it had none. A
 * command makes no folder for them: without the one of a daemon it is loaded as any program.
 */
export const loadForMoment = async (
  file: string,
  codes = codeFolder()
): Promise<Pick<Loaded, "exports" | "save">> => {
  hurry()
  if (codes === undefined || (await within(patienceMs, isUsable(codes))) !== true)
    return { exports: createRequire(file)(file), save: async () => undefined }
  const { exports, isCompiled, save } = await loadCompiled(file, codes)
  return { exports, save: async () => void (isCompiled || (await within(patienceMs, save()))) }
}
