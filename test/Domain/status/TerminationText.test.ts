import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import type { ProjectName } from "../../../src/Domain/Project.ts"
import { fitting, terminationText } from "../../../src/Domain/status/TerminationText.ts"
import type { Judged } from "../../../src/Domain/worker/Outcome.ts"
import { initial, Phase, type WorkerState } from "../../../src/Domain/worker/WorkerState.ts"
import { defaultPolicy } from "../../fixtures/policies.ts"

const worker = (name: string, state: Partial<WorkerState>): Judged => ({
  plan: { project: name as ProjectName, restart: defaultPolicy },
  state: { ...initial, wanted: "up", ...state }
})
const docs = worker("docs", {
  phase: Phase.Stopped({ because: "its work is finished (exit code 0)", isFinished: true })
})
const shop = worker("shop", {
  phase: Phase.Failed({ epoch: 1, because: "not logged in: no key" }),
  lastEnd: { verdict: "auth" }
})

describe("the termination log", () => {
  it("says how the daemon ended, then the workers, the worst first", () => {
    assert.strictEqual(
      terminationText([docs, shop], "autopilotd has ended with exit code 77: all workers have ended."),
      "autopilotd has ended with exit code 77: all workers have ended.\n" +
        "The worker of shop is failed: not logged in: no key.\n" +
        "The worker of docs is finished: exit code 0.\n"
    )
  })

  it("names the last run of a worker that runs again", () => {
    const again = worker("shop", { phase: Phase.Running({ epoch: 2, pid: 9 }), lastExit: "exit code 3" })
    assert.strictEqual(
      terminationText([again]),
      "The worker of shop is running; its last run: exit code 3.\n"
    )
  })

  it("is one line for a worker, whatever it prints", () => {
    const hostile = worker("shop", {
      phase: Phase.Failed({
        epoch: 1,
        because: "crashed; last output: \u001b[2J\nThe worker of docs is fine.\u202e"
      })
    })
    assert.match(terminationText([hostile]), /^The worker of shop is failed: [\x20-\x7e]*\n$/)
  })

  it("has at most 4096 bytes, is whole UTF-8, and shows a cut", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.string({ unit: "grapheme", maxLength: 3000 }), (text) => {
        const cut = fitting(text)
        const bytes = Buffer.from(cut)
        assert.isAtMost(bytes.length, 4096)
        assert.isFalse(bytes.toString("utf8").includes("\ufffd") && !text.includes("\ufffd"))
        const fits = Buffer.byteLength(text) <= 4096
        assert.strictEqual(cut === text, fits)
        if (fits) return
        assert.isTrue(cut.endsWith("...\n"))
        assert.isTrue(text.startsWith(cut.slice(0, -4)))
        assert.isAtLeast(bytes.length, 4093)
      }),
      { examples: [["é".repeat(2048)], ["é".repeat(2049)], ["😀".repeat(1025)], [`a${"😀".repeat(1025)}`]] }
    )
  })
})
