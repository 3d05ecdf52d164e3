import type { TestGateway } from "../../src/testing/index.ts";
import { type Reply, send } from "./clients.ts";
import { type HeaderSigned, headerSignature } from "./header-signature.ts";

/** A request that is signed in its header and changed afterwards. */
export interface ChangedHeader extends Partial<Omit<HeaderSigned, "key" | "host">> {
  readonly body?: string;
  /** Sent in place of the signed path. */
  readonly sentPath?: string;
  readonly change?: (headers: Record<string, string>) => Record<string, string | string[]>;
}

/** Signs with SigV4 in the header, changes the headers and sends. */
export function sendHeaderSigned(
  gateway: TestGateway,
  { body, sentPath, change = (headers) => headers, ...sign }: ChangedHeader,
): Promise<Reply> {
  const { method = "PUT", path = "/media/x", query = {} } = sign;
  const host = `127.0.0.1:${gateway.port}`;
  const headers = headerSignature({ ...sign, method, path, key: gateway.accessKey, host });
  const length = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
  const text = new URLSearchParams(query).toString();
  return send(gateway, {
    method,
    target: `${sentPath ?? path}${text === "" ? "" : `?${text}`}`,
    headers: { ...change(headers), ...length },
    body,
  });
}
