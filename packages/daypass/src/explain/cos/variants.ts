import type { Parameter } from "../../parameters.ts";
import type { Subject } from "../explainer.ts";
import type { Variant } from "../search/search.ts";
import { bucketOfHost, hostSpellings } from "../search/spellings.ts";
import {
  decodedPathVariants,
  headerVariants,
  parameterVariants,
  spelt,
  typeVariants,
} from "../search/text-variants.ts";
import { USUAL_LIVES } from "../search/usual-lives.ts";
import { methodVariants, secretVariants } from "../search/variants.ts";

/** Everything that a signature depends on. */
export interface CosInput {
  readonly method: string;
  /** Decoded. */
  readonly path: string;
  readonly parameters: readonly Parameter[];
  readonly headers: readonly { readonly name: string; readonly values: readonly string[] }[];
  readonly keyTime: string;
  readonly secret: string;
}

/** The variants in the order of how often they are the cause. */
export function* cosVariants(input: CosInput, subject: Subject): Generator<Variant<CosInput>> {
  yield* methodVariants(input);
  yield* secretVariants(input);
  yield* hostVariants(input, subject);
  yield* parameterVariants(input);
  if (input.headers.some(({ name }) => name === "content-type")) yield* typeVariants(input);
  yield* headerVariants(input);
  yield* bucketVariants(input, subject);
  yield* decodedPathVariants(input, subject.sentUrl.wire.path);
  yield* lifeVariants(input);
}

/** Another end behind the beginning, which is in the URL. */
function* lifeVariants(input: CosInput): Generator<Variant<CosInput>> {
  const [, start = "", end] = /^(\d{1,11});(\d{1,11})$/.exec(input.keyTime) ?? [];
  for (const seconds of end === undefined ? [] : USUAL_LIVES) {
    const other = String(Number(start) + seconds);
    if (other === end) continue;
    const text = `The end was changed after signing: it was ${other}, and is ${end}.`;
    const fix = "The life is signed: ask for a new URL with the life you need.";
    yield { code: "EXPIRES_CHANGED", input: { ...input, keyTime: `${start};${other}` }, signed: text, seen: text, fix };
  }
}

function* hostVariants(input: CosInput, { url, hosts }: Subject): Generator<Variant<CosInput>> {
  const [host] = input.headers.find(({ name }) => name === "host")?.values ?? [];
  if (host === undefined) return;
  const rest = input.headers.filter(({ name }) => name !== "host");
  const fix = `Sign for the host ${host}, or let the proxy pass Host on as it came.`;
  for (const other of hostSpellings(host, { url: url.authority, region: "", hosts })) {
    const headers = [...rest, { name: "host", values: [other] }];
    yield spelt({ code: "HOST", input: { ...input, headers }, what: "host", how: `as ${other}`, fix });
  }
  const without = { ...input, headers: rest };
  yield spelt({ code: "HOST", input: without, what: "host", how: "in the list alone, and not in the text", fix });
}

function* bucketVariants(input: CosInput, { sent }: Subject): Generator<Variant<CosInput>> {
  const bucket = bucketOfHost(sent.authority)?.bucket;
  if (bucket === undefined) return;
  const path = `/${bucket}${input.path}`;
  const fix = "Sign the path as it is sent: without the bucket, where the host names it.";
  yield spelt({
    code: "PATH",
    input: { ...input, path },
    what: "path",
    how: `with the bucket ${bucket} in front`,
    fix,
  });
}
