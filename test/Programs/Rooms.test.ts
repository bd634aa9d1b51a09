import * as fs from "node:fs"
import { dirname, join, relative, resolve } from "node:path"
import { assert, describe, it } from "@effect/vitest"

const root = resolve(import.meta.dirname, "../..")

/**
 * The rooms of each house from the ground up. A room imports only from itself and from the rooms before it. "" holds
 * the words that every room uses.
 */
const ladder = {
  Domain: [
    "",
    "text",
    "output",
    "toml",
    "agent",
    "adapter",
    "settings",
    "machine",
    "systemd",
    "tree",
    "memory",
    "verdict",
    "session",
    "login",
    "worker",
    "config",
    "logs",
    "guard",
    "status",
    "history",
    "metrics",
    "control",
    "remote",
    "relay",
    "notify",
    "service",
    "doctor",
    "fleet",
    "html",
    "chart",
    "panel",
    "json",
    "cli"
  ],
  Layers: [
    "concurrency",
    "files",
    "output",
    "daemon",
    "toml",
    "machine",
    "settings",
    "history",
    "systemd",
    "logs",
    "tree",
    "memory",
    "verdict",
    "worker",
    "config",
    "guard",
    "status",
    "metrics",
    "control",
    "remote",
    "relay",
    "notify",
    "service",
    "doctor",
    "panel"
  ]
} as const

type House = keyof typeof ladder
const houses: ReadonlyArray<House> = ["Domain", "Layers"]

interface Place {
  readonly house: string
  readonly room: string
}

interface Edge {
  readonly from: Place
  readonly to: Place
  readonly text: string
}

const below = (folder: string): ReadonlyArray<string> =>
  fs.readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).map((name) => join(folder, name))

const placeOf = (path: string): Place => {
  const [, house = "", ...rest] = path.split("/")
  return { house, room: rest.length > 1 ? (rest[0] ?? "") : "" }
}

const sources = houses.flatMap((house) => below(`src/${house}`)).filter((path) => path.endsWith(".ts"))

const edges: ReadonlyArray<Edge> = sources.flatMap((path) =>
  [...fs.readFileSync(join(root, path), "utf8").matchAll(/(?:\bfrom\s|\bimport\()\s*"(\.[^"]+)"/g)].map(
    ([, name = ""]) => {
      const target = relative(root, resolve(root, dirname(path), name))
      return { from: placeOf(path), to: placeOf(target), text: `${path} -> ${target}` }
    }
  )
)

const within = (house: House) => edges.filter(({ from, to }) => from.house === house && to.house === house)

const rank = (house: House, room: string): number => ladder[house].findIndex((one) => one === room)

/** The room, and every room it reaches in the same house. */
const reach = (house: House, start: string): ReadonlySet<string> => {
  const seen = new Set([start])
  for (const room of seen) {
    for (const { from, to } of within(house)) if (from.room === room) seen.add(to.room)
  }
  return seen
}

/** The Domain rooms that a room of Layers may use: those of the layers it reaches, and what these build on. */
const domainOf = (room: string): ReadonlySet<string> =>
  new Set([
    "",
    "text",
    ...[...reach("Layers", room)].flatMap((one) =>
      rank("Domain", one) === -1 ? [] : [...reach("Domain", one)]
    )
  ])

describe("the rooms of the house", () => {
  for (const house of houses) {
    it(`${house} has the rooms of its ladder, and no other`, () => {
      const found = new Set(
        sources
          .map(placeOf)
          .filter((one) => one.house === house)
          .map(({ room }) => room)
      )
      assert.sameMembers([...found], [...ladder[house]])
    })

    it(`a room of ${house} imports only from the rooms below it`, () => {
      const up = within(house).filter(({ from, to }) => rank(house, to.room) > rank(house, from.room))
      assert.deepStrictEqual(
        up.map(({ text }) => text),
        []
      )
    })
  }

  it("a layer uses the Domain of its own room and of the rooms it reaches", () => {
    const allowed = new Map(ladder.Layers.map((room) => [room as string, domainOf(room)]))
    const strange = edges.filter(
      ({ from, to }) =>
        from.house === "Layers" && to.house === "Domain" && allowed.get(from.room)?.has(to.room) !== true
    )
    assert.deepStrictEqual(
      strange.map(({ text }) => text),
      []
    )
  })

  it("the rooms of Programs and of the tests have the same names", () => {
    const known = new Set<string>([...ladder.Domain, ...ladder.Layers])
    const rooms = ["src/Programs", "test/Domain", "test/Layers", "test/Programs", "test/live"].flatMap(
      (folder) =>
        fs
          .readdirSync(join(root, folder), { withFileTypes: true })
          .filter((entry) => entry.isDirectory() && !known.has(entry.name))
          .map(({ name }) => `${folder}/${name}`)
    )
    assert.deepStrictEqual(rooms, [])
  })

  it("no room is a cupboard: at most 25 files", () => {
    const sizes = new Map<string, number>()
    for (const { house, room } of sources.map(placeOf)) {
      const key = `${house}/${room}`
      sizes.set(key, (sizes.get(key) ?? 0) + 1)
    }
    assert.deepStrictEqual(
      [...sizes].filter(([, files]) => files > 25),
      []
    )
  })
})
