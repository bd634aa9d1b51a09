/** The beginning of a program's file: enough for the headers of ELF and for the first line of a script. */
export const headerBytes = 4096

/** A segment of an ELF file that the kernel reads before it runs the program. */
interface Segments {
  /** The bytes that the file must have. */
  readonly endsAt: number
  /** Where the name of the dynamic loader stands; undefined for a static program. */
  readonly loaderAt: { readonly offset: number; readonly length: number } | undefined
}

/** The kind of a program's file. */
type ProgramFile =
  | { readonly _tag: "Empty" }
  /** The interpreter with its argument as the kernel reads them: a carriage return belongs to the last one. */
  | { readonly _tag: "Script"; readonly interpreter: string; readonly argument: string | undefined }
  | {
      readonly _tag: "Elf"
      readonly bits: 32 | 64
      readonly machine: number
      /** Where the table of its segments stands. */
      readonly tableAt: { readonly offset: number; readonly length: number; readonly entryLength: number }
      readonly isLittleEndian: boolean
    }
  /** The headers of an ELF file are not whole. */
  | { readonly _tag: "Cut" }
  /** The kernel may know the format from elsewhere, and a shell runs a text. */
  | { readonly _tag: "Other" }

export type ElfFile = Extract<ProgramFile, { _tag: "Elf" }>

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

const latin1 = (bytes: Uint8Array): string => String.fromCharCode(...bytes)

/** elf(5). */
const readElf = (bytes: Uint8Array): ProgramFile => {
  const is64 = bytes[4] === 2
  const isLittleEndian = bytes[5] !== 2
  if (bytes.length < (is64 ? 64 : 52)) return { _tag: "Cut" }
  const view = viewOf(bytes)
  const short = (at: number): number => view.getUint16(at, isLittleEndian)
  const entryLength = short(is64 ? 54 : 42)
  return {
    _tag: "Elf",
    bits: is64 ? 64 : 32,
    machine: short(18),
    tableAt: {
      offset: is64 ? Number(view.getBigUint64(32, isLittleEndian)) : view.getUint32(28, isLittleEndian),
      length: entryLength * short(is64 ? 56 : 44),
      entryLength
    },
    isLittleEndian
  }
}

/** Reads the kind of a program from the first `headerBytes` of its file. */
export const programFile = (bytes: Uint8Array): ProgramFile => {
  if (bytes.length === 0) return { _tag: "Empty" }
  const start = latin1(bytes.subarray(0, 256))
  if (start.startsWith("\x7fELF")) return readElf(bytes)
  const [, interpreter, argument] = /^#![ \t]*([^ \t\n]+)(?:[ \t]+([^\n]*[^ \t\n]))?/.exec(start) ?? []
  return interpreter === undefined ? { _tag: "Other" } : { _tag: "Script", interpreter, argument }
}

const loadable = 1
const dynamicLoader = 3

/** Reads the table of the segments, which stands at `tableAt`. Undefined when it is not whole. */
export const segmentsOf = (
  { bits, isLittleEndian, tableAt }: ElfFile,
  table: Uint8Array
): Segments | undefined => {
  const { entryLength, length } = tableAt
  if (entryLength < (bits === 64 ? 56 : 32) || table.length < length) return undefined
  const view = viewOf(table)
  const address = (at: number): number =>
    bits === 64 ? Number(view.getBigUint64(at, isLittleEndian)) : view.getUint32(at, isLittleEndian)
  let endsAt = tableAt.offset + length
  let loaderAt: Segments["loaderAt"]
  for (let at = 0; at < length; at += entryLength) {
    const type = view.getUint32(at, isLittleEndian)
    if (type !== loadable && type !== dynamicLoader) continue
    const offset = address(at + (bits === 64 ? 8 : 4))
    const inFile = address(at + (bits === 64 ? 32 : 16))
    endsAt = Math.max(endsAt, offset + inFile)
    if (type === dynamicLoader) loaderAt = { offset, length: inFile }
  }
  return { endsAt, loaderAt }
}

/** The name of the dynamic loader, from the bytes at `loaderAt`. */
export const loaderName = (bytes: Uint8Array): string => latin1(bytes).replace(/\0.*$/s, "")

/** The machines whose programs a processor runs, by Node's name of it. Many of 64 bits run programs of 32 as well. */
const machinesOf: Readonly<Record<string, ReadonlyArray<number>>> = {
  arm: [40],
  arm64: [183, 40],
  ia32: [3],
  loong64: [258],
  ppc64: [21],
  riscv64: [243],
  s390x: [22],
  x64: [62, 3]
}

const machineNames: Readonly<Record<number, string>> = {
  3: "i386",
  21: "ppc64",
  22: "s390x",
  40: "arm",
  62: "x86-64",
  183: "arm64",
  243: "riscv64",
  258: "loong64"
}

/** The name of the processor that an ELF file is for, when that is not `processor`, by Node's name of it. */
export const foreignMachine = ({ machine }: ElfFile, processor: string): string | undefined => {
  const own = machinesOf[processor]
  return own === undefined || own.includes(machine) ? undefined : (machineNames[machine] ?? `type ${machine}`)
}
