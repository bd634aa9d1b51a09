import * as HttpApp from "@effect/platform/HttpApp"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { editorRoutes } from "../../../src/Programs/panel/EditorRoutes.ts"
import { daemonThat, noDaemon } from "../../fixtures/CommandUser.ts"
import { settingsInMemory } from "../../fixtures/SettingsInMemory.ts"

/** The pieces of an answer by their ids. */
const piecesIn = (text: string): ReadonlyMap<string, string> =>
  new Map(
    text
      .split(/^(?=<div id="[\w-]+" hx-swap-oob)/m)
      .map((part) => [/^<div id="([\w-]+)"/.exec(part)?.[1] ?? "", part.replace(/^<[^>]*>|<\/div>\n?$/g, "")])
  )

const entities: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'" }

const valueIn = (piece: string | undefined, name: string): string =>
  new RegExp(`${name}="([^"]*)"`)
    .exec(piece ?? "")?.[1]
    ?.replace(/&(\w+|#39);/g, (_, name: string) => entities[name] ?? "") ?? ""

/** A person with the editor open, over a settings file in memory. */
const editor = (text: string, client = noDaemon) => {
  const settings = settingsInMemory(text)
  const handle = HttpApp.toWebHandler(Effect.provide(editorRoutes, Layer.merge(settings.layer, client)))
  const answerOf = async (request: Request) => {
    const response = await handle(request)
    assert.strictEqual(response.status, 200)
    assert.strictEqual(response.headers.get("cache-control"), "no-store")
    return piecesIn(await response.text())
  }
  const post = (path: string, form: Readonly<Record<string, string>>) =>
    answerOf(
      new Request(`http://panel${path}`, {
        method: "POST",
        headers: { "content-type": "application/x-www-form-urlencoded" },
        body: new URLSearchParams(form).toString()
      })
    )
  const load = async () => {
    const stored = (await answerOf(new Request("http://panel/stored"))).get("config-stored")
    return { text: valueIn(stored, "data-text"), sha256: valueIn(stored, "data-sha256") }
  }
  return { file: settings.file, load, post }
}

const command = (argv: string) => `# mine\n[worker_command]\nargv = ${argv}\n`

describe("the configuration editor", () => {
  it("checks a text as it is typed, at its lines, and writes nothing", async () => {
    const { file, load, post } = editor("jitter = 0.1 # a comment\n")
    const { sha256, text } = await load()
    assert.strictEqual(text, "jitter = 0.1 # a comment\n")
    const wrong = await post("/check", { text: "model = 'x'\njitter = 7\n", sha256 })
    assert.match(
      wrong.get("config-verdict") ?? "",
      /data-line="2">Line 2<.*jitter expects a number from 0 to 1/s
    )
    const right = await post("/check", { text: "jitter = 0.2 # a comment\n", sha256 })
    assert.include(right.get("config-verdict"), "jitter: 0.1 → 0.2")
    assert.include(right.get("config-diff"), "+ jitter = 0.2 # a comment")
    const same = await post("/check", { text, sha256 })
    assert.strictEqual(same.get("config-verdict"), "")
    assert.strictEqual(file.writes, 0)
  })

  it("saves the text as it is, comments included, and says who takes it over", async () => {
    const { file, load, post } = editor("jitter = 0.1\n")
    const { sha256 } = await load()
    const text = '# why: "test" & <b>\njitter   =   0.2 # here\n'
    const saved = await post("/save", { text, sha256 })
    assert.strictEqual(file.text, text)
    assert.include(saved.get("config-verdict"), "Saved. No daemon is running")
    // The editor goes on from what was written.
    const next = valueIn(saved.get("config-stored"), "data-sha256")
    await post("/save", { text: "jitter = 0.3\n", sha256: next })
    assert.strictEqual(file.text, "jitter = 0.3\n")
  })

  it("refuses to save what is wrong", async () => {
    const { file, load, post } = editor("jitter = 0.1\n")
    const refused = await post("/save", { text: "jitter = 7\n", sha256: (await load()).sha256 })
    assert.include(refused.get("config-state"), "1 problem")
    assert.strictEqual(file.writes, 0)
  })

  it("keeps the line ends of the file, which a browser changes", async () => {
    const { file, load, post } = editor("jitter = 0.1\r\nmodel = 'a'\r\n")
    const { sha256, text } = await load()
    assert.strictEqual(text, "jitter = 0.1\nmodel = 'a'\n")
    assert.strictEqual((await post("/check", { text, sha256 })).get("config-state"), "")
    await post("/save", { text: text.replace("0.1", "0.2").replaceAll("\n", "\r\n"), sha256 })
    assert.strictEqual(file.text, "jitter = 0.2\r\nmodel = 'a'\r\n")
  })

  it("overwrites nothing that it has not shown: a conflict keeps both texts", async () => {
    const { file, load, post } = editor("jitter = 0.1\n")
    const { sha256 } = await load()
    file.text = "jitter = 0.9 # theirs\n"
    const mine = { text: "jitter = 0.2\n", sha256 }
    for (const path of ["/check", "/save"]) {
      const answer = await post(path, mine)
      assert.include(answer.get("config-verdict"), "The file has changed since you opened it")
      assert.include(answer.get("config-diff"), "- jitter = 0.9 # theirs")
      assert.isUndefined(answer.get("config-stored"))
    }
    assert.strictEqual(file.text, "jitter = 0.9 # theirs\n")
    // "Go on with mine" takes the new hash, having shown the difference.
    await post("/save", { ...mine, sha256: (await load()).sha256 })
    assert.strictEqual(file.text, "jitter = 0.2\n")
  })

  it("writes a change of what is run only when this very text was confirmed", async () => {
    const { file, load, post } = editor(command('["old"]'))
    const { sha256 } = await load()
    const text = command('["new", "--flag"]')
    const asked = await post("/save", { text, sha256 })
    assert.strictEqual(file.writes, 0)
    const ask = asked.get("config-ask")
    assert.include(ask, "Change what is run for shop?")
    assert.include(ask, "now:  [&quot;old&quot;]")
    const confirmed = valueIn(ask, " value")
    const other = command('["rm", "-rf", "/"]')
    assert.include((await post("/save", { text: other, sha256, confirmed })).get("config-ask"), "rm")
    assert.strictEqual(file.writes, 0)
    await post("/save", { text, sha256, confirmed })
    assert.strictEqual(file.text, text)
  })

  it("applies what it has saved through the daemon, and says what goes on as it was", async () => {
    const stored = {
      path: "/home/u/.autopilot/daemon.toml",
      found: true,
      text: "jitter = 0.1\n",
      sha256: "old"
    }
    const nothing = { projects_added: [], projects_removed: [], changes_command: [] }
    const changes = [{ key: "model", to: '"b"', applies: "worker-restart" }]
    const daemon = daemonThat((request) => {
      if (request.type === "GetConfig") return { success: true, message: "", data: stored }
      if (request.type === "SetConfig")
        return {
          success: true,
          message: "",
          data: { ...nothing, changes, written: request.dry_run !== true, path: stored.path, sha256: "new" }
        }
      return {
        success: true,
        message: "",
        data: { ...nothing, changes, restarted: [], awaiting_restart: ["shop"] }
      }
    })
    const { file, post } = editor("", daemon.layer)
    const saved = await post("/save", { text: "jitter = 0.1\nmodel = 'b'\n", sha256: "old" })
    assert.deepStrictEqual(
      daemon.asked.map(({ type }) => type),
      ["GetConfig", "SetConfig", "SetConfig", "ReloadConfig"]
    )
    assert.match(
      saved.get("config-verdict") ?? "",
      /Saved and applied\..*shop goes on as started.*restart-worker\?project=shop/s
    )
    assert.include(saved.get("config-state"), "Saved")
    assert.strictEqual(file.writes, 0)
  })

  it("says that a text was saved and not taken over", async () => {
    const stored = { path: "/f", found: true, text: "", sha256: "old" }
    const nothing = { changes: [], projects_added: [], projects_removed: [], changes_command: [] }
    const { layer } = daemonThat((request) =>
      request.type === "GetConfig"
        ? { success: true, message: "", data: stored }
        : request.type === "SetConfig"
          ? { success: true, message: "", data: { ...nothing, written: true, path: "/f", sha256: "new" } }
          : { success: false, message: "There is no worker command." }
    )
    const saved = await editor("", layer).post("/save", { text: "# only\n", sha256: "old" })
    assert.match(saved.get("config-verdict") ?? "", /Saved, but not in force.*There is no worker command\./s)
  })

  it("says why there is nothing to edit", async () => {
    const { layer } = daemonThat(() => ({ success: false, message: "daemon.toml cannot be read <b>." }))
    const { post } = editor("", layer)
    const failed = await post("/check", { text: "", sha256: "" })
    assert.include(failed.get("config-verdict"), "cannot be read &lt;b&gt;.")
  })
})
