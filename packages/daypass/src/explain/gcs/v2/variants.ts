import type { SignedHeader } from "../../../schemes/gcs/canonical.ts";
import { extensionNames } from "../../../schemes/gcs/parse.ts";
import { type GcsV2Parts, isNeverSigned, isSubresource } from "../../../schemes/gcs/v2/canonical.ts";
import { uriEncode } from "../../../wire/encoding.ts";
import { groupHeaders, headerValues } from "../../../wire/raw-target.ts";
import type { Subject } from "../../explainer.ts";
import { readParameters } from "../../parameters.ts";
import type { Variant } from "../../search/search.ts";
import { bucketOfHost, pathSpellings } from "../../search/spellings.ts";
import { contentTypes } from "../../search/text-variants.ts";
import { movedEnds } from "../../search/usual-lives.ts";
import { methodVariants, secretVariants } from "../../search/variants.ts";
import { googleBucket } from "../facts.ts";

/** Everything that a V2 signature depends on. */
export interface GcsV2Input extends GcsV2Parts {
  /** Empty where the key is no secret but a key pair. */
  readonly secret: string;
}

/** What would be signed for the request as it was sent. */
export function gcsV2Input({ sent, sentUrl }: Subject, expires: string, secret: string): GcsV2Input {
  const one = (name: string): string => (headerValues(sent.headers, name)[0] ?? "").trim();
  const bucket = googleBucket(sent.authority);
  const path = bucket === undefined ? sentUrl.wire.path : `/${uriEncode(bucket)}${sentUrl.wire.path}`;
  const subresource = readParameters(sentUrl).find(([name]) => isSubresource(name))?.[0];
  return {
    method: sent.method,
    contentMd5: one("content-md5"),
    contentType: one("content-type"),
    expires,
    extensions: extensionNames(groupHeaders(sent.headers))
      .filter((name) => name.startsWith("x-goog-") && !isNeverSigned(name))
      .map((name): SignedHeader => ({ name, values: headerValues(sent.headers, name) })),
    resource: subresource === undefined ? path : `${path}?${subresource}`,
    secret,
  };
}

/** The variants in the order of how often they are the cause. */
export function gcsV2Variants({ sentUrl }: Subject): (input: GcsV2Input) => Generator<Variant<GcsV2Input>> {
  return function* (input) {
    yield* methodVariants(input);
    yield* headerVariants(input);
    yield* resourceVariants(input, sentUrl);
    if (input.secret !== "") yield* secretVariants(input);
    yield* movedEnds(input.expires, (expires) => ({ ...input, expires }));
  };
}

function* headerVariants(input: GcsV2Input): Generator<Variant<GcsV2Input>> {
  const header = (name: string, value: string, sent: string, change: Partial<GcsV2Input>): Variant<GcsV2Input> => ({
    code: "HEADER",
    input: { ...input, ...change },
    signed: `The header ${name} was signed as ${JSON.stringify(value)} and sent as ${JSON.stringify(sent)}.`,
    seen: `The server saw the header ${name} as ${JSON.stringify(value)}; it was sent as ${JSON.stringify(sent)}.`,
    fix: `Send ${name} with exactly the value that was signed; V2 signs its absence, too.`,
  });
  yield* contentTypes(input.contentType, (contentType) => ({ ...input, contentType }));
  if (input.contentMd5 !== "") yield header("content-md5", "", input.contentMd5, { contentMd5: "" });
  for (const extension of input.extensions) {
    const extensions = input.extensions.filter((other) => other !== extension);
    yield header(extension.name, "", extension.values.join(","), { extensions });
  }
}

function* resourceVariants(input: GcsV2Input, { authority, wire }: Subject["sentUrl"]): Generator<Variant<GcsV2Input>> {
  const resource = (what: string, other: string): Variant<GcsV2Input> => ({
    code: "PATH",
    input: { ...input, resource: other },
    signed: `The resource was signed in another spelling: ${what}.`,
    seen: `The server saw the resource in another spelling: ${what}.`,
    fix: "Sign /bucket/object as it stands in the URL, encoded once, whatever the host is.",
  });
  const [path = "", subresource] = input.resource.split("?");
  const end = subresource === undefined ? "" : `?${subresource}`;
  for (const [what, other] of pathSpellings(wire.path, path)) yield resource(what, other + end);
  const bucket = bucketOfHost(authority)?.bucket;
  if (bucket !== undefined)
    yield resource("with the first part of the host as the bucket", `/${bucket}${wire.path}${end}`);
  if (wire.path !== path) yield resource("without the bucket that the host names", wire.path + end);
  if (end !== "") yield resource("without the subresource", path);
  const first = readParametersOf(wire.query);
  for (const name of first) yield resource(`with the parameter ${name}, which V2 does not sign`, `${path}?${name}`);
}

/** The parameters that are not the signature's own, as they stand in the URL. */
function readParametersOf(query: string): readonly string[] {
  return query.split("&").filter((token) => token !== "" && !/^(?:GoogleAccessId|Expires|Signature)=/.test(token));
}
