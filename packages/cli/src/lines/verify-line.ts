import type { Grant, Proof, WireRequest } from "daypass";
import { checked, fields, instant, object, text } from "daypass/schemes";
import { type Answer, errorFields, type LineAnswerer, parseLine } from "./answer.ts";
import { schemeOfGrant } from "./line-scheme.ts";
import { memoizeByName } from "./memoize-by-name.ts";
import { wireRequest } from "./request.ts";
import { schemeVerifiers } from "./verifiers.ts";

const LINE = fields({
  request: object,
  at: text,
  schemes: { expected: "a list", accepts: Array.isArray },
  subject: text,
});

interface VerifyLine {
  readonly request?: unknown;
  /** The time of verification; now if absent. */
  readonly at?: string;
  readonly schemes?: unknown;
  /** The identity that the sender has proved by other means, such as a login. */
  readonly subject?: string;
}

/** A verifier that gets the time with each line. */
interface TimedVerifier {
  verify(request: WireRequest, proof: Proof, time: Date): Promise<Grant>;
}

/**
 * Answers lines of `verify --batch`: `{"ok":true,"scheme","grant"}` or `{"ok":false,"code","message"}`. Lines with the
 * same options share a verifier and its clock, so the caller must wait for each answer before it reads the next line.
 */
export function verifyLines(): LineAnswerer {
  const verifiers = memoizeByName<Promise<TimedVerifier>>();
  return async (text) => {
    try {
      const { request, at, schemes, subject } = checked<VerifyLine>(parseLine(text), LINE);
      const time = at === undefined ? new Date() : instant("at", at);
      const received = wireRequest(request);
      const { origin } = received;
      const verifier = await verifiers(`${origin}\n${JSON.stringify(schemes)}`, () => timedVerifier(schemes, origin));
      return granted(await verifier.verify(received.request, { subject }, time));
    } catch (error) {
      return { text: JSON.stringify({ ok: false, ...errorFields(error) }), refused: true };
    }
  };
}

async function timedVerifier(schemes: unknown, origin: string): Promise<TimedVerifier> {
  let now = new Date();
  const verifier = await schemeVerifiers(schemes, { origin, clock: () => now });
  return {
    verify(request, proof, time) {
      now = time;
      return verifier.verify(request, proof);
    },
  };
}

function granted(grant: Grant): Answer {
  return { text: grantJson(grant), refused: false };
}

/** The answer to a granted request. The grant's `toJSON` includes its getters. */
export function grantJson(grant: Grant): string {
  return JSON.stringify({ ok: true, scheme: schemeOfGrant(grant.scheme), grant });
}
