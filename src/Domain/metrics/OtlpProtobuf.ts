import type { OtlpRequest } from "./OtlpMetrics.ts"

/** How a field stands on the wire: https://protobuf.dev/programming-guides/encoding */
type FieldType = "string" | "double" | "fixed64" | "varint" | Message

/** The fields of a message by their names in JSON: their numbers in opentelemetry-proto, and their types. */
interface Message {
  readonly [field: string]: readonly [number: number, type: FieldType]
}

const attribute: Message = { key: [1, "string"], value: [2, { stringValue: [1, "string"] }] }

const dataPoint: Message = {
  attributes: [7, attribute],
  startTimeUnixNano: [2, "fixed64"],
  timeUnixNano: [3, "fixed64"],
  asDouble: [4, "double"]
}

const metric: Message = {
  name: [1, "string"],
  description: [2, "string"],
  unit: [3, "string"],
  gauge: [5, { dataPoints: [1, dataPoint] }],
  sum: [7, { dataPoints: [1, dataPoint], aggregationTemporality: [2, "varint"], isMonotonic: [3, "varint"] }]
}

const request: Message = {
  resourceMetrics: [
    1,
    {
      resource: [1, { attributes: [1, attribute] }],
      scopeMetrics: [2, { scope: [1, { name: [1, "string"] }], metrics: [2, metric] }]
    }
  ]
}

const text = new TextEncoder()

const varint = (value: number): ReadonlyArray<number> =>
  value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))]

const eightBytes = (write: (view: DataView) => void): Uint8Array => {
  const bytes = new Uint8Array(8)
  write(new DataView(bytes.buffer))
  return bytes
}

const wireTypes = { varint: 0, fixed64: 1, double: 1, delimited: 2 } as const

const isMessage = (type: FieldType): type is Message => typeof type === "object"

type Piece = Uint8Array | ReadonlyArray<number>

const lengthOf = (pieces: ReadonlyArray<Piece>): number =>
  pieces.reduce((length, piece) => length + piece.length, 0)

const scalar = (type: Exclude<FieldType, Message>, value: unknown): ReadonlyArray<Piece> => {
  switch (type) {
    case "string": {
      const bytes = text.encode(String(value))
      return [varint(bytes.length), bytes]
    }
    case "double":
      return [eightBytes((view) => view.setFloat64(0, Number(value), true))]
    case "fixed64":
      return [eightBytes((view) => view.setBigUint64(0, BigInt(String(value)), true))]
    case "varint":
      return [varint(Number(value))]
  }
}

const fieldOf = (number: number, type: FieldType, value: unknown): ReadonlyArray<Piece> => {
  if (isMessage(type)) {
    const pieces = message(type, value)
    return [varint(number * 8 + wireTypes.delimited), varint(lengthOf(pieces)), ...pieces]
  }
  const wire = type === "string" ? wireTypes.delimited : wireTypes[type]
  return [varint(number * 8 + wire), ...scalar(type, value)]
}

const message = (fields: Message, value: unknown): ReadonlyArray<Piece> =>
  Object.entries(Object(value)).flatMap(([key, one]) => {
    const field = fields[key]
    if (field === undefined) throw new Error(`OTLP has no field ${key} here`)
    const [number, type] = field
    return (Array.isArray(one) ? one : [one]).flatMap((each) => fieldOf(number, type, each))
  })

/** The same request in the binary form of protobuf. */
export const otlpProtobuf = (value: OtlpRequest): Uint8Array<ArrayBuffer> => {
  const pieces = message(request, value)
  const bytes = new Uint8Array(lengthOf(pieces))
  let at = 0
  for (const piece of pieces) {
    bytes.set(piece, at)
    at += piece.length
  }
  return bytes
}
