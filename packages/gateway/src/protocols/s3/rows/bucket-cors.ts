import type { CorsRule } from "../../../http/cors.ts";
import { excerpt } from "../../../http/excerpt.ts";
import type { XmlElements } from "../../../http/xml.ts";
import { childrenOf, expectOnly, malformed, optionalText, type ReadElement, textOf } from "../../../http/xml-reader.ts";
import type { GetBucketCors, SetBucketCors } from "../../../operations/buckets.ts";
import { emptyAnswer, noContent, xmlAnswer } from "../answers.ts";
import { invalidCombination, readInteger } from "../arguments.ts";
import { readDocument } from "../document.ts";
import { onBucket, type S3Row } from "../row.ts";
import { notConfigured } from "./bucket-defaults.ts";

// "The CORS configuration … file is limited to 64 KB in size."
const MAX_BYTES = 64 * 1024;
const MAX_RULES = 100;
const MAX_ID = 255;
const METHODS = ["GET", "PUT", "HEAD", "POST", "DELETE"];
const FIELDS = ["ID", "AllowedOrigin", "AllowedMethod", "AllowedHeader", "ExposeHeader", "MaxAgeSeconds"];

export const bucketCorsRows: readonly S3Row[] = [
  onBucket<GetBucketCors>({
    name: "GetBucketCors",
    action: "s3:GetBucketCORS",
    method: "GET",
    selectors: ["cors"],
    read: (_, bucket) => ({ operation: "get-bucket-cors", bucket }),
    present({ rules }, { asked, requestId }) {
      if (rules.length === 0) {
        throw notConfigured(asked.bucket, "NoSuchCORSConfiguration", "The CORS configuration does not exist");
      }
      return xmlAnswer({ requestId }, { root: "CORSConfiguration", content: { CORSRule: rules.map(ruleElements) } });
    },
  }),
  onBucket<SetBucketCors>({
    name: "PutBucketCors",
    action: "s3:PutBucketCORS",
    method: "PUT",
    selectors: ["cors"],
    readsBody: true,
    async read(call, bucket) {
      const document = await readDocument(call, "CORSConfiguration", { maxBytes: MAX_BYTES, needsDigest: true });
      return { operation: "set-bucket-cors", bucket, rules: readRules(document) };
    },
    present: (_, exchange) => emptyAnswer(exchange),
  }),
  onBucket<SetBucketCors>({
    name: "DeleteBucketCors",
    action: "s3:PutBucketCORS",
    method: "DELETE",
    selectors: ["cors"],
    read: (_, bucket) => ({ operation: "set-bucket-cors", bucket, rules: [] }),
    present: (_, exchange) => noContent(exchange),
  }),
];

/** @throws {Refusal} `MALFORMED_XML`, `INVALID_COMBINATION` */
function readRules(document: ReadElement): readonly CorsRule[] {
  expectOnly(document, ["CORSRule"]);
  const rules = childrenOf(document, "CORSRule");
  if (rules.length === 0 || rules.length > MAX_RULES) {
    throw malformed(`the document has ${rules.length} rules. Send 1 to ${MAX_RULES}`);
  }
  return rules.map(readRule);
}

function readRule(rule: ReadElement): CorsRule {
  expectOnly(rule, FIELDS);
  const texts = (name: string): string[] => childrenOf(rule, name).map(textOf);
  const origins = texts("AllowedOrigin");
  const methods = texts("AllowedMethod");
  const headers = texts("AllowedHeader");
  const exposeHeaders = texts("ExposeHeader");
  const id = optionalText(rule, "ID");
  const maxAge = optionalText(rule, "MaxAgeSeconds");
  if (origins.length === 0 || methods.length === 0) throw malformed("a CORSRule has no origin or no method. Add it");
  if (id !== undefined && id.length > MAX_ID) throw malformed(`an ID is longer than ${MAX_ID}. Shorten it`);
  for (const method of methods) {
    if (METHODS.includes(method)) continue;
    throw invalidCombination(`Found unsupported HTTP method in CORS config. Unsupported method is ${method}`);
  }
  for (const origin of origins) expectOneWildcard("AllowedOrigin", origin);
  for (const header of headers) expectOneWildcard("AllowedHeader", header);
  for (const header of exposeHeaders) expectHeaderName(header);
  const seconds = maxAge === undefined ? undefined : readInteger(maxAge);
  if (maxAge !== undefined && seconds === undefined)
    throw malformed(`MaxAgeSeconds is ${excerpt(maxAge)}. Send whole seconds`);
  return { id, origins, methods, headers, exposeHeaders, maxAge: seconds };
}

function expectOneWildcard(element: string, text: string): void {
  if (text.indexOf("*") !== text.lastIndexOf("*")) {
    throw invalidCombination(`${element} "${text}" can not have more than one wildcard.`);
  }
  // A rule is compared with a header, which cannot contain other characters.
  if (!/^[\x21-\x7e]+$/.test(text)) throw malformed(`${element} is ${excerpt(text)}. Use ASCII without spaces`);
}

/** These names are sent back unchanged. */
function expectHeaderName(text: string): void {
  if (text.includes("*")) {
    throw invalidCombination(
      `ExposeHeader "${text}" contains wildcard. We currently do not support wildcard for ExposeHeader.`,
    );
  }
  if (!/^[!#$%&'+.^_`|~0-9A-Za-z-]+$/.test(text))
    throw malformed(`ExposeHeader is ${excerpt(text)}. Send the name of a header`);
}

function ruleElements(rule: CorsRule): XmlElements {
  return {
    ID: rule.id,
    AllowedMethod: rule.methods,
    AllowedOrigin: rule.origins,
    AllowedHeader: rule.headers,
    ExposeHeader: rule.exposeHeaders,
    MaxAgeSeconds: rule.maxAge,
  };
}
