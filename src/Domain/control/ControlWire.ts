import * as Either from "effect/Either"
import { fitted, misfit } from "../Shape.ts"
import type { StatusData } from "../status/StatusData.ts"
import { nearestName } from "../text/NearestName.ts"
import { jsonText, printable } from "../text/Printable.ts"
import { listed } from "../text/TextLayout.ts"
import { type Form, fieldsIn, taken } from "../toml/Form.ts"
import { type RawSettings, valueAt } from "../toml/RawSettings.ts"
import type { AnswerData, ControlRequest, ControlResponse } from "./ControlProtocol.ts"
import { requestForms } from "./RequestShapes.ts"
import { responseShape } from "./ResponseShape.ts"

const requests = new Map(Object.entries(requestForms()))
const requestTypes = [...requests.keys()]
const expectedTypes = listed(requestTypes, "or")

/** Characters of the input that an error quotes. */
const excerptLength = 60

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** Counts the members of the outermost object of a valid JSON text, duplicate keys included. */
const countMembers = (json: string): number => {
  const withoutStrings = json.replace(/"[^"\\]*(?:\\.[^"\\]*)*"/g, "")
  let depth = 0
  let members = 0
  for (const character of withoutStrings) {
    if (character === "{" || character === "[") depth++
    else if (character === "}" || character === "]") depth--
    else if (character === ":" && depth === 1) members++
  }
  return members
}

const unknownType = (type: string): string => {
  const nearest = nearestName(type, requestTypes)
  const suggestion = nearest === undefined ? "" : ` Did you mean "${nearest}"?`
  return `Unknown request type "${printable(type, excerptLength)}": expected ${expectedTypes}.${suggestion}`
}

/**
 * An unknown key that resembles a known one, which the request does not have. Others are ignored: a later version may
 * know them. Without this `projct` would stop the worker of another project.
 */
const misspelled = (
  type: string,
  known: ReadonlyArray<string>,
  given: ReadonlyArray<string>
): string | undefined => {
  const free = known.filter((key) => !given.includes(key))
  for (const key of given.filter((name) => !known.includes(name))) {
    const nearest = nearestName(key, free)
    if (nearest !== undefined)
      return `The request ${type} has no "${printable(key, excerptLength)}". Did you mean "${nearest}"?`
  }
  return undefined
}

/** The values of a form, in the words that complete "must be ...". */
const inWords = (form: Form): string => {
  if ("list" in form) return "a list of texts"
  if (!("is" in form)) return "an object"
  if (form.is !== "number") return form.is === "string" ? "a text" : "true or false"
  const { maximum, minimum } = form.rules ?? {}
  return `a whole number${maximum === undefined ? `, at least ${minimum}` : ` from ${minimum} to ${maximum}`}`
}

/** A request whose type is known. Keys that its form does not have are left out. */
const requestOf = (type: string, form: Form, value: RawSettings): Either.Either<ControlRequest, string> => {
  const request = taken(form, value)
  // The form is that of the schema of the request.
  if (Either.isRight(request)) return Either.right(request.right as ControlRequest)
  const issue = request.left
  const key = issue.path.join(".")
  const field = fieldsIn(form).find(([name]) => name === key)?.[1]
  const expects = field === undefined ? "a text" : (field.note?.expects ?? inWords(field.form))
  const given =
    issue.is === "missing" ? "and is missing" : `not ${jsonText(valueAt(value, issue.path) ?? null)}`
  const problem = printable(`it must be ${expects}, ${given}`, 3 * excerptLength)
  return Either.left(`The request ${type} has a bad "${printable(key, excerptLength)}": ${problem}`)
}

/** Decodes a request. The Left is one printable line: what is wrong, and what is expected. */
export const decodeRequest = (text: string): Either.Either<ControlRequest, string> =>
  Either.gen(function* () {
    const value: unknown = yield* Either.try({
      try: () => JSON.parse(text),
      catch: () => `The request is not valid JSON: ${printable(text, excerptLength)}`
    })
    if (!isObject(value)) {
      return yield* Either.left(`The request must be one JSON object: ${printable(text, excerptLength)}`)
    }
    const type = Object.hasOwn(value, "type") ? value["type"] : undefined
    if (type === undefined) {
      return yield* Either.left(`The request has no "type": expected ${expectedTypes}.`)
    }
    if (typeof type !== "string") {
      const given = printable(JSON.stringify(type), excerptLength)
      return yield* Either.left(
        `The request's "type" must be a string, not ${given}: expected ${expectedTypes}.`
      )
    }
    // JSON.parse silently keeps the last of two equal keys.
    if (countMembers(text) !== Object.keys(value).length) {
      return yield* Either.left(`The request gives a key twice: ${printable(text, excerptLength)}`)
    }
    const form = requests.get(type)
    if (form === undefined) return yield* Either.left(unknownType(type))
    const keys = form.fields.map(({ key }) => key)
    const problem = misspelled(type, keys, Object.keys(value))
    if (problem !== undefined) return yield* Either.left(problem)
    return yield* requestOf(type, form, value)
  })

/** The original's client reads once, at most this many bytes, and parses them. */
export const maxResponseBytes = 8192

/** The lengths to which strings and lists are cut, one after the other, until a response fits. */
const cuts = [2048, 1024, 512, 256, 128, 64, 32]

const shortenString = (text: string, maxLength: number): string =>
  text.length <= maxLength ? text : `${text.slice(0, maxLength - 1)}…`

/** Every string at most `maxLength` characters, every list at most an eighth as many entries. */
const shorten = (value: unknown, maxLength: number): unknown => {
  if (typeof value === "string") return shortenString(value, maxLength)
  if (Array.isArray(value)) {
    const maxItems = maxLength / 8
    const kept = value.slice(0, maxItems).map((item) => shorten(item, maxLength))
    return value.length <= maxItems || typeof value[0] !== "string" ? kept : [...kept, "…"]
  }
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, shorten(one, maxLength)]))
}

