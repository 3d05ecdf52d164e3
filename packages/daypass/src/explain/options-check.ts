import { invalidInput, refusal } from "../core/errors.ts";
import { peerAddress } from "../wire/ip.ts";
import type { ExplainFormOptions, ExplainOptions, FormToExplain } from "./explanation.ts";
import { type GivenRequest, givenRequest, HEADERS } from "./given-request.ts";
import { checkKeys } from "./key-check.ts";

/**
 * Checks the options before anything else reads them. Returns the request with headers by name: an iterator of headers works
 * only once. Throws `INVALID_INPUT`, `INVALID_KEY`.
 */
export function checkOptions(options: ExplainOptions, signedUrl = ""): GivenRequest {
  checkObject("options", options);
  const { errorBody, status = 403, request = {}, hosts = [], keys = [], origin, reveal, clock } = options;
  checkText("errorBody", errorBody);
  if (!Number.isInteger(status) || status < 100 || status > 599) {
    throw invalidInput("status", "a whole number from 100 to 599", status);
  }
  checkOrigin(origin);
  // The text "false" must not reveal signatures.
  if (reveal !== undefined && typeof reveal !== "boolean") throw invalidInput("reveal", "true or false", reveal);
  checkObject("request", request);
  const given = givenRequest(request, signedUrl);
  checkRequest(given);
  if (!isTexts(hosts)) throw invalidInput("hosts", "a list of strings", "another");
  if (clock !== undefined && !(typeof clock === "function" && isTime(clock()))) {
    throw invalidInput("clock", "a function that returns a valid time", "another");
  }
  checkKeys(keys);
  return given;
}

/** The same for a form and its options. */
export function checkFormOptions(form: FormToExplain, options: ExplainFormOptions): void {
  checkOptions(options);
  checkObject("the form", form);
  checkFields(form.fields);
  const { sent = {} } = options;
  checkObject("sent", sent);
  if (sent.fields !== undefined) checkFields(sent.fields);
  for (const [name, url] of Object.entries({ url: form.url, "sent.url": sent.url ?? "" })) {
    if (typeof url !== "string") throw invalidInput(name, "a string", url);
  }
  checkText("fileName", sent.fileName);
  if (sent.fileSize !== undefined && typeof sent.fileSize !== "number") {
    throw invalidInput("fileSize", "a number", sent.fileSize);
  }
}

function checkRequest(request: GivenRequest): void {
  for (const name of ["method", "url", "remoteAddress", "bodySha256"] as const) checkText(name, request[name]);
  const { headers = {}, remoteAddress, bodySha256 } = request;
  if (remoteAddress !== undefined && peerAddress(remoteAddress) === undefined) {
    throw invalidInput("remoteAddress", "an IP address without a port", remoteAddress);
  }
  if (bodySha256 !== undefined && !/^[0-9a-f]{64}$/.test(bodySha256)) {
    throw invalidInput("bodySha256", "64 digits of lower-case hexadecimal", "another");
  }
  if (!isObject(headers) || !isTexts(Object.values(headers))) throw refusal("INVALID_INPUT", HEADERS);
}

/** A list of pairs, which the signers of forms return, or texts by name. */
function checkFields(fields: FormToExplain["fields"]): void {
  const isPairs = Array.isArray(fields) && fields.every((pair) => isTexts(pair) && pair.length === 2);
  const isRecord = isObject(fields) && !Array.isArray(fields) && isTexts(Object.values(fields));
  if (!isPairs && !isRecord) throw invalidInput("fields", "an object or a list of pairs, both of strings", "another");
}

/** An origin in the form that browsers send: a rule with any other text matches no page. */
function checkOrigin(origin: unknown): void {
  checkText("origin", origin);
  // The origin of a file or a sandboxed frame.
  if (origin === undefined || origin === "null") return;
  const isOrigin =
    /^[a-z][a-z0-9+.-]*:\/\/[!-~]+$/.test(origin as string) && !/:\/\/.*[/?#@*A-Z]/.test(origin as string);
  // A browser omits the default port, and writes other alphabets in Punycode.
  if (isOrigin && !/^(?:http:.*:80|https:.*:443)$/.test(origin as string)) return;
  throw invalidInput(
    "origin",
    "what a browser sends: scheme://host[:port] in lower case without a default port",
    origin,
  );
}

function checkObject(name: string, value: unknown): void {
  if (!isObject(value)) throw invalidInput(name, "an object", value);
}

function checkText(name: string, value: unknown): void {
  if (value !== undefined && typeof value !== "string") throw invalidInput(name, "a string", value);
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

/** A valid date, or its milliseconds. */
function isTime(value: unknown): boolean {
  return (value instanceof Date || typeof value === "number") && !Number.isNaN(new Date(value).getTime());
}
