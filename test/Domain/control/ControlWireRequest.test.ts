import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import { ControlRequest } from "../../../src/Domain/control/ControlProtocol.ts"
import { encodeRequest } from "../../../src/Domain/control/ControlReply.ts"
import { decodeRequest } from "../../../src/Domain/control/ControlWire.ts"
import { maxHistoryEvents } from "../../../src/Domain/history/HistoryData.ts"
import { misfit } from "../../../src/Domain/Shape.ts"
import { readsAsSchema } from "../../fixtures/ReadsAsSchema.ts"
import { runs } from "../../fixtures/runs.ts"

const expectedTypes =
  "Status, GetMetrics, StartWorker, StopWorker, RestartWorker, ResetBudget, Budget, Shutdown, Projects, Metrics, Hogs, History, Samples, SelectProject, RunProject, UseProject, ReloadConfig, GetConfig, SetConfig or Subscribe"

const understood: ReadonlyArray<readonly [text: string, request: unknown]> = [
  ['{"type":"Status"}', { type: "Status" }],
  ['{"type":"GetMetrics"}', { type: "GetMetrics" }],
  ['{"type":"StartWorker","project":"site"}', { type: "StartWorker", project: "site" }],
  ['{"type":"StopWorker"}', { type: "StopWorker" }],
  ['{ "type" : "RestartWorker" }', { type: "RestartWorker" }],
  ['{"type":"Shutdown"}', { type: "Shutdown" }],
  [
    '{"type":"RunProject","working_dir":"/srv/shop","argv":["claude","-p","x"]}',
    { type: "RunProject", working_dir: "/srv/shop", argv: ["claude", "-p", "x"] }
  ],
  ['{"type":"Hogs"}', { type: "Hogs" }],
  ['{"verbose":true,"type":"Status","nested":{"type":"Nope","a":[1,{"b":2}]}}', { type: "Status" }],
  ['{"\\u0074ype":"Status"}', { type: "Status" }],
  ['{"type":"Status","a:\\"b":":,{"}', { type: "Status" }],
  ['{"type":"Status","__proto__":{"type":"Shutdown"},"constructor":1}', { type: "Status" }]
]

const notUnderstood: ReadonlyArray<readonly [text: string, message: string]> = [
  ["{type:Status}", "The request is not valid JSON: {type:Status}"],
  ["", "The request is not valid JSON: "],
  ["\ufeff{}", "The request is not valid JSON: \\ufeff{}"],
  ["null", "The request must be one JSON object: null"],
  ['["Status"]', 'The request must be one JSON object: ["Status"]'],
  ["{}", `The request has no "type": expected ${expectedTypes}.`],
  ['{"__proto__":{"type":"Status"}}', `The request has no "type": expected ${expectedTypes}.`],
  ['{"type":null}', `The request's "type" must be a string, not null: expected ${expectedTypes}.`],
  [
    '{"type":{"type":"Status"}}',
    `The request's "type" must be a string, not {"type":"Status"}: expected ${expectedTypes}.`
  ],
  ['{"type":"Nope"}', `Unknown request type "Nope": expected ${expectedTypes}.`],
  ['{"type":"status"}', `Unknown request type "status": expected ${expectedTypes}. Did you mean "Status"?`],
  [
    '{"type":"restart_worker"}',
    `Unknown request type "restart_worker": expected ${expectedTypes}. Did you mean "RestartWorker"?`
  ],
  ['{"type":"constructor"}', `Unknown request type "constructor": expected ${expectedTypes}.`],
  ['{"type":"\\u001b[31m"}', `Unknown request type "\\x1b[31m": expected ${expectedTypes}.`],
  [
    '{"type":"Status","type":"Shutdown"}',
    'The request gives a key twice: {"type":"Status","type":"Shutdown"}'
  ],
  [
    '{"type":"Status","t\\u0079pe":"Shutdown"}',
    'The request gives a key twice: {"type":"Status","t\\u0079pe":"Shutdown"}'
  ],
  [
    '{"type":"Status","project":"../etc"}',
    `The request Status has a bad "project": it must be 1 to 64 letters, digits, '.', '_' or '-' that begin with a letter or a digit (autopilotd.log is taken), not "../etc"`
  ],
  ['{"type":"StopWorker","projct":"x"}', 'The request StopWorker has no "projct". Did you mean "project"?'],
  [
    '{"type":"RunProject","working_dir":"shop","argv":["x"]}',
    'The request RunProject has a bad "working_dir": it must be an absolute path, not "shop"'
  ],
  [
    '{"type":"RunProject","working_dir":"/srv","argv":[]}',
    'The request RunProject has a bad "argv.0": it must be a text, and is missing'
  ],
  [
    '{"type":"Subscribe","logs":null}',
    'The request Subscribe has a bad "logs": it must be true or false, not null'
  ],
  [
    '{"type":"History","limit":0}',
    `The request History has a bad "limit": it must be a whole number from 1 to ${maxHistoryEvents}, not 0`
  ],
  [
    '{"type":"History","from":{"daemon":"0123456789abcdef","seq":-1}}',
    'The request History has a bad "from.seq": it must be a whole number, at least 0, not -1'
  ],
  [
    '{"type":"SetConfig","text":"","dry_run":true}',
    'The request SetConfig has a bad "sha256": it must be a text, and is missing'
  ]
]

