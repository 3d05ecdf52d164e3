import { explain } from "daypass/explain";
import { describe, expect, it } from "vitest";
import { rawUrl } from "./raw-requests.ts";
import { SECRET, sample, soon, stores } from "./signed-urls.ts";

const PARAMETER = /([?&](?:\w|-)*signature=)([^&]*)/i;

/** The URL with another character at a place of its signature, counted from the end if negative. */
function changedAt(url: string, at: number, count = 1): string {
  return url.replace(PARAMETER, (_, name: string, value: string) => {
    const signature = [...decodeURIComponent(value)];
    const from = at < 0 ? signature.length + at : at;
    for (let i = from; i < from + count; i++) signature[i] = signature[i] === "0" ? "1" : "0";
    return `${name}${encodeURIComponent(signature.join(""))}`;
  });
}

const signed = [...stores.map(({ name }) => name), "Daypass"].map((name) => [name] as const);

describe.each(signed)("explain of a changed signature of %s", (name) => {
  const { key, sign } = sample(name);
  // The last digits of a text in base64 are its padding.
  const last = /V1|V2/.test(name) ? -2 : -1;
  const ask = async (at: number, count?: number) => {
    const { url } = await sign();
    return await explain(changedAt(url, at, count), { clock: soon, keys: [key] });
  };

  it.each([last, 0, 9])("reports one changed character, at %i", async (at) => {
    const told = await ask(at);
    expect(told.cause).toMatchObject({
      code: "SIGNATURE",
      sentence: expect.stringMatching(/^One character of the signature, the character \d+ of \d+, differs/),
    });
    expect(told.cause?.isGuess).toBeUndefined();
    expect(told.hypotheses).toMatchObject([{ code: "SIGNATURE", fits: true }]);
    // Not even the right signature.
    const { url } = await sign();
    expect(JSON.stringify(told)).not.toContain(decodeURIComponent(PARAMETER.exec(url)?.[2] ?? "").slice(1, 9));
  });

  it("reports another secret for several changed characters", async () => {
    expect((await ask(2, 5)).cause?.code).toMatch(/^(?:WRONG_SECRET|HEADER)$/);
  });
});

it("reports a changed character of an upload whose method is unknown, and grants that method", async () => {
  const url = changedAt(rawUrl({ method: "PUT" }), -1);
  const keys = [{ accessKeyId: "AKIDEXAMPLE", secretAccessKey: SECRET }];
  const { cause, grants } = await explain(url, { clock: soon, keys, status: 403 });
  expect([cause?.code, grants.methods]).toEqual(["SIGNATURE", ["PUT"]]);
});
