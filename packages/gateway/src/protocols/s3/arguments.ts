/** Values of headers and parameters, and their refusals in Amazon's words. */
import { excerpt } from "../../http/excerpt.ts";
import { Refusal } from "../../pipeline/refusal.ts";
import { MAX_PARTS } from "../../storage/contract/multipart.ts";

/** A header or parameter with an impossible value. */
export function invalidArgument(argument: string, value: string, text: string): Refusal {
  const message = `${argument} cannot be ${excerpt(value)}. ${text}`.trimEnd();
  return new Refusal("INVALID_ARGUMENT", message, { argument, value, text });
}

/** A request whose parts contradict each other. */
export function invalidCombination(text: string): Refusal {
  return new Refusal("INVALID_COMBINATION", `the parts of the request do not fit together. ${text}`, { text });
}

/** A function that S3 has and this gateway does not. */
export function notImplemented(
  what: "header" | "parameter" | "method",
  name: string,
  more?: { readonly hint: string },
): Refusal {
  return new Refusal("NOT_IMPLEMENTED", `the ${what} ${name} is not implemented. Send a request without it`, {
    [what]: name,
    ...more,
  });
}

const MAX_INTEGER = 2_147_483_647;

/** A decimal integer from 0 to 2147483647. */
export function readInteger(value: string): number | undefined {
  const number = /^[0-9]{1,10}$/.test(value) ? Number(value) : Number.NaN;
  return number <= MAX_INTEGER ? number : undefined;
}

/** A number of entries, cut to `most`. */
export function readLimit(
  name: string,
  value: string | undefined,
  { most, text }: { readonly most: number; readonly text: string },
): number {
  if (value === undefined || value === "") return most;
  const asked = readInteger(value);
  if (asked === undefined) throw invalidArgument(name, value, text);
  return Math.min(asked, most);
}

/** The number of a part after which a list continues. */
export function readPartMarker(name: string, value: string): number {
  const after = readInteger(value);
  if (after === undefined) throw invalidArgument(name, value, "Argument partNumberMarker must be an integer.");
  return after;
}

export function readPartNumber(value: string): number {
  const number = readInteger(value) ?? 0;
  if (number >= 1 && number <= MAX_PARTS) return number;
  throw invalidArgument("partNumber", value, "Part number must be an integer between 1 and 10000, inclusive");
}

export const INVALID_VERSION = "Invalid version id specified";

/**
 * Buckets here have no versions: the version of each object is called `null`. No object has any other version.
 *
 * @throws {Refusal} `NO_SUCH_VERSION`, `INVALID_ARGUMENT`
 */
export function expectNullVersion(versionId: string | undefined, key: string): void {
  if (versionId === undefined || versionId === "null") return;
  if (versionId === "") throw invalidArgument("versionId", "", "Version id cannot be the empty string");
  // The form of Amazon's ids. Amazon distinguishes ids that it never issued; this gateway cannot.
  if (!/^[A-Za-z0-9._-]{32}$/.test(versionId)) throw invalidArgument("versionId", versionId, INVALID_VERSION);
  throw noSuchVersion(versionId, key);
}

export function noSuchVersion(versionId: string, key: string): Refusal {
  const message = `the object has no version ${excerpt(versionId)}, only null. Leave versionId out`;
  return new Refusal("NO_SUCH_VERSION", message, { key, versionId });
}
