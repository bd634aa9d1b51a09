/**
 * Takes SIGUSR1 from Node, which would open its debugger: every local user could then run code as this user. Imported
 * first, so that it holds before any other line. Until then the launcher's `--inspect-port` names an address that no
 * machine has: `--disable-sigusr1` exists only since Node 22.14, and an older Node refuses unknown options.
 */
process.on("SIGUSR1", () => undefined)
