import { type ExplainOptions, explain } from "daypass/explain";
import { describe, expect, it } from "vitest";
import { type Arrived, errorBody, evidences, faults, type Provider, providers } from "./evidence.ts";

const clock = () => new Date("2026-11-24T12:05:00Z");

/** What of a request is told by a kind of evidence. */
function optionsOf(
  evidence: string,
  provider: Provider,
  given: string,
  { method, url, headers }: Arrived,
): ExplainOptions {
  const { whole, text } = provider.computed({ method, url, headers });
  const texts = /^body/.test(evidence)
    ? whole
    : /^string/.test(evidence)
      ? text
      : /^code/.test(evidence)
        ? {}
        : undefined;
  return {
    clock,
    ...(texts === undefined ? {} : { errorBody: errorBody(texts) }),
    ...(evidence.includes("key") ? { keys: provider.keys } : {}),
    ...(evidence.includes("request") ? { request: { method, headers, ...(url === given ? {} : { url }) } } : {}),
  };
}

const cases = providers.flatMap((provider) =>
  faults
    .filter(({ of = () => true }) => of(provider))
    .flatMap((fault) =>
      evidences.map((evidence) => ({
        title: `${provider.name}: ${fault.name}, by ${evidence}`,
        provider,
        fault,
        evidence,
      })),
    ),
);

describe("a broken request is told by whatever evidence there is", () => {
  it.each(cases)("$title", async ({ provider, fault, evidence }) => {
    const { given, arrived } = fault.make(provider);
    const explanation = await explain(given.url, optionsOf(evidence, provider, given.url, arrived));
    const { cause } = explanation;
    const sentence = cause?.sentence ?? "";
    const isDecided = /key/.test(evidence) && /body|request|string/.test(evidence);
    if (isDecided) expect({ code: cause?.code, sentence }).toMatchObject({ code: fault.code });
    // Somebody was refused: then there is a first sentence, and what is right is in it.
    else if (/body|string|code/.test(evidence))
      expect(`${cause?.code} ${sentence}`).toMatch(new RegExp(`^${fault.code} |${fault.named.source}`));
    else if (cause !== undefined)
      expect(`${cause.code} ${sentence}`).toMatch(new RegExp(`^${fault.code} |${fault.named.source}`));
    // Nobody has said with what it was sent.
    if (/^(?:none|key|code|code and key)$/.test(evidence)) {
      expect(sentence).not.toMatch(
        /(?:sent|used|saw|was reached) (?:with |the method )?(?:GET|HEAD|PUT|POST)|not sent|sent not at all/,
      );
    }
    // What was sent is no proof of what was signed.
    if (fault.code === "HEADER") {
      const told = explanation.mustSend.find(({ name }) => name === "content-type")?.value;
      expect([undefined, "image/png"]).toContain(told);
    }
  });
});

describe("a good URL", () => {
  const good = providers.flatMap((provider) =>
    (["none", "request", "key", "request and key"] as const).map((evidence) => ({
      title: `${provider.name}, by ${evidence}`,
      provider,
      evidence,
    })),
  );

  it.each(good)("has no cause: $title", async ({ provider, evidence }) => {
    for (const method of ["GET", "PUT"]) {
      const { url, headers } = provider.sign({ method });
      expect((await explain(url, optionsOf(evidence, provider, url, { method, url, headers }))).cause).toBeUndefined();
    }
  });

  it.each(good)("with a header, too: $title", async ({ provider, evidence }) => {
    const { url, headers } = provider.sign({ method: "PUT", contentType: "image/png" });
    const told = await explain(url, optionsOf(evidence, provider, url, { method: "PUT", url, headers }));
    expect(told.cause).toBeUndefined();
    const value = told.mustSend.find(({ name }) => name === "content-type")?.value;
    // Only a key shows the value of a header that was signed.
    expect(value).toBe(/key/.test(evidence) ? "image/png" : undefined);
  });
});
