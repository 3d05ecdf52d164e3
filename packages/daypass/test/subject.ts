import type { SchemeExample, SchemeRow } from "daypass/schemes";
import { EXAMPLE_LIFETIME, EXAMPLE_ORIGINS, EXAMPLE_PATH, EXAMPLE_TIME } from "../src/core/example.ts";
import type { ExampleOptions, ExampleSigned } from "../src/core/scheme.ts";
import type { Grant, ObligationKind, Verifier, WireRequest } from "../src/index.ts";

export const AT = EXAMPLE_TIME;
export const LIFE = EXAMPLE_LIFETIME;
export const ORIGIN = EXAMPLE_ORIGINS[0];
export const ENFORCES: readonly ObligationKind[] = [
  ...(["body-length", "body-sha256", "body-checksum", "create-only", "uses", "response", "strip"] as const),
  "encryption-scope",
];

/** An example with the row of its scheme, as the suites use it. A form is a request whose headers are its fields. */
export interface Subject {
  readonly name: string;
  readonly row: SchemeRow;
  readonly example: SchemeExample;
  readonly isForm: boolean;
  /** Signs the example's request with these parts added, for `LIFE` seconds unless they say otherwise. */
  signed(more?: object, at?: Date): Promise<ExampleSigned>;
  /** The same as a holder sends it. */
  request(more?: object, at?: Date): Promise<WireRequest>;
  verifier(keys: unknown, options?: Partial<ExampleOptions>): Verifier<Grant>;
}

/** All examples of a registry. */
export async function subjectsOf(registry: Readonly<Record<string, SchemeRow>>): Promise<readonly Subject[]> {
  const lists = Object.values(registry).map(async (row) => {
    const { examples } = await row.example();
    return examples.map((example) => subjectOf(row, example));
  });
  return (await Promise.all(lists)).flat();
}

function subjectOf(row: SchemeRow, example: SchemeExample): Subject {
  const { name, origins = EXAMPLE_ORIGINS } = example;
  const isForm = /(?:^|\/)form(?:\/|$)/.test(row.id);
  const signed = async (more: object = {}, at = AT) => {
    const life = "expiresAt" in more ? {} : { expiresIn: LIFE };
    return example.signer(() => at).sign({ ...example.request, ...life, ...more } as never);
  };
  return {
    name,
    row,
    example,
    isForm,
    signed,
    request: async (more, at) => wire(await signed(more, at)),
    verifier(keys, options = {}) {
      const made = example.verifier(keys as never, { origins, clock: () => AT, enforces: ENFORCES, ...options });
      const verifier = made as unknown as Verifier<Grant>;
      return isForm ? formVerifier(made as never) : verifier;
    },
  };
}

interface FormVerifier {
  detects(fields: WireRequest["headers"]): boolean;
  verify(form: { readonly bucket: string; readonly fields: WireRequest["headers"] }): Promise<Grant>;
}

function formVerifier({ detects, verify }: FormVerifier): Verifier<Grant> {
  return {
    detects: ({ headers }) => detects(headers),
    verify: ({ headers }) => verify({ bucket: "media", fields: headers }),
  };
}

/** What a holder sends. Splits a URL by text, as a URL parser would change the target. */
export function wire(signed: ExampleSigned): WireRequest {
  const sender = { remoteAddress: "203.0.113.9" };
  const authority = ORIGIN.replace("https://", "");
  if ("target" in signed) return { ...signed, ...sender };
  if ("cookies" in signed) {
    const cookie = Object.entries(signed.cookies)
      .map(([name, value]) => `${name}=${value}`)
      .join("; ");
    return { method: "GET", target: EXAMPLE_PATH, authority, headers: [["cookie", cookie]], ...sender };
  }
  if ("fields" in signed)
    return { method: "POST", target: "/", authority, headers: Object.entries(signed.fields), ...sender };
  const [, host = "", target = ""] = /^https?:\/\/([^/]+)(\/.*)$/s.exec(signed.url) ?? [];
  return { method: signed.method, target, authority: host, headers: Object.entries(signed.headers), ...sender };
}
