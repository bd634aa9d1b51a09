import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { ProjectName } from "../../../src/Domain/Project.ts"
import { leftGitLocks } from "../../../src/Layers/worker/GitLocks.ts"
import { temporaryHome } from "../../live/TestDaemon.ts"

const shop = ProjectName.make("shop")
const oldMs = Date.parse("2026-11-29T01:00:00Z")
const endMs = Date.parse("2026-11-29T02:00:00Z")

const git = (cwd: string, ...args: ReadonlyArray<string>) =>
  execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@b", ...args], { cwd, stdio: "pipe" })

const lock = (path: string, atMs = oldMs) => {
  fs.writeFileSync(path, "")
  fs.utimesSync(path, atMs / 1000, atMs / 1000)
  return path
}

/** A repository with a commit, a folder in it, and a worktree beside it. */
const repository = Effect.map(temporaryHome, (home) => {
  const [repo, worktree] = [join(fs.realpathSync(home), "repo"), join(fs.realpathSync(home), "wt")]
  fs.mkdirSync(join(repo, "src"), { recursive: true })
  git(repo, "init", "--quiet")
  git(repo, "commit", "--quiet", "--allow-empty", "-m", "a")
  git(repo, "worktree", "add", "--quiet", worktree)
  return { repo, worktree, left: (cwd: string, env = {}) => leftGitLocks(shop, cwd, env, endMs) }
})

describe("a lock that git has left", () => {
  it.scopedLive("is found from any folder of the repository, in its worktrees, and where GIT_DIR says", () =>
    Effect.gen(function* () {
      const { left, repo, worktree } = yield* repository
      assert.deepStrictEqual(yield* left(repo), [])
      const own = lock(join(repo, ".git/index.lock"))
      assert.throws(() => git(repo, "add", "."), /index\.lock/)
      for (const cwd of [repo, join(repo, "src"), worktree]) assert.include(yield* left(cwd), own, cwd)
      const ofWorktree = lock(join(repo, ".git/worktrees/wt/index.lock"))
      for (const cwd of [repo, worktree]) assert.sameMembers([...(yield* left(cwd))], [own, ofWorktree], cwd)
      assert.include(yield* left("/", { GIT_DIR: join(repo, ".git") }), own)
      const ofIndex = lock(join(repo, "other.lock"))
      assert.include(yield* left(repo, { GIT_INDEX_FILE: "other" }), ofIndex)
      assert.isTrue(fs.existsSync(own), "the daemon removes nothing")
    })
  )

  it.scopedLive("is none while a process has it open, nor when it is younger than the end of the run", () =>
    Effect.gen(function* () {
      const { left, repo } = yield* repository
      const path = lock(join(repo, ".git/index.lock"))
      const fd = fs.openSync(path, "r")
      assert.deepStrictEqual(yield* left(repo), [])
      fs.closeSync(fd)
      assert.deepStrictEqual(yield* left(repo), [path])
      lock(path, endMs + 1)
      assert.deepStrictEqual(yield* left(repo), [])
    })
  )

  it.scopedLive("is none outside of a repository, or where its files say nothing", () =>
    Effect.gen(function* () {
      const { left } = yield* repository
      const folder = yield* temporaryHome
      assert.deepStrictEqual(yield* left(folder), [])
      assert.deepStrictEqual(yield* left(join(folder, "gone")), [])
      fs.writeFileSync(join(folder, ".git"), "gitdir: /nonexistent\n")
      assert.deepStrictEqual(yield* left(folder), [])
    })
  )
})
