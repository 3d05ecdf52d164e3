import { DaypassError } from "daypass";
import type { S3Credentials } from "daypass/s3";
import type { KeyScope } from "./key-scope.ts";

/** A MAC under a secret that only this gateway and its workers have; 32 bytes. */
export type Mac = (text: string) => Uint8Array;

/** Temporary credentials, issued to the holder of a key. */
export interface Session {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  /** First instant at which they are no longer valid. */
  readonly expiration: Date;
  /** The id of the key that requested it. The scope of that key applies, too, and the session ends when the key is revoked. */
  readonly parent: string;
  /** A MAC over the parent's secret: {@link Sessions.isBound} checks whether that secret has changed. */
  readonly bond: string;
  readonly scope: KeyScope;
}

/** The properties of a new session. Nothing here is checked: the caller must check that the key exists and may request a session. */
export interface SessionRequest {
  /** The key that requests the session, with the secret that signed the request. */
  readonly parent: Pick<S3Credentials, "accessKeyId" | "secretAccessKey">;
  readonly scope: KeyScope;
  /** First instant at which the session is no longer valid. Not compared with the parent's own expiry. */
  readonly expiration: Date;
}

/** Issues and reads sessions; created by {@link sessions}. */
export interface Sessions {
  /**
   * Makes a session. Its `expiration` is cut to whole seconds.
   * @throws {DaypassError} `INVALID_INPUT` for a scope that is too long for a token
   */
  issue(request: SessionRequest): Session;
  /** Returns the session of a token, or `undefined` for text that this gateway has not issued. The session may have expired. */
  open(token: string): Session | undefined;
  /** Whether the session was issued to the holder of this secret: a new secret under the same key id ends it. */
  isBound(session: Session, parentSecret: string): boolean;
}

/** The content of a token. */
type Claims = readonly [id: string, parent: string, end: number, scope: Record<string, unknown>, bond: string];

const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const MAX_TOKEN = 4096;

/**
 * Stateless sessions: a token contains its holder, expiry and rights, protected by a MAC, and the session's secret is
 * derived from both. Every worker and replica with the same secret can read it; nothing has to be stored, and nothing is
 * lost on a restart.
 *
 * @param mac under a secret of at least 32 bytes, which every worker and replica has
 * @param random returns the requested number of random bytes
 * @example
 * ```ts
 * import { createHmac, randomBytes } from "node:crypto";
 * import { sessions } from "@daypass/gateway";
 *
 * // Pass the same secret to `createGateway`, so that it accepts these sessions.
 * const sessionSecret = randomBytes(32);
 * const { issue } = sessions((text) => createHmac("sha256", sessionSecret).update(text).digest(), randomBytes);
 * const session = issue({
 *   parent: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "…" },
 *   scope: { buckets: ["media"], prefix: "inbox/", methods: ["PUT"] },
 *   expiration: new Date(Date.now() + 900_000),
 * });
 * console.log(session.accessKeyId, session.expiration);
 * ```
 */
export function sessions(mac: Mac, random: (length: number) => Uint8Array): Sessions {
  const secretOf = (token: string): string => base64url(mac(`secret\n${token}`)).slice(0, 40);
  const signature = (payload: string): string => base64url(mac(`token\n${payload}`));
  // The random id hides that two sessions have the same parent. The gateway's secret prevents guessing the parent's secret.
  const bondOf = (id: string, parentSecret: string): string => base64url(mac(`parent\n${id}\n${parentSecret}`));

  function session(token: string, [accessKeyId, parent, end, scope, bond]: Claims): Session {
    return {
      accessKeyId,
      secretAccessKey: secretOf(token),
      sessionToken: token,
      expiration: new Date(end * 1000),
      parent,
      bond,
      scope: scope as KeyScope,
    };
  }

  return {
    issue({ parent, scope, expiration }) {
      const id = `ASIA${Array.from(random(16), (byte) => BASE32[byte & 31]).join("")}`;
      const end = Math.floor(expiration.getTime() / 1000);
      const bond = bondOf(id, parent.secretAccessKey);
      const claims: Claims = [id, parent.accessKeyId, end, { ...scope }, bond];
      const payload = Buffer.from(JSON.stringify(claims)).toString("base64url");
      const token = `${payload}.${signature(payload)}`;
      if (token.length > MAX_TOKEN) {
        const message = `the scope makes a token of ${token.length} characters, and at most ${MAX_TOKEN} are allowed. Name fewer buckets`;
        throw new DaypassError("INVALID_INPUT", message);
      }
      return session(token, claims);
    },
    open(token) {
      if (token.length > MAX_TOKEN) return undefined;
      const dot = token.indexOf(".");
      const payload = token.slice(0, dot);
      if (dot < 0 || !equal(signature(payload), token.slice(dot + 1))) return undefined;
      // The MAC proves that this gateway wrote the claims.
      return session(token, JSON.parse(Buffer.from(payload, "base64url").toString()) as Claims);
    },
    isBound: ({ accessKeyId, bond }, parentSecret) => equal(bondOf(accessKeyId, parentSecret), bond),
  };
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64url");
}

/** Compares in constant time. The lengths are public. */
function equal(a: string, b: string): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i);
  return difference === 0;
}
