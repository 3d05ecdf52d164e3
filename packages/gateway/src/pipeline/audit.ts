import type { Grant, WireRequest } from "daypass";
import { redactAuthority, redactKey, redactTarget } from "./redact.ts";
import type { RefusalCode } from "./refusal.ts";

/** The result of one request: the source of its log line. Contains no signature, token or credential. */
export interface AuditEvent {
  /** Generated for each request, and also sent to the client. */
  readonly requestId: string;
  /** When the request's head was there, milliseconds since the epoch. */
  readonly time: number;
  /** Milliseconds until the last byte was out. */
  readonly duration: number;
  readonly method: string;
  /** The requested Host, without a user name. */
  readonly host: string;
  /** Path and query, without the values of parameters that are not on the allow-list. */
  readonly url: string;
  /** That of the request as the gateway got it. */
  readonly remoteAddress: string | undefined;
  /** The HTTP status that was sent. */
  readonly status: number;
  /** Bytes of the body that were passed to the connection. */
  readonly bytes: number;
  /** Whether those were all. */
  readonly complete: boolean;
  /** The scheme that was verified, e.g. `s3/header`. */
  readonly scheme: string | undefined;
  /** Who has signed; `undefined` before the signature was verified. */
  readonly keyId: string | undefined;
  /** The key that requested the session, if `keyId` is a session. */
  readonly parentKeyId: string | undefined;
  /** The signer knows the same id, so both logs can be joined without any secret. */
  readonly grantId: string | undefined;
  /** Why the request was refused. */
  readonly code: RefusalCode | undefined;
  /** An unexpected error. For the operator's log only. */
  readonly error: unknown;
  /** The objects that a DeleteObjects request named, at most 1000; if an error ended it, those before the error. */
  readonly deletions: readonly AuditedDeletion[] | undefined;
}

/** The result for one of the objects of a DeleteObjects request. */
export interface AuditedDeletion {
  readonly bucket: string;
  /** At most 1024 characters: no key that can be an object's is longer. */
  readonly key: string;
  /** Why it was not deleted. */
  readonly code: RefusalCode | undefined;
}

/** Where an operation writes down what its request line does not tell. */
export interface Journal {
  deletions: AuditedDeletion[] | undefined;
  /** What the operator has to know of a request although it is answered well. */
  error: unknown;
}

/** Notes an object that a request has deleted besides others, or why it has not. */
export function noteDeletion(journal: Journal, { bucket, key, code }: AuditedDeletion): void {
  journal.deletions ??= [];
  journal.deletions.push({ bucket, key: redactKey(key), code });
}

/** Facts noted while a request passes. Only the audit event reads them: no step depends on what an earlier one wrote here. */
export interface Notes extends Journal {
  readonly requestId: string;
  readonly request: WireRequest;
  readonly time: number;
  grant: Grant | undefined;
  parentKeyId: string | undefined;
  code: RefusalCode | undefined;
}

/** What the exit adds at the end. */
export interface Delivery {
  readonly status: number;
  readonly bytes: number;
  readonly complete: boolean;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export function auditEvent(notes: Notes, delivery: Delivery): AuditEvent {
  return new NotedEvent(notes, delivery);
}

/** A class, because `url` and `grantId` cost more than all the rest and not every reader asks for them. */
class NotedEvent implements AuditEvent {
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
  readonly error: unknown;
  readonly deletions: readonly AuditedDeletion[] | undefined;
  readonly #notes: Notes;

  constructor(notes: Notes, delivery: Delivery) {
    const { request, grant } = notes;
    this.requestId = notes.requestId;
    this.time = notes.time;
    this.duration = delivery.now - notes.time;
    this.method = request.method;
    this.host = redactAuthority(request.authority);
    this.remoteAddress = request.remoteAddress;
    this.status = delivery.status;
    this.bytes = delivery.bytes;
    this.complete = delivery.complete;
    this.scheme = grant?.scheme;
    this.keyId = grant?.keyId;
    this.parentKeyId = notes.parentKeyId;
    this.code = notes.code;
    this.error = notes.error;
    this.deletions = notes.deletions;
    this.#notes = notes;
  }

  get url(): string {
    return redactTarget(this.#notes.request.target);
  }

  get grantId(): string | undefined {
    return this.#notes.grant?.id;
  }

  toJSON(): object {
    const { url, grantId, error } = this;
    return { ...this, url, grantId, error: error === undefined ? undefined : String(error) };
  }
}