describe("decodeRequest", () => {
  for (const [text, request] of understood) {
    it(`understands ${text}`, () => {
      assert.deepStrictEqual(Either.getOrNull(decodeRequest(text)), request)
    })
  }

  for (const [text, message] of notUnderstood) {
    it(`tells the sender what is wrong with ${JSON.stringify(text)}`, () => {
      assert.deepStrictEqual(Either.flip(decodeRequest(text)).pipe(Either.getOrNull), message)
    })
  }

  it("answers the longest garbage in one short printable line", () => {
    const long = "\u202e\n\x07x".repeat(15_000)
    for (const text of [
      long,
      `{"type":${JSON.stringify(long)}}`,
      `{"type":[${JSON.stringify(long)}]}`,
      `{"type":"Status","project":${JSON.stringify(long)}}`,
      `{"type":"Status","project":[${JSON.stringify(long)}]}`,
      `{${"[".repeat(60_000)}`
    ]) {
      const message = Either.getOrThrow(Either.flip(decodeRequest(text)))
      assert.isBelow(message.length, 600)
      assert.notMatch(message, /[\p{Cc}\p{Cf}]/u)
    }
  })

  it("never throws, whatever the text", () => {
    const texts = FastCheck.oneof(
      FastCheck.string(),
      FastCheck.json(),
      FastCheck.json().map((json) => `{"type":${json}}`),
      FastCheck.json().map((json) => `{"type":"Status","project":${json}}`),
      FastCheck.dictionary(
        FastCheck.constantFrom("type", "project", "__proto__", "constructor", "toString"),
        FastCheck.oneof(FastCheck.constantFrom("Status", "Shutdown", "__proto__"), FastCheck.jsonValue())
      ).map((value) => JSON.stringify(value))
    )
    FastCheck.assert(
      FastCheck.property(texts, (text) => {
        const result = decodeRequest(text)
        if (Either.isLeft(result)) assert.notMatch(result.left, /[\p{Cc}\p{Cf}]/u)
        else assert.include(expectedTypes, result.right.type)
      }),
      { numRuns: runs(500) }
    )
  })
})

readsAsSchema(
  "a request",
  (value) => Either.getOrElse(decodeRequest(JSON.stringify(value)), () => misfit),
  ControlRequest
)

describe("encodeRequest", () => {
  it("writes the very bytes of the original's client", () => {
    assert.strictEqual(encodeRequest({ type: "Status" }), '{"type":"Status"}')
  })

  it("writes what decodeRequest reads, below the 4096 bytes that the original daemon reads", () => {
    FastCheck.assert(
      FastCheck.property(Arbitrary.make(ControlRequest), (request) => {
        const text = encodeRequest(request)
        assert.isBelow(Buffer.byteLength(text), 4096)
        assert.deepStrictEqual(Either.getOrThrow(decodeRequest(text)), request)
      })
    )
  })
})
