/** The cross-origin rules of a bucket as XML, held to what Amazon accepts. */
import type { CorsRule } from "../../http/cors-rules.ts";
import type { XmlElement } from "../../http/xml.ts";
import { childrenOf, expectOnly, malformed, optionalText, type ReadElement, textOf } from "../../http/xml-reader.ts";
import { invalidCombination, readInteger } from "./arguments.ts";

const MAX_RULES = 100;
const MAX_ID = 255;
const METHODS = ["GET", "PUT", "HEAD", "POST", "DELETE"];
const FIELDS = ["ID", "AllowedOrigin", "AllowedMethod", "AllowedHeader", "ExposeHeader", "MaxAgeSeconds"];

/** @throws {Refusal} `MALFORMED_XML`, `INVALID_COMBINATION` */
export function readCorsRules(document: ReadElement): readonly CorsRule[] {
  expectOnly(document, ["CORSRule"]);
  const rules = childrenOf(document, "CORSRule");
  if (rules.length === 0 || rules.length > MAX_RULES) {
    throw malformed(`expected 1 to ${MAX_RULES} rules, found ${rules.length}`);
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
  if (origins.length === 0 || methods.length === 0) throw malformed("expected an origin and a method in each rule");
  if (id !== undefined && id.length > MAX_ID) throw malformed(`expected an ID of at most ${MAX_ID} characters`);
  for (const method of methods) {
    if (METHODS.includes(method)) continue;
    throw invalidCombination(`Found unsupported HTTP method in CORS config. Unsupported method is ${method}`);
  }
  for (const origin of origins) expectOneWildcard("AllowedOrigin", origin);
  for (const header of headers) expectOneWildcard("AllowedHeader", header);
  for (const header of exposeHeaders) expectHeaderName(header);
  const seconds = maxAge === undefined ? undefined : readInteger(maxAge);
  if (maxAge !== undefined && seconds === undefined) throw malformed("expected MaxAgeSeconds as a number of seconds");
  return { id, origins, methods, headers, exposeHeaders, maxAge: seconds };
}

function expectOneWildcard(element: string, text: string): void {
  if (text.indexOf("*") !== text.lastIndexOf("*")) {
    throw invalidCombination(`${element} "${text}" can not have more than one wildcard.`);
  }
  // A rule is compared with a header, and no header can hold it.
  if (!/^[\x21-\x7e]+$/.test(text)) throw malformed(`expected ${element} without spaces and control characters`);
}

/** These are sent back as they are. */
function expectHeaderName(text: string): void {
  if (text.includes("*")) {
    throw invalidCombination(
      `ExposeHeader "${text}" contains wildcard. We currently do not support wildcard for ExposeHeader.`,
    );
  }
  if (!/^[!#$%&'+.^_`|~0-9A-Za-z-]+$/.test(text)) throw malformed("expected the name of a header in ExposeHeader");
}

export function corsElements(rules: readonly CorsRule[]): readonly XmlElement[] {
  const each = (name: string, texts: readonly string[]): XmlElement[] => texts.map((text) => [name, text]);
  return rules.map((rule) => [
    "CORSRule",
    [
      ["ID", rule.id],
      ...each("AllowedMethod", rule.methods),
      ...each("AllowedOrigin", rule.origins),
      ...each("AllowedHeader", rule.headers),
      ...each("ExposeHeader", rule.exposeHeaders),
      ["MaxAgeSeconds", rule.maxAge],
    ],
  ]);
}
