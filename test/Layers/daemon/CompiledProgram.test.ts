import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import { loadCompiled, loadForMoment } from "../../../src/Layers/daemon/CompiledProgram.ts"

let base = ""
let program = ""
let folder = ""
const codeFile = () => join(folder, "program.code")

/** A program of two files. */
const write = (answer: number) => {
  fs.writeFileSync(join(base, "part.js"), `exports.answer = () => ${answer}\n`)
  fs.writeFileSync(
    program,
    `module.exports = { ...require("./part.js"), folder: __dirname, sep: require("node:path").sep }\n`
  )
}

beforeEach(() => {
  base = fs.mkdtempSync(join(tmpdir(), "apd-code-"))
  program = join(base, "program.js")
  folder = join(base, "caches/autopilotd")
  write(41)
})

afterEach(() => fs.rmSync(base, { recursive: true, force: true }))

/** Loads the program, and calls it. */
const load = async (from: string | undefined = folder) => {
  const loaded = await loadCompiled(program, from)
  const exports = loaded.exports as { readonly answer: () => number; readonly folder: string }
  return { ...loaded, answer: exports.answer(), of: exports.folder }
}

const isCompiled = async () => (await load()).isCompiled

const loadAndSave = async () => {
  const loaded = await load()
  assert.isFalse(loaded.isCompiled)
  await loaded.save()
}

describe("the program of a daemon", () => {
  it("starts with the functions that an earlier start has compiled", async () => {
    await loadAndSave()
    const { answer, isCompiled, of } = await load()
    assert.deepStrictEqual({ answer, isCompiled, of }, { answer: 41, isCompiled: true, of: base })
  })

  it("keeps them in a folder and a file for its user alone", async () => {
    await loadAndSave()
    assert.strictEqual(fs.statSync(folder).mode & 0o777, 0o700)
    assert.strictEqual(fs.statSync(codeFile()).mode & 0o777, 0o600)
    assert.deepStrictEqual(fs.readdirSync(folder), ["program.code"])
  })

  it("is never run from those of another program of the same length", async () => {
    await loadAndSave()
    write(42)
    const { answer, isCompiled } = await load()
    assert.deepStrictEqual({ answer, isCompiled }, { answer: 42, isCompiled: false })
  })

  it("is never run from those that a daemon has saved after an upgrade to another one of the same length", async () => {
    const { save } = await load()
    write(42)
    await save()
    const { answer, isCompiled } = await load()
    assert.deepStrictEqual({ answer, isCompiled }, { answer: 42, isCompiled: false })
  })

  it("is never run from those that the disk has damaged", async () => {
    await loadAndSave()
    const whole = fs.readFileSync(codeFile())
    for (const at of [0, 31, 32, whole.length >> 1, whole.length - 1]) {
      const damaged = Buffer.from(whole)
      damaged.writeUInt8(damaged.readUInt8(at) ^ 1, at)
      fs.writeFileSync(codeFile(), damaged)
      const { answer, isCompiled } = await load()
      assert.deepStrictEqual({ answer, isCompiled }, { answer: 41, isCompiled: false }, `byte ${at}`)
    }
    for (const length of [0, 16, 32, whole.length - 1]) {
      fs.writeFileSync(codeFile(), whole.subarray(0, length))
      assert.isFalse(await isCompiled(), `the first ${length} bytes`)
    }
    fs.writeFileSync(codeFile(), whole)
    assert.isTrue(await isCompiled())
  })

  it("is never run from those that others may have written", async () => {
    await loadAndSave()
    for (const [path, bad, good] of [
      [codeFile(), 0o602, 0o600],
      [codeFile(), 0o620, 0o600],
      [folder, 0o702, 0o700],
      [folder, 0o770, 0o700]
    ] as const) {
      fs.chmodSync(path, bad)
      assert.isFalse(await isCompiled(), `${path} ${bad.toString(8)}`)
      fs.chmodSync(path, good)
      assert.isTrue(await isCompiled())
    }
    fs.renameSync(codeFile(), `${codeFile()}.real`)
    fs.symlinkSync(`${codeFile()}.real`, codeFile())
    assert.isFalse(await isCompiled(), "a link")
    fs.renameSync(folder, `${folder}.real`)
    fs.symlinkSync(`${folder}.real`, folder)
    assert.isFalse(await isCompiled(), "a folder that is a link")
  })

  it.runIf(process.getuid?.() === 0)("is never run from those that belong to another user", async () => {
    await loadAndSave()
    for (const path of [codeFile(), folder]) {
      fs.chownSync(path, 65_534, 65_534)
      assert.isFalse(await isCompiled(), path)
      fs.chownSync(path, 0, 0)
      assert.isTrue(await isCompiled())
    }
  })

  it("saves none in a folder that others may write to", async () => {
    fs.mkdirSync(folder, { recursive: true })
    fs.chmodSync(folder, 0o777)
    const { save } = await load()
    await save()
    assert.deepStrictEqual(fs.readdirSync(folder), [])
  })

  it("starts where there can be no folder for them", async () => {
    const { answer, save } = await load("/proc/none")
    assert.strictEqual(answer, 41)
    const saved = await save().then(
      () => "saved",
      () => "refused"
    )
    assert.strictEqual(saved, "refused")
  })

  it("starts where a pipe stands in the place of the file", async () => {
    await loadAndSave()
    fs.rmSync(codeFile())
    execFileSync("mkfifo", ["-m", "600", codeFile()])
    const { answer, isCompiled } = await load()
    assert.deepStrictEqual({ answer, isCompiled }, { answer: 41, isCompiled: false })
  })
})

describe("the program of a command", () => {
  const run = async () => {
    const { exports, save } = await loadForMoment(program, folder)
    const { answer } = exports as { readonly answer: () => number }
    assert.strictEqual(answer(), 41)
    await save()
  }

  it("saves its functions where a daemon has saved some, and makes no folder for them", async () => {
    await run()
    assert.isFalse(fs.existsSync(folder))
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 })
    await run()
    assert.isTrue(await isCompiled())
  })

  it("takes what is there as it is", async () => {
    await loadAndSave()
    const { ino } = fs.statSync(codeFile())
    await run()
    assert.strictEqual(fs.statSync(codeFile()).ino, ino)
  })
})
