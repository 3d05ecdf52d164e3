import { DaypassError } from "../errors.ts";

/**
 * A `MALFORMED` refusal that names the parameter and, for programs, what is wrong with it: a server that speaks S3's
 * own error codes chooses its text by `details.problem`.
 */
export function malformed(parameter: string, problem: string, expected: string, found?: string): DaypassError {
  const details = { parameter, problem };
  return found === undefined
    ? new DaypassError("MALFORMED", `${parameter}: ${expected}`, { details })
    : new DaypassError("MALFORMED", `${parameter}: ${expected}, found ${JSON.stringify(found)}`, {
        details: { ...details, found },
      });
}
