import { expect, it } from "vitest";
import { subjects } from "./registry.ts";

/** A value that `await` treats as a promise, such as a query builder: its `then` does not return a promise. */
const lazily = <T>(value: T, answer: "itself" | "nothing"): Promise<T> => {
  const lazy = {
    // biome-ignore lint/suspicious/noThenProperty: query builders have one
    then(resolve: (value: T) => unknown, reject: (error: unknown) => unknown) {
      Promise.resolve()
        .then(() => resolve(value))
        .catch(reject);
      return answer === "itself" ? lazy : undefined;
    },
  };
  return lazy as never;
};

it.each(subjects.filter(({ isForm }) => !isForm))("$name: waits for keys that a query finds", async (subject) => {
  const { right, wrong } = subject.example.keys;
  const request = await subject.request();
  for (const answer of ["itself", "nothing"] as const) {
    const grant = await subject.verifier(() => lazily(right, answer)).verify(request);
    expect(grant.scheme).toBe(subject.row.id);
    const verified = subject.verifier(() => lazily(wrong, answer)).verify(request);
    await expect(verified).rejects.toMatchObject({ code: "SIGNATURE_MISMATCH" });
  }
});
