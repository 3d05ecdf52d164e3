import type { TestGateway } from "../../src/testing/index.ts";
import { type Reply, send } from "./clients.ts";
import { type HeaderSigned, headerSignature } from "./header-signature.ts";

/** A request with a signature in its header, and what becomes of its headers behind it. */
export interface ChangedHeader extends Partial<Omit<HeaderSigned, "key" | "host">> {
  readonly body?: string;
  readonly change?: (headers: Record<string, string>) => Record<string, string | string[]>;
}

/** Sends what was signed with SigV4 in the header, and then changed. */
export function sendHeaderSigned(
  gateway: TestGateway,
  { body, change = (headers) => headers, ...sign }: ChangedHeader,
): Promise<Reply> {
  const { method = "PUT", path = "/media/x", query = {} } = sign;
  const host = `127.0.0.1:${gateway.port}`;
  const headers = headerSignature({ ...sign, method, path, key: gateway.accessKey, host });
  const length = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
  const text = new URLSearchParams(query).toString();
  return send(gateway, {
    method,
    target: text === "" ? path : `${path}?${text}`,
    headers: { ...change(headers), ...length },
    body,
  });
}
