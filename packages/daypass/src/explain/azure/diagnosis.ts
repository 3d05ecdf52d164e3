import { hmacSha256 } from "#crypto";
import { azureAllOperations, azureCopyOperations } from "../../schemes/azure/all-operations.ts";
import { azureSignature } from "../../schemes/azure/credentials.ts";
import { operationFinder } from "../../schemes/azure/operations.ts";
import { DELEGATION, hasVersion } from "../../schemes/azure/sas.ts";
import { fromBase64 } from "../../wire/encoding.ts";
import { headerValues } from "../../wire/raw-target.ts";
import { causeOf, combineCauses, guess } from "../cause/combine-causes.ts";
import { noneFits } from "../cause/keys.ts";
import { lifeCause } from "../cause/life.ts";
import { missingHeader } from "../cause/request.ts";
import { isMismatch, isVague, otherCause } from "../cause/server-cause.ts";
import type { ServerError } from "../error-body.ts";
import type { Diagnosis, Subject } from "../explainer.ts";
import type { Cause, ExplainKey } from "../explanation.ts";
import { memoizeLast } from "../search/memoize-last.ts";
import { search } from "../search/search.ts";
import { openHeaders, otherValue, untold } from "../search/unknowns.ts";
import { azureCause, BLOB_TYPE, compareAzure, isAzuritesRefusal, lineName, neededHeader, shownText } from "./cause.ts";
import type { AzureUrl } from "./facts.ts";
import { COMMON_VERSION, grammarCause, missingCause, unknownVersion } from "./grammar.ts";
import { isForBlobs, levelOf, placeCause, repeatedCause, scopeCause } from "./scope.ts";
import { type AzureInput, azureVariants, inputText } from "./variants.ts";

/** The name of each kind of SAS. */
export const KINDS = {
  service: "service SAS",
  account: "account SAS",
  "user-delegation": "user delegation SAS",
} as const;

/** Finds the cause in this order: the server's answer, the grammar, the clock, a key, the permissions. */
export function diagnoseAzure(subject: Subject, url: AzureUrl, sent: AzureUrl): Diagnosis {
  const { error, now } = subject;
  const isRefused = error !== undefined && isMismatch(error);
  const said =
    error === undefined || isRefused || isAzuritesRefusal(error)
      ? undefined
      : (versionCause(error, url) ?? azureCause(error, now));
  const signature = checkSignature(subject, url, sent);
  const isPrecise = error !== undefined && (!isVague(error) || shownText(error) !== undefined);
  if (said !== undefined && isPrecise) {
    return { ...signature, hypotheses: undefined, cause: sharpened(said, { code: error.code, subject, sent }) };
  }
  // A change that a key proves explains an unreadable request better than the grammar.
  const isShown = signature.hypotheses?.some(({ fits }) => fits) === true;
  const malformed =
    missingCause(sent) ?? repeatedCause(subject, sent) ?? (isShown ? undefined : grammarCause(sent, subject));
  if (malformed !== undefined) return { ...signature, cause: malformed };
  const late =
    isRefused || (error !== undefined && isPrecise) ? undefined : lifeCause(url, now, { fix: CLOCKS_DIFFER });
  const other = isRefused ? undefined : (scopeCause(subject, sent) ?? operationCause(subject, sent) ?? said);
  // A new SAS from the same signer would have the other fault, too.
  const cause = combineCauses(late, isShown ? signature.cause : undefined) ?? signature.cause ?? other;
  if (cause !== undefined || error === undefined) return { ...signature, cause };
  const isSignature = isRefused || error.code === "AuthenticationFailed" || isAzuritesRefusal(error);
  return { ...signature, cause: isSignature ? guess(notShown(signature)) : otherCause(error) };
}

/** Makes the server's answer precise by the URL and the request. */
function sharpened(
  said: Cause,
  { code, subject, sent }: { readonly code: string; readonly subject: Subject; readonly sent: AzureUrl },
): Cause {
  // AuthorizationFailure has many meanings, but a missing header has its own code.
  const shown =
    code === "AuthorizationFailure" ? (scopeCause(subject, sent) ?? operationCause(subject, sent)) : undefined;
  if (shown !== undefined && shown.code !== "HEADER") return { ...shown, evidence: said.evidence };
  const isUnread = /^(?:MALFORMED|SIGNATURE)$/.test(said.code);
  const unread = isUnread ? (repeatedCause(subject, sent) ?? grammarCause(sent, subject)) : undefined;
  return unread === undefined ? said : { ...unread, evidence: said.evidence };
}

