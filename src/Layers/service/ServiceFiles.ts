import * as fs from "node:fs/promises"
import { dirname, isAbsolute, join } from "node:path"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { absoluteFolders, type Launcher, whyFleeting } from "../../Domain/service/Launcher.ts"
import type { ServiceUnit } from "../../Domain/service/ServiceUnit.ts"
import { AutopilotHome } from "../daemon/AutopilotHome.ts"
import { Caller } from "../daemon/Caller.ts"
import { replaceFile } from "../files/AtomicFile.ts"
import type { UnreadableFile } from "../files/SmallFile.ts"
import { errorCode, messageOf, whyNotWritten } from "../files/SystemError.ts"
import { readTextFile } from "../files/TextFile.ts"

/** A file of the service could not be written or removed. */
class ServiceFileFailed extends Data.TaggedError("ServiceFileFailed")<{
  readonly path: string
  /** Continues a sentence that begins with the path. */
  readonly reason: string
}> {
  override get message(): string {
    return `${this.path} ${this.reason}.`
  }
}

export interface FoundFile {
  /** Undefined when it is no text, so that `install` has not written it. */
  readonly text: string | undefined
  readonly isExecutable: boolean
  readonly isLink: boolean
  /** A link to /dev/null: the user has masked the unit. */
  readonly isMask: boolean
}

export interface InstalledFile extends FoundFile {
  readonly path: string
}

/** The files of the service: the launcher and the units. */
export class ServiceFiles extends Context.Tag("ServiceFiles")<
  ServiceFiles,
  {
    /** The launcher for this program, this home and the caller's PATH. */
    readonly launcher: Effect.Effect<Launcher>
    readonly launcherPath: string
    /** The folders for the user's units, the likeliest first. */
    readonly unitFolders: readonly [string, ...ReadonlyArray<string>]
    /** The text of a unit in the package. */
    readonly shipped: (unit: ServiceUnit) => Effect.Effect<string, UnreadableFile>
    /** Undefined when there is no file. */
    readonly read: (path: string) => Effect.Effect<FoundFile | undefined>
    /** The existing files of a unit, in the order of the folders. systemd uses the first. */
    readonly installed: (unit: ServiceUnit) => Effect.Effect<ReadonlyArray<InstalledFile>>
    /** Replaces a file atomically, and makes its folder. `keepFormer` keeps the previous one as `<path>.bak`. */
    readonly write: (
      path: string,
      file: { readonly text: string; readonly mode: number; readonly keepFormer: boolean }
    ) => Effect.Effect<void, ServiceFileFailed>
    readonly remove: (path: string) => Effect.Effect<void, ServiceFileFailed>
    /** The paths of a unit's drop-ins and of its backup. */
    readonly beside: (unitPath: string) => Effect.Effect<ReadonlyArray<string>>
    /** The last lines of a log; none when it is unreadable. */
    readonly lastLines: (path: string, count: number) => Effect.Effect<ReadonlyArray<string>>
  }
>() {}

const tailBytes = 16 * 1024

const tailOf = async (path: string): Promise<string> => {
  const file = await fs.open(path, "r")
  try {
    const { size } = await file.stat()
    const { buffer, bytesRead } = await file.read(
      Buffer.alloc(tailBytes),
      0,
      tailBytes,
      Math.max(0, size - tailBytes)
    )
    return buffer.toString("utf8", 0, bytesRead)
  } finally {
    await file.close()
  }
}

/** Resolves the link that a version manager may make for each shell, because its target stays. */
const lasting = (folder: string): Promise<string> =>
  whyFleeting(folder) === undefined ? Promise.resolve(folder) : fs.realpath(folder).catch(() => folder)

const write = async (
  path: string,
  { keepFormer, mode, text }: { readonly text: string; readonly mode: number; readonly keepFormer: boolean }
): Promise<void> => {
  await fs.mkdir(dirname(path), { recursive: true, mode: 0o700 })
  if (keepFormer) await fs.copyFile(path, `${path}.bak`)
  await replaceFile(path, text, { mode })
}

const read = Effect.fnUntraced(function* (path: string) {
  const stat = yield* Effect.promise(() => fs.lstat(path).catch(() => undefined))
  if (stat === undefined) return undefined
  const isLink = stat.isSymbolicLink()
  const leadsTo = isLink ? yield* Effect.promise(() => fs.readlink(path).catch(() => "")) : undefined
  const file = yield* Effect.option(readTextFile(path))
  return {
    text: Option.isSome(file) ? file.value.text : undefined,
    isExecutable: (stat.mode & 0o100) !== 0,
    isLink,
    isMask: leadsTo === "/dev/null"
  } satisfies FoundFile
})

export const layer: Layer.Layer<ServiceFiles, never, AutopilotHome | Caller> = Layer.effect(
  ServiceFiles,
  Effect.gen(function* () {
    const { binDir, root } = yield* AutopilotHome
    const { environment, program, userHome } = yield* Caller
    const [node] = program
    const bundle = program.at(-1) ?? ""
    const failing = <A>(path: string, explain: (cause: unknown) => string, act: () => Promise<A>) =>
      Effect.tryPromise({
        try: act,
        catch: (cause) => new ServiceFileFailed({ path, reason: explain(cause) })
      })
    const configured = environment["XDG_CONFIG_HOME"]
    // Without a home there is no user manager that looks into any folder.
    const usual = join(userHome ?? "/", ".config/systemd/user")
    const unitFolders =
      configured !== undefined && isAbsolute(configured)
        ? ([join(configured, "systemd/user"), usual] as const)
        : ([usual] as const)
    return ServiceFiles.of({
      launcher: Effect.map(
        Effect.promise(() => Promise.all(absoluteFolders(environment["PATH"]).map(lasting))),
        (folders) => ({
          node,
          bundle,
          path: absoluteFolders(folders.join(":")),
          home: userHome !== undefined && root === join(userHome, ".autopilot") ? undefined : root
        })
      ),
      launcherPath: join(binDir, "autopilotd"),
      unitFolders,
      shipped: (unit) =>
        Effect.map(readTextFile(join(dirname(dirname(bundle)), "systemd", unit.name)), ({ text }) => text),
      read,
      installed: Effect.fnUntraced(function* (unit) {
        const paths = unitFolders.map((folder) => join(folder, unit.name))
        const found = yield* Effect.forEach(paths, (path) =>
          Effect.map(read(path), (file) => (file === undefined ? [] : [{ path, ...file }]))
        )
        return found.flat()
      }),
      write: (path, file) => failing(path, whyNotWritten, () => write(path, file)),
      remove: (path) =>
        failing(
          path,
          (cause) => `could not be removed: ${messageOf(cause)}`,
          () => fs.rm(path, { force: true })
        ),
      beside: (unitPath) =>
        Effect.promise(async () => {
          const folder = `${unitPath}.d`
          const added = await fs.readdir(folder).catch(() => [])
          const kept = await fs.access(`${unitPath}.bak`).then(
            () => [`${unitPath}.bak`],
            () => []
          )
          return [...added.toSorted().map((name) => join(folder, name)), ...kept]
        }),
      lastLines: (path, count) =>
        Effect.promise(() =>
          tailOf(path).catch((cause: unknown) => {
            if (errorCode(cause) === undefined) throw cause
            return ""
          })
        ).pipe(
          Effect.map((text) =>
            text
              .split("\n")
              .filter((line) => line !== "")
              .slice(-count)
          )
        )
    })
  })
)
