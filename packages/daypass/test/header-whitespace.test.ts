import { describe, expect, it } from "vitest";
import type { SignedRequest } from "../src/index.ts";
import { verdictOf } from "./code-of.ts";
import { type Subject, subjects, wire } from "./registry.ts";

// RFC 9110, section 5.5: blanks and tabs around a field's value are no part of it. No other character is.

const VALUE = "image/png";

/** Uploads that sign a header, as far as the scheme can. */
async function uploads(subject: Subject) {
  const { probe } = subject.example;
  const wishes = [{ contentType: VALUE }, { headers: { [probe?.header ?? "x-amz-meta-type"]: VALUE } }];
  const signed = wishes.map(async (bind) => {
    const wish = { method: "PUT", bind };
    return wire((await subject.signed(probe?.request?.(wish) ?? wish)) as SignedRequest);
  });
  const made = (await Promise.allSettled(signed)).flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  return made.map((request) => ({
    name: `${subject.name}, ${request.headers.map(([name]) => name)}`,
    subject,
    request,
  }));
}

const stores = subjects.filter(({ example }) => example.probe !== undefined && !("url" in example.request));
const all = (await Promise.all(stores.map(uploads))).flat();

describe.each(all)("$name: a signed header", ({ subject, request }) => {
  const sent = (value: string) => {
    const headers = request.headers.map(([name, given]) => [name, given === VALUE ? value : given] as const);
    return verdictOf(subject.verifier(subject.example.keys.right).verify({ ...request, headers }));
  };

  it("may stand between blanks and tabs", async () => {
    expect(await sent(` \t${VALUE} \t`)).toBe("accepted");
  });

  it.each(["\u00a0", "\ufeff", "\v", "\f"])("is another value with %j beside it", async (space) => {
    for (const value of [`${VALUE}${space}`, `${space}${VALUE}`]) expect(await sent(value)).not.toBe("accepted");
  });
});

it("is tried for every store", () => {
  const tried = new Set(all.map(({ subject }) => subject.row.id));
  for (const id of ["s3", "s3/v2", "s3/v4a", "s3/express", "gcs", "gcs/v2", "oss", "oss/v1", "cos", "azure"])
    expect(tried).toContain(id);
});
