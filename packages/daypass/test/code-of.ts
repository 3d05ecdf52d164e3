import { type ErrorCode, isDaypassError } from "daypass";

/** Returns the code that a call is refused with, or `undefined` if it succeeds. Throws every error that is not a `DaypassError`. */
export function codeOf(work: () => unknown): ErrorCode | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (isDaypassError(error)) return error.code;
    throw error;
  }
}

/** Returns `accepted` if a promise resolves, or the code that it is rejected with. */
export async function verdictOf(promise: Promise<unknown>): Promise<ErrorCode | "accepted"> {
  try {
    await promise;
    return "accepted";
  } catch (error) {
    if (isDaypassError(error)) return error.code;
    throw error;
  }
}
