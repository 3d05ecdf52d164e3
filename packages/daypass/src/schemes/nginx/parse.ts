import type { ReceivedRequest } from "../../core/contracts.ts";
import { parseEpoch } from "../../core/validity.ts";
import { joinTarget, takeTokens, unsignedParameters } from "../../edge/query.ts";
import type { EdgeToken } from "../../edge/verify.ts";
import { formatIpv6, peerAddress } from "../../wire/ip.ts";
import { malformed } from "../../wire/parameters.ts";
import { checkRoutable } from "../../wire/path-safety.ts";
import { headerValues, joinTokens, type QueryToken } from "../../wire/raw-target.ts";
import type { NginxExpression, NginxParts } from "./canonical.ts";

/** Names of the query parameters, as in `secure_link $arg_md5,$arg_expires;`. */
export interface NginxParameters {
  /** Of the parameter with the MD5. */
  readonly signature: string;
  /** The name of the parameter with the expiry, in seconds since 1970. */
  readonly expires: string;
}

export const DEFAULT_PARAMETERS: NginxParameters = { signature: "md5", expires: "expires" };

/** A link that has been read. */
export interface NginxToken extends EdgeToken {
  readonly signature: string;
  readonly parts: NginxParts;
}

// 22 characters hold 132 bits, so the last four are zero in the one spelling of 16 bytes.
const SIGNATURE = /^[A-Za-z0-9_-]{21}[AQgw]$/;

/** Reads a link. nginx finds its parameters without regard to case, so one in another case is no stranger. */
export function parseNginx(
  { request, wire, origin }: ReceivedRequest,
  { variables }: NginxExpression,
  { signature: signatureName, expires: expiresName }: NginxParameters,
  allowUnsigned: readonly string[] | undefined,
): NginxToken {
  checkRoutable(wire.path);
  const isTimed = variables.includes("secure_link_expires");
  const names = isTimed ? [signatureName, expiresName] : [signatureName];
  const { own, others } = takeTokens(wire.tokens, names, { ignoreCase: true });
  const { [signatureName]: signature = "", [expiresName]: expires } = own;
  const expiresAt = expires === undefined ? undefined : parseEpoch(expires);
  if (isTimed && !(expiresAt && expiresAt.getTime() > 0)) {
    throw malformed(expiresName, "form", "the end in whole seconds since 1970");
  }
  if (!SIGNATURE.test(signature)) throw malformed(signatureName, "form", "an MD5 in base64url without padding");
  const arg = onlyArg(others);
  const signedNames = variables.flatMap((name) => (name.startsWith("arg_") ? [name.slice(4)] : []));
  for (const name of signedNames) arg(name);
  const isSigned = ({ name }: QueryToken): boolean => signedNames.includes(name.toLowerCase());
  return {
    signature,
    expiresAt,
    path: wire.path,
    target: joinTarget(wire.path, joinTokens(others.filter(isSigned))),
    unsigned: unsignedParameters(
      others.filter((token) => !isSigned(token)),
      allowUnsigned,
    ),
    parts: {
      expires: expires ?? "",
      path: wire.path,
      origin,
      method: request.method,
      remoteAddress: addressText(request.remoteAddress),
      arg,
      header(name) {
        const [value = "", second] = headerValues(request.headers, name);
        if (second !== undefined) throw malformed(`header ${name}`, "duplicate", "one field: it is signed");
        return value;
      },
    },
  };
}

/** How `$arg_name` is read. nginx takes the first of several; which one the application takes, nobody knows. */
export function onlyArg(tokens: readonly QueryToken[]): (name: string) => string {
  return (name) => {
    const [token, second] = tokens.filter((candidate) => candidate.name.toLowerCase() === name);
    if (second !== undefined) throw malformed(name, "duplicate", "one parameter: it is signed");
    return token?.value ?? "";
  };
}

/** The text of an address as `$remote_addr` has it; empty for an unknown one, which no link was made for. */
export function addressText(remoteAddress: string | undefined): string {
  const bytes = peerAddress(remoteAddress ?? "");
  return bytes === undefined ? "" : bytes.length === 4 ? bytes.join(".") : formatIpv6(bytes);
}
