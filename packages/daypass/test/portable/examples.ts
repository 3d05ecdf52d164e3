import { isDaypassError, type WireRequest } from "../../src/index.ts";
import { schemes } from "../../src/schemes.ts";
import { type Subject, subjectsOf } from "../subject.ts";

export { cases } from "./cases.ts";

const subjects = subjectsOf(schemes);
const subject = async (at: number): Promise<Subject> => (await subjects)[at] as Subject;

/** Signs the example with this number. */
export async function signExample(at: number): Promise<WireRequest> {
  return (await subject(at)).request();
}

/** The grant of a request of the example with this number, and the refusal of another key. */
export async function verifyExample(at: number, request: WireRequest): Promise<readonly unknown[]> {
  const { example, verifier } = await subject(at);
  const ask = (keys: unknown): Promise<unknown> =>
    verifier(keys)
      .verify(request)
      .catch((error: unknown) => (isDaypassError(error) ? error.code : String(error)));
  return [await ask(example.keys.right), await ask(example.keys.wrong)];
}
