import type { Parameter } from "../../wire/parameters.ts";
import type { Subject } from "../explainer.ts";
import type { Variant } from "../search/search.ts";
import { bucketOfHost } from "../search/spellings.ts";
import {
  decodedPathVariants,
  headerVariants,
  hostVariants,
  parameterVariants,
  spelt,
  typeVariants,
} from "../search/text-variants.ts";
import { changedLives } from "../search/usual-lives.ts";
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
  yield* listedHostVariants(input);
  yield* parameterVariants(input);
  if (input.headers.some(({ name }) => name === "content-type")) yield* typeVariants(input);
  yield* headerVariants(input);
  yield* bucketVariants(input, subject);
  yield* decodedPathVariants(input, subject.sentUrl.wire.path);
  yield* lifeVariants(input);
}

/** Another end behind the beginning, which is in the URL. */
function lifeVariants(input: CosInput): Iterable<Variant<CosInput>> {
  const [now, start = ""] = /^(\d{1,11});\d{1,11}$/.exec(input.keyTime) ?? [];
  return changedLives({
    ...{ name: "q-key-time", now, ofLife: (seconds) => `${start};${Number(start) + seconds}` },
    withLife: (keyTime) => ({ ...input, keyTime }),
  });
}

/** The host in the list, and not in the text. */
function* listedHostVariants(input: CosInput): Generator<Variant<CosInput>> {
  const headers = input.headers.filter(({ name }) => name !== "host");
  if (headers.length === input.headers.length) return;
  const fix = "Sign what the list of headers names: the host with its value.";
  const how = "in the list alone, and not in the text";
  yield spelt({ code: "HOST", input: { ...input, headers }, what: "host", how, fix });
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
