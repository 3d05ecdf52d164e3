import { describe, expect, it } from "vitest";
import { isDaypassError, problem } from "../src/index.ts";
import { type Subject, subjects } from "./registry.ts";

/** Every signature of the right length with another last character, before the padding, of its alphabet. */
function* changed({ name, example }: Subject, text: string): Generator<string> {
  const signature = example.signature.exec(text)?.[1];
  if (signature === undefined) return;
  // CloudFront writes `_` for the padding.
  const plain = signature.replace(name === "cloudfront" ? /_*$/ : /(?:=|%3D)*$/i, "");
  const alphabet = /^[0-9a-f]+$/.test(plain) ? "0123456789abcdef" : "ABab01";
  for (const character of alphabet) {
    if (plain.endsWith(character)) continue;
    const other = plain.slice(0, -1) + character + signature.slice(plain.length);
    yield text.replace(signature, () => other);
  }
}

const inTarget = subjects.filter(
  ({ isForm, example }) => !isForm && example.probe !== undefined && example.probe.sameAs === undefined,
);

describe.each(inTarget)("$name", (subject) => {
  it("answers a signature with a changed last character by 403", async () => {
    const signed = await subject.request();
    const verifier = subject.verifier(subject.example.keys.right);
    const found: string[] = [];
    for (const target of changed(subject, signed.target)) {
      const error: unknown = await verifier.verify({ ...signed, target }).then(
        () => "accepted",
        (thrown) => thrown,
      );
      const status = isDaypassError(error) ? problem(error)?.status : error;
      if (status !== 403) found.push(`${target.slice(-60)}: ${String(error)}`);
    }
    expect(found).toEqual([]);
  });
});
