import { hmacSha1 } from "#crypto";
import { parseEpoch } from "../../core/time.ts";
import type { SignedHeader } from "../../schemes/oss/canonical.ts";
import { detectOssV1, isSubResource, ossV1StringToSign, parseOssV1 } from "../../schemes/oss/v1/canonical.ts";
import { base64 } from "../../wire/encoding.ts";
import type { Parameter } from "../../wire/parameters.ts";
import { headerValues } from "../../wire/raw-target.ts";
import { compareTexts } from "../cause/text-compare.ts";
import { decodeOr } from "../decoded.ts";
import type { Explainer, Subject } from "../explainer.ts";
import { readParameters } from "../parameters.ts";
import type { Variant } from "../search/search.ts";
import {
  decodedPathVariants,
  headerVariants,
  impliedHeaders,
  parameterVariants,
  typeVariants,
  withType,
} from "../search/text-variants.ts";
import { shownHeaders, withMethods, withTypes } from "../search/unknowns.ts";
import { movedEnds } from "../search/usual-lives.ts";
import { methodVariants, secretVariants } from "../search/variants.ts";
import { explainTextScheme, type TextScheme } from "../text-scheme.ts";
import { bucketVariants, ossCommon, ossKeys, signedPath } from "./explainer.ts";

/** Alibaba OSS presigned URLs in the legacy signature version 1. */
export const ossV1Explainer: Explainer = {
  detects: detectOssV1,
  explain: (subject) => explainTextScheme(subject, readOssV1(subject)),
};

interface OssV1Input {
  readonly method: string;
  readonly expires: string;
  /** Decoded, with the bucket in front. */
  readonly path: string;
  readonly parameters: readonly Parameter[];
  /** Includes Content-Type and Content-MD5. */
  readonly headers: readonly SignedHeader[];
  readonly secret: string;
}

function readOssV1({ url, keys }: Subject): TextScheme<OssV1Input> {
  const values = new Map(readParameters(url));
  const signature = values.get("Signature") ?? "";
  const token = values.get("security-token");
  const end = values.get("Expires") ?? "";
  const open = [...values.keys()].filter(
    (name) => !isSubResource(name) && !/^(?:OSSAccessKeyId|Expires|Signature)$/.test(name),
  );
  const { traps, ...common } = ossCommon(url, { signedBy: values.get("OSSAccessKeyId") ?? "", token });
  return {
    ...common,
    scheme: "oss/v1",
    title: "An Alibaba OSS presigned URL (legacy signature V1)",
    binds: [
      "method",
      "bucket",
      "key",
      "end",
      "sub-resources, response-* and x-oss-* parameters",
      "headers content-md5, content-type and x-oss-*, also that all of them are absent",
    ],
    leavesOpen: [
      "scheme and host",
      "every other query parameter",
      "every other header",
      "body",
      "who uses it, from where, and how often",
    ],
    endsAt: parseEpoch(end),
    end,
    mustSend: (fitting) => (fitting === undefined ? [] : shownHeaders(impliedHeaders(fitting))),
    traps: [
      ...traps,
      { name: "sha1", text: "Signature V1 uses SHA-1 and leaves host and most parameters open: use V4." },
      ...(open.length === 0
        ? []
        : [{ name: "unsigned-parameter", text: `${open.join(", ")}: V1 does not sign it, so any value works.` }]),
    ],
    secrets: [signature, token],
    check: (subject) => ({
      keys: ossKeys(keys),
      inputOf,
      textOf: stringToSign,
      signatures: { signature, signatureOf: (input) => base64(hmacSha1(input.secret, stringToSign(input))) },
      variantsOf: (input) => variants(input, subject),
      unknowns: (input) => withTypes(withMethods(input, subject.known), subject.known, withType),
      implied: (input) => impliedHeaders(input),
      difference: compareTexts,
      parse: (received) => parseOssV1(received, new Set(readParameters(subject.sentUrl).map(([name]) => name))),
    }),
  };
}

function inputOf(subject: Subject): OssV1Input {
  const { sent, sentUrl } = subject;
  const names = new Set(sent.headers.map(([name]) => name.toLowerCase()));
  const parameters = readParameters(sentUrl);
  return {
    method: sent.method,
    expires: parameters.find(([name]) => name === "Expires")?.[1] ?? "",
    path: signedPath(subject),
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
    expires,
    contentMd5: value("content-md5"),
    contentType: value("content-type"),
    headers: headers.filter(({ name }) => name.startsWith("x-oss-")),
    resource: path,
    subResources: parameters,
  });
}

/** The likeliest first. */
function* variants(input: OssV1Input, subject: Subject): Generator<Variant<OssV1Input>> {
  yield* methodVariants(input);
  yield* secretVariants(input);
  yield* typeVariants(input);
  yield* bucketVariants(input, subject, (path) => path);
  yield* parameterVariants(input);
  yield* headerVariants(input);
  const { path } = subject.sentUrl.wire;
  yield* decodedPathVariants(input, input.path.slice(0, -decodeOr(path).length) + path);
  yield* movedEnds(input.expires, (expires) => ({ ...input, expires }));
}