/** The server refused without a reason. */
function notShown({ keyFits }: Diagnosis): Cause {
  return keyFits === true
    ? causeOf(
        "WRONG_SECRET",
        "The signature is right for the given key: the server has another key, or a proxy changed the request before it arrived.",
        "Compare the key with the account's two; then check the proxies between client and server.",
      )
    : causeOf(
        "WRONG_SECRET",
        "The server cannot authenticate the request, and does not say why: another key signed, or the URL was changed or damaged in transit.",
        "Run explain again with the account's key, or with the whole error body, which shows Azure's string to sign.",
      );
}

/** The service or an emulator does not support the version. */
function versionCause({ code, message, fields }: ServerError, { kind, values }: AzureUrl): Cause | undefined {
  const version = values.get("sv") ?? "";
  const named = fields.get("QueryParameterName");
  const header = fields.get("HeaderName");
  if (header?.toLowerCase() === "x-ms-version") {
    const asked = fields.get("HeaderValue");
    const evidence = `The server says ${code}: ${header}${asked === undefined ? "" : ` ${asked}`}`;
    return asked === undefined || asked === version
      ? unknownVersion(version, evidence)
      : unknownHeader(asked, evidence);
  }
  const isVersion = named === undefined ? !hasVersion(kind, version) || version > COMMON_VERSION : named === "sv";
  const isSaid =
    /^Invalid(?:QueryParameterValue|HeaderValue)$/.test(code) || /API version .* not supported/i.test(message);
  return isSaid && isVersion ? unknownVersion(version, `The server says ${code}`) : undefined;
}

/** Clients send their own version in a header. */
function unknownHeader(version: string, evidence: string): Cause {
  return causeOf(
    "VERSION",
    `The client asks for the service version ${version} (header x-ms-version), which the server does not know.`,
    "Update the emulator, or use an older SDK: emulators lag behind the service.",
    evidence,
  );
}

const CLOCKS_DIFFER = "Wait; or sign without st, or with an st 15 minutes ago, as clocks differ.";

/** The permissions do not allow the sent request. */
function operationCause(subject: Subject, { values, location, others, kind }: AzureUrl): Cause | undefined {
  const { request, sent, known } = subject;
  const letters = values.get("sp");
  if (request?.method === undefined || letters === undefined || location === undefined) return undefined;
  if (!isForBlobs(subject)) return undefined;
  const level = levelOf(location);
  const comp = others.get("comp");
  const method = sent.method === "HEAD" ? "GET" : sent.method;
  const headers = new Map(sent.headers.map(([name, value]) => [name.toLowerCase(), value]));
  const operation = operationFinder([...azureAllOperations, ...azureCopyOperations])(
    [method, level, ...(comp === undefined ? [] : [comp])].join(" "),
    (name) => others.get(name) ?? headers.get(`x-ms-${name}`),
  );
  if (operation === undefined) {
    const sentence = `${sent.method} is not an Azure operation on this URL${comp === undefined ? "" : ` with comp=${comp}`} that a SAS can permit.`;
    const fix = "Send the method of the intended operation; a listing needs restype=container&comp=list.";
    return causeOf("METHOD", sentence, fix);
  }
  if ([...operation.permissions].some((letter) => letters.includes(letter))) {
    const lacksType = operation.name === "put-blob" && known.headers && !headers.has(BLOB_TYPE);
    return lacksType ? neededHeader(BLOB_TYPE, `${sent.method} is ${operation.name}`) : undefined;
  }
  return causeOf(
    "PERMISSION",
    `${operation.name} needs the permission ${[...operation.permissions].join(" or ")}, but the URL has ${letters}.`,
    `Sign with ${operation.permissions.charAt(0)}.`,
    `${sent.method} of a ${KINDS[kind.name]} with sp=${letters}`,
  );
}

type Keyed = { readonly key: string };

/** The given keys that can sign a SAS of this kind. */
function keysFor({ kind, values }: AzureUrl, keys: readonly ExplainKey[]): readonly Keyed[] {
  return keys.flatMap((key): readonly Keyed[] => {
    if ("userDelegationKey" in key) return kind === DELEGATION ? [{ key: key.userDelegationKey.value }] : [];
    if (!("accountKey" in key) || kind === DELEGATION) return [];
    return key.account === undefined || key.account === values.get("ACCOUNT") ? [{ key: key.accountKey }] : [];
  });
}

/** The signed input, without a key. */
export function emptyInput({ kind, fields, values, signature }: AzureUrl): AzureInput {
  return { kind, fields, values, signature, key: "", keyForm: "base64" };
}

