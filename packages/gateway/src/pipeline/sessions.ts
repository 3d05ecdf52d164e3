import type { KeyScope } from "../protocols/protocol.ts";

/** A MAC under a secret that only this gateway and its workers have; 32 bytes. */
export type Mac = (text: string) => Uint8Array;

/** Credentials that end by themselves, issued to whoever holds a key. */
export interface Session {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiration: Date;
  /** The key that asked for it. Its scope holds as well, and the session ends when the key is taken back. */
  readonly parent: string;
  readonly scope: KeyScope;
}

export interface Sessions {
  issue(request: { readonly parent: string; readonly scope: KeyScope; readonly expiration: Date }): Session;
  /** The session of a token, or `undefined` for text that this gateway has not issued. It may have ended. */
  open(token: string): Session | undefined;
}

/** What stands in a token, in its order. */
type Claims = readonly [id: string, parent: string, end: number, scope: Record<string, unknown>];

const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const MAX_TOKEN = 4096;

/**
 * Sessions without state: a token holds who it is for, until when and for what, under a MAC, and the secret is derived from
 * both. Every worker and every replica with the same secret reads it; nothing has to be stored, and nothing is lost on a restart.
 */
export function sessions(mac: Mac, random: (length: number) => Uint8Array): Sessions {
  const secretOf = (token: string): string => base64url(mac(`secret\n${token}`)).slice(0, 40);
  const signature = (payload: string): string => base64url(mac(`token\n${payload}`));

  function session(token: string, [accessKeyId, parent, end, scope]: Claims): Session {
    return {
      accessKeyId,
      secretAccessKey: secretOf(token),
      sessionToken: token,
      expiration: new Date(end * 1000),
      parent,
      scope: scope as KeyScope,
    };
  }

  return {
    issue({ parent, scope, expiration }) {
      const id = `ASIA${Array.from(random(16), (byte) => BASE32[byte & 31]).join("")}`;
      const claims: Claims = [id, parent, Math.floor(expiration.getTime() / 1000), { ...scope }];
      const payload = base64url(new TextEncoder().encode(JSON.stringify(claims)));
      const token = `${payload}.${signature(payload)}`;
      return session(token, claims);
    },
    open(token) {
      if (token.length > MAX_TOKEN) return undefined;
      const dot = token.indexOf(".");
      const payload = token.slice(0, dot);
      if (dot < 0 || !equal(signature(payload), token.slice(dot + 1))) return undefined;
      // What carries the MAC was written here.
      return session(token, JSON.parse(text(payload)) as Claims);
    },
  };
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}

function text(payload: string): string {
  const binary = atob(payload.replaceAll("-", "+").replaceAll("_", "/"));
  return new TextDecoder().decode(Uint8Array.from(binary, (character) => character.charCodeAt(0)));
}

/** Without an early exit; the lengths are public. */
function equal(a: string, b: string): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i);
  return difference === 0;
}
