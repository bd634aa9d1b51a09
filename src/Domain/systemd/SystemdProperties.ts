/** The `KEY=value` lines that `systemctl show` prints. A value may have any `=` in it. */
export const systemdProperties = (shown: string): ReadonlyMap<string, string> =>
  new Map(
    shown.split("\n").flatMap((line) => {
      const at = line.indexOf("=")
      return at <= 0 ? [] : [[line.slice(0, at), line.slice(at + 1)] as const]
    })
  )
