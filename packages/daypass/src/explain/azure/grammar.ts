import { isDaypassError } from "../../core/errors.ts";
import { unreadable } from "../../schemes/azure/parse.ts";
import { ACCOUNT, checkSas, hasVersion } from "../../schemes/azure/sas.ts";
import { headerValues } from "../../wire/raw-target.ts";
import { causeOf } from "../cause/combine-causes.ts";
import type { Subject } from "../explainer.ts";
import type { Cause } from "../explanation.ts";
import type { AzureUrl } from "./facts.ts";
import { serviceOf } from "./scope.ts";

/** The newest version that clouds and emulators commonly support. */
export const COMMON_VERSION = "2025-11-05";

/** The server does not support the version. */
export function unknownVersion(version: string, evidence: string): Cause {
  return causeOf(
    "VERSION",
    `The URL was signed for the service version sv=${version}, which the server does not know.`,
    "Sign with an older version that the server knows (version: …); emulators lag behind the service.",
    evidence,
  );
}

const AS_IT_WAS = "Pass the URL on byte for byte as it was made, and quote it in a shell.";

/** A missing parameter that every server requires. */
export function missingCause({ kind, values }: AzureUrl): Cause | undefined {
  // A stored access policy sets the missing parameters.
  const isOpen = values.has("si");
  const missing = [...Object.keys(kind.required), ...(isOpen ? [] : ["sp", "se"])].filter((name) => !values.has(name));
  if (missing.length === 0) return undefined;
  const untold = !isOpen && missing.some((name) => name === "sp" || name === "se");
  const policy = untold ? ", and names no stored access policy (si) that would tell it" : "";
  const evidence = `It has ${kind.parameters.filter((name) => values.has(name)).join(", ")}.`;
  return causeOf("MALFORMED", `The SAS cannot be read: it lacks ${missing.join(", ")}${policy}.`, AS_IT_WAS, evidence);
}

/** Base64 of 32 bytes. */
const WHOLE = /^[A-Za-z0-9+/]{43}=$/;
const WHOLE_LENGTH = 44;

/** The damage of a signature, in words. */
function signatureDamage(signature: string): string | undefined {
  if (WHOLE.test(signature)) return undefined;
  if (signature.includes(" ")) return "a + in it was not sent as %2B";
  // A cut escape cannot be decoded.
  const isCut = /%[0-9A-Fa-f]?$/.test(signature);
  if (signature.includes("%") && !isCut) return "it was percent-encoded twice";
  if (/[^A-Za-z0-9+/=%]/.test(signature)) return "it holds characters that base64 does not have";
  return isCut || signature.length <= WHOLE_LENGTH ? "its end was cut off" : "something follows it";
}

/** The reason for which a verifier refuses the request before it checks the signature. */
export function grammarCause(url: AzureUrl, subject: Subject): Cause | undefined {
  const { kind, values, signature, location } = url;
  const { sent } = subject;
  // An account SAS does not sign the path. The rules are those for blobs.
  if (location === undefined && (kind !== ACCOUNT || serviceOf(subject) === "b")) {
    const sentence = "The path names no account and container by Azure's rules for their names.";
    return causeOf("PATH", sentence, AS_IT_WAS);
  }
  const damage = signatureDamage(signature);
  if (damage !== undefined) {
    const fix = "Send + as %2B, / as %2F and = as %3D, encoded once.";
    return causeOf("SIGNATURE", `The signature was damaged in transit: ${damage}.`, fix);
  }
  try {
    checkSas(kind, Object.fromEntries([...values].filter(([name]) => name === name.toLowerCase())), unreadable);
    return secondCause(values, headerValues(sent.headers, "authorization"));
  } catch (error) {
    if (!isDaypassError(error)) throw error;
    const version = values.get("sv") ?? "";
    if (/^\d{4}-\d\d-\d\d$/.test(version) && version > COMMON_VERSION && !hasVersion(kind, version)) {
      return unknownVersion(version, "This program does not know it either: it is in no published list.");
    }
    const code = error.code === "UNSIGNED_PARAMETER" ? "UNSIGNED_PARAMETER" : "MALFORMED";
    return causeOf(code, `The SAS cannot be read: ${error.message}.`, AS_IT_WAS);
  }
}

/** A SAS for one user requires that user's token. Any other SAS forbids further credentials. */
function secondCause(values: AzureUrl["values"], authorization: readonly string[]): Cause | undefined {
  if (authorization.every((text) => values.has("sduoid") && /^bearer /i.test(text))) return undefined;
  const sentence = "The request carries an Authorization header beside the SAS.";
  return causeOf("AMBIGUOUS_AUTHENTICATION", sentence, "Send the URL alone, without other credentials.");
}
