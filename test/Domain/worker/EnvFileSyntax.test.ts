import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { parseEnvFile } from "../../../src/Domain/worker/EnvFileSyntax.ts"

const values = (text: string) => parseEnvFile(text).values
const problems = (text: string) => parseEnvFile(text).problems.map(({ line, reason }) => `${line} ${reason}`)

describe("parseEnvFile", () => {
  it.each<[string, string, Readonly<Record<string, string>>]>([
    ["plain lines", "A=1\nB=two words\n", { A: "1", B: "two words" }],
    ["a last line without newline", "A=1", { A: "1" }],
    ["comments after # and ;", "# x\n; y\n  # z\nA=1 # kept\n", { A: "1 # kept" }],
    ["a comment that ends in a backslash", "# x \\\nA=1\n", { A: "1" }],
    ["white space around names and values", "  A = 1 \t\n\n\t B=\t2\n", { A: "1", B: "2" }],
    ["empty values", "A=\nB=\"\"\nC=''\nD=", { A: "", B: "", C: "", D: "" }],
    ["the later of two lines", "A=1\nA=2\n", { A: "2" }],
    ["single quotes, literally", "A='a \\n \"b\" $c '\n", { A: 'a \\n "b" $c ' }],
    ["double quotes and their escapes", 'A=" \\"q\\" \\\\ \\$x \\` \\n "\n', { A: ' "q" \\ $x ` \\n ' }],
    ["backslashes outside of quotes", "A=a\\ b\\\\c\\'d\n", { A: "a b\\c'd" }],
    ["white space that a backslash keeps", "A=a\\ \n", { A: "a " }],
    ["lines continued outside of quotes", "A=one \\\n  two\nB=3\n", { A: "one   two", B: "3" }],
    ["lines continued in double quotes", 'A="one \\\ntwo"\n', { A: "one two" }],
    ["values of several lines in quotes", "A='1\n2'\nB=\"3\n4\"\n", { A: "1\n2", B: "3\n4" }],
    ["quoted parts one after the other", "A='a'\"b\" 'c'\n", { A: "abc" }],
    ["a bare part after a quoted one", 'A="a" b c \n', { A: "ab c" }],
    ["quotes inside a bare value, literally", 'A=it\'s "so"\n', { A: 'it\'s "so"' }],
    ["signs that a shell would expand", "A=$HOME `x` ~ *\n", { A: "$HOME `x` ~ *" }],
    ["further equal signs", "A=b=c==\n", { A: "b=c==" }],
    ["Windows line ends", 'A=1\r\nB="2"\r\nC=a\\\r\nb\r\n', { A: "1", B: "2", C: "ab" }],
    ["names of any case", "_a1=x\n", { _a1: "x" }],
    ["nothing", "", {}]
  ])("reads %s as systemd does", (_, text, expected) => {
    assert.deepStrictEqual(values(text), expected)
    assert.deepStrictEqual(problems(text), [])
  })

  it("reports ignored lines with the reason, and reads the others", () => {
    const text = "A=1\n\nno equal sign\nexport B=2\n1C=3\n=x\nD=4\n"
    assert.deepStrictEqual(values(text), { A: "1", D: "4" })
    assert.deepStrictEqual(problems(text), [
      "3 is not KEY=value, so it was ignored",
      "4 begins with `export`, which this format does not have, so it was ignored: remove the word",
      "5 does not begin with a variable name of letters, digits and _, so it was ignored",
      "6 is not KEY=value, so it was ignored"
    ])
  })

  it("counts the lines inside values that span several", () => {
    assert.deepStrictEqual(problems("A='1\n2\n3'\nB=x\\\ny\r\nwrong\n"), [
      "6 is not KEY=value, so it was ignored"
    ])
  })

  it("reports a quote that is never closed, at the line that opens it", () => {
    assert.deepStrictEqual(problems('A=1\nB="never\nC=2\n'), [
      "2 opens a quote that is never closed: the rest of the file became its value"
    ])
  })

  it("never returns a NUL, at which the kernel would cut the value", () => {
    assert.deepStrictEqual(values("A=a\u0000b\nB=1\n"), { B: "1" })
    assert.lengthOf(problems("A=a\u0000b\n"), 1)
  })

  it("keeps a variable with the name of an object's own property", () => {
    assert.deepStrictEqual(Object.entries(values("__proto__=1\nconstructor=2\n")), [
      ["__proto__", "1"],
      ["constructor", "2"]
    ])
  })

  const text = FastCheck.string({ unit: "grapheme" }).map((value) =>
    value.replaceAll("\r", "").replaceAll("\u0000", "")
  )

  it("gives back any value that was written between double quotes", () => {
    FastCheck.assert(
      FastCheck.property(text, (value) => {
        const written = value.replaceAll(/["\\$`]/g, "\\$&")
        assert.deepStrictEqual(values(`A="${written}"\nB=1`), { A: value, B: "1" })
      })
    )
  })

  it("gives back any value without a single quote that was written between single quotes", () => {
    FastCheck.assert(
      FastCheck.property(text, (value) => {
        const plain = value.replaceAll("'", "")
        assert.deepStrictEqual(values(`A='${plain}'\nB=1`), { A: plain, B: "1" })
      })
    )
  })

  it("quotes nothing of a line in a problem, whatever the line is", () => {
    const noise = FastCheck.string({ unit: FastCheck.constantFrom("S", "=", " ", "'", '"', "\\", "\n", "-") })
    const known = new Set([
      "is not KEY=value, so it was ignored",
      "does not begin with a variable name of letters, digits and _, so it was ignored",
      "opens a quote that is never closed: the rest of the file became its value"
    ])
    FastCheck.assert(
      FastCheck.property(noise, (lines) => {
        for (const { line, reason } of parseEnvFile(lines).problems) {
          assert.isTrue(known.has(reason), reason)
          assert.isAtMost(line, lines.split("\n").length)
        }
      })
    )
  })
})
