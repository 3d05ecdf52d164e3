import { hmacSha1 } from "#crypto";
import { parseEpoch } from "../../../core/validity.ts";
import { resourcePath, type SignedHeader } from "../../../schemes/oss/canonical.ts";
import { isSubResource, ossV1StringToSign } from "../../../schemes/oss/v1/canonical.ts";
import { detectOssV1, parseOssV1 } from "../../../schemes/oss/v1/parse.ts";
import { base64 } from "../../../wire/encoding.ts";
import type { Parameter } from "../../../wire/parameters.ts";
import { headerValues } from "../../../wire/raw-target.ts";
import { type Case, diagnose } from "../../cause/diagnosis.ts";
import { grammarCause } from "../../cause/grammar.ts";
import { compareTexts } from "../../cause/text-compare.ts";
import type { Explained, Explainer, SplitUrl, Subject } from "../../explainer.ts";
import { readParameters } from "../../parameters.ts";
import type { Variant } from "../../search/search.ts";
import {
  decodedPathVariants,
  headerVariants,
  impliedHeaders,
  parameterVariants,
  typeVariants,
  withType,
} from "../../search/text-variants.ts";
import { shownHeaders, withMethods, withTypes } from "../../search/unknowns.ts";
import { movedEnds } from "../../search/usual-lives.ts";
import { methodVariants, secretVariants } from "../../search/variants.ts";
import { spellings } from "../../secrets.ts";
import { endTraps, urlTraps } from "../../traps.ts";
import { alibabaHost, decodedPath, mayEndEarlier, ossKeys, ossResource, ossTraps } from "../facts.ts";
import { bucketVariants } from "../variants.ts";

/** Alibaba OSS presigned URLs in the legacy signature version 1. */
export const ossV1Explainer: Explainer = { detects: detectOssV1, explain: explainOssV1 };

/** Everything that a signature depends on. */
interface OssV1Input {
  readonly method: string;
  readonly expires: string;
  /** Decoded, with the bucket in front. */
  readonly path: string;
  readonly parameters: readonly Parameter[];
  /** Content-Type and Content-MD5 among them. */
  readonly headers: readonly SignedHeader[];
  readonly secret: string;
}

async function explainOssV1(subject: Subject): Promise<Explained> {
  const { url, now } = subject;
  const parameters = readParameters(url);
  const values = new Map(parameters);
  const accessKeyId = values.get("OSSAccessKeyId") ?? "";
  const signature = values.get("Signature") ?? "";
  const token = values.get("security-token");
  const end = values.get("Expires") ?? "";
  const endsAt = parseEpoch(end);
  const open = parameters
    .map(([name]) => name)
    .filter((name) => !isSubResource(name) && !/^(?:OSSAccessKeyId|Expires|Signature)$/.test(name));
  const resource = ossResource(url);
  const { cause, hypotheses, method, fitting } = await diagnose(subject, (from) =>
    caseOf(from, { accessKeyId, signature, endsAt }),
  );
  return {
    explanation: {
      scheme: "oss/v1",
      summary: `An Alibaba OSS presigned URL (legacy signature V1) for ${resource}, signed by ${accessKeyId || "nobody"}${endsAt === undefined ? "" : `, valid until ${endsAt.toISOString()}`}.`,
      signedBy: accessKeyId,
      grants: { methods: method === undefined ? undefined : [method], resource },
      binds: [
        ...["method", "bucket", "key", "end", "sub-resources, response-* and x-oss-* parameters"],
        "headers content-md5, content-type and x-oss-*, also that none of them is there",
      ],
      leavesOpen: [
        ...["scheme and host", "every other query parameter", "every other header", "body"],
        "who uses it, from where, and how often",
      ],
      endsAt,
      mayEndEarlier: mayEndEarlier(accessKeyId, token),
      mustSend: fitting === undefined ? [] : shownHeaders(impliedHeaders(fitting)),
      traps: [
        ...urlTraps(url).filter(({ name }) => name !== "host-port"),
        ...ossTraps(url),
        { name: "sha1", text: "Signature V1 uses SHA-1 and leaves host and most parameters open: use V4." },
        ...(open.length === 0
          ? []
          : [{ name: "unsigned-parameter", text: `${open.join(", ")}: V1 does not sign it, so any value works.` }]),
        ...endTraps(endsAt, end, now),
      ],
      cause,
      hypotheses,
      stringToSign: fitting && stringToSign(fitting),
    },
    hidden: [...spellings(signature), ...spellings(token)],
  };
}

interface Facts {
  readonly accessKeyId: string;
  readonly signature: string;
  readonly endsAt: Date | undefined;
}

function caseOf(subject: Subject, { accessKeyId, signature, endsAt }: Facts): Case<OssV1Input> {
  const { sent, sentUrl, error, keys } = subject;
  const received = { request: sent, wire: sentUrl.wire, origin: "", wildcard: "" };
  const allowed: ReadonlySet<string> = new Set(readParameters(sentUrl).map(([name]) => name));
  return {
    subject,
    ...ossKeys(keys, accessKeyId),
    inputFor: (url) => inputFor(url, subject),
    textOf: stringToSign,
    fits: (input) => base64(hmacSha1(input.secret, stringToSign(input))) === signature,
    variantsOf: (input) => variants(input, subject),
    unknowns: (input) => withTypes(withMethods(input, subject.known), subject.known, withType),
    implied: (input) => impliedHeaders(input),
    difference: compareTexts,
    shown: error?.fields.get("StringToSign"),
    grammar: grammarCause(() => parseOssV1(received, allowed)),
    times: { endsAt },
  };
}

function inputFor(url: SplitUrl, { sent, sentUrl }: Subject): OssV1Input {
  const authority = url === sentUrl ? sent.authority : url.authority;
  const bucket = alibabaHost(authority)?.bucket;
  const names = new Set(sent.headers.map(([name]) => name.toLowerCase()));
  const parameters = readParameters(url);
  return {
    method: sent.method,
    expires: parameters.find(([name]) => name === "Expires")?.[1] ?? "",
    path: bucket === undefined ? decodedPath(url) : resourcePath(bucket, decodedPath(url).slice(1)),
    parameters: parameters.filter(([name]) => isSubResource(name)),
    headers: [...names]
      .filter((name) => /^(?:content-(?:type|md5)|x-oss-.*)$/.test(name))
      .map((name) => ({ name, values: headerValues(sent.headers, name) })),
    secret: "",
  };
}

function stringToSign({ method, expires, path, parameters, headers }: OssV1Input): string {
  const value = (name: string): string => headers.find((header) => header.name === name)?.values[0]?.trim() ?? "";
  return ossV1StringToSign({
    method,
    contentMd5: value("content-md5"),
    contentType: value("content-type"),
    expires,
    headers: headers.filter(({ name }) => name.startsWith("x-oss-")),
    resource: path,
    subResources: parameters,
  });
}

/** The variants in the order of how often they are the cause. */
function* variants(input: OssV1Input, subject: Subject): Generator<Variant<OssV1Input>> {
  yield* methodVariants(input);
  yield* secretVariants(input);
  yield* typeVariants(input);
  yield* bucketVariants(input, subject, (path) => path);
  yield* parameterVariants(input);
  yield* headerVariants(input);
  const { sentUrl } = subject;
  const bucket = input.path.slice(0, -decodedPath(sentUrl).length);
  yield* decodedPathVariants(input, bucket + sentUrl.wire.path);
  yield* movedEnds(input.expires, (expires) => ({ ...input, expires }));
}
