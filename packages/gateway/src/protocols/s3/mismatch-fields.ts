import type { ErrorDetails, WireRequest } from "daypass";
import { type S3Texts, s3Texts } from "daypass/s3";
import { s3HeaderTexts } from "daypass/s3/header";
import { s3V2Texts } from "daypass/s3/v2";
import { s3V2HeaderTexts } from "daypass/s3/v2/header";
import { s3V4aTexts } from "daypass/s3/v4a";
import type { ErrorFields } from "./error-body.ts";

const encoder = new TextEncoder();

/**
 * The fields of a `SignatureDoesNotMatch` that let a caller find the difference, as S3 sends them. All of it is what the caller
 * sent; the signature that would have been right is nowhere in it.
 */
export function mismatchFields(request: WireRequest, virtualBucket: string): ErrorFields {
  const texts = textsOf(request, virtualBucket);
  if (texts === undefined) return [];
  const { stringToSign, canonicalRequest } = texts;
  const fields = signedFields(stringToSign, signatureOf(request));
  if (canonicalRequest === undefined) return fields;
  return [...fields, ["CanonicalRequest", canonicalRequest], ["CanonicalRequestBytes", bytesOf(canonicalRequest)]];
}

/** The same of a form, whose signature covers the policy as it was sent; `undefined` for what is no form. */
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
    // A signature without the form of one counts as a mismatch, too, and has no texts.
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

/** `41 57 53`: shows a byte that no screen does. Nobody has been authenticated, and the text is as long as a request may be. */
function bytesOf(text: string): string {
  let shown = "";
  for (const byte of encoder.encode(text)) shown += HEX[byte];
  return shown.slice(1);
}
