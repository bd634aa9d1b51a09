import * as fs from "node:fs"
import { join } from "node:path"
import { parse } from "@cdktf/hcl2json"
import { assert, describe, it } from "@effect/vitest"
import { root } from "./Pages.ts"

const job = fs.readFileSync(join(root, "deploy/nomad/autopilotd.nomad.hcl"), "utf8")

/** The attributes and blocks of each block that the job uses, from Nomad's job specification. A star is a label. */
const specification: Readonly<Record<string, string>> = {
  job: "type datacenters namespace reschedule group meta priority",
  reschedule: "attempts interval delay delay_function max_delay unlimited",
  group: "count network volume restart service task reschedule update",
  network: "mode port",
  port: "to static",
  volume: "type source read_only",
  restart: "attempts delay interval mode",
  service: "name port provider tags check",
  check: "type path interval timeout",
  task: "driver kill_signal kill_timeout config volume_mount template resources env user",
  config: "image args entrypoint ports cap_drop readonly_rootfs mount",
  mount: "type target readonly",
  volume_mount: "volume destination read_only",
  template: "destination change_mode change_script data perms uid gid",
  change_script: "command args timeout fail_on_error",
  resources: "cpu memory memory_max cores"
}

/** The blocks with a label, which the parser gives a level of its own. */
const labelled = new Set(["job", "group", "task", "port", "volume"])

/** The names in a block that its specification does not have, with their places. */
const unknownIn = (name: string, block: unknown, at: string): ReadonlyArray<string> => {
  const known = (specification[name] ?? "").split(" ")
  return Object.entries(block as object).flatMap(([key, value]): ReadonlyArray<string> => {
    if (!known.includes(key)) return [`${at}.${key}`]
    // `port` of a service is a name, that of a network a block.
    if (!(key in specification) || typeof value !== "object") return []
    const blocks: ReadonlyArray<unknown> = labelled.has(key) ? Object.values(value).flat() : value
    return blocks.flatMap((inner) => unknownIn(key, inner, `${at}.${key}`))
  })
}

const problems = async (text: string): Promise<ReadonlyArray<string>> => {
  const { job: jobs } = await parse("autopilotd.nomad.hcl", text)
  return Object.values(jobs)
    .flat()
    .flatMap((block) => unknownIn("job", block, "job"))
}

describe("the job for Nomad", () => {
  it("is understood by HashiCorp's parser, and has the blocks of Nomad's specification only", async () => {
    assert.deepStrictEqual(await problems(job), [])
  })

  it("would not pass with a word that Nomad does not know, or a mistake of syntax", async () => {
    assert.deepStrictEqual(await problems(job.replace("kill_timeout =", "kill_time =")), [
      "job.group.task.kill_time"
    ])
    assert.deepStrictEqual(await problems(job.replace('mode     = "fail"', "modes = 1")), [
      "job.group.restart.modes"
    ])
    const failed = await problems(job.replace('mode     = "fail"', "mode = {")).then(
      () => undefined,
      (cause: unknown) => String(cause)
    )
    assert.match(failed ?? "", /autopilotd\.nomad\.hcl:\d+/)
  })

  it("leaves restarts to the daemon, and gives it the grace of its settings", async () => {
    assert.match(job, /kill_timeout = "25s"/)
    assert.match(job, /restart \{\n\s+attempts = 0\n\s+mode {5}= "fail"\n/)
  })

  it("is a batch by the block of docs/nomad.md", async () => {
    const page = fs.readFileSync(join(root, "docs/nomad.md"), "utf8")
    const [client = "", batch = ""] = [...page.matchAll(/^```hcl\n(.*?)^```$/gms)].map(
      (match) => match[1] ?? ""
    )
    assert.isObject(await parse("client.hcl", client))
    const entry = /^ENTRYPOINT (.*)$/m.exec(fs.readFileSync(join(root, "deploy/Containerfile"), "utf8"))?.[1]
    const { config } = await parse("batch.hcl", batch)
    assert.deepStrictEqual(config[0].entrypoint, [
      ...JSON.parse(entry ?? "[]").slice(0, -1),
      "--exit-when-finished"
    ])
    assert.deepStrictEqual(unknownIn("config", config[0], "config"), [])
  })
})
