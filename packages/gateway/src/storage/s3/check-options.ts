/** Options of the driver that could not work. What a signer says of its own is left to it. */
import {
  callback,
  expectForms,
  type Form,
  type FormsOf,
  flag,
  isObject,
  object,
  required,
  text,
  timer,
  wholeNumber,
} from "../../http/validate-options.ts";
import { isUpstreamName } from "./names.ts";
import type { S3Options, S3Timeouts } from "./options.ts";

const ANY: Form = [() => true, ""];

const OPTIONS: FormsOf<S3Options> = {
  endpoint: text,
  // As presets bring it: what a provider is known to lack.
  provider: object,
  region: required([text[0], "that of the buckets"]),
  addressing: ANY,
  credentials: required([
    (value) => typeof value === "function" || isObject(value),
    "an access key, or a function that gives it",
  ]),
  bucket: [
    isBuckets,
    "the name of a bucket, or an object of at least one: the name that clients use → the name of the server",
  ],
  redirect: flag,
  holdBytes: wholeNumber(1),
  timeouts: { connectMs: timer, answerMs: timer, idleMs: timer } satisfies FormsOf<S3Timeouts>,
  clock: callback,
};

/** @throws {DaypassError} `INVALID_INPUT` */
export function checkOptions(options: S3Options): void {
  expectForms(options, OPTIONS);
}

/** What no path can name, `/-/` included, is a bucket that nobody reaches. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: a control character is what it looks for
const CLIENTS_NAME = /^(?!-$)[^./\\\x00-\x1f\x7f][^/\\\x00-\x1f\x7f]*$/;

function isBuckets(value: unknown): boolean {
  if (typeof value === "string") return isUpstreamName(value);
  if (!isObject(value)) return false;
  const names = Object.entries(value);
  return names.length > 0 && names.every(([name, upstream]) => CLIENTS_NAME.test(name) && isUpstreamName(upstream));
}
