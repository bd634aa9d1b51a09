import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { fileStamps } from "../../../src/Layers/files/FileStamps.ts"
import { checkExecutable, reliedOn } from "../../../src/Layers/tree/Executable.ts"
import { temporaryFolder } from "../../fixtures/TemporaryFolder.ts"

/** A dynamic program of this machine. */
const program = fs.readFileSync("/bin/sleep")

/** Where the name of its dynamic loader stands. */
const loaderAt = program.indexOf("/lib")

const changed = (change: (copy: Buffer) => void): Buffer => {
  const copy = Buffer.from(program)
  change(copy)
  return copy
}

const refused: ReadonlyArray<readonly [what: string, content: string | Buffer, told: RegExp]> = [
  ["empty", "", /^\S+agent is empty \(0 bytes\): .* Install the program again$/],
  [
    "cut off in the middle",
    program.subarray(0, 5000),
    /agent is cut off after 4\.9 KiB of \S+ KiB: .* did not finish/
  ],
  ["cut off in its header", program.subarray(0, 40), /agent is incomplete: .* did not finish/],
  [
    "for a C library that is not here",
    changed((copy) => copy.write("/lux", loaderAt)),
    /agent needs the loader \/lux\S+, which does not exist: .*C library/
  ],
  [
    "for another processor, and its loader is not here",
    changed((copy) => {
      copy.writeUInt16LE(process.arch === "s390x" ? 62 : 22, 18)
      copy.write("/lux", loaderAt)
    }),
    /agent is a program for another processor \((s390x|x86-64); this machine is \w+\)\. Install/
  ],
  [
    "a script without its interpreter",
    "#!/nowhere/node\n",
    /interpreter \/nowhere\/node, which does not exist$/
  ],
  [
    "a script whose interpreter is no program",
    "#!/etc/passwd\n",
    /interpreter \/etc\/passwd, which is not executable/
  ],
  [
    "a script for env whose interpreter is not on the PATH",
    "#!/usr/bin/env no-such-node\n",
    /agent needs no-such-node, which is not on the worker's PATH$/
  ],
  ["a script for env with Windows line endings", "#!/usr/bin/env sh\r\n", /agent has Windows line endings/]
]

const fine: ReadonlyArray<readonly [what: string, content: string | Buffer]> = [
  ["a program of this machine", program],
  ["a script of sh", "#!/bin/sh -e\n"],
  ["a script that env starts", "#!/usr/bin/env sh\n"],
  ["a script that env starts with an option", "#!/usr/bin/env -S sh -e\n"],
  ["a text, which a shell runs", "exec sleep 1\n"]
]

describe("a worker's program", () => {
  const check = (content: string | Buffer) =>
    Effect.gen(function* () {
      const path = join(yield* temporaryFolder, "agent")
      fs.writeFileSync(path, content, { mode: 0o755 })
      return yield* Effect.either(checkExecutable(path, "/", process.env["PATH"] ?? "", path))
    })

  for (const [what, content, told] of refused) {
    it.scopedLive(`is refused before its start, with the cause, when it is ${what}`, () =>
      Effect.map(check(content), (result) =>
        assert.match(
          Either.match(result, { onLeft: ({ reason }) => reason, onRight: () => "accepted" }),
          told
        )
      )
    )
  }

  for (const [what, content] of fine) {
    it.scopedLive(`is started when it is ${what}`, () =>
      Effect.map(check(content), (result) => assert.isTrue(Either.isRight(result)))
    )
  }

  it.scopedLive("is checked again when one of its files has changed, and not when none has", () =>
    Effect.gen(function* () {
      const path = yield* temporaryFolder
      fs.writeFileSync(join(path, "node"), program, { mode: 0o755 })
      fs.writeFileSync(join(path, "agent"), `#!${path}/node\n`, { mode: 0o755 })
      const start = Effect.gen(function* () {
        const stamps = yield* fileStamps(path, reliedOn(path))
        return yield* Effect.either(checkExecutable("agent", path, path, path, stamps))
      })
      assert.isTrue(Either.isRight(yield* start))
      assert.includeMembers([...reliedOn(path)], [path, join(path, "agent"), join(path, "node")])
      for (const name of ["node", "agent"]) {
        fs.renameSync(join(path, name), join(path, "away"))
        assert.isTrue(Either.isLeft(yield* start), name)
        assert.deepStrictEqual(reliedOn(path), [])
        fs.renameSync(join(path, "away"), join(path, name))
        assert.isTrue(Either.isRight(yield* start), name)
      }
      fs.writeFileSync(join(path, "node"), "")
      assert.isTrue(Either.isLeft(yield* start))
    })
  )

  it.scopedLive("is refused when the interpreter of its script is empty", () =>
    Effect.gen(function* () {
      const path = yield* temporaryFolder
      fs.writeFileSync(join(path, "node"), "", { mode: 0o755 })
      fs.writeFileSync(join(path, "agent"), `#!${path}/node\n`, { mode: 0o755 })
      const { reason } = yield* Effect.flip(checkExecutable("agent", "/", path, path))
      assert.match(reason, /agent names the interpreter \S+node, which cannot run: \S+node is empty/)
    })
  )
})
