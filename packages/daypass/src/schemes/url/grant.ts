import type { Grant, Obligation, ReceivedRequest, Verified } from "../../core/contracts.ts";
import { VerifiedGrant } from "../../core/grant.ts";
import { formDecode } from "../../wire/raw-target.ts";
import type { LoadedKey } from "./key.ts";
import { grantedMethods, type UrlParameters } from "./parameters.ts";
import type { ParsedUrl } from "./parse.ts";

/** What a verified Daypass URL allows. */
export interface UrlGrant extends Grant {
  /** The configured origin that the request selected. */
  readonly origin: string;
  /** The path of this request as it stood on the wire. */
  readonly path: string;
  /** The fixed part of the path, with a trailing `/`, if the holder may choose the rest. */
  readonly prefix: string | undefined;
  /** The purpose of the URL: the text that the verifier was configured with. */
  readonly audience: string | undefined;
  /** The identity that the grant is for; the caller has proved it. */
  readonly subject: string | undefined;
  /** Distinguishes it from other URLs that grant the same. */
  readonly nonce: string | undefined;
  /** The signed query parameters other than `dp-*`, decoded as a form, in wire order. */
  readonly parameters: readonly (readonly [name: string, value: string])[];
  /** Names of the request headers whose values are signed. */
  readonly signedHeaders: readonly string[];
}

/** The grant of a URL that has passed every check. */
export function urlGrant(
  { wire, origin }: ReceivedRequest,
  { canonical, parameters, tokens }: ParsedUrl,
  { key, stringToSign }: Verified<LoadedKey>,
): UrlGrant {
  const grant = new VerifiedGrant(
    {
      scheme: "url",
      keyId: key.kid,
      methods: grantedMethods(parameters["dp-methods"]),
      notBefore: parameters["dp-starts"] ?? parameters["dp-date"],
      expiresAt: parameters["dp-expires"],
      obligations: obligations(parameters),
      target: wire.path + (canonical.query && `?${canonical.query}`),
    },
    stringToSign,
  );
  return Object.assign(grant, {
    origin,
    path: wire.path,
    prefix: canonical.kind === "prefix" ? canonical.path : undefined,
    audience: parameters["dp-audience"],
    subject: parameters["dp-subject"],
    nonce: parameters["dp-nonce"],
    parameters: tokens.map(({ name, value = "" }) => [formDecode(name), formDecode(value)] as const),
    signedHeaders: parameters["dp-headers"] ?? [],
  });
}

/** What the verifier cannot do itself; the order is that of section 6 of the specification. */
function obligations(parameters: UrlParameters): readonly Obligation[] {
  const { "dp-length": length, "dp-sha256": sha256, "dp-uses": limit, "dp-vary": names } = parameters;
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(parameters)) {
    if (name.startsWith("dp-response-")) headers[name.slice(12)] = String(value);
  }
  const all = [
    parameters["dp-create"] && ({ kind: "create-only" } as const),
    length && ({ kind: "body-length", ...length } as const),
    Object.keys(headers).length > 0 && ({ kind: "response", headers } as const),
    sha256 && ({ kind: "body-sha256", sha256 } as const),
    limit && ({ kind: "uses", limit } as const),
    names && ({ kind: "strip", names } as const),
  ];
  return all.filter((obligation) => typeof obligation === "object");
}
