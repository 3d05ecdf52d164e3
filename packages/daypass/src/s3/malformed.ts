import { DaypassError } from "../errors.ts";

/**
 * A `MALFORMED` refusal that names the parameter and, for programs, what is wrong with it: a server that speaks S3's
 * own error codes chooses its text by `details.problem`.
 */
export function malformed(parameter: string, problem: string, expected: string, found?: string): DaypassError {
  return new DaypassError(
    "MALFORMED",
    `${parameter}: ${expected}${found === undefined ? "" : `, found ${JSON.stringify(found)}`}`,
    {
      details: { parameter, problem, ...(found === undefined ? {} : { found }) },
    },
  );
}
