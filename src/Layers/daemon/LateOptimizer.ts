import { setFlagsFromString } from "node:v8"

/**
 * The V8 of Node 20 compiles a function to machine code after three times 66 KiB of its bytecode. A daemon runs through much
 * code a few times only, above all at its start: compiled, that costs a fifth of the start, and 3 MiB. A function that works
 * for long, as in a flood of output, is compiled all the same. Later versions of V8 wait by themselves, and refuse this flag.
 */
if (process.versions.v8.startsWith("11.")) setFlagsFromString("--interrupt-budget=1000000")
