import type { SignedBy, WireRequest } from "daypass";
import { redactAuthority, redactGrant, redactKey, redactTarget } from "./redact.ts";
import type { RefusalCode } from "./refusal.ts";
import type { Resource } from "./scope-match.ts";

/** The result of one request: the source of its log line. Contains no signature, token or credential. */
export interface AccessEvent {
  /** Generated for each request, and also sent to the client. */
  readonly requestId: string;
  /** When the request's head had arrived, milliseconds since the epoch. */
  readonly time: number;
  /** Milliseconds until the last byte was sent. */
  readonly duration: number;
  readonly method: string;
  /** The requested Host, without a user name. */
  readonly host: string;
  /** Path and query, without the values of parameters that are not on the allow-list. */
  readonly url: string;
  /** The path alone, as in `url`. */
  readonly path: string;
  /** The bucket; `undefined` if no signature was verified, or the call has no bucket. */
  readonly bucket: string | undefined;
  /** The object's key, at most 1024 characters; `undefined` as `bucket`, or for a call on a bucket. */
  readonly key: string | undefined;
  /** The address of the connection's other end: of the client, or of a proxy. */
  readonly remoteAddress: string | undefined;
  /** The HTTP status that was sent. */
  readonly status: number;
  /** Bytes of the body that were passed to the connection. */
  readonly bytes: number;
  /** Whether that was the whole body. */
  readonly complete: boolean;
  /** The scheme that was verified, e.g. `s3/header`. */
  readonly scheme: string | undefined;
  /** The key that signed; `undefined` if no signature was verified. */
  readonly keyId: string | undefined;
  /** The key that requested the session, if `keyId` is a session. */
  readonly parentKeyId: string | undefined;
  /** The signer knows the same id, so both logs can be joined without any secret. Of a link, the first four characters: its id opens it. */
  readonly grantId: string | undefined;
  /** Why the request was refused. */
  readonly code: RefusalCode | undefined;
  /** The same in words, which not every dialect sends, for a status of 400 to 499. Without signatures and secrets. */
  readonly reason: string | undefined;
  /** An unexpected error. For the operator's log only. */
  readonly error: unknown;
  /** The objects that a DeleteObjects request named, at most 1000; if an error ended it, those before the error. */
  readonly deletions: readonly LoggedDeletion[] | undefined;
}

/** The result for one of the objects of a DeleteObjects request. */
export interface LoggedDeletion {
  readonly bucket: string;
  /** At most 1024 characters: no object's key is longer. */
  readonly key: string;
  /** Why it was not deleted. */
  readonly code: RefusalCode | undefined;
}

/** What an operation adds to the log of its request. */
export interface Journal {
  deletions: LoggedDeletion[] | undefined;
  /** An error that the operator must know although the request succeeded. */
  error: unknown;
}

/** Notes that one of several objects was deleted, or why it was not. */
export function noteDeletion(journal: Journal, { bucket, key, code }: LoggedDeletion): void {
  journal.deletions ??= [];
  journal.deletions.push({ bucket, key: redactKey(key), code });
}

/** Facts noted while a request is processed. Only the event reads them. */
export interface Notes extends Journal {
  readonly requestId: string;
  readonly request: WireRequest;
  readonly time: number;
  /** The signer of the grant, or of a refused request whose signature matched. */
  signer: SignedBy | undefined;
  resource: Resource | undefined;
  parentKeyId: string | undefined;
  code: RefusalCode | undefined;
  reason: string | undefined;
}

/** Facts known when the response has ended. */
export interface ResponseEnd {
  readonly status: number;
  readonly bytes: number;
  readonly complete: boolean;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Starts the notes of a request. */
export function notesOf(request: WireRequest, { requestId, time }: { requestId: string; time: number }): Notes {
  return {
    requestId,
    request,
    time,
    signer: undefined,
    resource: undefined,
    parentKeyId: undefined,
    code: undefined,
    reason: undefined,
    error: undefined,
    deletions: undefined,
  };
}

/** Returns a source of request ids: 16 hexadecimal digits as in AWS, eight random ones per process, then a count. */
export function requestIds(
  random: (length: number) => Uint8Array = (length) => crypto.getRandomValues(new Uint8Array(length)),
): () => string {
  let prefix = "";
  let count = 0;
  return () => {
    if (count === 0) prefix = random(4).reduce((text, byte) => text + hex(byte, 2), "");
    count = (count + 1) >>> 0;
    return prefix + hex(count, 8);
  };
}

function hex(value: number, digits: number): string {
  return value.toString(16).toUpperCase().padStart(digits, "0");
}

export function accessEvent(notes: Notes, end: ResponseEnd): AccessEvent {
  return new NotedEvent(notes, end);
}

/** A class, because the getters cost more than all other fields, and not every reader uses them. */
class NotedEvent implements AccessEvent {
  readonly requestId: string;
  readonly time: number;
  readonly duration: number;
  readonly method: string;
  readonly host: string;
  readonly remoteAddress: string | undefined;
  readonly status: number;
  readonly bytes: number;
  readonly complete: boolean;
  readonly scheme: string | undefined;
  readonly keyId: string | undefined;
  readonly parentKeyId: string | undefined;
  readonly code: RefusalCode | undefined;
  readonly reason: string | undefined;
  readonly error: unknown;
  readonly deletions: readonly LoggedDeletion[] | undefined;
  readonly #notes: Notes;

  constructor(notes: Notes, end: ResponseEnd) {
    const { request, signer } = notes;
    this.requestId = notes.requestId;
    this.time = notes.time;
    this.duration = end.now - notes.time;
    this.method = request.method;
    this.host = redactAuthority(request.authority);
    this.remoteAddress = request.remoteAddress;
    this.status = end.status;
    this.bytes = end.bytes;
    this.complete = end.complete;
    this.scheme = signer?.scheme;
    this.keyId = signer?.keyId;
    this.parentKeyId = notes.parentKeyId;
    this.code = notes.code;
    this.reason = notes.reason;
    this.error = notes.error;
    this.deletions = notes.deletions;
    this.#notes = notes;
  }

  get url(): string {
    return redactTarget(this.#notes.request.target);
  }

  get grantId(): string | undefined {
    const { signer } = this.#notes;
    return signer && redactGrant(signer);
  }

  get path(): string {
    return redactTarget(this.#notes.request.target.split("?", 1)[0] ?? "");
  }

  get bucket(): string | undefined {
    return this.#notes.resource?.bucket || undefined;
  }

  get key(): string | undefined {
    const key = this.#notes.resource?.key;
    return key === undefined ? undefined : redactKey(key);
  }

  toJSON(): object {
    const { url, path, bucket, key, grantId, error } = this;
    return { ...this, url, path, bucket, key, grantId, error: error === undefined ? undefined : String(error) };
  }
}
