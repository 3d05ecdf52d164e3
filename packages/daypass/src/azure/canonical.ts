import { fieldsOf, type SasKind } from "./layouts.ts";

/** Values of a SAS by the names of `layouts.ts`, decoded. What is not there is signed as nothing. */
export type SasValues = ReadonlyMap<string, string>;

/** The path to a container, a blob or a directory, the service in front: "must be URL-decoded". */
export function canonicalResource(account: string, container: string, name = ""): string {
  return `/blob/${account}/${container}${name && `/${name}`}`;
}

/** The fields of the version, a line each: what the HMAC-SHA256 is computed over. */
export function azureStringToSign(kind: SasKind, values: SasValues): string {
  return fieldsOf(kind, values.get("sv") ?? "")
    .map((field) => values.get(field) ?? "")
    .join("\n");
}

/**
 * Whether a text could be read as several fields of the string to sign: they are decoded and joined by line feeds, so no
 * field may hold one. (A blob's name may: it is the only one, so the lines around it keep their places.)
 */
export function hasControl(text: string): boolean {
  return /\p{Cc}/u.test(text);
}
