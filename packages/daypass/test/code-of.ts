import { type ErrorCode, isDaypassError } from "daypass";

/** The code that a call is refused with; `undefined` where it is not. What is no refusal of the library's is thrown on. */
export function codeOf(work: () => unknown): ErrorCode | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (isDaypassError(error)) return error.code;
    throw error;
  }
}

/** What becomes of a promise: `accepted`, or the code that it is rejected with. */
export async function verdictOf(promise: Promise<unknown>): Promise<ErrorCode | "accepted"> {
  try {
    await promise;
    return "accepted";
  } catch (error) {
    if (isDaypassError(error)) return error.code;
    throw error;
  }
}
