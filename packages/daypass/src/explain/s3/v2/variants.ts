import type { SignedHeader } from "../../../schemes/s3/canonical.ts";
import {
  canonicalizedResource,
  isSubResource,
  type Parameter,
  type S3V2Parts,
} from "../../../schemes/s3/v2/canonical.ts";
import { headerValues } from "../../../wire/raw-target.ts";
import { amazonBucket } from "../../amazon-host.ts";
import type { Subject } from "../../explainer.ts";
import { readParameters } from "../../parameters.ts";
import type { Variant } from "../../search/search.ts";
import { bucketOfHost, KEEP_PATH, pathSpellings } from "../../search/spellings.ts";
import { contentTypes } from "../../search/text-variants.ts";
import { movedEnds } from "../../search/usual-lives.ts";
import { CONTENT_TYPES, methodVariants, secretVariants } from "../../search/variants.ts";

/** Everything that a SigV2 signature depends on. */
export interface V2Input extends S3V2Parts {
  readonly path: string;
  readonly virtualBucket: string;
  readonly subResources: readonly Parameter[];
  readonly secret: string;
}

/** The input of the request as it was sent. On a host of Amazon the bucket's place is known; elsewhere it is tried. */
export function v2Input(
  { sent, sentUrl }: Subject,
  { expires, secret }: { readonly expires: string; readonly secret: string },
): V2Input {
  const parameters = readParameters(sentUrl);
  const virtualBucket = amazonBucket(sent.authority) ?? "";
  const names = [...new Set(sent.headers.map(([name]) => name.toLowerCase()))].filter((name) =>
    name.startsWith("x-amz-"),
  );
  const amz: SignedHeader[] = [
    ...names.map((name) => ({ name, values: headerValues(sent.headers, name) })),
    ...parameters
      .filter(([name]) => /^x-amz-/i.test(name))
      .map(([name, value]) => ({ name: name.toLowerCase(), values: [value] })),
  ];
  return withResource({
    method: sent.method,
    contentMd5: headerValues(sent.headers, "content-md5")[0] ?? "",
    contentType: headerValues(sent.headers, "content-type")[0] ?? "",
    expires,
    amz,
    resource: "",
    path: sentUrl.wire.path,
    virtualBucket,
    subResources: parameters.filter(([name]) => isSubResource(name)),
    secret,
  });
}

function withResource(input: V2Input): V2Input {
  return { ...input, resource: canonicalizedResource(input.virtualBucket, input.path, input.subResources) };
}

/** The variants in the order of how often they are the cause. */
export function v2Variants(subject: Subject): (input: V2Input) => Generator<Variant<V2Input>> {
  const hoisted = hoistedType(subject);
  const host = bucketOfHost(subject.sent.authority);
  return function* (input) {
    yield* methodVariants(input);
    yield* secretVariants(input);
    const withType = (contentType: string): V2Input => ({ ...input, contentType });
    yield* contentTypes(input.contentType, withType, new Set([hoisted, ...CONTENT_TYPES]));
    yield* resourceVariants(input, host?.bucket);
    yield* parameterVariants(input);
    yield* movedEnds(input.expires, (expires) => ({ ...input, expires }));
  };
}

/** botocore writes the headers that it signed into the query, too. */
export function hoistedType({ url }: Subject): string {
  return readParameters(url).find(([name]) => name === "content-type")?.[1] ?? "";
}

function* resourceVariants(input: V2Input, hostBucket: string | undefined): Generator<Variant<V2Input>> {
  const other = input.virtualBucket === "" ? hostBucket : "";
  if (other !== undefined) {
    yield {
      code: "HOST",
      input: withResource({ ...input, virtualBucket: other }),
      signed:
        other === ""
          ? "The URL was signed without the bucket of its host."
          : `The URL was signed with ${other} in its host as the bucket.`,
      seen:
        other === ""
          ? "The server did not take the host's first label as the bucket."
          : `The server took ${other} in the host as the bucket.`,
      fix: "Configure the server's domain, so that it finds the bucket in the host; or use path style.",
    };
  }
  for (const [what, path] of pathSpellings(input.path, input.path)) {
    yield {
      code: "PATH",
      input: withResource({ ...input, path }),
      signed: `The path was signed in another spelling: ${what}.`,
      seen: `The server saw the path in another spelling: ${what}.`,
      fix: KEEP_PATH,
    };
  }
}

function* parameterVariants(input: V2Input): Generator<Variant<V2Input>> {
  for (const parameter of input.subResources) {
    yield {
      code: "QUERY",
      input: withResource({ ...input, subResources: input.subResources.filter((other) => other !== parameter) }),
      signed: `The query parameter ${parameter[0]} was added after signing, or the signer did not sign it.`,
      seen: `The server did not count the query parameter ${parameter[0]}.`,
      fix: "Put sub-resources and response-* into the request before it is signed.",
    };
  }
  for (const header of input.amz) {
    yield {
      code: header.name === "x-amz-security-token" ? "TOKEN_AFTER_SIGNING" : "UNSIGNED_HEADER",
      input: { ...input, amz: input.amz.filter((other) => other !== header) },
      signed: `${header.name} was added after signing.`,
      seen: `${header.name} did not reach the server, or it did not count it.`,
      fix: "SigV2 signs every x-amz-* header: send exactly those that were signed, and let no proxy add one.",
    };
  }
}
