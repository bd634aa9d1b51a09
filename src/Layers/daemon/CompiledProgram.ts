import { createHash } from "node:crypto"
import { constants, readFileSync, type Stats } from "node:fs"
import { type FileHandle, lstat, mkdir, open } from "node:fs/promises"
import { createRequire } from "node:module"
import { basename, dirname, isAbsolute, join } from "node:path"
import { setTimeout } from "node:timers"
import { deserialize, serialize, setFlagsFromString } from "node:v8"
import { Script } from "node:vm"
import { replaceFile } from "../files/AtomicFile.ts"
import { userHome } from "./HomeFolder.ts"

/** By then a process that runs for long has run through its start, and V8 has dropped nothing of it. */
const startMs = 10_000

/** Bytecode that a function runs through before V8 considers to compile it, as Node 20 has it by itself. */
const ownBudget = 67_584

/**
 * Sets up V8 for a process that runs for long, before it loads its program. A young generation that does not grow keeps an
 * idle process small. As an option of the command line this would make Node compile its own modules anew at each start.
 * The V8 of Node 20 compiles a function to machine code after three times 66 KiB of its bytecode. A process runs through much
 * code once, at its start: compiled, that costs a fifth of the start, and 3 MiB. What works after the start may work for long.
 * Later versions of V8 wait by themselves.
 */
export const setUpForLongRun = (): void => {
  setFlagsFromString("--semi-space-growth-factor=1")
  if (!process.versions.v8.startsWith("11.")) return
  setFlagsFromString("--interrupt-budget=1000000")
  // V8 refuses code that was saved with other flags than those of the start.
  setTimeout(() => setFlagsFromString(`--interrupt-budget=${ownBudget}`), startMs + 1000).unref()
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

/** The functions of a file that V8 has compiled. V8 itself compares no more than the length of the text. */
interface Compiled {
  /** Of the text of the file. */
  readonly digest: string
  readonly code: Buffer
}

const digestOf = (data: string | Buffer): string =>
  createHash("sha256")
    .update(typeof data === "string" ? Buffer.from(data, "latin1") : data)
    .digest("hex")

/** The length of the digest with which a file of code begins: V8 would run what the disk has damaged. */
const digestLength = 64

const readOwn = async (file: FileHandle): Promise<Buffer | undefined> => {
  try {
    const found = await file.stat()
    return found.isFile() && isOwn(found) ? await file.readFile() : undefined
  } finally {
    await file.close()
  }
}

/** What an earlier start has saved, by the name of the file; nothing where it cannot be trusted. */
const savedCode = async (path: string): Promise<ReadonlyMap<string, Compiled> | undefined> => {
  if (!(await isOwnFolder(dirname(path)))) return undefined
  const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants
  const content = await readOwn(await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK))
  const code = content?.subarray(digestLength)
  const isWhole = code !== undefined && digestOf(code) === content?.toString("latin1", 0, digestLength)
  return isWhole ? deserialize(code) : undefined
}

/** A disk that does not answer delays a start by no more than this. */
const patienceMs = 300

const withinPatience = <A>(question: Promise<A>): Promise<A | undefined> =>
  Promise.race([
    question.catch(() => undefined),
    new Promise<undefined>((resolve) => void setTimeout(resolve, patienceMs, undefined).unref())
  ])

const save = async (path: string, files: ReadonlyMap<string, ProgramFile>): Promise<void> => {
  const compiled = new Map<string, Compiled>()
  for (const [name, { script, source }] of files)
    compiled.set(name, { digest: digestOf(source), code: script.createCachedData() })
  const folder = dirname(path)
  // With `recursive` Node never returns from a folder such as /proc, which has no place for another one.
  for (const made of [dirname(folder), folder]) await mkdir(made, 0o700).catch(() => undefined)
  if (!(await isOwnFolder(folder))) return
  const content = serialize(compiled)
  await replaceFile(path, Buffer.concat([Buffer.from(digestOf(content), "latin1"), content]))
}

interface ProgramFile {
  readonly source: string
  readonly script: Script
  readonly module: { exports: unknown }
}

/** A program, and how it was loaded. */
interface Loaded {
  readonly exports: unknown
  /** Whether all its functions were compiled by an earlier start. */
  readonly isCompiled: boolean
  /** Saves the functions that were compiled so far, for the next start. Rejects where it cannot. */
  readonly save: () => Promise<void>
}

/**
 * Loads a program, whose files are CommonJS in ASCII, in one folder. A third of a start is the compilation of functions that
 * the start before has compiled as well: their code is taken from the folder, `~/.cache/autopilotd` unless given, where the
 * same V8 has saved it with the same flags.
 */
export const loadCompiled = async (entry: string, folder = codeFolder()): Promise<Loaded> => {
  const path = folder === undefined ? undefined : join(folder, `${basename(entry, ".js")}.code`)
  const saved = path === undefined ? undefined : await withinPatience(savedCode(path))
  const home = dirname(entry)
  const files = new Map<string, ProgramFile>()
  let isCompiled = true
  const fileOf = (name: string): ProgramFile => {
    const filename = join(home, name)
    const source = readFileSync(filename, "latin1")
    const earlier = saved?.get(name)
    const cachedData = earlier?.digest === digestOf(source) ? earlier.code : undefined
    const head = "(function(exports,require,module,__filename,__dirname){"
    const script = new Script(`${head}${source}\n})`, {
      filename,
      columnOffset: -head.length,
      ...(cachedData === undefined ? {} : { cachedData })
    })
    isCompiled &&= cachedData !== undefined && script.cachedDataRejected === false
    return { source, script, module: { exports: {} } }
  }
  const requireOutside = createRequire(entry)
  const load = (name: string): unknown => {
    const known = files.get(name)
    if (known !== undefined) return known.module.exports
    const file = fileOf(name)
    files.set(name, file)
    const { module, script } = file
    script.runInThisContext()(module.exports, require, module, join(home, name), home)
    return module.exports
  }
  const require = (name: string): unknown =>
    name.startsWith("./") ? load(name.slice(2)) : requireOutside(name)
  return {
    exports: load(basename(entry)),
    isCompiled,
    save: () => (path === undefined ? Promise.resolve() : save(path, files))
  }
}

/** Loads a bundle, and saves its compiled functions for the next start when this one had none. Returns its exports. */
export const loadAndSave = async (file: string): Promise<unknown> => {
  const { exports, isCompiled, save } = await loadCompiled(file)
  // Without saved code the next start takes longer, and nothing else.
  if (!isCompiled) setTimeout(() => void save().catch(() => undefined), startMs).unref()
  return exports
}
