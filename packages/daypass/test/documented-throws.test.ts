import { readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";

// `contract.test.ts` makes each verifier throw the codes that all of them throw. Their docstrings must list these codes.

const source = new URL("../src/", import.meta.url);
const FUNCTION = /^\/\*\*\n((?: \*.*\n)+) \*\/\nexport function (\w+Verifier)\b/gm;

const verifiers = readdirSync(source, { recursive: true, encoding: "utf8" })
  .filter((path) => path.startsWith("schemes/") && path.endsWith(".ts"))
  .flatMap((path) => [...readFileSync(new URL(path, source), "utf8").matchAll(FUNCTION)])
  .map(([, text = "", name = ""]) => ({ name, throws: /@throws ([\s\S]*?)\n \* @/.exec(text)?.[1] ?? "" }));
// Some docstrings refer to another verifier.
const listing = verifiers.filter(({ throws }) => !/(?:^|\} )(?:as|those of) /.test(throws));

const FROM_FACTORY = ["INVALID_INPUT", "INVALID_KEY"];
const FROM_VERIFY = ["NO_SIGNATURE", "MALFORMED", "UNKNOWN_KEY", "SIGNATURE_MISMATCH"];

it("finds the verifiers of all schemes", () => {
  expect(verifiers.length).toBeGreaterThan(30);
  expect(listing.length).toBeGreaterThan(25);
});

it.each(listing)("the docstring of $name lists the codes that every verifier throws", ({ name, throws }) => {
  const [fromFactory = "", fromVerify = ""] = throws.split("from `verify`:");
  const isForm = name.includes("Form");
  const codesIn = (text: string): readonly string[] => [...text.matchAll(/`([A-Z_]+)`/g)].map(([, code = ""]) => code);
  expect(codesIn(fromFactory)).toEqual(FROM_FACTORY);
  // The caller checks the host of a form. A signed header has a time, and no expiry.
  const ends = name.includes("Header") ? "CLOCK_SKEW" : "EXPIRED";
  expect(codesIn(fromVerify)).toEqual(
    expect.arrayContaining([...FROM_VERIFY, ends, ...(isForm ? [] : ["WRONG_ORIGIN"])]),
  );
});
