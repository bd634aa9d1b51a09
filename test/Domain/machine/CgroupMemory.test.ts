import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import {
  type CgroupVersion,
  groupFolders,
  memoryCgroupOf,
  memoryMounts,
  parseAmount,
  parseLimit,
  parseReclaimable,
  unifiedCgroupOf
} from "../../../src/Domain/machine/CgroupMemory.ts"

const text = (...lines: ReadonlyArray<string>) => `${lines.join("\n")}\n`

describe("/proc/self/cgroup", () => {
  it("of version 2 names the group in its one line", () => {
    const path = "/user.slice/user-1000.slice/user@1000.service/app.slice/autopilotd.service"
    assert.deepStrictEqual(memoryCgroupOf(`0::${path}\n`), { version: 2, path })
  })

  it("of version 1 names it in the line of the memory controller, whatever stands beside it and in its path", () => {
    assert.deepStrictEqual(
      memoryCgroupOf(text("9:name=systemd:/memory", "4:cpu,memory:/a:b/c", "1:cpu:/x")),
      {
        version: 1,
        path: "/a:b/c"
      }
    )
  })

  it("of both goes by version 1 where that has the memory controller, else by version 2", () => {
    assert.deepStrictEqual(memoryCgroupOf(text("0::/two", "4:memory:/one")), { version: 1, path: "/one" })
    assert.deepStrictEqual(memoryCgroupOf(text("1:name=systemd:/one", "0::/two")), {
      version: 2,
      path: "/two"
    })
  })

  it("names the group of version 2 also where memory is accounted by version 1", () => {
    assert.strictEqual(
      unifiedCgroupOf(text("4:memory:/one", "1:name=systemd:/x", "0::/two:and more")),
      "/two:and more"
    )
    for (const none of ["", "4:memory:/one\n", "0:memory:/one\n", "0::relative\n"]) {
      assert.isUndefined(unifiedCgroupOf(none))
    }
  })

  it("without either names none", () => {
    for (const none of ["", "1:cpu:/x\n", "memory\n", "0::relative\n"])
      assert.isUndefined(memoryCgroupOf(none))
  })
})

describe("/proc/self/mountinfo", () => {
  const mountInfo = text(
    "23 1 254:0 / / rw,relatime - ext4 /dev/root rw",
    "32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu",
    "35 31 0:32 /docker/1f /sys/fs/cgroup/memory ro,relatime shared:9 master:3 - cgroup cgroup rw,memory",
    "41 31 0:38 / /sys/fs/cgroup/with\\040blank rw,relatime - cgroup2 cgroup2 rw"
  )

  it("names the mount where each version accounts memory, with any number of optional fields", () => {
    assert.deepStrictEqual(memoryMounts(mountInfo, 1), [
      { root: "/docker/1f", mountPoint: "/sys/fs/cgroup/memory" }
    ])
    assert.deepStrictEqual(memoryMounts(mountInfo, 2), [
      { root: "/", mountPoint: "/sys/fs/cgroup/with blank" }
    ])
  })
})

describe("the folders of a group", () => {
  const mountPoint = "/sys/fs/cgroup"

  it("are its own and those of all above it, up to the mount", () => {
    assert.deepStrictEqual(groupFolders({ root: "/", mountPoint }, "/a/b"), [
      "/sys/fs/cgroup/a/b",
      "/sys/fs/cgroup/a",
      "/sys/fs/cgroup"
    ])
    assert.deepStrictEqual(groupFolders({ root: "/", mountPoint }, "/"), ["/sys/fs/cgroup"])
  })

  it("begin at the mount's root where only a part of the hierarchy is mounted", () => {
    const mount = { root: "/docker/1f", mountPoint }
    assert.deepStrictEqual(groupFolders(mount, "/docker/1f"), ["/sys/fs/cgroup"])
    assert.deepStrictEqual(groupFolders(mount, "/docker/1f/x"), ["/sys/fs/cgroup/x", "/sys/fs/cgroup"])
  })

  it("are the mount alone for a group that is not below it", () => {
    const mount = { root: "/docker/1f", mountPoint }
    for (const path of ["/", "/docker/1fe/x", "/other"]) {
      assert.deepStrictEqual(groupFolders(mount, path), ["/sys/fs/cgroup"])
    }
    assert.deepStrictEqual(groupFolders({ root: "/", mountPoint }, "/../../etc"), ["/sys/fs/cgroup"])
  })
})

describe("the amounts of a group", () => {
  it("are limits, where `max` and an impossibly large number mean no limit", () => {
    assert.strictEqual(parseLimit("536870912\n"), 536_870_912)
    assert.strictEqual(parseLimit("max\n"), Number.POSITIVE_INFINITY)
    assert.strictEqual(parseLimit("9223372036854771712\n"), Number.POSITIVE_INFINITY)
    for (const odd of ["", "-1\n", "maximum\n", "1 2\n", "0x10\n"]) assert.isUndefined(parseLimit(odd))
  })

  it("are page cache and slab in version 2, page cache with that of the groups below in version 1", () => {
    const stat = text("anon 7", "inactive_file 100", "active_file 20", "slab_reclaimable 3", "slab 9")
    assert.strictEqual(parseReclaimable(stat, 2), 123)
    const first = text("inactive_file 1", "active_file 1", "total_inactive_file 100", "total_active_file 20")
    assert.strictEqual(parseReclaimable(first, 1), 120)
  })

  it("are not known from a text that lacks them", () => {
    assert.isUndefined(parseReclaimable("anon 7\n", 2))
    assert.isUndefined(parseReclaimable("total_inactive_file 7\n", 1))
  })
})

const versions = FastCheck.constantFrom<CgroupVersion>(1, 2)

describe("a file of cgroups with any content", () => {
  const piece = FastCheck.constantFrom(
    "0::/a/../b",
    "4:memory:/x",
    "1 2 0:1 / /m rw - cgroup2 c rw",
    "1 2 0:1 / /m rw - cgroup c rw,memory",
    "inactive_file 1",
    "active_file 99999999999999999999999999",
    `active_file ${"9".repeat(400)}`,
    "max",
    "-1",
    "9".repeat(400)
  )
  const content = FastCheck.array(FastCheck.oneof(piece, FastCheck.string({ unit: "binary" }))).map(
    (pieces) => pieces.join("\n")
  )

  it("never throws, and gives an amount or nothing", () => {
    FastCheck.assert(
      FastCheck.property(content, versions, (odd, version) => {
        const amount = parseAmount(odd)
        assert.isTrue(amount === undefined || (Number.isSafeInteger(amount) && amount >= 0))
        assert.isTrue((parseLimit(odd) ?? 0) >= 0)
        assert.isTrue((parseReclaimable(odd, version) ?? 0) >= 0)
      })
    )
  })

  it("never leads out of the mount", () => {
    FastCheck.assert(
      FastCheck.property(content, content, versions, (own, mountInfo, version) => {
        const group = memoryCgroupOf(own) ?? { path: own }
        for (const mount of [...memoryMounts(mountInfo, version), { root: "/", mountPoint: "/m" }]) {
          for (const folder of groupFolders(mount, group.path)) {
            assert.isTrue(folder === "/m" || folder.startsWith("/m/"), folder)
            assert.notInclude(folder.split("/"), "..")
          }
        }
      })
    )
  })
})
