import { malformed } from "../../wire/parameters.ts";
import type { Diagnosis } from "../explainer.ts";
import type { Work } from "../search/work.ts";
import { causeOf } from "./combine-causes.ts";

/** Characters of an RSA signature in hexadecimal, by the usual lengths of keys: 1024, 2048, 3072, 4096 and 8192 bits. */
export const RSA_HEX: readonly number[] = [256, 512, 768, 1024, 2048];
/** The same in base64. */
export const RSA_BASE64: readonly number[] = [172, 344, 512, 684, 1368];
/** Characters of base64 for an ECDSA signature with P-256, whose two numbers in DER may be short. */
export const P256_BASE64: readonly number[] = [92, 96];

/** Throws `MALFORMED` if a signature does not have one of the given lengths: readers accept some incomplete ones. */
export function checkWhole(parameter: string, signature: string, lengths: readonly number[]): void {
  const found = signature.length;
  if (lengths.includes(found) || found === 0) return;
  // A text that was cut within an escape cannot be decoded.
  const isCut = /%[0-9A-Fa-f]?$/.test(signature) || found < Math.max(...lengths);
  const what = isCut ? "its end was cut off" : "something follows it";
  throw malformed(parameter, "form", `a whole signature. This one has ${found} characters: ${what}`);
}

/** The same for DER, whose second byte is the length of the rest. */
export function checkWholeDer(parameter: string, hex: string): void {
  const [, length] = /^30([0-7][0-9a-f])/.exec(hex) ?? [];
  if (length !== undefined) checkWhole(parameter, hex, [2 * (Number.parseInt(length, 16) + 2)]);
}

/** The signature of a URL, and the signature that an input gives with its key. */
export interface Signatures<I> {
  readonly signature: string;
  signatureOf(input: I): string | Promise<string>;
}

/** The first input whose signature differs from the URL's in one character, which is no chance. */
export async function oneCharacterOff<I>(
  inputs: readonly I[],
  { signature, signatureOf }: Signatures<I>,
  work: Work,
): Promise<(Diagnosis & { readonly input: I }) | undefined> {
  for (const input of inputs) {
    if (!work.take()) return undefined;
    const right = await signatureOf(input);
    const differing = [...right].flatMap((character, i) => (character === signature[i] ? [] : [i + 1]));
    const [at] = differing;
    if (at === undefined || differing.length > 1 || right.length !== signature.length) continue;
    const sentence = `One character of the signature, the character ${at} of ${right.length}, differs from the signature that the key gives: it was changed after signing.`;
    const cause = causeOf("SIGNATURE", sentence, COPY, "All the others are as the key gives them for this request.");
    return { input, cause, hypotheses: [{ code: cause.code, tried: 1, fits: true, sentence }] };
  }
  return undefined;
}

/** The damage to a hexadecimal signature, in words. `undefined` if it has the right length and case. */
export function hexDamage(
  signature: string,
  length: number,
): { readonly what: string; readonly fix: string } | undefined {
  const [, before = "", after] = /^([^?]*)\?(.*)$/s.exec(signature) ?? [];
  if (after !== undefined && before.length >= length) {
    const [name = ""] = after.split("=", 1);
    return {
      what: `a second ? follows it, with which something (${name}) was appended`,
      fix: "Append nothing to a signed URL: a parameter appended with & would be refused, too.",
    };
  }
  if (!/^[0-9A-Fa-f]+$/.test(signature)) return undefined;
  if (signature.length < length) {
    return { what: `its end was cut off, ${signature.length} of ${length} digits are left`, fix: COPY };
  }
  if (signature.length > length) return { what: "something follows it", fix: COPY };
  if (signature === signature.toLowerCase()) return undefined;
  return { what: "it was put into upper case", fix: "Pass the URL on byte for byte: it is case-sensitive." };
}

const COPY = "Copy the whole URL and nothing else, byte for byte; quote it in a shell.";
