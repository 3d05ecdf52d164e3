/** Sessions of the console: an operator's browser, admitted by the command line. In memory, so a restart of the gateway ends them. */
import { randomBytes } from "node:crypto";
import { tokenHash } from "./token-hash.ts";

/** A ticket is in an address for as long as a browser takes to open it. */
const TICKET_MS = 60_000;
const SESSION_MS = 12 * 60 * 60 * 1000;
/** The oldest makes room. */
const MAX_OPEN = 1000;

/** Secrets that end. Only their hashes are kept, so that a comparison takes the same time for every secret. */
function passes(clock: () => Date, life: number) {
  const open = new Map<string, number>();
  return {
    add(): { readonly secret: string; readonly until: number } {
      const now = clock().getTime();
      for (const [hash, until] of open) if (until <= now || open.size >= MAX_OPEN) open.delete(hash);
      const secret = randomBytes(32).toString("base64url");
      const until = now + life;
      open.set(tokenHash(secret), until);
      return { secret, until };
    },
    /** The end of a secret; `undefined` if it is unknown, or over. A clock that was set back gives no more time than a new secret has. */
    find(secret: string): number | undefined {
      const until = open.get(tokenHash(secret));
      const left = (until ?? 0) - clock().getTime();
      return left > 0 && left <= life ? until : undefined;
    },
    remove: (secret: string): boolean => open.delete(tokenHash(secret)),
  };
}

/** The sessions of a process, which all of its listeners share. */
export interface AdminSessions {
  /** Makes a ticket for one session. */
  ticket(): string;
  /** Opens a session with a ticket, which is then used up; `undefined` for another one. */
  open(ticket: string): { readonly secret: string; readonly until: number } | undefined;
  /** When the session of a bearer ends, in milliseconds; `undefined` if there is none. */
  find(secret: string): number | undefined;
  /** Ends a session at once, if there is one. */
  end(secret: string): void;
}

/**
 * Creates sessions for {@link AdminOptions}. A ticket is valid for a minute and once, a session for 12 hours; `clock` gives the time. Not kept:
 * a restart of the process ends all.
 *
 * @example
 * ```ts
 * import { adminSessions } from "@daypass/gateway/admin";
 *
 * const sessions = adminSessions(() => new Date());
 * const session = sessions.open(sessions.ticket());
 * console.log(session !== undefined && sessions.find(session.secret) === session.until); // true
 * ```
 */
export function adminSessions(clock: () => Date): AdminSessions {
  const tickets = passes(clock, TICKET_MS);
  const sessions = passes(clock, SESSION_MS);
  return {
    ticket: () => tickets.add().secret,
    open(ticket) {
      if (tickets.find(ticket) === undefined || !tickets.remove(ticket)) return undefined;
      return sessions.add();
    },
    find: sessions.find,
    end: (secret) => void sessions.remove(secret),
  };
}
