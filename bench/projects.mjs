// What do many projects under one daemon cost: an answer, memory, idling, a start, a stop, a start after kill -9?
import { join } from "node:path"
import { exchange, install } from "./kit/Autopilotd.mjs"
import { crowd } from "./kit/Crowd.mjs"
import { median, option, printTable, quantile, ratio, short } from "./kit/Figures.mjs"
import { autopilotd, bareNode, graceMs, mustBeGone } from "./kit/ManyProjects.mjs"
import { cpuMsOf, memoryOf, processCount, voluntarySwitchesOf } from "./kit/ProcessFigures.mjs"
import { eventually, session, sleep } from "./kit/Session.mjs"
import { listen } from "./kit/WorkerPipe.mjs"

const many = option("projects", 50)
const rounds = option("rounds", 3)
const idleRounds = option("idle-rounds", 1)
const firstLookS = 3
const settleS = option("settle", 20)
const windowS = option("window", 20)
const requests = option("requests", 200)

const obedient = "worker.sh"
const stubborn = "stubborn.sh"
const types = ["Status", "Projects"]
/** 0.3 MB for one more project. */
const limitMib = 0.3e6 / 2 ** 20
const nameOf = (system, count) => `${system}, ${count}`
const bareMany = nameOf("bare Node", many)
const ourMany = nameOf("autopilotd", many)
const ourLong = `${ourMany} long`

/** What several rounds have measured, by the name of it. */
const collection = () => {
  const values = new Map()
  return {
    add: (name, value) => values.set(name, [...(values.get(name) ?? []), value]),
    of: (name) => values.get(name) ?? []
  }
}

const allRun = ({ socket }) =>
  eventually("every project runs", async () => {
    const { data } = JSON.parse(await exchange(socket, '{"type":"Projects"}'))
    return data.projects.every((project) => project.worker_status === "running") ? true : undefined
  })

/** Starts and stops, each system alone but for the crowd. Returns how many times one project's stop that of all takes. */
const startsAndStops = async ({ bare, crowded, isFirst, ours, pipe, run }) => {
  const took = collection()
  const endCrowd = await crowd(run, crowded)
  const there = processCount()
  const again = "start --keep-state after kill -9"
  for (let round = isFirst ? -1 : 0; round < rounds; round++) {
    const keep = round < 0 ? () => undefined : took.add
    for (const [system, { begin }] of [
      ["bare Node", bare],
      ["autopilotd", ours]
    ]) {
      for (const script of [obedient, stubborn]) {
        for (const count of [1, many]) {
          const parent = await begin({ count, pipe, script })
          if (system === "autopilotd") await allRun(parent)
          if (script === obedient) keep(`${nameOf(system, count)} start`, parent.tookMs)
          keep(`${nameOf(system, count)} stop ${script}`, await parent.stop())
        }
      }
    }
    for (const count of [1, many]) {
      const killed = await ours.begin({ count, pipe, script: obedient })
      await allRun(killed)
      await killed.kill()
      const next = await ours.begin({ count, pipe, script: obedient, takesUp: killed.home })
      mustBeGone(killed.pids)
      await allRun(next)
      keep(`${nameOf("autopilotd", count)} ${again}`, next.tookMs)
      await next.stop()
    }
  }
  await endCrowd()

  const acts = [
    ["start", "start", "start"],
    ["stop, obedient", `stop ${obedient}`, `stop ${obedient}`],
    [`stop, TERM ignored for ${graceMs} ms`, `stop ${stubborn}`, `stop ${stubborn}`],
    [again, again, "start"]
  ]
  const rows = acts.flatMap(([what, act, floorAct]) =>
    ["bare Node", "autopilotd"].flatMap((system) =>
      [1, many].flatMap((count) => {
        const tookMs = took.of(`${nameOf(system, count)} ${act}`)
        if (tookMs.length === 0) return []
        const floorMs = median(took.of(`${nameOf("bare Node", count)} ${floorAct}`))
        const singleMs = median(took.of(`${nameOf(system, 1)} ${act}`))
        return [
          [
            `${what}: ${nameOf(system, count)}`,
            median(tookMs),
            Math.min(...tookMs),
            Math.max(...tookMs),
            ratio(median(tookMs), floorMs),
            ratio(median(tookMs), singleMs)
          ]
        ]
      })
    )
  )
  printTable(
    `From the launch to the last worker's first act, from TERM to nothing left; ${there} processes beside: ${rounds} rounds.`,
    ["", "p50 ms", "min", "max", "/ floor", "/ 1 project"],
    rows
  )
  const stopMs = (count) => median(took.of(`${nameOf("autopilotd", count)} stop ${stubborn}`))
  return [`stop of ${many} that ignore TERM / of one, ${there} processes beside`, stopMs(many) / stopMs(1), 2]
}

const look = (pid) => ({
  atMs: performance.now(),
  cpuMs: cpuMsOf(pid),
  wakeUps: voluntarySwitchesOf(pid),
  ...memoryOf(pid)
})

