import type { ErrorDetails, WireRequest } from "daypass";
import { type S3Texts, s3Texts } from "daypass/s3";
import { s3HeaderTexts } from "daypass/s3/header";
import { s3V2Texts } from "daypass/s3/v2";
import { s3V2HeaderTexts } from "daypass/s3/v2/header";
import { s3V4aTexts } from "daypass/s3/v4a";
import type { ErrorFields } from "./signature-errors.ts";

const encoder = new TextEncoder();

/**
 * The fields of a `SignatureDoesNotMatch` that show a caller the difference, as S3 sends them. They repeat only what the caller sent,
 * never the expected signature.
 */
export function mismatchFields(request: WireRequest, virtualBucket: string): ErrorFields {
  const texts = textsOf(request, virtualBucket);
  if (texts === undefined) return [];
  const { stringToSign, canonicalRequest } = texts;
  const fields = signedFields(stringToSign, signatureOf(request));
  if (canonicalRequest === undefined) return fields;
  return [...fields, ["CanonicalRequest", canonicalRequest], ["CanonicalRequestBytes", bytesOf(canonicalRequest)]];
}

/** The same fields for a form, whose signature covers the policy as sent; `undefined` if the request is not a form. */
export function formMismatchFields({ policy, signature }: ErrorDetails): ErrorFields | undefined {
  if (typeof policy !== "string") return undefined;
  return signedFields(policy, typeof signature === "string" ? signature : "");
}

function signedFields(stringToSign: string, signature: string): ErrorFields {
  return [
    ["StringToSign", stringToSign],
    ["SignatureProvided", signature],
    ["StringToSignBytes", bytesOf(stringToSign)],
  ];
}

function textsOf(request: WireRequest, virtualBucket: string): S3Texts | undefined {
  try {
    const header = authorization(request);
    if (header?.startsWith("AWS ")) return s3V2HeaderTexts(request, virtualBucket);
    if (header !== undefined) return s3HeaderTexts(request);
    if (/[?&]X-Amz-Region-Set=/.test(request.target)) return s3V4aTexts(request);
    return /[?&]AWSAccessKeyId=/.test(request.target) ? s3V2Texts(request, virtualBucket) : s3Texts(request);
  } catch {
    // A malformed signature also counts as a mismatch, and has no texts.
    return undefined;
  }
}

function authorization({ headers }: WireRequest): string | undefined {
  return headers.find(([name]) => name.toLowerCase() === "authorization")?.[1];
}

function signatureOf(request: WireRequest): string {
  const found =
    /(?:Signature=|^AWS [^:]*:)([^,\s]+)/.exec(authorization(request) ?? "") ??
    /[?&](?:X-Amz-)?Signature=([^&]*)/.exec(request.target);
  const text = found?.[1] ?? "";
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) => ` ${byte.toString(16).padStart(2, "0")}`);

/** `41 57 53`: shows invisible bytes. The table makes it cheap, because an unauthenticated client can send a long text. */
function bytesOf(text: string): string {
  let shown = "";
  for (const byte of encoder.encode(text)) shown += HEX[byte];
  return shown.slice(1);
}
