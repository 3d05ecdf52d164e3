import type { SasKind } from "./layouts.ts";

/**
 * The parameters of a SAS, decoded, and in upper case what is worked out of a request, by the names of `layouts.ts`. What is not
 * there is signed as nothing.
 */
export interface SasValues {
  [name: string]: string | undefined;
  /** The version, and the kind of resource: `c`, `b`, `bs`, `bv` or `d`, which has a depth. */
  sv?: string | undefined;
  sr?: string | undefined;
  sdd?: string | undefined;
  /** Permissions, start and end, and the stored policy that has what is missing of them. */
  sp?: string | undefined;
  st?: string | undefined;
  se?: string | undefined;
  si?: string | undefined;
  /** Client addresses, protocol and encryption scope. */
  sip?: string | undefined;
  spr?: string | undefined;
  ses?: string | undefined;
  /** Services and kinds of resources of an account SAS. */
  ss?: string | undefined;
  srt?: string | undefined;
  /** Owner and times of a user delegation key. */
  skoid?: string | undefined;
  skt?: string | undefined;
  ske?: string | undefined;
  /** Users, and a GUID for the logs. */
  saoid?: string | undefined;
  suoid?: string | undefined;
  sduoid?: string | undefined;
  scid?: string | undefined;
  /** Names of what is signed of the request. */
  srh?: string | undefined;
  srq?: string | undefined;
  /** One of these is a parameter of the URL where `sr` is `bs` or `bv`, and `TIME` in the string to sign. */
  snapshot?: string | undefined;
  versionid?: string | undefined;
  sig?: string | undefined;
  ACCOUNT?: string | undefined;
  RESOURCE?: string | undefined;
  TIME?: string | undefined;
  HEADERS?: string | undefined;
  QUERY?: string | undefined;
}

/** The path to a container, a blob or a directory, decoded. */
export function resourcePath(container: string, name = ""): string {
  return `/${container}${name && `/${name}`}`;
}

/** What is signed of the path, the service in front: "must be URL-decoded". */
export function canonicalResource(account: string, container: string, name?: string): string {
  return `/blob/${account}${resourcePath(container, name)}`;
}

/** The fields of the version, a line each: what the HMAC-SHA256 is computed over. */
export function azureStringToSign({ fields, since }: SasKind, values: SasValues): string {
  const { sv = "" } = values;
  let text = "";
  for (const field of fields) if (!((since[field] ?? "") > sv)) text += `${values[field] ?? ""}\n`;
  return text.slice(0, -1);
}

/**
 * Whether a text could be read as several fields of the string to sign: they are decoded and joined by line feeds, so no
 * field may hold one. (A blob's name may: it is the only one, so the lines around it keep their places.)
 */
export function hasControl(text: string): boolean {
  return /\p{Cc}/u.test(text);
}
