import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as FastCheck from "effect/FastCheck"
import { ProjectName } from "../../../src/Domain/Project.ts"
import { groupName, isPopulated, projectOfGroup } from "../../../src/Domain/tree/WorkerGroup.ts"
import { workerId } from "../../../src/Domain/WorkerId.ts"

const shop = ProjectName.make("shop")

describe("the name of a worker's cgroup", () => {
  it("has the project and the beginning of the uuid in the worker's id", () => {
    const id = workerId("home", shop, "0f8fad5b-d9cb-469f-a165-70867728950e")
    assert.strictEqual(groupName(shop, id), "worker.shop.0f8fad5b")
  })

  it("names the project, and is a valid folder name", () => {
    FastCheck.assert(
      FastCheck.property(Arbitrary.make(ProjectName), FastCheck.uuid(), (project, uuid) => {
        const name = groupName(project, workerId("home", project, uuid))
        assert.strictEqual(projectOfGroup(name), project)
        assert.isBelow(name.length, 256)
        assert.notInclude(name, "/")
      })
    )
  })

  it("matches no other cgroup", () => {
    for (const name of [
      "daemon",
      "worker.shop",
      "worker.shop.0f8fad5",
      "worker.shop.0f8fad5b1",
      "worker.shop.0F8FAD5B",
      "worker..0f8fad5b",
      "worker.-a.0f8fad5b",
      "worker.shop.0f8fad5b.service",
      "workers.shop.0f8fad5b",
      "a.worker.shop.0f8fad5b",
      "worker.../x.0f8fad5b"
    ]) {
      assert.isUndefined(projectOfGroup(name), name)
    }
  })

  it("distinguishes projects of which one name is a prefix of the other", () => {
    assert.strictEqual(projectOfGroup("worker.a.0f8fad5b.0f8fad5b"), "a.0f8fad5b")
    assert.strictEqual(projectOfGroup("worker.a.0f8fad5b"), "a")
  })
})

describe("cgroup.events", () => {
  it("says whether the group has processes; unknown content counts as populated", () => {
    assert.isTrue(isPopulated("populated 1\nfrozen 0\n"))
    assert.isFalse(isPopulated("populated 0\nfrozen 0\n"))
    assert.isFalse(isPopulated("frozen 0\npopulated 0\n"))
    for (const odd of ["", "frozen 0\n", "populated 01\n"]) assert.isTrue(isPopulated(odd))
  })
})
