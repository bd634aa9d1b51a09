import * as fs from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { fileStamps } from "../../../src/Layers/files/FileStamps.ts"
import { EnvFile, layer } from "../../../src/Layers/worker/EnvFile.ts"
import { eventually } from "../../live/TestDaemon.ts"

const envFile = Effect.gen(function* () {
  const folder = yield* Effect.acquireRelease(
    Effect.promise(() => fs.mkdtemp(join(tmpdir(), "autopilotd-env-"))),
    (made) => Effect.promise(() => fs.rm(made, { recursive: true, force: true }))
  )
  const path = join(folder, "env")
  const write = (text: string | Uint8Array, mode = 0o600) =>
    Effect.promise(async () => {
      await fs.writeFile(path, text)
      await fs.chmod(path, mode)
    })
  const { read } = yield* EnvFile
  return { folder, path, read, write }
}).pipe(Effect.provide(layer))

const optional = { mustExist: false }

describe("EnvFile", () => {
  it.scoped("is read each time, so that a rotated key works at the next start (D20)", () =>
    Effect.gen(function* () {
      const { path, read, write } = yield* envFile
      yield* write("KEY=old\n")
      assert.deepStrictEqual(yield* read(path, optional), { values: { KEY: "old" }, warnings: [] })
      yield* write("KEY='new'\n")
      assert.deepStrictEqual((yield* read(path, optional)).values, { KEY: "new" })
    })
  )

  it.scopedLive("is read again when it has changed, and not when it has not, at every start", () =>
    Effect.gen(function* () {
      const { folder, path, read, write } = yield* envFile
      const asRead = Effect.flatMap(fileStamps("shop", [path]), (stamps) =>
        read(path, { mustExist: false, stamps })
      )
      const none = yield* asRead
      assert.deepStrictEqual(none, { values: {}, warnings: [] })
      assert.strictEqual(yield* asRead, none)
      // The clock of the file system may not tell these apart.
      for (const KEY of ["1", "2", "3"]) {
        yield* write(`KEY=${KEY}\n`)
        assert.deepStrictEqual((yield* asRead).values, { KEY })
      }
      const settled = yield* eventually(
        "the file has settled",
        Effect.zipWith(asRead, asRead, (one, next) => (one === next ? one : undefined))
      )
      assert.deepStrictEqual(settled.values, { KEY: "3" })
      yield* Effect.promise(() => fs.rm(path))
      assert.deepStrictEqual((yield* asRead).values, {})
      assert.isTrue(Either.isLeft(yield* Effect.either(read(path, { mustExist: true }))))
      yield* Effect.promise(() => fs.rename(folder, `${folder}.away`))
      yield* Effect.promise(() => fs.writeFile(folder, ""))
      // A path that cannot be asked about is not taken for one without a file.
      assert.isTrue(Either.isLeft(yield* Effect.either(asRead)))
      yield* Effect.promise(() => fs.rm(folder))
      yield* Effect.promise(() => fs.rename(`${folder}.away`, folder))
    })
  )

  it.scoped("sets nothing when it is absent, and is missed when the settings name it", () =>
    Effect.gen(function* () {
      const { path, read } = yield* envFile
      assert.deepStrictEqual(yield* read(path, optional), { values: {}, warnings: [] })
      const { message } = yield* Effect.flip(read(path, { mustExist: true }))
      assert.strictEqual(
        message,
        `${path} does not exist, but the setting env_file names it: create it, or remove the setting. The worker's environment comes from it.`
      )
    })
  )

  it.scoped("warns when others can read it, and says what to do", () =>
    Effect.gen(function* () {
      const { path, read, write } = yield* envFile
      for (const mode of [0o640, 0o604]) {
        yield* write("KEY=s3cr3t\n", mode)
        assert.deepStrictEqual((yield* read(path, optional)).warnings, [
          `Other users can read ${path}, which may hold secrets. Run: chmod 600 ${path}`
        ])
      }
      yield* write("KEY=s3cr3t\n", 0o620)
      assert.deepStrictEqual((yield* read(path, optional)).warnings, [])
    })
  )

  it.scoped("reports ignored lines without showing them", () =>
    Effect.gen(function* () {
      const { path, read, write } = yield* envFile
      yield* write("A=1\nsk-s3cr3t\nexport B=s3cr3t\n")
      const { values, warnings } = yield* read(path, optional)
      assert.deepStrictEqual(values, { A: "1" })
      assert.deepStrictEqual(warnings, [
        `${path}:2: this line is not KEY=value, so it was ignored`,
        `${path}:3: this line begins with \`export\`, which this format does not have, so it was ignored: remove the word`
      ])
    })
  )

  it.scoped("says why it cannot be read, and shows nothing of it", () =>
    Effect.gen(function* () {
      const { folder, path, read, write } = yield* envFile
      const refusal = (of: string) => Effect.map(Effect.flip(read(of, optional)), ({ message }) => message)
      assert.include(yield* refusal(folder), `${folder} is a folder, not a file.`)
      yield* write(new Uint8Array([...Buffer.from("KEY=s3cr3t"), 0xff]))
      const notText = yield* refusal(path)
      assert.include(notText, `${path} is not UTF-8 text: save it in that encoding.`)
      assert.notInclude(notText, "s3cr3t")
      assert.include(yield* refusal(join(path, "x")), "a part of the path is a file")
      yield* write("#".repeat(1024 * 1024 + 1))
      assert.include(yield* refusal(path), "is larger than 1 MiB")
    })
  )
})
