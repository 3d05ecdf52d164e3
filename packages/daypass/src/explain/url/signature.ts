import { type UrlCanonical, urlStringToSign } from "../../schemes/url/canonical.ts";
import type { LoadedKey } from "../../schemes/url/key.ts";
import { fromBase64url } from "../../wire/encoding.ts";
import { noneFits } from "../cause/keys.ts";
import type { Diagnosis, Subject } from "../explainer.ts";
import type { Cause } from "../explanation.ts";
import { searchEach } from "../search/search.ts";
import { otherValue } from "../search/unknowns.ts";
import { urlVariants } from "./variants.ts";

/** A diagnosis, and the text that the key was tried on. */
export interface UrlDiagnosis extends Diagnosis {
  readonly stringToSign?: string | undefined;
}

/** The signature of a Daypass URL, and what it is held against. */
export interface UrlSignature {
  readonly signature: string;
  /** Of the request as it was sent. */
  readonly canonical: UrlCanonical;
  /** Of the URL that was signed, where that is another one. */
  readonly meant: UrlCanonical | undefined;
  /** Headers that are signed, with what was sent. */
  readonly headers: readonly { readonly name: string; readonly values: readonly string[] }[];
}

/** Holds the signature against the request, and against what may have been signed instead. */
export async function checkUrlSignature(
  subject: Subject,
  { signature, canonical, meant, headers }: UrlSignature,
  key: LoadedKey,
): Promise<UrlDiagnosis> {
  const fits = async (tried: UrlCanonical): Promise<boolean> => {
    const text = urlStringToSign(key.alg, tried);
    if (key.alg === "HS256") return key.mac.base64url(text) === signature;
    const bytes = fromBase64url(signature);
    return bytes !== undefined && bytes.length === 64 && (await key.publicKey.verify(text, bytes));
  };
  const stringToSign = urlStringToSign(key.alg, canonical);
  if (await fits(canonical)) return { stringToSign };
  const variantsOf = subject.searches ? urlVariants(subject, meant) : () => [];
  const { cause, hypotheses } = await searchEach([{ inputs: [canonical], fits }], { variantsOf, view: "signed" });
  if (cause !== undefined) return { stringToSign, cause, hypotheses };
  const wrong: Cause = {
    code: "WRONG_SECRET",
    sentence: `The URL was signed with a different key than the given ${key.kid}, or changed in a way that explain does not recognize: another host, path or query, or other dp- parameters.`,
    evidence: [noneFits(hypotheses)],
    fix: "Compare the key that the signer uses with the verifier's, and pass the URL on as it was made.",
  };
  return { stringToSign, cause: otherValue(headers, wrong) ?? wrong, hypotheses };
}
