import { type ExplainOptions, explain } from "daypass/explain";
import { describe, expect, it } from "vitest";
import { type Arrived, errorBody, evidences, faults, type Provider, providers } from "./evidence.ts";
import { soon as clock, SECRET } from "./signed-urls.ts";

/** The options of explain for a kind of evidence. */
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
    ...(evidence.includes("key") ? { keys: [provider.keyOf("AKIDEXAMPLE", SECRET)] } : {}),
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

describe("explain with every kind of evidence", () => {
  it.each(cases)("finds the fault of $title", async ({ provider, fault, evidence }) => {
    const { given, arrived } = fault.make(provider);
    const explanation = await explain(given.url, optionsOf(evidence, provider, given.url, arrived));
    const { cause } = explanation;
    const sentence = cause?.sentence ?? "";
    const isDecided = /key/.test(evidence) && /body|request|string/.test(evidence);
    if (isDecided) expect({ code: cause?.code, sentence }).toMatchObject({ code: fault.code });
    // A refusal has a first sentence, which names the right cause at least among others.
    else if (/body|string|code/.test(evidence))
      expect(`${cause?.code} ${sentence}`).toMatch(new RegExp(`^${fault.code} |${fault.named.source}`));
    else if (cause !== undefined)
      expect(`${cause.code} ${sentence}`).toMatch(new RegExp(`^${fault.code} |${fault.named.source}`));
    // The sent method is unknown.
    if (/^(?:none|key|code|code and key)$/.test(evidence)) {
      expect(sentence).not.toMatch(
        /(?:sent|used|saw|was reached) (?:with |the method )?(?:GET|HEAD|PUT|POST)|not sent|sent not at all/,
      );
    }
    // The sent value does not prove the signed value.
    if (fault.code === "HEADER") {
      const told = explanation.mustSend.find(({ name }) => name === "content-type")?.value;
      expect([undefined, "image/png"]).toContain(told);
    }
  });
});

describe("explain with a good URL", () => {
  const good = providers.flatMap((provider) =>
    (["none", "request", "key", "request and key"] as const).map((evidence) => ({
      title: `${provider.name}, by ${evidence}`,
      provider,
      evidence,
    })),
  );

  it.each(good)("returns no cause for $title", async ({ provider, evidence }) => {
    for (const method of ["GET", "PUT"]) {
      const { url, headers } = provider.sign({ method });
      expect((await explain(url, optionsOf(evidence, provider, url, { method, url, headers }))).cause).toBeUndefined();
    }
  });

  it.each(good)("returns no cause for a signed header: $title", async ({ provider, evidence }) => {
    const { url, headers } = provider.sign({ method: "PUT", bind: { contentType: "image/png" } });
    const told = await explain(url, optionsOf(evidence, provider, url, { method: "PUT", url, headers }));
    expect(told.cause).toBeUndefined();
    const value = told.mustSend.find(({ name }) => name === "content-type")?.value;
    // Only a key proves the value of a signed header.
    expect(value).toBe(/key/.test(evidence) ? "image/png" : undefined);
  });
});
