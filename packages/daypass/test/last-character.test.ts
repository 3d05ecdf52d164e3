import { describe, expect, it } from "vitest";
import { isDaypassError, problem } from "../src/index.ts";
import { signatureBytes, signatureBytesUrl } from "../src/wire/encoding.ts";
import { type Subject, subjects } from "./registry.ts";

/** Every signature of the right length with another last character, before the padding, of its alphabet. */
function* changed({ name, example }: Subject, text: string): Generator<string> {
  const signature = example.signature.exec(text)?.[1];
  if (signature === undefined) return;
  // CloudFront writes `_` for the padding.
  const plain = signature.replace(name.startsWith("cloudfront") ? /_*$/ : /(?:=|%3D)*$/i, "");
  const alphabet = /^[0-9a-f]+$/.test(plain) ? "0123456789abcdef" : "ABab01";
  for (const character of alphabet) {
    if (plain.endsWith(character)) continue;
    const other = plain.slice(0, -1) + character + signature.slice(plain.length);
    yield text.replace(signature, () => other);
  }
}

const inTarget = subjects.filter(({ isForm }) => !isForm);

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

describe("a signature in base64", () => {
  const bytes = [1, 2, 3, 4];
  it.each([
    ["canonical", "AQIDBA==", bytes],
    ["with spare bits that are not zero", "AQIDBB==", []],
    ["without its padding", "AQIDBA", undefined],
    ["with half of its padding", "AQIDBA=", undefined],
    ["of another size", "AQIDBAU=", undefined],
    ["much too long", "A".repeat(10_000_000), undefined],
    ["with the other alphabet", "AQID_A==", undefined],
    ["with a line feed", "AQIDBA==\n", undefined],
    ["that is empty", "", undefined],
  ])("is read by its form, %s", (_name, text, expected) => {
    const found = signatureBytes(text, bytes.length);
    expect(found && [...found]).toEqual(expected);
  });

  it.each([
    ["canonical", "AQIDBA", bytes],
    ["with spare bits that are not zero", "AQIDBB", []],
    ["with padding", "AQIDBA==", undefined],
    ["with the other alphabet", "AQID+A", undefined],
    ["of no whole bytes", "AQIDB", undefined],
    ["that is empty", "", undefined],
  ])("for URLs is read by its form, %s", (_name, text, expected) => {
    const found = signatureBytesUrl(text, bytes.length);
    expect(found && [...found]).toEqual(expected);
    const unsized = signatureBytesUrl(text);
    expect(unsized && [...unsized]).toEqual(expected);
  });
});