const shortenStatus = (data: StatusData, maxLength: number): unknown => {
  const projects = Object.entries(data.projects ?? {}).slice(0, maxLength / 8)
  const shortened = Object.entries(data).map(([key, value]) => [key, shorten(value, maxLength)])
  return Object.fromEntries(
    data.projects === undefined ? shortened : [...shortened, ["projects", Object.fromEntries(projects)]]
  )
}

/** The seven fields of the original. */
const bareStatus = (data: StatusData): StatusData => ({
  worker_status: data.worker_status,
  worker_pid: data.worker_pid,
  uptime_seconds: data.uptime_seconds,
  total_restarts: data.total_restarts,
  consecutive_failures: data.consecutive_failures,
  memory_available_bytes: data.memory_available_bytes,
  memory_total_bytes: data.memory_total_bytes
})

const line = (response: unknown): string => `${jsonText(response)}\n`

const fits = (text: string): boolean =>
  text.length <= maxResponseBytes && new TextEncoder().encode(text).length <= maxResponseBytes

/** Whether the original's client may receive this data: it knows only a status, or none. */
const isForOriginal = (data: AnswerData | undefined): data is StatusData | undefined =>
  data === undefined || "worker_status" in data

let shape: ReturnType<typeof responseShape> | undefined

const checked = (response: ControlResponse): ControlResponse => {
  const place: Array<string> = []
  const one = fitted((shape ??= responseShape()), response, place)
  if (one === misfit)
    throw new Error(`an answer has another form than the protocol's, at "${place.join(".")}"`)
  // The shape is that of ControlResponse.
  return one as ControlResponse
}

/**
 * Encodes a response, with its newline. One with a status, or without data, has at most `maxResponseBytes` bytes: longer
 * strings and lists are cut, with an ellipsis, but never the seven fields of the original. Other data is never cut.
 * Throws for a response of another form than its schema's, which is a bug.
 */
export const encodeResponse = (response: ControlResponse): string => {
  const encoded = checked(response)
  const whole = line(encoded)
  const { data, message, ...head } = encoded
  if (!isForOriginal(data) || fits(whole)) return whole
  for (const maxLength of cuts) {
    const shortened = line({
      ...head,
      message: shortenString(message, maxLength),
      ...(data === undefined ? {} : { data: shortenStatus(data, maxLength) })
    })
    if (fits(shortened)) return shortened
  }
  return line({
    ...head,
    message: shortenString(message, 256),
    ...(data === undefined ? {} : { data: bareStatus(data) })
  })
}