/** All systems side by side: soon after the start, after a while, after a while more, and then asked. */
const measureAtRest = async ({ bare, ours, pipe }) => {
  const looks = collection()
  const waitedMs = collection()
  const bytes = new Map()
  for (let round = 0; round < idleRounds; round++) {
    const plain = await ours.begin({ count: many, pipe, script: obedient })
    await allRun(plain)
    await bare.learn(plain.socket)
    const systems = [
      [nameOf("bare Node", 1), await bare.begin({ count: 1, pipe, script: obedient })],
      [bareMany, await bare.begin({ count: many, pipe, script: obedient })],
      [nameOf("autopilotd", 1), await ours.begin({ count: 1, pipe, script: obedient })],
      [ourMany, plain],
      [ourLong, await ours.begin({ count: many, pipe, script: obedient, areLong: true })]
    ]
    const lookAtAll = () => systems.map(([, { pid }]) => look(pid))
    await sleep(firstLookS * 1000)
    const first = lookAtAll()
    await sleep((settleS - firstLookS) * 1000)
    const from = lookAtAll()
    await sleep(windowS * 1000)
    const to = lookAtAll()
    for (const [at, [name]] of systems.entries())
      looks.add(name, { first: first[at], from: from[at], to: to[at] })
    for (const [name, { socket }] of systems) {
      for (const type of types) {
        const request = JSON.stringify({ type })
        bytes.set(`${type}: ${name}`, (await exchange(socket, request)).length)
        for (let n = 0; n < requests; n++) {
          const askedMs = performance.now()
          await exchange(socket, request)
          waitedMs.add(`${type}: ${name}`, performance.now() - askedMs)
        }
      }
    }
    for (const [, system] of systems) await system.stop()
  }
  return { bytes, looks, waitedMs }
}

/** Prints what was measured at rest. Returns what has a limit. */
const tellOfRest = ({ bytes, looks, waitedMs }) => {
  const answers = types.flatMap((type) =>
    [bareMany, nameOf("autopilotd", 1), ourMany, ourLong].map((name) => `${type}: ${name}`)
  )
  printTable(
    `An answer on a new connection: ${idleRounds} rounds of ${requests}. "long": names of 64 characters, arguments of 12 kB.`,
    ["", "bytes", "p50 ms", "p95", "max", "/ floor"],
    answers.map((name) => {
      const tookMs = waitedMs.of(name)
      const floorMs = waitedMs.of(`${name.split(":").at(0)}: ${bareMany}`)
      return [
        name,
        String(bytes.get(name)),
        median(tookMs),
        quantile(tookMs, 0.95),
        Math.max(...tookMs),
        ratio(median(tookMs), median(floorMs))
      ]
    })
  )

  const perMinute = (key) => (from, to) => ((to[key] - from[key]) * 60_000) / (to.atMs - from.atMs)
  const cpuMs = perMinute("cpuMs")
  const wakeUps = perMinute("wakeUps")
  const names = ["bare Node", "autopilotd"].flatMap((system) => [nameOf(system, 1), nameOf(system, many)])
  printTable(
    `Asleep, side by side: ${idleRounds} rounds of ${windowS} s after ${settleS} s. "Soon": ${firstLookS} s after the start.`,
    ["", "RSS MiB soon", "at the end", "PSS", "private dirty", "cpu ms/min", "wake-ups/s"],
    [...names, ourLong].map((name) => {
      const middle = (value) => median(looks.of(name).map(value))
      return [
        name,
        middle(({ first }) => first.rssMib),
        middle(({ to }) => to.rssMib),
        middle(({ to }) => to.pssMib),
        middle(({ to }) => to.privateDirtyMib),
        middle(({ from, to }) => cpuMs(from, to)),
        middle(({ from, to }) => wakeUps(from, to) / 60)
      ]
    })
  )

  /** What one more project holds, in each round. */
  const perProject = (system, value) =>
    looks.of(nameOf(system, many)).map((of, round) => {
      const single = looks.of(nameOf(system, 1))[round]
      return (value(of) - value(single)) / (many - 1)
    })
  const amounts = [
    ["RSS soon", ({ first }) => first.rssMib],
    ["RSS at the end", ({ to }) => to.rssMib],
    ["PSS at the end", ({ to }) => to.pssMib],
    ["private dirty at the end", ({ to }) => to.privateDirtyMib]
  ]
  const perOurs = amounts.map(([what, value]) => [what, perProject("autopilotd", value)])
  printTable(
    `MiB for one more project, (${many} projects - 1) / ${many - 1}: ${idleRounds} rounds.`,
    ["", "bare Node p50", "autopilotd p50", "min", "max"],
    perOurs.map(([what, values], at) => [
      what,
      median(perProject("bare Node", amounts[at][1])),
      median(values),
      Math.min(...values),
      Math.max(...values)
    ])
  )

  const ourAnswers = answers.filter((name) => name.includes("autopilotd"))
  const worst = (type, value) => Math.max(...ourAnswers.filter((name) => name.startsWith(type)).map(value))
  return [
    ["bytes of an answer to Status", worst("Status", (name) => bytes.get(name)), 8192],
    ...types.map((type) => [`p50 of ${type}, ms`, worst(type, (name) => median(waitedMs.of(name))), 5]),
    ...perOurs
      .slice(0, 2)
      .map(([what, values]) => [`${what}, MiB for one more project`, median(values), limitMib])
  ]
}

const limitS = rounds * 240 + idleRounds * (settleS + windowS + 60) + 180
await session(limitS * 1000, async (run) => {
  const pipe = listen(run, join(run.folder, "pipe"))
  const systems = { bare: bareNode(run), ours: autopilotd(run, install(run)), pipe }
  const limits = tellOfRest(await measureAtRest(systems))
  for (const crowded of [0, 1000])
    limits.push(await startsAndStops({ ...systems, crowded, isFirst: crowded === 0, run }))
  printTable(
    "Against what is wanted.",
    ["", "measured", "less than", ""],
    limits.map(([what, value, limit]) => [what, value, short(limit), value < limit ? "met" : "NOT MET"])
  )
})
