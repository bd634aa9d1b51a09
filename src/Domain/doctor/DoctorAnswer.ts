import { textReader } from "../Shape.ts"
import { doctorAnswerShape } from "./DoctorAnswerShape.ts"
import type { Finding } from "./Finding.ts"

const answerIn = textReader<{ readonly data: { readonly findings: ReadonlyArray<Finding> } }>(
  doctorAnswerShape
)

/** The findings in the answer of `doctor --json`; undefined for another text. */
export const findingsIn = (text: string): ReadonlyArray<Finding> | undefined => answerIn(text)?.data.findings
