import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { isDaypassError, type ObligationKind, type WireRequest } from "../../src/index.ts";
import { type UrlKey, urlVerifier } from "../../src/schemes/url/index.ts";

interface RequestVectors {
  readonly keys: readonly UrlKey[];
  readonly cases: readonly RequestVector[];
}

interface RequestVector {
  readonly name: string;
  readonly request: WireRequest;
  readonly verifier: { readonly origins: readonly string[]; readonly audience?: string; readonly skew?: number };
  readonly now: string;
  readonly subject?: string;
  readonly enforces?: readonly ObligationKind[];
  readonly expect: Readonly<Record<string, unknown>>;
}

interface KeyVectors {
  readonly cases: readonly { readonly name: string; readonly keys: readonly UrlKey[]; readonly valid: boolean }[];
}

const read = (file: string): unknown =>
  JSON.parse(readFileSync(new URL(`../vectors/url/${file}`, import.meta.url), "utf8"));
const ALL: readonly ObligationKind[] = ["body-length", "body-sha256", "create-only", "uses", "response", "strip"];
const instant = (text: string): Date => new Date(text.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, "$1-$2-$3T$4:$5:$6Z"));
const basic = (date: Date): string => date.toISOString().replace(/[-:]|\.000/g, "");

/** Runs every vector of docs/spec/daypass-url.md, section 12, on whichever crypto build is loaded. */
export function testVectors(): void {
  for (const file of ["hs256.json", "ed25519.json"]) {
    const { keys, cases } = read(file) as RequestVectors;
    it.each(cases)(`${file}: $name`, async (vector) => {
      expect(await outcome(vector, keys)).toEqual(vector.expect);
    });
  }

  it.each((read("keys.json") as KeyVectors).cases)("keys.json: $name", ({ keys, valid }) => {
    const load = (): unknown => urlVerifier({ keys, origins: ["https://api.example.com"] });
    if (valid) expect(load).not.toThrow();
    else expect(load).toThrow(expect.objectContaining({ code: "INVALID_KEY" }));
  });
}

async function outcome(vector: RequestVector, keys: readonly UrlKey[]): Promise<unknown> {
  const { origins, audience, skew } = vector.verifier;
  const verifier = urlVerifier({
    keys: { keys },
    origins,
    audience,
    maxSkew: skew,
    enforces: vector.enforces ?? ALL,
    clock: () => instant(vector.now),
  });
  try {
    const { id, keyId, methods, notBefore, expiresAt, target, prefix, obligations } = await verifier.verify(
      vector.request,
      { subject: vector.subject },
    );
    return {
      id,
      keyId,
      methods,
      notBefore: basic(notBefore),
      expiresAt: basic(expiresAt),
      target,
      obligations: obligations.map(({ kind }) => kind),
      ...(prefix === undefined ? {} : { prefix }),
    };
  } catch (error) {
    if (!isDaypassError(error)) throw error;
    return { code: error.code };
  }
}