/** The check of one search: nearly all inputs have the key of the input before. */
function inputCheck(): (input: AzureInput) => boolean {
  const macOf = memoizeLast(
    ({ key, keyForm }: AzureInput) => `${keyForm} ${key}`,
    ({ key, keyForm }) => {
      const bytes = keyForm === "text" ? key : fromBase64(key);
      return bytes === undefined ? undefined : hmacSha256(bytes);
    },
  );
  return (input) => {
    const mac = macOf(input);
    return mac !== undefined && azureSignature(mac, inputText(input)) === input.signature;
  };
}

function checkSignature(subject: Subject, url: AzureUrl, sent: AzureUrl): Diagnosis {
  const { error, work } = subject;
  const fitsInput = inputCheck();
  const shown = error === undefined ? undefined : shownText(error);
  const different = shown === undefined ? undefined : compareAzure(url, shown);
  const keys = keysFor(url, subject.keys);
  if (keys.length === 0) {
    const isGiven = subject.keys.some((key) => "accountKey" in key || "userDelegationKey" in key);
    const { others, values, location } = sent;
    const elsewhere = placeCause(others, values.get("sr"), location);
    return { cause: elsewhere ?? different ?? (isGiven ? otherKey(url) : sameText(shown, sent)) };
  }
  const inputs = keys.map(({ key }): AzureInput => ({ ...emptyInput(sent), key }));
  if (inputs.some(fitsInput)) return { keyFits: true, cause: different };
  if (keys.some(({ key }) => fitsInput({ ...emptyInput(url), key }))) return { cause: changed(url, sent) };
  let hypotheses: Diagnosis["hypotheses"];
  for (const input of inputs) {
    const variantsOf = work.searches ? azureVariants(sent) : () => [];
    const found = search({ inputs: [input], fits: fitsInput }, { variantsOf, view: "signed", work }, inputs.length);
    hypotheses ??= found.hypotheses;
    if (found.cause !== undefined) return { cause: found.cause, hypotheses: found.hypotheses };
  }
  const wrong: Cause = {
    code: "WRONG_SECRET",
    sentence: `The URL was signed with another key than the given ${keys.length === 1 ? "one" : "ones"}, or changed in a way that explain does not recognize.`,
    evidence: [noneFits(hypotheses ?? [])],
    fix: "Compare the key with the account's two keys; look for a regenerated key.",
  };
  return { keyFits: false, hypotheses, cause: different ?? guess(headerCause(subject, url, wrong) ?? wrong) };
}

/** `srh` names the signed headers, but not their values. */
function headerCause(subject: Subject, { values }: AzureUrl, wrong: Cause): Cause | undefined {
  const names = values.get("srh")?.toLowerCase().split(",") ?? [];
  const headers = names.map((name) => ({ name, values: headerValues(subject.sent.headers, name) }));
  const open = openHeaders(headers);
  if (!subject.known.headers) return open.length === 0 ? undefined : untold(open, wrong);
  return missingHeader(subject, names) ?? otherValue(headers, wrong);
}

function otherKey({ kind, location, values }: AzureUrl): Cause {
  const who =
    kind === DELEGATION ? `a user delegation key of ${values.get("skoid")}` : `an account key of ${location?.account}`;
  return causeOf(
    "UNKNOWN_KEY",
    `The URL was signed by ${who}, and the given keys are others.`,
    "Give the key that signed.",
  );
}

/** The server's string to sign is what the URL says, and the signature still does not match. */
function sameText(shown: string | undefined, { values }: AzureUrl): Cause | undefined {
  if (shown === undefined) return undefined;
  const resource = values.get("RESOURCE") ?? "";
  return /%[0-9A-F]{2}/i.test(resource)
    ? causeOf(
        "PATH",
        "Most likely the path was encoded twice: the server decoded it once, and its name still has escapes. If the name really contains them, another key signed.",
        "Encode the blob's name exactly once, and sign the name before it is encoded.",
        `the server saw: ${resource}`,
      )
    : causeOf(
        "WRONG_SECRET",
        "The server's string to sign is exactly what the URL says: another key signed, or the signer signed a different text.",
        "Compare this text with the signer's text, line by line, and the key with the account's two. With the key, explain finds the usual mistakes.",
        `the server saw: ${JSON.stringify(shown)}`,
      );
}

function changed(url: AzureUrl, sent: AzureUrl): Cause {
  const field = url.fields.find((name) => url.values.get(name) !== sent.values.get(name)) ?? "sig";
  const [before, after] = [url, sent].map(({ values }) => JSON.stringify(values.get(field) ?? ""));
  return causeOf(
    field === "RESOURCE" ? "PATH" : "QUERY",
    `The URL was changed in transit: the ${lineName(field)} was ${before} and was sent as ${after}.`,
    "Pass the URL on byte for byte.",
    "The signature matches the URL that was signed, but not the URL that was sent.",
  );
}
